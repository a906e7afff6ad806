// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** One side of a case: pods of one runtime class, and what was seen of them. RUNTIME in manifests and arguments is that class. */
final class KubernetesSide {
    /** The word that stands for the runtime class. */
    static final String PLACE = "RUNTIME";

    /**
     * What was seen.
     *
     * @param expected what must be seen: a regular expression for all of it
     * @param actual what was seen
     */
    record Sight(String expected, String actual) {}

    private final Cluster cluster;
    private final String runtime;
    private final Map<String, Sight> seen = new LinkedHashMap<>();
    private final List<String> pods = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, String> aliases = new ConcurrentHashMap<>();

    KubernetesSide(Cluster cluster, String runtime) {
        this.cluster = cluster;
        this.runtime = runtime;
    }

    String runtime() {
        return runtime;
    }

    Cluster cluster() {
        return cluster;
    }

    Map<String, Sight> seen() {
        return seen;
    }

    private String own(String text) {
        return text.replace(PLACE, runtime);
    }

    /** A directory of this side's, on the node. */
    Path directory(String name) throws Exception {
        return Files.createDirectories(cluster.directory().resolve("host-" + runtime + "/" + name));
    }

    /** What differs between the sides, and has this name in what is compared. */
    void alias(String value, String name) {
        aliases.put(value, name);
    }

    /** Notes what was seen; the same must be seen of the other side, and it must match. */
    void sees(String fact, String expected, String actual) {
        String shown = actual.replace("-" + runtime, "-" + PLACE);
        for (Map.Entry<String, String> alias : aliases.entrySet()) {
            shown = shown.replace(alias.getKey(), alias.getValue());
        }
        if (seen.put(fact, new Sight(expected, shown.strip())) != null) {
            throw new AssertionError("two facts are called \"" + fact + "\"");
        }
    }

    Outcome attempt(String... arguments) throws Exception {
        return cluster.kubectl(Bytes.of(""), own(arguments));
    }

    private String[] own(String... arguments) {
        return List.of(arguments).stream().map(this::own).toArray(String[]::new);
    }

    /** Runs kubectl; fails unless it ends with 0. */
    String kubectl(String... arguments) throws Exception {
        Outcome outcome = attempt(arguments);
        if (outcome.exitCode() != 0) {
            throw new AssertionError("kubectl " + String.join(" ", own(arguments)) + "\n      " + outcome);
        }
        return outcome.text();
    }

    Running open(String... arguments) throws Exception {
        return cluster.open(own(arguments));
    }

    /** Makes or changes what a manifest says. */
    void apply(String manifest) throws Exception {
        Outcome outcome = cluster.kubectl(Bytes.of(own(manifest)), "apply", "-o", "name", "-f", "-");
        if (outcome.exitCode() != 0) {
            throw new AssertionError("kubectl apply: " + outcome + " of:\n" + manifest);
        }
        outcome.text().lines().filter(name -> !pods.contains(name)).forEach(pods::add);
    }

    /**
     * Makes what a manifest says, and waits until its pod is ready.
     *
     * @param containers those that say when they are ready, too: without a probe, one that was started is
     */
    void run(String pod, String manifest, String... containers) throws Exception {
        apply(manifest);
        awaitField(pod, "{.status.conditions[?(@.type=='Ready')].status}", "True");
        for (String container : containers) {
            awaitLog(pod, container, "ready");
        }
    }

    String field(String pod, String path) throws Exception {
        return kubectl("get", "pod", pod + "-" + PLACE, "-o", "jsonpath=" + path);
    }

    void awaitField(String pod, String path, String value) throws Exception {
        String[] last = {""};
        try {
            Deadline.await(pod + ": " + path + " is " + value, () -> {
                last[0] = field(pod, path);
                return last[0].equals(value);
            });
        } catch (AssertionError e) {
            throw new AssertionError(
                    e.getMessage() + ", it is " + last[0] + ":\n"
                            + attempt("describe", "pod", pod + "-" + PLACE).text(),
                    e);
        }
    }

    /** A field of a container's status. */
    static String status(String container, String path) {
        return "{.status.containerStatuses[?(@.name=='" + container + "')]." + path + "}";
    }

    /** Runs a shell command in a container: its output, errors, and code. */
    String exec(String pod, String container, String script) throws Exception {
        return said(attempt("exec", pod + "-" + PLACE, "-c", container, "--", "sh", "-c", script));
    }

    /** The same, fed with a text. */
    String feed(String pod, String container, String input, String script) throws Exception {
        return said(cluster.kubectl(
                Bytes.of(input), own("exec", "-i", pod + "-" + PLACE, "-c", container, "--", "sh", "-c", script)));
    }

    private static String said(Outcome outcome) {
        return outcome.stdout().utf8() + outcome.stderr().utf8() + "=" + outcome.exitCode();
    }

    String logs(String pod, String container, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("logs", pod + "-" + PLACE, "-c", container));
        arguments.addAll(List.of(more));
        return attempt(arguments.toArray(String[]::new)).text();
    }

    void awaitLog(String pod, String container, String text) throws Exception {
        Deadline.await(
                container + " of " + pod + " says " + text,
                () -> logs(pod, container).contains(text));
    }

    String address(String pod) throws Exception {
        return field(pod, "{.status.podIP}");
    }

    /** Deletes all that this side has made, and waits for its end. */
    void close() throws Exception {
        if (!pods.isEmpty()) {
            List<String> arguments =
                    new ArrayList<>(List.of("delete", "--ignore-not-found", "--wait", "--timeout=120s"));
            arguments.addAll(pods);
            kubectl(arguments.toArray(String[]::new));
        }
    }
}
