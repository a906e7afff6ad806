// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What programs do with files ({@code files.py}) in a VM's root, on a volume, a disk and a tmpfs, and the same by its peers. */
final class FilesBench {
    private static final Path SCRIPT = Path.of("bench/files.py").toAbsolutePath();

    /** Debian's runsc, where it is installed. */
    private static final List<Path> GVISOR = List.of(Path.of("/usr/bin/runsc"), Path.of("/usr/local/bin/runsc"));

    private final String image;

    FilesBench(String image) {
        this.image = image;
    }

    /** Milliseconds by the name of what was done, by the name of who did it where. */
    Map<String, Map<String, Double>> measure(Path home, Path root, int cpus) throws IOException, InterruptedException {
        Map<String, Map<String, Double>> peers = new LinkedHashMap<>();
        Path volumes = Files.createTempDirectory(Path.of("").toAbsolutePath().resolve("build"), "bench-volumes");
        try {
            for (String runtime : List.of("dkvm", "runc")) {
                peers.put(runtime + ".root", container(runtime, "/here"));
                peers.put(runtime + ".volume", container(runtime, "/here", "-v", volumes.resolve(runtime) + ":/here"));
                if (runtime.equals("dkvm")) {
                    peers.put("dkvm.disk", container(runtime, "/here/d", "-e", "DKVM_DISKS=/disk,/here,ext4,1G"));
                }
                peers.put(runtime + ".tmpfs", container(runtime, "/here", "--tmpfs", "/here:size=400m", "-m", "1g"));
            }
            Files.copy(SCRIPT, root.resolve("files.py"));
            peers.put("bare-qemu.root", bare(home, root, cpus));
            if (GVISOR.stream().anyMatch(Files::isExecutable)) {
                peers.put("runsc.root", gvisor(root));
            }
        } finally {
            Command.output("rm", "-rf", volumes.toString());
        }
        return peers;
    }

    private Map<String, Double> container(String runtime, String directory, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("docker", "run", "--rm", "--network=none", "--runtime=" + runtime, "-v", SCRIPT + ":/files.py:ro"));
        command.addAll(List.of(options));
        command.addAll(List.of(image, "python3", "/files.py", directory));
        System.out.println("    " + runtime + " " + String.join(" ", options));
        return figures(Command.output(command));
    }

    /** Without a container, and without DKVM: what it wrote is read from its root. */
    private static Map<String, Double> bare(Path home, Path root, int cpus) throws IOException, InterruptedException {
        new BareVm(home, root, BareVm.Board.Q35).run(cpus, "/usr/bin/python3", "/files.py", "/here", "/figures");
        return figures(Files.readString(root.resolve("figures")).strip());
    }

    /** Without KVM, and without an engine, whose configuration would have to be changed. */
    private static Map<String, Double> gvisor(Path root) throws IOException, InterruptedException {
        return figures(Command.output(
                "runsc", "--platform=ptrace", "--network=host", "do", "-quiet", "-force-overlay=false", "-root=" + root, "-cwd=/", "/usr/bin/python3", "/files.py", "/there"));
    }

    private static Map<String, Double> figures(String text) throws IOException {
        Map<String, Double> figures = new LinkedHashMap<>();
        for (String line : text.split("\n")) {
            if (!line.matches("[^ ]+ [0-9]+(\\.[0-9]+)?")) {
                throw new IOException(SCRIPT + " printed \"" + line + "\" where a name and milliseconds belong");
            }
            int space = line.indexOf(' ');
            figures.put(line.substring(0, space), Double.parseDouble(line.substring(space + 1)));
        }
        return figures;
    }
}
