// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.opentest4j.TestAbortedException;

/** Rules in the chain that the engine leaves to administrators, taken away again at the end. */
final class Firewall implements Closeable {
    private static final String CHAIN = "DOCKER-USER";

    private final String program;
    private final List<List<String>> inserted = new ArrayList<>();

    /** Finds the engine's tables, which are of one of two kinds; skips the case where they are not this namespace's. */
    Firewall() throws IOException, InterruptedException {
        for (String candidate : List.of("iptables", "iptables-legacy")) {
            if (run(candidate, "-n", List.of("-L", CHAIN)).exitCode() == 0) {
                program = candidate;
                return;
            }
        }
        throw new TestAbortedException("no chain " + CHAIN + " here: the engine's network is not this machine's");
    }

    private static Outcome run(String program, String verb, List<String> rest)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(program, "-w", verb));
        command.addAll(rest);
        return Running.complete(command, Bytes.of(""));
    }

    /** Puts the rule before all others. */
    void insert(String... rule) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(CHAIN));
        words.addAll(List.of(rule));
        Outcome outcome = run(program, "-I", words);
        if (outcome.exitCode() != 0) {
            throw new AssertionError(program + " " + words + "\n      " + outcome);
        }
        inserted.add(words);
    }

    @Override
    public void close() throws IOException {
        try {
            for (List<String> rule : inserted) {
                run(program, "-D", rule);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
