// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.DkvmException;
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

    private HostSettings() {}

    /** Those that this kernel has, as sysctls of the guest. */
    static Map<String, String> read(Path proc) throws DkvmException {
        Map<String, String> settings = new LinkedHashMap<>();
        for (String name : NAMES) {
            Path file = proc.resolve("sys").resolve(name);
            try {
                // Where the host's kernel is built without it, the guest's default will do.
                if (Files.exists(file)) {
                    settings.put(name, HostFiles.setting(file));
                }
            } catch (IOException e) {
                throw new DkvmException("can not read the host's setting \"" + name + "\": " + e.getMessage(), "", e);
            }
        }
        return settings;
    }
}
