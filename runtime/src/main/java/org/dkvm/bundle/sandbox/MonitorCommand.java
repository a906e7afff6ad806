// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.plan.VmPlan;
import org.dkvm.core.SandboxPaths;

/** The command lines of the sandbox: its PID 1 and, under it, the monitor's JVM. All paths are the sandbox's. */
public final class MonitorCommand {
    /** The whole environment of the sandbox. Java writes file names in the locale's encoding: the image's may be of any. */
    public static final List<String> ENVIRONMENT =
            List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8");

    private MonitorCommand() {}

    private static final String END_OF_OPTIONS = "--";
    private static final String EXEC = SandboxPaths.PACKAGE + "/dkvm-exec";
    private static final String MEMBER = "--member";
    private static final String INIT = SandboxPaths.PACKAGE + "/dkvm-init";

    /**
     * What runc starts for a further container of a pod: its client, as the container's first process.
     *
     * @param exhaust bytes that its control group has no room for, taken where the container ran out of memory, so that the engine hears of it
     */
    static List<String> member(int number, long exhaust) {
        List<String> command = new ArrayList<>();
        add(command, EXEC, "--exhaust", String.valueOf(exhaust), MEMBER, String.valueOf(number));
        return command;
    }

    /** Whether these are the arguments of a sandbox's first process. */
    static boolean isInit(List<String> args) {
        int end = args.indexOf(END_OF_OPTIONS);
        boolean member = args.size() > 2 && EXEC.equals(args.getFirst()) && MEMBER.equals(args.get(args.size() - 2));
        boolean init = end > 0
                && INIT.equals(args.getFirst())
                && args.subList(end + 1, args.size()).equals(monitor());
        return member || init;
    }

    /**
     * What runc starts: {@code dkvm-init}, which starts the monitor.
     *
     * @param vm whose it is
     * @param pod whether it is a pod's
     */
    static List<String> init(VmPlan vm, ProgramRights rights, boolean pod) {
        List<String> command = new ArrayList<>();
        String socket = pod ? SandboxPaths.POD_SOCKET : SandboxPaths.SESSION_SOCKET;
        add(command, INIT, "--socket", socket, "--log", SandboxPaths.MONITOR_LOG);
        if (pod) {
            add(command, "--link", SandboxPaths.SESSION_SOCKET);
        }
        add(command, "--starter", SandboxPaths.STARTER_SOCKET);
        if (rights.hasNetwork()) {
            add(command, "--network", SandboxPaths.NETWORK_SOCKET);
        }
        if (pod && rights.hasNetwork()) {
            add(command, "--forward", SandboxPaths.FORWARD_SOCKET);
        }
        if (vm.shape().display().mode().takesTerminal()) {
            // QEMU reads the container's terminal, and dkvm-init does not.
            add(command, "--terminal", "qemu");
        }
        if (vm.restored()) {
            long bytes = vm.shape().size().memory().bytes();
            add(command, "--template", SandboxPaths.TEMPLATE + ":" + bytes);
        }
        command.addAll(rights.options());
        command.add(END_OF_OPTIONS);
        command.addAll(monitor());
        return command;
    }

    /** What dkvm-init starts: the monitor. The program is a JVM's launcher that nobody without rights may read, so that nobody reads its memory: package/assemble.sh. */
    public static List<String> monitor() {
        List<String> command = new ArrayList<>();
        add(command, SandboxPaths.PACKAGE + "/jre/bin/dkvm-monitor");
        add(command, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData");
        add(command, "-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0");
        add(command, "-XX:AOTCache=" + SandboxPaths.PACKAGE + "/aot/monitor.aot");
        add(command, "-Xlog:disable", "-Xlog:all=error:stderr", "-Xmx32m", "-Xmn2m", "-Xss256k");
        add(command, "-cp", SandboxPaths.PACKAGE + "/lib/dkvm.jar:" + SandboxPaths.PACKAGE + "/lib/gson.jar");
        add(command, "org.dkvm.cli.Main", "monitor");
        return command;
    }

    private static void add(List<String> command, String... words) {
        for (String word : words) {
            command.add(word);
        }
    }
}
