// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.update.CurrentSize;
import org.dkvm.vm.SharedPlaces;
import org.dkvm.vm.StaleVms;
import org.dkvm.vm.StartTimeline;
import org.dkvm.vm.VmList;
import org.dkvm.vm.VmPlace;
import org.dkvm.vm.VmRecord;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code dkvm ps}. */
@Command(
        name = "ps",
        description = {
            "Lists the VMs: their containers, kernels, how they run, and how long their starts took, from the engine's call to the"
                    + " workload's start.",
            "The further containers of a pod stand beside its VM: \"in\" and that VM's container.",
            "Memory and CPUs are those that a VM has now; of one that is gone, those that it was started with."
        },
        mixinStandardHelpOptions = true)
public final class PsCommand implements Callable<Integer> {
    private static final String FORMAT = "%-14s %-20s %-26s %-6s %10s %5s  %-16s %9s%n";
    private static final double MILLIS_PER_SECOND = 1000;

    @Option(
            names = {"-a", "--all"},
            description = {
                "Also those that are gone and whose logs are kept, and those that stopped and that their engine, which was",
                "killed with them, has not deleted."
            })
    private boolean all;

    private final VmTools tools;
    private final Path keep;

    public PsCommand(PackageLayout layout) {
        tools = new VmTools(layout);
        keep = layout.program("dkvm-keep");
    }

    @Override
    public Integer call() throws DkvmException {
        StaleVms.remove(VmList.present(VmPlace.DIRECTORY), keep);
        VmList list = VmTools.list();
        List<VmRecord> running = new ArrayList<>();
        Map<String, String> names = list.entries().isEmpty() ? Map.of() : EngineNames.all();
        System.out.printf(FORMAT, "CONTAINER ID", "NAME", "KERNEL", "ACCEL", "MEMORY", "CPUS", "UPTIME", "BOOT");
        for (VmList.Entry entry : list.entries()) {
            boolean runs = entry.isThere() && ContainerState.isAlive(entry.vm().state());
            if (runs) {
                running.add(entry.vm());
            }
            if (all || runs) {
                String id = entry.vm().id().value();
                // A further container of a pod has the pod's memory and processors.
                Optional<VmPlace.Member> member = VmTools.member(entry);
                CurrentSize size = VmTools.size(entry);
                System.out.printf(
                        FORMAT,
                        VmTools.shortened(id),
                        member.isPresent()
                                ? "in " + VmTools.shortened(member.get().pod().value())
                                : names.getOrDefault(id, entry.vm().name()),
                        entry.vm().machine().kernel(),
                        accelerator(entry),
                        member.isPresent() ? "" : size.memory(),
                        member.isPresent() ? "" : size.cpus(),
                        runs
                                ? Amounts.age(
                                        Duration.between(entry.vm().created().at(), Instant.now()))
                                : entry.isThere() ? "stopped" : "gone",
                        boot(entry));
            }
        }
        for (SharedPlaces.Shared shared : SharedPlaces.among(running)) {
            System.out.println("\"" + shared.path() + "\" may be written to by \""
                    + shared.one().title() + "\" and \"" + shared.other().title()
                    + "\": memory is not mapped shared between VMs");
        }
        for (String unreadable : list.unreadable()) {
            System.err.println("dkvm: " + unreadable);
        }
        return 0;
    }

    static String accelerator(VmList.Entry entry) {
        return entry.vm().machine().accelerator().name().toLowerCase(Locale.ROOT);
    }

    private String boot(VmList.Entry entry) throws DkvmException {
        StartTimeline timeline = tools.timeline(entry);
        Optional<Double> total = timeline.total();
        return total.isPresent()
                ? String.format(Locale.ROOT, "%.2f s", total.get() / MILLIS_PER_SECOND)
                        + (timeline.restored() ? ", restored" : "")
                : "-";
    }
}
