// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * What goes over the network between the host and a VM of DKVM's, a container, and a bare QEMU with a tap on a bridge, measured in turn: all three stand ready the whole time.
 */
final class NetworkBench implements AutoCloseable {
    private static final String BRIDGE = "dkvmbench0";
    private static final String TAP = "dkvmbench1";
    private static final String HOST_ADDRESS = "10.231.7.1";
    private static final String VM_ADDRESS = "10.231.7.2";

    private final Path directory;
    private final Path program;
    private final String image;

    /** Compiles the peer. */
    NetworkBench(String image) throws IOException, InterruptedException {
        this.image = image;
        directory = Files.createTempDirectory("dkvm-bench-network");
        program = directory.resolve("netpeer");
        Command.output("gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o", program.toString(), "bench/netpeer.c");
    }

    /** Measures that many times after a first time to warm up; the peers by name. */
    Map<String, NetPeer> measure(BareVm bare, Path root, int cpus, int runs) throws IOException, InterruptedException {
        Files.copy(program, root.resolve("netpeer"));
        List<String> remove = new ArrayList<>(List.of("docker", "rm", "-f"));
        ExecutorService machine = Executors.newSingleThreadExecutor();
        try {
            Future<Double> end = machine.submit(bareVm(bare, cpus));
            Map<String, NetPeer> peers = new LinkedHashMap<>();
            for (String runtime : List.of("dkvm", "runc")) {
                String container = start(runtime);
                remove.add(container);
                peers.put(runtime, new NetPeer(address(container)));
            }
            peers.put("bare-qemu", new NetPeer(VM_ADDRESS));
            for (int i = -1; i < runs; i++) {
                for (NetPeer peer : peers.values()) {
                    peer.measure(i >= 0);
                }
            }
            for (NetPeer peer : peers.values()) {
                peer.quit();
            }
            end.get();
            return peers;
        } catch (ExecutionException e) {
            throw new IOException("the bare VM: " + e.getCause().getMessage(), e);
        } finally {
            // A VM that nobody told to end.
            machine.shutdownNow();
            machine.awaitTermination(1, TimeUnit.MINUTES);
            Command.output(remove);
        }
    }

    private String start(String runtime) throws IOException, InterruptedException {
        return Command.output("docker", "run", "-d", "--runtime=" + runtime, "-v", program + ":/netpeer:ro", image, "/netpeer", String.valueOf(NetPeer.PORT));
    }

    private static String address(String container) throws IOException, InterruptedException {
        return Command.output("docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", container);
    }

    /** A bridge with the VM's tap; gone when the VM has ended. */
    private static Callable<Double> bareVm(BareVm bare, int cpus) {
        return () -> {
            // What a bench that was killed has left.
            removeLinks();
            try {
                Command.output("ip", "link", "add", BRIDGE, "type", "bridge");
                Command.output("ip", "address", "add", HOST_ADDRESS + "/24", "dev", BRIDGE);
                Command.output("ip", "link", "set", BRIDGE, "up");
                Command.output("ip", "tuntap", "add", TAP, "mode", "tap");
                Command.output("ip", "link", "set", TAP, "master", BRIDGE, "up");
                return bare.run(
                        cpus,
                        List.of("-netdev", "tap,id=net,ifname=" + TAP + ",script=no,downscript=no,vhost=off", "-device", "virtio-net-pci,netdev=net,romfile="),
                        "/bin/sh",
                        "-ec",
                        // All processors, as DKVM's agent has them after the boot.
                        "mkdir /tmp/sys; mount -t sysfs none /tmp/sys; for i in $(seq 1 " + (cpus - 1) + "); do echo 1 >/tmp/sys/devices/system/cpu/cpu$i/online; done;"
                                + " ip link set eth0 up; ip address add " + VM_ADDRESS + "/24 dev eth0; exec /netpeer " + NetPeer.PORT);
            } finally {
                // What interrupted the VM is not to interrupt this.
                boolean interrupted = Thread.interrupted();
                removeLinks();
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }

    private static void removeLinks() throws IOException, InterruptedException {
        Command.output("sh", "-c", "for link in " + TAP + " " + BRIDGE + "; do ip link delete $link 2>/dev/null || :; done");
    }

    @Override
    public void close() throws IOException, InterruptedException {
        Command.output("rm", "-rf", directory.toString());
    }
}
