// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.dkvm.linux.HostFiles;

/**
 * Settings of the kernel that a container has of its host: limits that Linux derives from the memory it finds, which is little in a VM, and whether packets are
 * forwarded, which engines switch on for the host and a new namespace takes from there.
 */
final class HostSettings {
    private static final List<String> NAMES = List.of(
            "net/ipv4/ip_forward",
            "kernel/threads-max",
            "fs/file-max",
            "fs/inotify/max_user_instances",
            "fs/inotify/max_user_watches");

    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}|9223372036854775807");

    private HostSettings() {}

    /** Those that this kernel has, as sysctls of the guest. */
    static Map<String, String> read(Path proc) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String name : NAMES) {
            String value = text(proc.resolve("sys").resolve(name));
            // More than a long has is refused by newer kernels, which older ones took.
            if (NUMBER.matcher(value).matches()) {
                settings.put(name, value);
            }
        }
        return settings;
    }

    /** Empty where the host's kernel is built without it, or does not tell: the guest's default will do. */
    private static String text(Path file) {
        try {
            return HostFiles.setting(file);
        } catch (IOException e) {
            return "";
        }
    }
}
