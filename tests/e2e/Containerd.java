// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.opentest4j.TestAbortedException;

/** A containerd of a case's own, with its own files and socket and in a network namespace of its own; ctr(1) and Kubernetes' CRI ask it. */
final class Containerd implements Closeable {
    static final String BUSYBOX = "docker.io/" + Images.BUSYBOX + ":latest";

    private final Path directory;
    private final Process process;

    private Containerd(Path directory, Process process) {
        this.directory = directory;
        this.process = process;
    }

    static Containerd start() throws Exception {
        if (Running.complete(List.of("sh", "-c", "command -v containerd && command -v ctr"), Bytes.of(""))
                        .exitCode()
                != 0) {
            throw new TestAbortedException("there is no containerd with its ctr on PATH");
        }
        Path directory = Files.createTempDirectory("dkvm-ctr");
        Process process = new ProcessBuilder("tests/containerd/containerd.sh", directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        Containerd containerd = new Containerd(directory, process);
        try {
            Deadline.await("containerd answers", () -> containerd.ctr("version").exitCode() == 0);
            containerd.bring(Images.BUSYBOX, "dkvm-test/pause");
            return containerd;
        } catch (Exception | Error e) {
            containerd.close();
            throw e;
        }
    }

    /** Gives it images of Docker's. */
    void bring(String... images) throws IOException, InterruptedException {
        for (String namespace : List.of("default", "k8s.io")) {
            Host.run(
                    "sh",
                    "-c",
                    "docker save " + String.join(" ", images) + " | ctr -a " + directory + "/sock -n " + namespace
                            + " images import --snapshotter native -");
        }
    }

    /** What containerd is told to call for a runtime. */
    static String binary(String runtime) {
        return "dkvm".equals(runtime) ? "/opt/dkvm/scripts/dkvm-runtime" : runtime;
    }

    Path directory() {
        return directory;
    }

    /** Runs ctr(1), with nothing on its standard input. */
    Outcome ctr(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("sh", "-c", "exec ctr \"$@\" </dev/null", "sh", "-a", directory + "/sock"));
        command.addAll(List.of(arguments));
        return Running.complete(command, Bytes.of(""));
    }

    /** Asks by CRI; fails unless that succeeds. */
    JsonObject cri(String method, String request) throws IOException, InterruptedException {
        Outcome outcome = tryCri(method, request);
        if (outcome.exitCode() != 0) {
            throw new AssertionError(method + " " + request + "\n      " + outcome);
        }
        return JsonParser.parseString(outcome.text()).getAsJsonObject();
    }

    /** Asks by CRI. */
    Outcome tryCri(String method, String request) throws IOException, InterruptedException {
        return Running.complete(List.of("tests/containerd/cri.py", directory + "/sock", method, request), Bytes.of(""));
    }

    /** Tries to fetch a page in containerd's network. */
    Outcome tryFetch(String url) throws IOException, InterruptedException {
        return Running.complete(List.of(curl(url)), Bytes.of(""));
    }

    /** Fetches a page in containerd's network. */
    String fetch(String url) throws IOException, InterruptedException {
        return Host.run(curl(url));
    }

    private String[] curl(String url) {
        return new String[] {"nsenter", "-n", "-t", String.valueOf(process.pid()), "curl", "-sS", "-m", "30", url};
    }

    /** The interfaces in containerd's network. */
    String interfaces() throws IOException, InterruptedException {
        return Host.run("nsenter", "-n", "-t", String.valueOf(process.pid()), "ip", "-br", "link");
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            Host.run("rm", "-rf", "--one-file-system", directory.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
