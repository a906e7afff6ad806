// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An engine restarts, or it is killed, while its containers run: what becomes of a VM is what becomes of a container under the reference, on the same engine. Nothing is left
 * of either.
 */
@EndToEnd
class EngineCrashTest {
    private static final String LIVES =
            "trap 'echo stopping; exit 7' TERM; trap 'echo hears' USR1; echo up; while :; do sleep 0.1; done";
    private static final String ENDS = "echo up; until [ -e /d/go ]; do sleep 0.1; done; exit 5";

    /** The containers of one runtime, and what was seen of them. */
    private static final class Side {
        private final SecondEngine engine;
        private final String runtime;
        private final String prefix;
        private final Map<String, String> ids = new TreeMap<>();
        private final List<String> seen = new ArrayList<>();

        Side(SecondEngine engine, String runtime, String prefix) {
            this.engine = engine;
            this.runtime = runtime;
            this.prefix = prefix;
        }

        void start(String name, List<String> options, String script) throws Exception {
            List<String> words = new ArrayList<>(List.of("run", "-d", "--runtime", runtime, "--name", prefix + name));
            words.addAll(List.of("--network", "none", "--memory", "64m"));
            words.addAll(options);
            words.addAll(List.of(BUSYBOX, "sh", "-c", script));
            ids.put(name, engine.docker(words.toArray(String[]::new)));
        }

        void awaitLog(String name, String text) throws Exception {
            Deadline.await(
                    "\"" + text + "\" of " + prefix + name,
                    () -> engine.docker("logs", prefix + name).contains(text));
        }

        String inspect(String name, String template) throws Exception {
            return engine.docker("inspect", "-f", template, prefix + name);
        }

        void awaitState(String name, String state) throws Exception {
            Deadline.await(
                    prefix + name + " " + state,
                    () -> inspect(name, "{{.State.Status}}").equals(state));
        }

        void note(String what, String text) {
            seen.add((what + ": " + text).replace(prefix, ""));
        }

        void cli(String... arguments) throws Exception {
            Outcome outcome = engine.attempt(arguments);
            note(String.join(" ", arguments), outcome.exitCode() + " " + outcome.text() + " " + outcome.errors());
        }

        /** Sessions, signals and output of a container that lives. */
        void use(String name) throws Exception {
            note(name, inspect(name, "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{.State.OOMKilled}}"));
            cli("exec", prefix + name, "sh", "-c", "echo out; echo err >&2; exit 6");
            int before = engine.docker("logs", prefix + name).split("hears", -1).length;
            cli("kill", "-s", "USR1", prefix + name);
            Deadline.await(
                    "it hears", () -> engine.docker("logs", prefix + name).split("hears", -1).length > before);
        }

        void assertNothingLeft() throws Exception {
            for (String id : ids.values()) {
                Sandbox.assertNothingLeft(id);
            }
        }
    }

    /** What happens to an engine. */
    private interface Fault {
        void happen() throws Exception;
    }

    /** What is done on either side. */
    private interface Step {
        void take(Side side) throws Exception;
    }

    /** An engine with both sides, which must see the same. */
    private static final class Both {
        private final Side reference;
        private final Side subject;

        Both(SecondEngine engine) {
            reference = new Side(engine, Settings.REFERENCE, "reference-");
            subject = new Side(engine, Settings.SUBJECT, "subject-");
        }

        void take(Step step) throws Exception {
            step.take(reference);
            step.take(subject);
        }

        void agree() throws Exception {
            assertThat(subject.seen).isEqualTo(reference.seen).isNotEmpty();
            take(Side::assertNothingLeft);
        }
    }

    @Test
    void withLiveRestoreAllGoesOn() throws Exception {
        Path directory = Files.createTempDirectory("dkvm-crash");
        try (SecondEngine engine = SecondEngine.startWith("\"live-restore\": true", Settings.REFERENCE, BUSYBOX)) {
            Both both = new Both(engine);
            both.take(side -> {
                Path shared = Files.createDirectory(directory.resolve(side.prefix));
                side.start("lives", List.of(), LIVES);
                side.start("paused", List.of(), LIVES);
                side.start("ends", List.of("-v", shared + ":/d"), ENDS);
                for (String name : List.of("lives", "paused", "ends")) {
                    side.awaitLog(name, "up");
                }
                side.cli("pause", side.prefix + "paused");
            });
            Map<String, String> pids = new TreeMap<>();
            both.take(side -> pids.put(side.prefix, side.inspect("lives", "{{.State.Pid}}")));
            for (Fault fault : faults(engine)) {
                fault.happen();
                both.take(side -> {
                    assertThat(side.inspect("lives", "{{.State.Pid}}")).isEqualTo(pids.get(side.prefix));
                    side.use("lives");
                    side.note("paused", side.inspect("paused", "{{.State.Status}}"));
                });
            }
            both.take(side -> {
                side.cli("unpause", side.prefix + "paused");
                side.use("paused");
            });
            engine.end("KILL");
            both.take(side -> Files.createFile(directory.resolve(side.prefix).resolve("go")));
            engine.startAgain();
            both.take(side -> {
                side.awaitState("ends", "exited");
                side.note("ends", side.inspect("ends", "{{.State.ExitCode}} {{.State.Error}}"));
                String since = side.engine.docker("info", "-f", "{{.SystemTime}}");
                side.cli("stop", "-t", "100", side.prefix + "lives");
                side.note("stopped", side.inspect("lives", "{{.State.ExitCode}}"));
                side.note("log", side.engine.docker("logs", side.prefix + "lives"));
                side.note(
                        "events",
                        side.engine.docker(
                                "events",
                                "--since",
                                since,
                                "--until",
                                side.engine.docker("info", "-f", "{{.SystemTime}}"),
                                "--filter",
                                "container=" + side.prefix + "lives",
                                "--format",
                                "{{.Action}} {{.Actor.Attributes.exitCode}}"));
                side.cli("rm", "-f", side.prefix + "lives", side.prefix + "paused", side.prefix + "ends");
            });
            both.agree();
        } finally {
            Host.removeTree(directory);
        }
    }

    /** The engine restarts; it is killed, and its containerd with it; containerd alone is killed, and the engine restarts. */
    private static List<Fault> faults(SecondEngine engine) {
        return List.of(
                () -> {
                    engine.end("TERM");
                    engine.startAgain();
                },
                () -> {
                    engine.end("KILL");
                    engine.startAgain();
                },
                () -> {
                    // The engine has another containerd at once, and speaks to it only after its own restart.
                    engine.killContainerd();
                    engine.end("TERM");
                    engine.startAgain();
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "KILL"})
    void withoutItAllEndsAndThePoliciesDecide(String signal) throws Exception {
        try (SecondEngine engine = SecondEngine.startWith("\"live-restore\": false", Settings.REFERENCE, BUSYBOX)) {
            Both both = new Both(engine);
            both.take(side -> {
                side.start("always", List.of("--restart", "always"), LIVES);
                side.start("no", List.of(), LIVES);
                side.start("stopped", List.of("--restart", "unless-stopped"), LIVES);
                for (String name : List.of("always", "no", "stopped")) {
                    side.awaitLog(name, "up");
                }
                side.cli("stop", "-t", "100", side.prefix + "stopped");
            });
            engine.end(signal);
            engine.startAgain();
            both.take(side -> {
                side.awaitState("always", "running");
                Deadline.await(
                        "it is up again",
                        () -> side.engine.docker("logs", side.prefix + "always").split("up", -1).length == 3);
                side.use("always");
                for (String name : List.of("no", "stopped")) {
                    side.note(name, side.inspect(name, "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}"));
                }
                side.cli("start", side.prefix + "no");
                side.cli("rm", "-f", side.prefix + "always", side.prefix + "no", side.prefix + "stopped");
            });
            both.agree();
        }
    }
}
