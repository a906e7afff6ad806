// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.process.CapabilityNames;
import org.dkvm.core.machine.NetworkMode;

/**
 * Who runs as what in a sandbox: the one place where it is said. dkvm-init is told by its command line, and docs/security.md has it as a table.
 *
 * @param programs by name, as dkvm-init knows them
 * @param guarded whether the VM is held to its own addresses
 */
public record ProgramRights(List<Program> programs, boolean guarded) {
    /** A program, the user and group that it runs as, and its capabilities. */
    public record Program(String name, long uid, long capabilities) {}

    /** The name of the program that has the network; it is missing where the network is not the VM's. */
    private static final String NETWORK = "network";

    private static final String QEMU = "qemu";
    private static final long ROOT = 0;

    /** To act for every user of the guest; the last to give up the rest of what it was started with. */
    private static final long SHARE = CapabilityNames.mask(List.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FOWNER",
            "CAP_FSETID",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_MKNOD",
            "CAP_SETFCAP",
            "CAP_SETPCAP"));

    /** To make and to open files in the container's directories, whoever has those. */
    private static final long DISKS = CapabilityNames.mask(List.of("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"));

    /** To connect as whom the guest names. */
    private static final long SOCKETS = CapabilityNames.mask(List.of("CAP_DAC_OVERRIDE", "CAP_SETGID", "CAP_SETUID"));

    /** To open what the guest has open, whoever owns it. */
    private static final long LOCKS = CapabilityNames.mask(List.of("CAP_DAC_OVERRIDE"));

    /** To look at what is watched in the container's directories, whoever has those. */
    private static final long EVENTS = CapabilityNames.mask(List.of("CAP_DAC_OVERRIDE"));

    private static final long NET_ADMIN = CapabilityNames.mask(List.of("CAP_NET_ADMIN"));

    /** To listen at the VM's ports below 1024 in a namespace that it shares with others. */
    private static final long NET_BIND_SERVICE = CapabilityNames.mask(List.of("CAP_NET_BIND_SERVICE"));

    /** For {@code DKVM_SYS_ADMIN}, where the host allows it. */
    private static final long SYS_ADMIN = CapabilityNames.mask(List.of("CAP_SYS_ADMIN"));

    /** What dkvm-init needs to start processes that have less, and to end them. */
    private static final long STARTING =
            CapabilityNames.mask(List.of("CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_KILL"));

    /** With one of them a container can send in another's name. */
    private static final long FORGING = CapabilityNames.mask(List.of("CAP_NET_RAW", "CAP_NET_ADMIN"));

    public ProgramRights {
        programs = List.copyOf(programs);
    }

    /**
     * Those of this sandbox.
     *
     * @param pod whether it is a pod's
     */
    static ProgramRights of(SandboxPlan plan, HostConfig config, SandboxUsers users, boolean pod) {
        long uid = users.first();
        long bounding = plan.container().process().rights().capabilities().bounding();
        boolean shared = plan.vm().network() == NetworkMode.SHARED;
        List<Program> programs = new ArrayList<>();
        programs.add(new Program(QEMU, uid, shared ? bounding & NET_BIND_SERVICE : 0));
        programs.add(new Program("virtiofsd", ROOT, plan.rights().sysAdmin() ? SHARE | SYS_ADMIN : SHARE));
        programs.add(new Program("monitor", ROOT, 0));
        programs.add(new Program("disks", ROOT, DISKS));
        programs.add(new Program("sockets", ROOT, SOCKETS));
        programs.add(new Program("exhaust", ROOT, 0));
        programs.add(new Program("locks", ROOT, LOCKS));
        // A user of its own: what a user may watch is limited, and root's programs on the host watch as well.
        programs.add(new Program("events", uid + 2, EVENTS));
        programs.add(new Program("web", webUser(uid), 0));
        if (!shared) {
            programs.add(new Program(NETWORK, uid + 1, NET_ADMIN));
        }
        if (!shared && pod) {
            programs.add(new Program("forward", uid + 4, 0));
        }
        return new ProgramRights(programs, config.confinement().antispoof().holds((bounding & FORGING) != 0));
    }

    /** What dkvm-init starts with: what all of them have, to hand it on. */
    long all() {
        long all = STARTING;
        for (Program program : programs) {
            all |= program.capabilities;
        }
        return all;
    }

    /** Whose devices are QEMU's. */
    long machineUser() {
        return user(QEMU);
    }

    /** Who makes taps; root where nobody does. */
    long networkUser() {
        return user(NETWORK);
    }

    /** Who serves a screen to browsers, where QEMU has this number. */
    static long webUser(long uid) {
        return uid + 3;
    }

    /** Whether the network is the VM's. */
    boolean hasNetwork() {
        return networkUser() != ROOT;
    }

    /** As options of dkvm-init. */
    List<String> options() {
        List<String> options = new ArrayList<>();
        for (Program program : programs) {
            options.add("--as");
            options.add(program.name + ":" + program.uid + ":" + program.uid + ":"
                    + Long.toHexString(program.capabilities));
        }
        if (guarded && hasNetwork()) {
            options.add("--antispoof");
            options.add("on");
        }
        return options;
    }

    private long user(String name) {
        for (Program program : programs) {
            if (program.name.equals(name)) {
                return program.uid;
            }
        }
        return ROOT;
    }
}
