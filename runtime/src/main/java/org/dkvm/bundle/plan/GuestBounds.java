// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.WorkloadProcess;

/**
 * What the agent takes (protocol/PROTOCOL.md). More would break the protocol, and so end the VM, a running one too, without a word of why: it is refused before.
 */
public final class GuestBounds {
    /** Bytes of a path: PATH_MAX without its NUL. */
    private static final int MOST_PATH = 4095;
    /** Bytes of a host name: see uname(2). */
    private static final int MOST_NAME = 64;

    private static final int MOST_GROUPS = 1024;
    /** Bytes of all arguments and variables: the rest of the protocol's 4 MiB is for what else a process has. */
    private static final int MOST_STRINGS = 4 * 1024 * 1024 - 64 * 1024;
    /** Bytes of the mounts, devices and settings: the rest of the protocol's MiB is for the network. */
    private static final int MOST_RECORDS = 1024 * 1024 - 256 * 1024;
    /** Bytes around a text at most: a record's header, lengths, numbers. */
    private static final int AROUND = 64;

    private GuestBounds() {}

    /** Refuses a process that the agent would not take. */
    public static void check(WorkloadProcess process) throws DkvmException {
        long bytes = 0;
        for (String arg : process.command().args()) {
            bytes += AROUND + bytes("an argument", arg, MOST_STRINGS);
        }
        for (String variable : process.command().env()) {
            bytes += AROUND + bytes("a variable of the environment", variable, MOST_STRINGS);
        }
        if (bytes > MOST_STRINGS
                && encoded(process.command().args()) + encoded(process.command().env()) > MOST_STRINGS) {
            throw new DkvmException(
                    "arguments and environment have more than " + MOST_STRINGS + " bytes", "give less of them");
        }
        bytes("the working directory", process.command().cwd(), MOST_PATH);
        if (process.user().groups().size() > MOST_GROUPS) {
            throw new DkvmException(
                    "the process has " + process.user().groups().size() + " additional groups, more than "
                            + MOST_GROUPS,
                    "");
        }
    }

    /** Refuses a plan of a machine that the agent would not take. */
    public static void check(SandboxPlan plan) throws DkvmException {
        bytes("the host name", plan.vm().names().host(), MOST_NAME);
        bytes("the domain name", plan.vm().names().domain(), MOST_NAME);
        long bytes = 0;
        for (Map.Entry<String, String> sysctl : plan.vm().sysctls().entrySet()) {
            String name = sysctl.getKey();
            if (name.isEmpty() || name.indexOf('=') >= 0) {
                throw new DkvmException("sysctl \"" + shown(name) + "\" is no name of a setting", "");
            }
            bytes += AROUND + bytes("sysctl \"" + shown(name) + "\"", name + "=" + sysctl.getValue(), MOST_PATH);
        }
        check(plan.container(), bytes);
    }

    /** Refuses a container that the agent would not take. */
    public static void check(ContainerPlan container) throws DkvmException {
        check(container, 0);
    }

    private static void check(ContainerPlan container, long others) throws DkvmException {
        long bytes = others;
        for (GuestMount mount : container.root().mounts()) {
            String what = "mount point \"" + shown(mount.target()) + "\"";
            bytes += AROUND + bytes(what, mount.target(), MOST_PATH);
            for (String text : new String[] {mount.source(), mount.filesystem(), mount.data()}) {
                bytes += bytes("an option of " + what, text, MOST_PATH);
            }
        }
        for (GuestDevice device : container.devices()) {
            bytes += AROUND + bytes("device \"" + shown(device.path()) + "\"", device.path(), MOST_PATH);
        }
        for (String path : container.root().hidden().masked()) {
            bytes += AROUND + bytes("a masked path", path, MOST_PATH);
        }
        for (String path : container.root().hidden().readOnly()) {
            bytes += AROUND + bytes("a read-only path", path, MOST_PATH);
        }
        if (bytes > MOST_RECORDS) {
            throw new DkvmException(
                    "mounts, devices and sysctls have " + bytes + " bytes, more than " + MOST_RECORDS,
                    "give fewer, or shorter ones");
        }
    }

    private static long encoded(List<String> texts) {
        long bytes = 0;
        for (String text : texts) {
            bytes += AROUND + text.getBytes(StandardCharsets.UTF_8).length;
        }
        return bytes;
    }

    /** At most so many: see {@link #encoded} for how many they are. */
    private static int bytes(String what, String text, int most) throws DkvmException {
        if (text.indexOf('\0') >= 0) {
            throw new DkvmException(what + " has a NUL character", "");
        }
        // No character has more than three bytes: most texts need not be encoded to be counted.
        int bytes = text.length() * 3L <= most ? text.length() * 3 : text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > most) {
            throw new DkvmException(what + " has " + bytes + " bytes, more than " + most, "");
        }
        return bytes;
    }

    /** The beginning of a name. */
    private static String shown(String name) {
        return name.substring(0, Math.min(name.length(), MOST_NAME)).replace('\0', '?');
    }
}
