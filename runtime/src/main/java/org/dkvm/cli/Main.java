// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.dkvm.core.PackageLayout;
import org.dkvm.monitor.MonitorMain;

/** The one entry point of DKVM's jar: what an engine calls, what the sandbox runs, and the administrator's command. */
public final class Main {
    private Main() {}

    /**
     * Dispatches by the first argument; runc's options and commands need not come first, so what is not one of DKVM's own commands is an engine's.
     *
     * @param args {@code monitor}; one of the administrator's commands; or runc's whole command line
     */
    public static void main(String[] args) {
        List<String> all = Arrays.asList(args);
        switch (args.length == 0 ? "help" : args[0]) {
            case "monitor" -> MonitorMain.main(Arrays.copyOfRange(args, 1, args.length));
            case "check",
                    "completion",
                    "config",
                    "kernel",
                    "logs",
                    "ps",
                    "stats",
                    "template",
                    "timeline",
                    "top",
                    "version",
                    "help",
                    "--help",
                    "-h",
                    "--version" -> exit(AdminCommand.run(all, layout()));
            default -> exit(RuntimeCommand.run(all, layout()));
        }
    }

    /** Ends at once: System.exit would first look for a logger to tell. */
    private static void exit(int code) {
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    /** The package that the launcher is part of. */
    private static PackageLayout layout() {
        String home = System.getProperty("dkvm.home", "");
        return new PackageLayout(home.isEmpty() ? PackageLayout.DEFAULT_HOME : Path.of(home));
    }
}
