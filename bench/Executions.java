// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Counts the programs that the engine and everything below it execute, by strace(1) on dockerd and containerd. */
final class Executions {
    private Executions() {}

    /** Whether strace is there. */
    static boolean possible() {
        return Files.isExecutable(Path.of("/usr/bin/strace"));
    }

    /** The programs executed while the action runs (successful execve(2) calls), in order. */
    static List<String> during(Action action) throws IOException, InterruptedException {
        Path trace = Files.createTempFile("dkvm-bench", ".strace");
        List<String> command = new ArrayList<>(List.of("/usr/bin/strace", "-f", "-qq", "-e", "trace=execve,execveat", "-e", "signal=none", "-z", "-o", trace.toString()));
        for (long pid : engine()) {
            command.add("-p");
            command.add(String.valueOf(pid));
        }
        Process strace = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        try {
            awaitAttached(strace);
            action.run();
        } finally {
            strace.destroy();
            strace.waitFor(10, TimeUnit.SECONDS);
        }
        List<String> programs = new ArrayList<>();
        for (String line : Files.readAllLines(trace, StandardCharsets.ISO_8859_1)) {
            int quote = line.indexOf('"');
            if (line.contains("exec") && line.contains("= 0") && quote >= 0) {
                programs.add(line.substring(quote + 1, line.indexOf('"', quote + 1)));
            }
        }
        Files.delete(trace);
        return programs;
    }

    private static void awaitAttached(Process strace) throws IOException, InterruptedException {
        for (long pid : engine()) {
            while (strace.isAlive() && Files.readString(Path.of("/proc/" + pid + "/status")).contains("TracerPid:\t0\n")) {
                Thread.sleep(5);
            }
        }
    }

    private static List<Long> engine() {
        return ProcessHandle.allProcesses()
                .filter(process -> {
                    String command = process.info().command().orElse("");
                    // The shims of running containers are what executes for docker exec.
                    return command.endsWith("/dockerd") || command.endsWith("/containerd") || command.endsWith("/containerd-shim-runc-v2");
                })
                .map(ProcessHandle::pid)
                .toList();
    }

    /** Something to watch. */
    interface Action {
        void run() throws IOException, InterruptedException;
    }
}
