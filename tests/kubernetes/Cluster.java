// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/** A Kubernetes of one node, with runtime classes for runc and dkvm; tests/kubernetes/cluster.sh starts and stops it. */
final class Cluster implements Closeable {
    private static final String SCRIPT = "tests/kubernetes/cluster.sh";
    private static final List<String> LOGS = List.of("kubelet.log", "containerd.log", "kube-apiserver.log", "etcd.log");

    private final Path directory;

    private Cluster(Path directory) {
        this.directory = directory;
    }

    /**
     * Starts one.
     *
     * @param programs the directory that tests/kubernetes/build.sh has printed
     */
    static Cluster start(String programs) throws Exception {
        Cluster cluster = new Cluster(Files.createTempDirectory("dkvm-kubernetes"));
        try {
            Host.run(SCRIPT, "start", cluster.directory.toString(), programs);
        } catch (Exception | Error e) {
            cluster.close();
            throw e;
        }
        return cluster;
    }

    Path directory() {
        return directory;
    }

    /** Runs kubectl(1), whatever it ends with. */
    Outcome kubectl(Bytes stdin, String... arguments) throws IOException, InterruptedException {
        return Running.complete(command(arguments), stdin);
    }

    /** A kubectl(1) that goes on running. */
    Running open(String... arguments) throws IOException {
        return Running.start(command(arguments));
    }

    private List<String> command(String... arguments) {
        List<String> command =
                new ArrayList<>(List.of(directory.resolve("kubectl").toString()));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Runs a program in the cluster's network; fails unless it ends with 0. */
    String inNetwork(String... command) throws IOException, InterruptedException {
        return Host.run(inNetworkCommand(command));
    }

    /** Runs a program in the cluster's network, whatever it ends with. */
    Outcome tryInNetwork(String... command) throws IOException, InterruptedException {
        return Running.complete(List.of(inNetworkCommand(command)), Bytes.of(""));
    }

    /** Adds or removes a rule in the cluster's network, by the iptables(8) that works on this kernel. */
    void iptables(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("sh", "-c", "PATH=" + directory + "/bin:$PATH; exec iptables -w \"$@\"", "iptables"));
        command.addAll(List.of(arguments));
        inNetwork(command.toArray(String[]::new));
    }

    private String[] inNetworkCommand(String... command) throws IOException {
        List<String> whole = new ArrayList<>(List.of(
                "nsenter",
                "-n",
                "-t",
                Files.readString(directory.resolve("pids/network")).strip()));
        whole.addAll(List.of(command));
        return whole.toArray(String[]::new);
    }

    @Override
    public void close() throws IOException {
        Path kept = Files.createDirectories(Path.of("target/kubernetes"));
        for (String log : LOGS) {
            if (Files.exists(directory.resolve(log))) {
                Files.copy(directory.resolve(log), kept.resolve(log), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        try {
            Host.run(SCRIPT, "stop", directory.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
