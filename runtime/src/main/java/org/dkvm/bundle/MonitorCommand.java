// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle;

import java.util.List;
import org.dkvm.core.SandboxPaths;

/** The command lines of the sandbox: its PID 1 and, under it, the monitor's JVM. All paths are the sandbox's. */
public final class MonitorCommand {
    /** The whole environment of the sandbox. Java writes file names in the locale's encoding: the image's may be of any. */
    public static final List<String> ENVIRONMENT =
            List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8");

    private MonitorCommand() {}

    /** What runc starts: {@code dkvm-init}, which starts the monitor. */
    public static List<String> init() {
        return List.of(
                SandboxPaths.PACKAGE + "/dkvm-init",
                "--socket",
                SandboxPaths.SESSION_SOCKET,
                "--log",
                SandboxPaths.MONITOR_LOG,
                "--",
                SandboxPaths.PACKAGE + "/jre/bin/java",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-XX:+UnlockDiagnosticVMOptions",
                "-XX:ArchiveRelocationMode=0",
                "-XX:AOTCache=" + SandboxPaths.PACKAGE + "/aot/monitor.aot",
                // Without jspawnhelper in between: four programs fewer.
                "-Djdk.lang.Process.launchMechanism=FORK",
                "-Xlog:disable",
                "-Xlog:all=error:stderr",
                "-Xmx32m",
                "-Xmn2m",
                "-Xss256k",
                "-cp",
                SandboxPaths.PACKAGE + "/lib/dkvm.jar:" + SandboxPaths.PACKAGE + "/lib/gson.jar",
                "org.dkvm.cli.Main",
                "monitor");
    }
}
