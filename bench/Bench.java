// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * {@code make bench}: what a VM costs beside a container and beside a bare QEMU, all in one run, in turn, so that the ratios hold on a noisy machine. Prints a table,
 * and the same as JSON to the file given. {@link Choice} has the command line.
 */
final class Bench {
    private static final Path HOME = Path.of("/opt/dkvm");
    private static final String IMAGE = "dkvm-test/busybox";
    private static final String FILES_IMAGE = System.getProperty("dkvm.bench.filesImage", "dkvm-test/workloads");
    private static final int IDLE_VMS = 10;
    private static final int MORE_CONTAINERS = 5;
    private static final int WRONG_USAGE = 2;

    private final Choice choice;
    private final int runs;
    private final Map<String, Double> figures = new LinkedHashMap<>();

    private Bench(Choice choice) {
        this.choice = choice;
        runs = choice.runs();
    }

    public static void main(String[] args) throws InterruptedException {
        try {
            Choice choice = Choice.of(List.of(args));
            if (choice.check()) {
                return;
            }
            Bench bench = new Bench(choice);
            for (Choice.Part part : choice.parts()) {
                bench.measure(part);
            }
            if (!choice.json().toString().isEmpty()) {
                bench.write(choice.json());
            }
        } catch (Choice.Wrong e) {
            System.err.println("error: " + e.getMessage() + "\n" + Choice.USAGE);
            System.exit(WRONG_USAGE);
        } catch (IOException e) {
            System.err.println("error: " + e.getMessage());
            System.exit(1);
        }
    }

    private void measure(Choice.Part part) throws IOException, InterruptedException {
        switch (part) {
            case RUN -> wholeRun();
            case BOARDS -> boards();
            case HOST -> host();
            case EXEC -> exec();
            case EXECUTIONS -> executions();
            case MEMORY -> memory();
            case NETWORK -> network();
            case FILES -> files();
            case TIMELINE -> timeline();
            case PODS -> pods();
        }
    }

    private static String[] dockerRun(String runtime, String... command) {
        List<String> all = new ArrayList<>(List.of("docker", "run", "--rm", "--runtime=" + runtime, IMAGE));
        all.addAll(List.of(command));
        return all.toArray(String[]::new);
    }

    /** The whole of {@code docker run --rm busybox true}, and the same VM by hand. */
    private void wholeRun() throws IOException, InterruptedException {
        title("docker run --rm " + IMAGE + " true, median of " + runs + " (ms)");
        Path root = exportedRoot();
        BareVm bare = new BareVm(HOME, root, BareVm.Board.Q35);
        int cpus = Runtime.getRuntime().availableProcessors();
        Samples restored = new Samples();
        Samples dkvm = new Samples();
        Samples runc = new Samples();
        Samples qemu = new Samples();
        Command.output(HOME.resolve("bin/dkvm").toString(), "template", "make");
        for (int i = -1; i < runs; i++) {
            double t = Command.millis(dockerRun("dkvm", "true"));
            double d = Command.millis("docker", "run", "--rm", "--runtime=dkvm", "-e", "DKVM_TEMPLATE=off", IMAGE, "true");
            double r = Command.millis(dockerRun("runc", "true"));
            double q = bare.run(cpus, "/bin/true");
            if (i >= 0) {
                restored.add(t);
                dkvm.add(d);
                runc.add(r);
                qemu.add(q);
            }
        }
        Command.output("rm", "-rf", root.getParent().toString());
        figure("run.dkvm-restored.ms", restored);
        figure("run.restored-of-booted.percent (aim 40)", 100 * restored.median() / dkvm.median());
        figure("run.dkvm.ms", dkvm);
        figure("run.runc.ms", runc);
        figure("run.bare-qemu.ms", qemu);
        figure("run.dkvm-over-bare.ms", dkvm.median() - qemu.median());
        figure("run.aim-over-bare.ms (runc + 300)", runc.median() + 300);
        figure("run.ratio-to-runc", dkvm.median() / runc.median());
        figure("run.ratio-to-bare", dkvm.median() / qemu.median());
    }

    /** The microvm board beside q35: a whole run, and how many instructions the guest of a bare QEMU needs for one. */
    private void boards() throws IOException, InterruptedException {
        title("the boards, docker run --rm -e DKVM_MACHINE=BOARD -e DKVM_TEMPLATE=off " + IMAGE + " true, median of " + runs + " (ms)");
        Samples[] times = {new Samples(), new Samples()};
        for (int i = -1; i < runs; i++) {
            for (BareVm.Board board : BareVm.Board.values()) {
                // Only q35 is ever restored from a template.
                double millis = Command.millis("docker", "run", "--rm", "--runtime=dkvm", "-e", "DKVM_TEMPLATE=off", "-e", "DKVM_MACHINE=" + name(board), IMAGE, "true");
                if (i >= 0) {
                    times[board.ordinal()].add(millis);
                }
            }
        }
        for (BareVm.Board board : BareVm.Board.values()) {
            figure("boards." + name(board) + ".ms", times[board.ordinal()]);
        }
        figure("boards.microvm-of-q35.time-percent", 100 * times[1].median() / times[0].median());
        instructions();
    }

    private void instructions() throws IOException, InterruptedException {
        title("the guest's instructions from reset to the end of true, bare QEMU with one CPU, median of " + runs + " (millions)");
        Path root = exportedRoot();
        try (GuestInstructions counter = GuestInstructions.open()) {
            Samples[] counts = {new Samples(), new Samples()};
            for (int i = 0; i < runs; i++) {
                for (BareVm.Board board : BareVm.Board.values()) {
                    counts[board.ordinal()].add(counter.millionsOf(new BareVm(HOME, root, board), "/bin/true"));
                }
            }
            for (BareVm.Board board : BareVm.Board.values()) {
                figure("boards." + name(board) + ".guest-minstructions", counts[board.ordinal()]);
            }
            figure("boards.microvm-of-q35.instructions-percent", 100 * counts[1].median() / counts[0].median());
        } catch (GuestInstructions.NotPossible e) {
            System.out.println("  not counted: " + e.getMessage());
        } finally {
            Command.output("rm", "-rf", root.getParent().toString());
        }
    }

    /** Throughput, connections and round trips between the host and a VM, a container, a bare QEMU with a tap on a bridge. */
    private void network() throws IOException, InterruptedException {
        title("between the host and the VM, median of " + runs + " (in: to the VM; out: from it)");
        Path root = exportedRoot();
        try (NetworkBench bench = new NetworkBench(IMAGE)) {
            int cpus = Runtime.getRuntime().availableProcessors();
            Map<String, NetPeer> peers = bench.measure(new BareVm(HOME, root, BareVm.Board.Q35), root, cpus, runs);
            peers.forEach((name, peer) -> {
                figure("network." + name + ".in.mbit-per-s", peer.in);
                figure("network." + name + ".out.mbit-per-s", peer.out);
                figure("network." + name + ".connections-per-s", peer.connections);
                figure("network." + name + ".round-trip.us", peer.latency);
                figure("network." + name + ".round-trip-p99.us", peer.latency.quantile(0.99));
            });
            NetPeer dkvm = peers.get("dkvm");
            NetPeer bare = peers.get("bare-qemu");
            figure("network.of-bare-qemu.in.percent", 100 * dkvm.in.median() / bare.in.median());
            figure("network.of-bare-qemu.out.percent", 100 * dkvm.out.median() / bare.out.median());
            figure("network.of-bare-qemu.connections.percent", 100 * dkvm.connections.median() / bare.connections.median());
            figure("network.of-bare-qemu.round-trip.percent", 100 * dkvm.latency.median() / bare.latency.median());
        } finally {
            Command.output("rm", "-rf", root.getParent().toString());
        }
    }

    /** What programs do with files; once, as each takes a second and more. */
    private void files() throws IOException, InterruptedException {
        title("files: in a VM's root, on a volume, a disk, a tmpfs, and by its peers (ms)");
        Path root = exportedRoot(FILES_IMAGE);
        try {
            int cpus = Runtime.getRuntime().availableProcessors();
            Map<String, Map<String, Double>> peers = new FilesBench(FILES_IMAGE).measure(HOME, root, cpus);
            List<String> names = new ArrayList<>(peers.keySet());
            System.out.printf(Locale.ROOT, "  %-20s", "");
            names.forEach(name -> System.out.printf(Locale.ROOT, " %15s", name));
            System.out.println();
            for (String what : peers.get(names.getFirst()).keySet()) {
                System.out.printf(Locale.ROOT, "  %-20s", what);
                for (String name : names) {
                    double millis = peers.get(name).getOrDefault(what, Double.NaN);
                    figures.put("files." + name + "." + what + ".ms", millis);
                    System.out.printf(Locale.ROOT, " %15.0f", millis);
                }
                System.out.println();
            }
        } finally {
            Command.output("rm", "-rf", root.getParent().toString());
        }
    }

    private static String name(BareVm.Board board) {
        return board.name().toLowerCase(Locale.ROOT);
    }

    private static Path exportedRoot() throws IOException, InterruptedException {
        return exportedRoot(IMAGE);
    }

    /** A directory of its own, which has nothing but this slot: a share as the agent expects it. */
    private static Path exportedRoot(String image) throws IOException, InterruptedException {
        Path root = Files.createDirectory(Files.createTempDirectory("dkvm-bench-root").resolve("root"));
        String container = Command.output("docker", "create", image);
        Command.output("sh", "-c", "docker export " + container + " | tar -x -C " + root);
        Command.output("docker", "rm", container);
        return root;
    }

    /** DKVM's own part of it, on the host. */
    private void host() throws IOException, InterruptedException {
        int times = Math.ceilDiv(20, runs);
        title("DKVM's own work on the host, median of " + runs + " (monitor) and " + runs * times + " (ms)");
        Samples create = new Samples();
        Samples exec = new Samples();
        Samples monitor = new Samples();
        for (int i = 0; i < runs; i++) {
            String vm = Command.output("docker", "run", "-d", "--runtime=dkvm", IMAGE, "sleep", "1000");
            try (HostWork work = new HostWork(HOME, vm)) {
                Command.output("docker", "exec", vm, "true");
                monitor.add(work.monitorMillis());
                for (int j = 0; j < times; j++) {
                    create.add(work.createMillis());
                    exec.add(work.execMillis(Path.of("package/training/process.json")));
                }
            } finally {
                Command.output("docker", "rm", "-f", vm);
            }
        }
        figure("host.create.ms", create);
        figure("host.monitor.ms", monitor);
        figure("host.before-qemu.ms (aim 250)", create.median() + monitor.median());
        figure("host.exec.ms (aim 80)", exec);
    }

    /** {@code docker exec} of a program that does nothing. */
    private void exec() throws IOException, InterruptedException {
        int times = Math.max(20, runs);
        title("docker exec CONTAINER true, median of " + times + " (ms)");
        String vm = Command.output("docker", "run", "-d", "--runtime=dkvm", IMAGE, "sleep", "1000");
        String container = Command.output("docker", "run", "-d", "--runtime=runc", IMAGE, "sleep", "1000");
        try {
            Samples dkvm = new Samples();
            Samples runc = new Samples();
            for (int i = -2; i < times; i++) {
                double d = Command.millis("docker", "exec", vm, "true");
                double r = Command.millis("docker", "exec", container, "true");
                if (i >= 0) {
                    dkvm.add(d);
                    runc.add(r);
                }
            }
            figure("exec.dkvm.ms", dkvm);
            figure("exec.runc.ms", runc);
            figure("exec.ratio", dkvm.median() / runc.median());
        } finally {
            Command.output("docker", "rm", "-f", vm, container);
        }
    }

    /** Programs executed on the host. */
    private void executions() throws IOException, InterruptedException {
        title("programs executed on the host");
        if (!Executions.possible()) {
            System.out.println("  skipped: strace is not installed (apt-get install strace)");
            return;
        }
        List<String> dkvm = Executions.during(() -> Command.output(dockerRun("dkvm", "true")));
        List<String> runc = Executions.during(() -> Command.output(dockerRun("runc", "true")));
        figure("executions.run.dkvm", dkvm.size());
        figure("executions.run.runc", runc.size());
        String vm = Command.output("docker", "run", "-d", "--runtime=dkvm", IMAGE, "sleep", "1000");
        try {
            Command.output("docker", "exec", vm, "true");
            List<String> exec = Executions.during(() -> Command.output("docker", "exec", vm, "true"));
            figure("executions.exec.dkvm", exec.size());
            System.out.println("  run:  " + String.join(" ", dkvm));
            System.out.println("  exec: " + String.join(" ", exec));
        } finally {
            Command.output("docker", "rm", "-f", vm);
        }
    }

    /** Memory of idle VMs of 256 MiB: booted, and restored. */
    private void memory() throws IOException, InterruptedException {
        Command.output(HOME.resolve("bin/dkvm").toString(), "template", "make", "--memory", "256", "--cpus", "1");
        memory("off", "memory");
        memory("auto", "memory.restored");
    }

    private void memory(String template, String name) throws IOException, InterruptedException {
        title("PSS of an idle VM of 256 MiB (MiB), DKVM_TEMPLATE=" + template);
        List<String> vms = new ArrayList<>();
        try {
            for (int i = 0; i < IDLE_VMS; i++) {
                String vm = Command.output("docker", "run", "-d", "-m", "256m", "--cpus", "1", "--runtime=dkvm", "-e", "DKVM_TEMPLATE=" + template, IMAGE, "sleep", "1000");
                vms.add(vm);
                Command.output("docker", "exec", vm, "true");
                if (i == 0) {
                    memoryOf(name + ".one", vms);
                    Command.output("docker", "exec", "-d", vm, "sleep", "1000");
                    if (name.equals("memory")) {
                        figure("memory.exec-client.mib (aim 1)", SandboxMemory.of(vm, "dkvm-exec"));
                    }
                }
            }
            memoryOf(name + ".ten", vms);
        } finally {
            List<String> remove = new ArrayList<>(List.of("docker", "rm", "-f"));
            remove.addAll(vms);
            Command.output(remove);
        }
    }

    private void memoryOf(String name, List<String> vms) throws IOException, InterruptedException {
        Map<String, Double> sum = new LinkedHashMap<>();
        for (String vm : vms) {
            SandboxMemory.of(vm).forEach((process, mib) -> sum.merge(process, mib, Double::sum));
        }
        double ours = 0;
        for (Map.Entry<String, Double> entry : sum.entrySet()) {
            double each = entry.getValue() / vms.size();
            figure(name + "." + entry.getKey() + ".mib", each);
            if (!entry.getKey().startsWith("qemu")) {
                ours += each;
            }
        }
        figure(name + ".all-but-qemu.mib", ours);
    }

    /** The steps of a start by a boot, and of one from a template; and both as the pictures that docs/performance.md shows. */
    private void timeline() throws IOException, InterruptedException {
        timeline("boot", "off");
        timeline("restored", "auto");
    }

    private void timeline(String start, String template) throws IOException, InterruptedException {
        title("timeline of a start: " + start);
        // The first may find no template, and nothing in the host's cache.
        Command.output("docker", "run", "--rm", "--runtime=dkvm", "-e", "DKVM_TEMPLATE=" + template, IMAGE, "true");
        String vm = Command.output("docker", "run", "-d", "--name", start, "--runtime=dkvm", "-e", "DKVM_TEMPLATE=" + template, IMAGE, "sleep", "1000");
        try {
            Command.output("docker", "exec", vm, "true");
            show(start, vm);
        } finally {
            Command.output("docker", "rm", "-f", vm);
        }
    }

    private void show(String start, String container) throws IOException, InterruptedException {
        System.out.println(Command.output("/opt/dkvm/bin/dkvm", "timeline", container));
        if (!choice.pictures().toString().isEmpty()) {
            Path picture = choice.pictures().resolve("timeline-" + start + ".svg");
            Files.writeString(picture, Command.output("/opt/dkvm/bin/dkvm", "timeline", "--svg", container) + "\n");
            System.out.println("drawn as " + picture);
        }
    }

    /** A further container of a pod that runs: its start under both runtimes, in turn, and what each more takes of the host's memory. */
    private void pods() throws IOException, InterruptedException {
        title("a further container of a pod, from its creation to its first word, median of " + runs + " (ms)");
        try (PodBench bench = new PodBench()) {
            Map<String, Samples> samples = new LinkedHashMap<>();
            for (int i = -1; i < runs; i++) {
                for (String runtime : List.of("dkvm", "runc")) {
                    PodBench.Pod pod = bench.pod(runtime);
                    long start = System.nanoTime();
                    String container = pod.start();
                    double millis = (System.nanoTime() - start) / 1e6;
                    if (i >= 0) {
                        samples.computeIfAbsent(runtime, name -> new Samples()).add(millis);
                    }
                    if (i == runs - 1 && runtime.equals("dkvm")) {
                        show("pod", container);
                    }
                    pod.remove(container);
                }
            }
            samples.forEach((runtime, each) -> figure("pods.container." + runtime + ".ms", each));
            figure(
                    "pods.container.over-runc.ms (aim 300)",
                    samples.get("dkvm").median() - samples.get("runc").median());
            probes(bench);
            PodBench.Pod pod = bench.pod("dkvm");
            List<String> containers = new ArrayList<>(List.of(pod.start()));
            double one = pod.memory(containers);
            for (int i = 0; i < MORE_CONTAINERS; i++) {
                containers.add(pod.start());
            }
            figure("pods.one-more.mib (aim 6)", (pod.memory(containers) - one) / MORE_CONTAINERS);
        }
    }

    /** An exec by CRI, as a probe makes it every few seconds. */
    private void probes(PodBench bench) throws IOException, InterruptedException {
        int times = Math.max(20, runs);
        Map<String, Samples> samples = new LinkedHashMap<>();
        Map<String, String> containers = new LinkedHashMap<>();
        for (String runtime : List.of("dkvm", "runc")) {
            containers.put(runtime, bench.pod(runtime).start());
        }
        for (int i = -2; i < times; i++) {
            for (Map.Entry<String, String> container : containers.entrySet()) {
                long start = System.nanoTime();
                bench.pod(container.getKey()).probe(container.getValue());
                double millis = (System.nanoTime() - start) / 1e6;
                if (i >= 0) {
                    samples.computeIfAbsent(container.getKey(), name -> new Samples()).add(millis);
                }
            }
        }
        for (Map.Entry<String, String> container : containers.entrySet()) {
            bench.pod(container.getKey()).remove(container.getValue());
        }
        samples.forEach((runtime, each) -> figure("pods.exec." + runtime + ".ms", each));
        figure(
                "pods.exec.over-runc.ms (aim 100)",
                samples.get("dkvm").median() - samples.get("runc").median());
    }

    private static void title(String text) {
        System.out.println("\n" + text);
    }

    private void figure(String name, double value) {
        figures.put(name, value);
        System.out.printf(Locale.ROOT, "  %-42s %10.1f%n", name, value);
    }

    private void figure(String name, Samples samples) {
        figures.put(name, samples.median());
        System.out.printf(Locale.ROOT, "  %-42s %10.1f   (%.1f to %.1f)%n", name, samples.median(), samples.min(), samples.max());
    }

    private void write(Path file) throws IOException {
        List<String> members = new ArrayList<>();
        figures.forEach((name, value) -> members.add(String.format(Locale.ROOT, "  \"%s\": %.2f", name, value)));
        Files.writeString(file, "{\n" + String.join(",\n", members) + "\n}\n");
        System.out.println("\nwritten to " + file);
    }
}
