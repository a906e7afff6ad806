// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the processes of a sandbox take of the host's memory: proportional set size (PSS) by /proc/PID/smaps_rollup, in MiB. */
final class SandboxMemory {
    private SandboxMemory() {}

    /** PSS by process name of all processes of the container. */
    static Map<String, Double> of(String container) throws IOException, InterruptedException {
        return of(Long.parseLong(Command.output("docker", "inspect", "-f", "{{.State.Pid}}", container)));
    }

    /** PSS by process name of a container's first process and all below it. */
    static Map<String, Double> of(long init) throws IOException {
        Map<String, Double> pss = new LinkedHashMap<>();
        ProcessHandle root = ProcessHandle.of(init).orElseThrow(() -> new IOException("process " + init + " is gone"));
        add(pss, root);
        root.descendants().forEach(process -> add(pss, process));
        return pss;
    }

    /** PSS of one program that runs in the container's sandbox beside the init's family: dkvm-exec. */
    static double of(String container, String program) throws IOException, InterruptedException {
        Map<String, Double> pss = new LinkedHashMap<>();
        for (String line : Command.output("docker", "top", container, "-eo", "pid,comm").split("\n")) {
            String[] words = line.strip().split("\\s+");
            if (words[1].equals(program)) {
                add(pss, ProcessHandle.of(Long.parseLong(words[0])).orElseThrow(() -> new IOException(program + " is gone")));
            }
        }
        if (!pss.containsKey(program)) {
            throw new IOException("no process " + program + " in container " + container);
        }
        return pss.get(program);
    }

    private static void add(Map<String, Double> pss, ProcessHandle process) {
        try {
            String name = Files.readString(Path.of("/proc/" + process.pid() + "/comm")).strip();
            for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/smaps_rollup"))) {
                if (line.startsWith("Pss:")) {
                    pss.merge(name, Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024.0, Double::sum);
                }
            }
        } catch (IOException e) {
            System.err.println("bench: process " + process.pid() + " ended while it was measured: " + e.getMessage());
        }
    }
}
