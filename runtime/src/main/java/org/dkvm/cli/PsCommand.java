// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.vm.VmList;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code dkvm ps}. */
@Command(
        name = "ps",
        description = {
            "Lists the VMs: their containers, kernels, how they run, and how long their starts took, from the engine's call to the"
                    + " workload's start.",
            "Memory and CPUs are those a VM was started with."
        },
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class)
final class PsCommand implements Callable<Integer> {
    private static final String FORMAT = "%-14s %-20s %-26s %-6s %10s %5s  %-16s %9s%n";
    private static final double MILLIS_PER_SECOND = 1000;

    @Option(
            names = {"-a", "--all"},
            description = "Also those that are gone and whose logs are kept.")
    private boolean all;

    private final VmTools tools;

    PsCommand(PackageLayout layout) {
        tools = new VmTools(layout);
    }

    @Override
    public Integer call() throws DkvmException {
        VmList list = VmTools.list();
        Map<String, String> names = list.entries().isEmpty() ? Map.of() : EngineNames.all();
        System.out.printf(FORMAT, "CONTAINER ID", "NAME", "KERNEL", "ACCEL", "MEMORY", "CPUS", "UPTIME", "BOOT");
        for (VmList.Entry entry : list.entries()) {
            if (all || entry.isThere()) {
                String id = entry.vm().id().value();
                System.out.printf(
                        FORMAT,
                        VmTools.shortened(id),
                        names.getOrDefault(id, entry.vm().name()),
                        entry.vm().kernel(),
                        accelerator(entry),
                        entry.vm().memory(),
                        entry.vm().cpus(),
                        entry.isThere() ? uptime(Duration.between(entry.vm().created(), Instant.now())) : "gone",
                        boot(entry));
            }
        }
        return 0;
    }

    static String accelerator(VmList.Entry entry) {
        return entry.vm().accelerator().name().toLowerCase(Locale.ROOT);
    }

    private String boot(VmList.Entry entry) throws DkvmException {
        Optional<Double> total = tools.timeline(entry).total();
        return total.isPresent() ? String.format(Locale.ROOT, "%.2f s", total.get() / MILLIS_PER_SECOND) : "-";
    }

    private static String uptime(Duration age) {
        if (age.toDays() > 0) {
            return age.toDays() + " d " + age.toHoursPart() + " h";
        }
        if (age.toHours() > 0) {
            return age.toHours() + " h " + age.toMinutesPart() + " min";
        }
        return age.toMinutes() > 0 ? age.toMinutes() + " min " + age.toSecondsPart() + " s" : age.toSeconds() + " s";
    }
}
