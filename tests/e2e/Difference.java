// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.List;
import java.util.Optional;

/** Finds the first thing in which two transcripts differ, and says it for a reader. */
final class Difference {
    private static final int CONTEXT_BYTES = 200;

    private Difference() {}

    static Optional<String> between(Transcript reference, Transcript subject) {
        List<Transcript.Entry> left = reference.entries();
        List<Transcript.Entry> right = subject.entries();
        for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
            Optional<String> difference = between(left.get(i), right.get(i));
            if (difference.isPresent()) {
                return difference;
            }
        }
        return left.size() == right.size()
                ? Optional.empty()
                : Optional.of("%s observed %d things, %s %d"
                        .formatted(Settings.REFERENCE, left.size(), Settings.SUBJECT, right.size()));
    }

    private static Optional<String> between(Transcript.Entry left, Transcript.Entry right) {
        if (!left.label().equals(right.label())) {
            return Optional.of(pair("the sides took different ways", left.label(), right.label()));
        }
        if (left instanceof Transcript.Step l && right instanceof Transcript.Step r) {
            return between(left.label(), l.outcome(), r.outcome());
        }
        return left.equals(right)
                ? Optional.empty()
                : Optional.of(pair(left.label() + " differs", valueOf(left), valueOf(right)));
    }

    private static Optional<String> between(String label, Outcome left, Outcome right) {
        StringBuilder text = new StringBuilder();
        if (left.exitCode() != right.exitCode()) {
            text.append(pair("the exit code differs", "" + left.exitCode(), "" + right.exitCode()));
        }
        between("stdout", left.stdout(), right.stdout()).ifPresent(text::append);
        between("stderr", left.stderr(), right.stderr()).ifPresent(text::append);
        return text.isEmpty() ? Optional.empty() : Optional.of(label + "\n" + text);
    }

    private static Optional<String> between(String stream, Bytes left, Bytes right) {
        int at = left.mismatch(right);
        if (at < 0) {
            return Optional.empty();
        }
        return Optional.of(pair(
                "%s differs at byte %d (%d and %d bytes in all)".formatted(stream, at, left.size(), right.size()),
                left.excerpt(at - CONTEXT_BYTES, at + CONTEXT_BYTES),
                right.excerpt(at - CONTEXT_BYTES, at + CONTEXT_BYTES)));
    }

    private static String valueOf(Transcript.Entry entry) {
        return switch (entry) {
            case Transcript.Step step -> step.outcome().toString();
            case Transcript.Fact fact -> fact.value();
        };
    }

    private static String pair(String what, String left, String right) {
        return "  %s\n    %-5s %s\n    %-5s %s\n".formatted(what, Settings.REFERENCE, left, Settings.SUBJECT, right);
    }
}
