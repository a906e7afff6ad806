// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.PrintableText;
import org.dkvm.core.SandboxPaths;
import org.dkvm.linux.Freezer;
import org.dkvm.linux.Program;
import org.dkvm.vm.GuestReport;
import org.dkvm.vm.VmList;
import org.dkvm.vm.VmRecord;

/** Asks a VM's guest what it uses, by a client of its monitor that the runtime starts in the sandbox. */
public final class GuestQuestion {
    /** The monitor tells after six seconds that the guest does not answer; a sandbox that does not say that either is not waited for. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** With the client's own words. */
    private static final int MOST_BYTES = GuestReport.MAX_BYTES;

    private static final int WORDS = 200;

    private final PackageLayout layout;
    private final Supplier<String> runtime;

    /**
     * A question to VMs of this package.
     *
     * @param runtime the runtime that made the sandboxes
     */
    public GuestQuestion(PackageLayout layout, Supplier<String> runtime) {
        this.layout = layout;
        this.runtime = runtime;
    }

    /** The guest's answer; the exception says in a word or two why there is none. */
    GuestReport ask(VmList.Entry entry) throws DkvmException {
        VmRecord vm = entry.vm();
        Optional<Long> init = entry.isThere() ? ContainerState.firstProcess(vm.state()) : Optional.empty();
        if (init.isEmpty()) {
            throw new DkvmException("it does not run", "\"dkvm ps\" lists the VMs that do");
        }
        if (Freezer.holds(init.get())) {
            throw new DkvmException("it is paused", "\"docker unpause\" lets it go on");
        }
        Optional<ContainerState> state = ContainerState.of(vm.state());
        Optional<Path> other = state.isPresent() ? state.get().otherLauncher(layout) : Optional.empty();
        if (other.isPresent()) {
            Path program = other.get().resolveSibling("../bin/dkvm").normalize();
            throw new DkvmException("another version of DKVM started it", "\"" + program + "\" may know how to ask it");
        }
        Program.Answer answer = Program.ask(command(vm), PATIENCE, MOST_BYTES);
        if (answer.code() != 0) {
            throw new DkvmException(
                    answer.errors().isEmpty()
                            ? "its sandbox did not answer within " + PATIENCE.toSeconds() + " s"
                            : lastWords(answer.errors()),
                    "");
        }
        return GuestReport.parse(answer.output());
    }

    private List<String> command(VmRecord vm) {
        return List.of(
                runtime.get(),
                "--root",
                String.valueOf(vm.state().getParent()),
                "exec",
                "--user",
                "0:0",
                "--cwd",
                "/",
                vm.id().value(),
                SandboxPaths.PACKAGE + "/dkvm-exec",
                "--usage");
    }

    /** The end of what the client, or the runtime, complained of, on one line. */
    private static String lastWords(String errors) {
        String last = errors.substring(errors.lastIndexOf('\n') + 1);
        return PrintableText.of(last.length() > WORDS ? last.substring(last.length() - WORDS) : last, false);
    }
}
