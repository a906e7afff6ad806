// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Pods of a containerd of its own, asked as a kubelet asks it. A pod is one VM; each of its containers after the pause container is one more in that VM. */
final class PodBench implements AutoCloseable {
    private static final String IMAGE = "docker.io/dkvm-test/busybox:latest";
    private static final int END_SECONDS = 30;
    private static final int START_SECONDS = 120;

    private final Path directory = Files.createTempDirectory("dkvm-bench-pods");
    private final Process containerd;
    private final Map<String, Pod> pods = new LinkedHashMap<>();

    /** Starts it. */
    PodBench() throws IOException, InterruptedException {
        containerd = new ProcessBuilder("tests/containerd/containerd.sh", directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("log").toFile())
                .start();
        try {
            await("containerd answers", () -> {
                try {
                    Command.output("ctr", "-a", socket(), "version");
                    return true;
                } catch (IOException e) {
                    return false;
                }
            });
            Command.output(
                    "sh", "-c", "docker save dkvm-test/busybox dkvm-test/pause | ctr -a " + socket() + " -n k8s.io images import --snapshotter native -");
        } catch (IOException | InterruptedException e) {
            close();
            throw e;
        }
    }

    private interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    private static void await(String what, Condition condition) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!condition.holds()) {
            if (System.nanoTime() > end) {
                throw new IOException("not within " + START_SECONDS + " s: " + what);
            }
            Thread.sleep(1);
        }
    }

    private String socket() {
        return directory + "/sock";
    }

    private String cri(String method, String request) throws IOException, InterruptedException {
        return Command.output("tests/containerd/cri.py", socket(), method, request);
    }

    private static String id(String answer) throws IOException {
        Matcher matcher = Pattern.compile("_id\": *\"([0-9a-f]+)\"").matcher(answer);
        if (!matcher.find()) {
            throw new IOException("no id in " + answer);
        }
        return matcher.group(1);
    }

    /** The runtime's pod, made at the first call. */
    Pod pod(String runtime) throws IOException, InterruptedException {
        Pod known = pods.get(runtime);
        if (known == null) {
            known = new Pod(runtime);
            pods.put(runtime, known);
        }
        return known;
    }

    /** A pod, and its containers. */
    final class Pod {
        private final String config;
        private final String id;
        private final Path logs;
        private int count;

        private Pod(String runtime) throws IOException, InterruptedException {
            logs = directory.resolve("logs-" + runtime);
            config = "{\"metadata\":{\"name\":\"%s\",\"uid\":\"%s\",\"namespace\":\"default\",\"attempt\":0},\"hostname\":\"pod\",\"log_directory\":\"%s\"}"
                    .formatted(runtime, runtime, logs);
            id = id(cri("RunPodSandbox", "{\"config\":%s,\"runtime_handler\":\"%s\"}".formatted(config, runtime)));
        }

        /** Makes and starts a container of it, and waits until that has said its first word; its id. */
        String start() throws IOException, InterruptedException {
            String name = "c" + count++;
            String container = id(cri(
                    "CreateContainer",
                    """
                    {"pod_sandbox_id":"%s","sandbox_config":%s,"config":{"metadata":{"name":"%s","attempt":0},"image":{"image":"%s"},
                     "command":["sh","-c","echo runs; exec sleep 1000"],"log_path":"%3$s.log"}}"""
                            .formatted(id, config, name, IMAGE)));
            cri("StartContainer", "{\"container_id\":\"" + container + "\"}");
            Path log = logs.resolve(name + ".log");
            await("\"" + log + "\" has a line", () -> Files.exists(log) && Files.size(log) > 0);
            return container;
        }

        /** Runs a program in a container that does nothing, as a probe of type exec does. */
        void probe(String container) throws IOException, InterruptedException {
            cri("ExecSync", "{\"container_id\":\"" + container + "\",\"cmd\":[\"true\"],\"timeout\":60}");
        }

        /** Ends a container. */
        void remove(String container) throws IOException, InterruptedException {
            cri("StopContainer", "{\"container_id\":\"" + container + "\",\"timeout\":0}");
            cri("RemoveContainer", "{\"container_id\":\"" + container + "\"}");
        }

        /** What the pod's VM and the clients of these containers take of the host's memory, in MiB (PSS). */
        double memory(List<String> containers) throws IOException {
            List<String> all = new ArrayList<>(containers);
            all.add(id);
            double sum = 0;
            for (String each : all) {
                Path pid = directory.resolve("state/io.containerd.runtime.v2.task/k8s.io/" + each + "/init.pid");
                long init = Long.parseLong(Files.readString(pid).strip());
                for (double mib : SandboxMemory.of(init).values()) {
                    sum += mib;
                }
            }
            return sum;
        }

        private void end() throws IOException, InterruptedException {
            cri("StopPodSandbox", "{\"pod_sandbox_id\":\"" + id + "\"}");
            cri("RemovePodSandbox", "{\"pod_sandbox_id\":\"" + id + "\"}");
        }
    }

    /** Ends the pods, and containerd; takes its files away. */
    @Override
    public void close() throws IOException, InterruptedException {
        try {
            for (Pod pod : pods.values()) {
                pod.end();
            }
        } finally {
            containerd.destroy();
            if (!containerd.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                containerd.destroyForcibly().waitFor();
            }
            Command.output("rm", "-rf", "--one-file-system", directory.toString());
        }
    }
}
