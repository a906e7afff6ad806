// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** What one side of a case observed, in order. */
final class Transcript {
    /** One observation. */
    sealed interface Entry {
        /** What was observed, the same on both sides. */
        String label();
    }

    /** A command that ended. */
    record Step(String label, Outcome outcome) implements Entry {}

    /** Something seen on the host or picked from an output. */
    record Fact(String label, String value) implements Entry {}

    // Some cases observe from several threads.
    private final List<Entry> entries = Collections.synchronizedList(new ArrayList<>());

    void add(Entry entry) {
        entries.add(entry);
    }

    List<Entry> entries() {
        synchronized (entries) {
            return List.copyOf(entries);
        }
    }

    /** The first command's outcome: the only one of many a case. */
    Outcome first() {
        return entries().stream()
                .filter(Step.class::isInstance)
                .map(e -> ((Step) e).outcome())
                .findFirst()
                .orElseThrow();
    }

    /** The value of a fact. */
    String fact(String label) {
        return entries().stream()
                .filter(e -> e instanceof Fact && e.label().equals(label))
                .map(e -> ((Fact) e).value())
                .findFirst()
                .orElseThrow();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Entry entry : entries()) {
            text.append("    ").append(entry.label()).append('\n').append("      ");
            switch (entry) {
                case Step step -> text.append(step.outcome());
                case Fact fact -> text.append(fact.value());
            }
            text.append('\n');
        }
        return text.toString();
    }
}
