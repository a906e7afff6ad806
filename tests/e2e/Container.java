// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.ArrayList;
import java.util.List;

/**
 * A container of one side.
 *
 * @param docker the side
 * @param name its name
 * @param id its id, 64 hexadecimal digits
 */
record Container(Docker docker, String name, String id) {
    /** {@code docker exec NAME command…}, observed. */
    Outcome exec(String... command) throws Exception {
        return exec(new Invocation(docker), command);
    }

    /** {@code docker exec} with what the invocation is given; the command may begin with options, which end at {@code --}. */
    Outcome exec(Invocation invocation, String... command) throws Exception {
        return invocation.cli(execArguments(command));
    }

    /** {@code docker exec [options] NAME command…}: options are the words before {@code --}, if there is one. */
    String[] execArguments(String... command) {
        List<String> words = List.of(command);
        int end = words.indexOf("--");
        List<String> arguments = new ArrayList<>(List.of("exec"));
        arguments.addAll(words.subList(0, Math.max(end, 0)));
        arguments.add(name);
        arguments.addAll(words.subList(end + 1, words.size()));
        return arguments.toArray(String[]::new);
    }

    /** Standard output and standard error so far, as {@code docker logs} gives them, not observed. */
    String log() throws Exception {
        Outcome outcome = docker.attempt("logs", name);
        return outcome.stdout().utf8() + outcome.stderr().utf8();
    }

    /** Waits until the log holds the text. */
    void awaitLog(String text) throws Exception {
        Deadline.await(
                "\"" + text + "\" in the log of a container under " + docker.runtime() + ": " + "docker logs " + name,
                () -> {
                    String log = log();
                    if (log.contains(text)) {
                        return true;
                    }
                    if (!running() && !log().contains(text)) {
                        throw new AssertionError("the container under " + docker.runtime() + " ended without \"" + text
                                + "\" in its log: " + Bytes.of(log));
                    }
                    return false;
                });
    }

    /** Waits until the container has ended; observes its exit code and its logs. */
    void finish() throws Exception {
        awaitEnd();
        docker.note("exit code", inspect("{{.State.ExitCode}}"));
        docker.cli("logs", name);
    }

    /** Waits until the container has ended; returns its log. */
    String finishedLog() throws Exception {
        awaitEnd();
        return log();
    }

    /** Waits until the container has ended. */
    void awaitEnd() throws Exception {
        Deadline.await("the end of a container under " + docker.runtime(), () -> !running());
    }

    boolean running() throws Exception {
        return inspect("{{.State.Running}}").equals("true");
    }

    /** Its address in its (only) network, which reads {@code {address of …}} in what is observed. */
    String address() throws Exception {
        String address = inspect("{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
        docker.alias(address, "address of " + docker.hide(name));
        return address;
    }

    /** A field, by a Go template; not observed. */
    String inspect(String template) throws Exception {
        return docker.quietly("inspect", "--format", template, name);
    }
}
