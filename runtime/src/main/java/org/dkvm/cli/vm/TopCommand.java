// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import org.dkvm.core.DkvmException;
import org.dkvm.vm.GuestReport;
import org.dkvm.vm.VmList;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code dkvm top}. */
@Command(
        name = "top",
        description = {
            "Lists the processes of a container in its VM, as the guest's kernel counts them, where \"docker top\" sees the sandbox around"
                    + " the VM: pids are those that the container sees.",
            "All of it is the guest's own word."
        },
        mixinStandardHelpOptions = true)
public final class TopCommand implements Callable<Integer> {
    private static final String FORMAT = "%8s %-12s %-5s %10s %10s  %s%n";

    @Parameters(paramLabel = "CONTAINER", description = "A container's id, the beginning of one, or a name.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String container;

    private final GuestQuestion question;

    public TopCommand(GuestQuestion question) {
        this.question = question;
    }

    @Override
    public Integer call() throws DkvmException {
        List<VmList.Entry> found = VmTools.findVms(container);
        System.out.print(text(ask(found.getFirst())));
        return 0;
    }

    private GuestReport ask(VmList.Entry entry) throws DkvmException {
        try {
            return question.ask(entry);
        } catch (DkvmException e) {
            throw new DkvmException("can not ask the VM of \"" + container + "\": " + e.getMessage(), e.advice(), e);
        }
    }

    static String text(GuestReport report) {
        StringBuilder text = new StringBuilder();
        text.append("guest: up ")
                .append(Amounts.age(Duration.ofNanos(report.time())))
                .append(", processors: ")
                .append(report.processors())
                .append(", busy ")
                .append(Amounts.percent(report.busy(), report.time()))
                .append(" since its boot, memory: ")
                .append(Amounts.memory(report.used()))
                .append(" of ")
                .append(Amounts.memory(report.memory()))
                .append(" used, processes: ")
                .append(report.count())
                .append(System.lineSeparator());
        text.append(String.format(FORMAT, "PID", "USER", "STATE", "CPU TIME", "MEMORY", "COMMAND"));
        report.processes().stream()
                .sorted(Comparator.comparingLong(GuestReport.GuestProcess::pid))
                .forEach(process -> text.append(String.format(
                        FORMAT,
                        process.pid(),
                        process.user(),
                        process.state(),
                        Amounts.time(process.busy()),
                        Amounts.memory(process.memory()),
                        process.command())));
        long more = report.count() - report.processes().size();
        if (more > 0) {
            text.append("and ").append(more).append(" more").append(System.lineSeparator());
        }
        return text.toString();
    }
}
