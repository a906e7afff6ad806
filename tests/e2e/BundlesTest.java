// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Bundles that somebody made by hand, and the runtime called as runc's manual page says, without an engine. */
@EndToEnd
class BundlesTest {
    /** A bundle of one side, and its container. */
    private static final class Bundle {
        private final Docker docker;
        private final Path directory;
        private final Path output;
        private final String id;

        private Bundle(Docker docker) throws Exception {
            this.docker = docker;
            directory = docker.directory();
            output = directory.resolve("output");
            id = docker.name();
            Path root = Files.createDirectory(directory.resolve("rootfs"));
            Container image = docker.create(BUSYBOX, "true");
            Host.run("sh", "-c", "docker export " + image.name() + " | tar -x -C " + root);
            Host.run("runc", "spec", "--bundle", directory.toString());
            JsonObject spec = spec();
            spec.getAsJsonObject("process").addProperty("terminal", false);
            write(spec);
        }

        private JsonObject spec() throws IOException {
            return JsonParser.parseString(Files.readString(directory.resolve("config.json")))
                    .getAsJsonObject();
        }

        private void write(JsonObject spec) throws IOException {
            Files.writeString(directory.resolve("config.json"), spec.toString());
        }

        private void runs(String script) throws IOException {
            JsonObject spec = spec();
            JsonArray args = new JsonArray();
            List.of("sh", "-c", script).forEach(args::add);
            spec.getAsJsonObject("process").add("args", args);
            write(spec);
        }

        private List<String> command(String... words) {
            List<String> command = new ArrayList<>(List.of(Containerd.binary(docker.runtime())));
            command.addAll(List.of(words));
            return command;
        }

        private Outcome call(String... words) throws Exception {
            return Running.complete(command(words), Bytes.of(""));
        }

        /** By a shell, for descriptors; the container writes to a file, as it would else hold the caller's pipe. */
        private Outcome shell(String redirections, String... words) throws Exception {
            List<String> command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" " + redirections, "sh"));
            command.addAll(command(words));
            return Running.complete(command, Bytes.of(""));
        }

        private void awaitOutput(String text) throws Exception {
            Deadline.await(
                    "\"" + text + "\" in " + output,
                    () -> Files.readString(output).contains(text));
        }

        private boolean isVm() {
            return docker.runtime().equals(Settings.SUBJECT) && Settings.subjectIsVm();
        }
    }

    @Test
    void aBundleRunsAgainAsItWasAndAsItWasChanged() throws Exception {
        Transcript seen = assertSame(docker -> {
            Bundle bundle = new Bundle(docker);
            JsonObject spec = bundle.spec();
            JsonObject process = spec.getAsJsonObject("process");
            // Podman's build gives its containers ambient capabilities that are not inheritable.
            JsonObject sets = process.getAsJsonObject("capabilities");
            sets.remove("inheritable");
            sets.add("ambient", sets.get("permitted").deepCopy());
            sets.getAsJsonArray("bounding").add("CAP_OF_ANOTHER_KERNEL");
            process.getAsJsonArray("env").add("HOME=");
            bundle.write(spec);
            bundle.runs("env | grep HOME; grep -E '^Cap(Inh|Prm|Bnd|Amb)' /proc/self/status; ls -d /dev/shm; exit 3");
            String before = Files.readString(bundle.directory.resolve("config.json"));
            Outcome first = bundle.call("run", "--bundle", bundle.directory.toString(), bundle.id);
            docker.note("first", first.text() + first.exitCode());
            docker.note(
                    "the bundle is as it was",
                    Files.readString(bundle.directory.resolve("config.json")).equals(before));
            bundle.runs("echo changed");
            docker.note(
                    "second",
                    bundle.call("run", "--bundle", bundle.directory.toString(), bundle.id)
                            .text());
        });
        assertThat(seen.toString()).contains("HOME=/root").contains("changed");
    }

    @Test
    void whatIsAskedByHandIsDoneOrNamed() throws Exception {
        assertSame(docker -> {
            Bundle bundle = new Bundle(docker);
            bundle.runs("echo ready; while :; do sleep 0.1; done");
            String directory = bundle.directory.toString();
            Outcome unknown = bundle.call("create", "--nonsense", "--bundle", directory, bundle.id);
            docker.note(
                    "an unknown flag",
                    unknown.exitCode() + " " + unknown.errors().contains("nonsense"));
            bundle.shell(">" + bundle.output + " 2>&1 </dev/null", "create", "--bundle", directory, bundle.id);
            try {
                if (bundle.isVm()) {
                    Outcome early = bundle.call("exec", bundle.id, "true");
                    assertThat(early.exitCode()).isEqualTo(255);
                    assertThat(early.errors()).contains("cannot exec in a container that has not been started");
                }
                docker.note("start", bundle.call("start", bundle.id).exitCode());
                bundle.awaitOutput("ready");
                Path process = bundle.directory.resolve("process.json");
                JsonObject asked = bundle.spec().getAsJsonObject("process");
                asked.add("args", JsonParser.parseString("[\"sh\", \"-c\", \"echo by file; exit 4\"]"));
                Files.writeString(process, asked.toString());
                Outcome byFile = bundle.call("exec", "-p", process.toString(), bundle.id);
                docker.note("exec -p", byFile.text() + byFile.exitCode());
                docker.note("the file is as it was", Files.readString(process).equals(asked.toString()));
                Outcome byDescriptor = bundle.shell("3<" + process, "exec", "-p", "/dev/fd/3", bundle.id);
                docker.note("exec -p of a descriptor", byDescriptor.text() + byDescriptor.exitCode());
                if (bundle.isVm()) {
                    assertThat(bundle.call("exec", "--preserve-fds", "1", bundle.id, "true")
                                    .errors())
                            .contains("a VM can not be given descriptors of the host");
                    assertThat(Host.run("ls", directory))
                            .as("nothing is left of an exec")
                            .doesNotContain("dkvm-exec");
                }
                Outcome refused = bundle.call("delete", bundle.id);
                docker.note(
                        "delete", refused.exitCode() + " " + refused.errors().contains("that is not stopped: running"));
                if (bundle.isVm()) {
                    assertThat(Host.dkvm("logs", bundle.id).exitCode())
                            .as("the log is there")
                            .isZero();
                    assertThat(Host.dkvm("ps").text()).contains(bundle.id.substring(0, 12));
                }
                docker.note(
                        "exec", bundle.call("exec", bundle.id, "echo", "alive").text());
            } finally {
                bundle.call("delete", "--force", bundle.id);
            }
        });
    }
}
