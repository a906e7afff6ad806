// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** DKVM's own work on the host, without runc's: the launcher is run with a runc that does nothing, on what the engine made for a VM that runs. */
final class HostWork implements AutoCloseable {
    private static final double NANOS_PER_MILLI = 1e6;

    private final Path home;
    private final String vm;
    private final Path directory;
    private final Path state;

    /** For a VM that runs. */
    HostWork(Path home, String vm) throws IOException, InterruptedException {
        this.home = home;
        this.vm = vm;
        directory = Files.createTempDirectory("dkvm-bench-host");
        Files.createSymbolicLink(directory.resolve("runc"), Path.of("/bin/true"));
        state = Path.of(Command.output("find", "/run", "-path", "*/" + vm + "/state.json", "-type", "f")).getParent().getParent();
        Path original = Path.of(Command.output("find", "/run", "-path", "*/" + vm + "/dkvm-config.json", "-type", "f"));
        Files.copy(original, directory.resolve("config.json"));
    }

    /** The launcher and Java for {@code create}. */
    double createMillis() throws IOException, InterruptedException {
        return launch("create", "--bundle", directory.toString(), "bench");
    }

    /** The launcher and Java for {@code exec}. */
    double execMillis(Path process) throws IOException, InterruptedException {
        // It is rewritten in place.
        Path copy = directory.resolve("process.json");
        Files.copy(process, copy, StandardCopyOption.REPLACE_EXISTING);
        return launch("exec", "--process", copy.toString(), vm);
    }

    /** The monitor, from its start until QEMU is started. */
    double monitorMillis() throws IOException, InterruptedException {
        String pid = Command.output("docker", "inspect", "-f", "{{.State.Pid}}", vm);
        String timeline = Files.readString(Path.of("/proc/" + pid + "/root/run/dkvm/log/timeline.json"));
        return (number(timeline, "\"processToMainNanos\":(\\d+)") + number(timeline, "\"QEMU started\",\"nanos\":(\\d+)")) / NANOS_PER_MILLI;
    }

    private double launch(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("env", "PATH=" + directory + ":/usr/bin:/bin", home.resolve("scripts/dkvm-runtime").toString(), "--root", state.toString()));
        command.addAll(List.of(arguments));
        return Command.millis(command.toArray(String[]::new));
    }

    private static double number(String text, String pattern) throws IOException {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        if (!matcher.find()) {
            throw new IOException("no " + pattern + " in " + text);
        }
        return Double.parseDouble(matcher.group(1));
    }

    @Override
    public void close() throws IOException {
        try {
            Command.output("rm", "-rf", directory.toString());
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
