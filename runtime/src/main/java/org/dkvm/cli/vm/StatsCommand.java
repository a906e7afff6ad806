// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.linux.NamespaceProcesses;
import org.dkvm.vm.GuestReport;
import org.dkvm.vm.VmList;
import org.dkvm.vm.VmPlace;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dkvm stats}. */
@Command(
        name = "stats",
        description = {
            "Shows what VMs use, again and again: processors, memory and processes by the guests' own word, and what their sandboxes"
                    + " take of the host, QEMU and all that is beside it.",
            "100 % is one processor. Of the host's memory, PSS has a share of what several VMs have together, RSS all of it."
        },
        mixinStandardHelpOptions = true)
public final class StatsCommand implements Callable<Integer> {
    private static final String FORMAT = "%-14s %-18s %8s %22s %6s %8s %23s %23s%n";
    private static final Duration FIRST_INTERVAL = Duration.ofSeconds(1);
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    /** How long a round waits for guests; the others are shown then. */
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    /** Longer than a question takes: the only table has what all say. */
    private static final Duration ONLY_PATIENCE = Duration.ofSeconds(20);

    /** To the upper left corner, and away with all that is there: see console_codes(4). */
    private static final String CLEAR = "\033[H\033[2J\033[3J";

    @Option(names = "--no-stream", description = "Once, and not again and again.")
    private boolean once;

    @Parameters(
            paramLabel = "CONTAINER",
            arity = "0..*",
            description = "Containers by id, the beginning of one, or name; without one, all that run.")
    private List<String> containers = new ArrayList<>();

    private final GuestQuestion question;
    private final GuestRounds rounds = new GuestRounds();
    private Map<String, String> names = Map.of();

    public StatsCommand(GuestQuestion question) {
        this.question = question;
    }

    /** A VM's sample. */
    record Row(VmList.Entry entry, VmSample sample) {
        private String id() {
            return entry.vm().id().value();
        }
    }

    @Override
    public Integer call() throws DkvmException {
        boolean clears = !once && isTerminal();
        List<VmList.Entry> named = named();
        try {
            List<Row> before = rows(named, PATIENCE);
            for (Duration interval = FIRST_INTERVAL; ; interval = INTERVAL) {
                Thread.sleep(interval);
                List<Row> now = rows(named, once ? ONLY_PATIENCE : PATIENCE);
                System.out.print((clears ? CLEAR : "") + table(now, before));
                if (once || System.out.checkError()) {
                    return 0;
                }
                before = now;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DkvmException("interrupted", "", e);
        }
    }

    /** Whether somebody looks: a program that reads a pipe wants no control sequences. */
    private static boolean isTerminal() {
        try {
            String output = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
            return output.startsWith("/dev/pts/") || output.startsWith("/dev/tty") || output.startsWith("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }

    /** The VMs that were asked for; none: all that run, whichever these are at the time. */
    private List<VmList.Entry> named() throws DkvmException {
        List<VmList.Entry> named = new ArrayList<>();
        for (String container : containers) {
            named.add(VmTools.findVms(container).getFirst());
        }
        return named;
    }

    private List<Row> rows(List<VmList.Entry> named, Duration patience) throws DkvmException, InterruptedException {
        List<VmList.Entry> entries = named.isEmpty() ? running() : named;
        Map<String, Callable<GuestReport>> questions = new LinkedHashMap<>();
        for (VmList.Entry entry : entries) {
            questions.put(entry.vm().id().value(), () -> question.ask(entry));
        }
        Map<String, GuestRounds.Answer> answers = rounds.ask(questions, patience);
        NamespaceProcesses host = processes();
        long at = System.nanoTime();
        List<Row> rows = new ArrayList<>();
        for (VmList.Entry entry : entries) {
            Optional<Long> init = firstProcess(entry);
            List<NamespaceProcesses.Use> uses = init.isPresent() ? host.with(init.get()) : List.of();
            GuestRounds.Answer answer = answers.get(entry.vm().id().value());
            if (answer != null) {
                rows.add(new Row(entry, VmSample.of(uses, answer.report(), answer.word(), at)));
            }
        }
        return rows;
    }

    private static List<VmList.Entry> running() throws DkvmException {
        List<VmList.Entry> running = new ArrayList<>();
        for (VmList.Entry entry : VmTools.list().entries()) {
            if (isRunning(entry)) {
                running.add(entry);
            }
        }
        return running;
    }

    /** One that is deleted while it is looked at does not run. What a pod's further containers use is in the pod's VM. */
    private static boolean isRunning(VmList.Entry entry) {
        try {
            return entry.isThere()
                    && ContainerState.isAlive(entry.vm().state())
                    && !VmPlace.isMember(VmPlace.DIRECTORY, entry.vm().id());
        } catch (DkvmException e) {
            return false;
        }
    }

    private static Optional<Long> firstProcess(VmList.Entry entry) {
        try {
            return entry.isThere() ? ContainerState.firstProcess(entry.vm().state()) : Optional.empty();
        } catch (DkvmException e) {
            return Optional.empty();
        }
    }

    private static MemorySize limit(VmList.Entry entry) {
        try {
            return VmTools.size(entry).memory();
        } catch (DkvmException e) {
            return entry.vm().machine().memory();
        }
    }

    private static NamespaceProcesses processes() throws DkvmException {
        try {
            return NamespaceProcesses.read();
        } catch (IOException e) {
            throw new DkvmException("can not read \"/proc\": " + e.getMessage(), "", e);
        }
    }

    private String table(List<Row> now, List<Row> before) throws DkvmException {
        Map<String, VmSample> then = new HashMap<>();
        before.forEach(row -> then.put(row.id(), row.sample()));
        if (!now.isEmpty() && (names.isEmpty() || now.size() != before.size())) {
            names = EngineNames.all();
        }
        StringBuilder text = new StringBuilder(String.format(
                FORMAT,
                "CONTAINER ID",
                "NAME",
                "CPU %",
                "MEM USED / LIMIT",
                "PROCS",
                "HOST CPU",
                "QEMU PSS / RSS",
                "BESIDE PSS / RSS"));
        for (Row row : now) {
            String name = names.getOrDefault(row.id(), row.entry().vm().name());
            MemorySize limit = limit(row.entry());
            text.append(line(row.id(), name, limit, row.sample(), then.get(row.id())));
        }
        return text.toString();
    }

    /** A VM's line; what it used since the sample before needs one. */
    static String line(String id, String name, MemorySize limit, VmSample now, @Nullable VmSample before) {
        GuestReport guest = now.guest();
        String memory = guest == null ? VmSample.UNKNOWN : Amounts.memory(guest.used());
        String line = String.format(
                FORMAT,
                VmTools.shortened(id),
                name,
                now.guestCpu(before),
                memory + " / " + Amounts.memory(limit.bytes()),
                guest == null ? VmSample.UNKNOWN : Long.toString(guest.count()),
                now.hostCpu(before),
                now.qemu(),
                now.beside());
        return now.word().isEmpty() ? line : line.stripTrailing() + "  " + now.word() + System.lineSeparator();
    }
}
