// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.opentest4j.TestAbortedException;

/** One docker command that runs to its end: what it is given, and the exit code that proves the case itself right. */
final class Invocation {
    // Arguments longer than this are cut in labels.
    private static final int LABEL_LENGTH = 300;

    private final Docker docker;
    private Bytes stdin = Bytes.of("");
    private IntPredicate expected = code -> code == 0;
    private String expectation = "exit code 0";

    Invocation(Docker docker) {
        this.docker = docker;
    }

    Invocation stdin(Bytes input) {
        stdin = input;
        return this;
    }

    Invocation stdin(String input) {
        return stdin(Bytes.of(input));
    }

    Invocation exits(int code) {
        expected = actual -> actual == code;
        expectation = "exit code " + code;
        return this;
    }

    /** Ends with a code other than 0, which depends on the engine's version. */
    Invocation fails() {
        expected = actual -> actual != 0;
        expectation = "a failure";
        return this;
    }

    /** {@code docker run --rm} with these options, image and command. */
    Outcome run(String... arguments) throws Exception {
        return observe("run", docker.runCommand(docker.name(), arguments), arguments);
    }

    /** {@code docker} with these arguments. */
    Outcome cli(String... arguments) throws Exception {
        return observe("", docker.client(arguments), arguments);
    }

    private Outcome observe(String verb, List<String> command, String... arguments) throws Exception {
        Outcome outcome = docker.note(label(verb, arguments), Running.complete(command, stdin));
        if (outcome.errors().contains("requires API version")) {
            throw new TestAbortedException("this engine is too old for its client: " + outcome.errors());
        }
        if (docker.runtime().equals(Settings.REFERENCE) && !expected.test(outcome.exitCode())) {
            throw new AssertionError("the case expects %s from \"%s\" under %s\n      %s"
                    .formatted(expectation, label(verb, arguments), docker.runtime(), outcome));
        }
        return outcome;
    }

    private String label(String verb, String... arguments) {
        List<String> words = new ArrayList<>(List.of("docker"));
        if (!verb.isEmpty()) {
            words.add(verb);
        }
        words.addAll(List.of(arguments));
        String label = docker.hide(String.join(" ", words));
        return label.length() <= LABEL_LENGTH ? label : label.substring(0, LABEL_LENGTH) + "…";
    }
}
