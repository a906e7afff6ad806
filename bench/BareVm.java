// SPDX-License-Identifier: Apache-2.0
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The yardstick: virtiofsd and QEMU started by hand, the same kernel, agent and flags, no container, no JVM of ours to start. Plays the monitor's part of
 * protocol/PROTOCOL.md just enough to run one program.
 */
final class BareVm {
    private static final int HELLO = 0x01;
    private static final int WELCOME = 0x02;
    private static final int SET_UP = 0x04;
    private static final int FAILED = 0x06;
    private static final int FINISHED = 0x09;
    private static final int ACK = 0x0A;
    private static final int OPEN = 0x21;
    private static final int REFUSED = 0x23;
    private static final int MAX_PAYLOAD = 65_552;

    /** The board, as QEMU calls it. */
    enum Board {
        Q35,
        MICROVM
    }

    private final Path home;
    private final Path root;
    private final Board board;

    /**
     * @param home the package, /opt/dkvm
     * @param root the directory that becomes the guest's root; it is named "root", as the slot, and its parent is what is shared
     */
    BareVm(Path home, Path root, Board board) {
        this.home = home;
        this.root = root;
        this.board = board;
    }

    /** Boots, runs the program, ends; the time of it all in milliseconds. */
    double run(int cpus, String... program) throws IOException, InterruptedException {
        return run(cpus, List.of(), program);
    }

    /** As above, with more options for QEMU, which ends in good order and not by being killed: plugins have the last word. */
    double run(int cpus, List<String> options, String... program) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("dkvm-bench");
        Path fsSocket = directory.resolve("fs.sock");
        Path agentSocket = directory.resolve("agent.sock");
        Process virtiofsd = null;
        Process qemu = null;
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(agentSocket));
            long start = System.nanoTime();
            virtiofsd = start(directory, virtiofsd(fsSocket));
            while (!Files.exists(fsSocket)) {
                if (!virtiofsd.isAlive()) {
                    throw new IOException("virtiofsd ended at once: " + Files.readString(directory.resolve("log")));
                }
                Thread.sleep(1);
            }
            List<String> command = qemu(fsSocket, agentSocket, cpus);
            command.addAll(options);
            qemu = start(directory, command);
            try (SocketChannel channel = server.accept()) {
                converse(channel, program);
            } catch (IOException e) {
                throw new IOException(e.getMessage() + "; QEMU and virtiofsd said: " + Files.readString(directory.resolve("log")), e);
            }
            (options.isEmpty() ? qemu.destroyForcibly() : end(qemu)).waitFor();
            virtiofsd.destroyForcibly().waitFor();
            return (System.nanoTime() - start) / 1e6;
        } finally {
            for (Process process : new Process[] {qemu, virtiofsd}) {
                if (process != null) {
                    process.destroyForcibly().waitFor();
                }
            }
            try (var files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }

    private static Process end(Process process) {
        process.destroy();
        return process;
    }

    private static Process start(Path directory, List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log").toFile()))
                .redirectInput(Path.of("/dev/null").toFile())
                .start();
    }

    private List<String> loaded(String program) {
        Path sandbox = home.resolve("sandbox");
        return List.of(
                sandbox.resolve("lib64/ld-linux-x86-64.so.2").toString(),
                "--library-path",
                sandbox.resolve("usr/lib/x86_64-linux-gnu") + ":" + sandbox.resolve("lib/x86_64-linux-gnu"),
                sandbox.resolve(program).toString());
    }

    private List<String> virtiofsd(Path socket) {
        List<String> command = new ArrayList<>(loaded("usr/libexec/virtiofsd"));
        command.addAll(List.of(
                "--shared-dir=" + root.getParent(), "--sandbox=none", "--socket-path=" + socket, "--cache=auto", "--announce-submounts", "--posix-acl",
                "--xattrmap=:prefix:all:trusted.:user.virtiofs.::ok:all:::", "--allow-direct-io", "--rlimit-nofile=0"));
        return command;
    }

    private List<String> qemu(Path fsSocket, Path agentSocket, int cpus) throws IOException {
        Path kernel = home.resolve("kernels/dkvm/latest").toRealPath();
        List<String> command = new ArrayList<>(loaded("usr/bin/qemu-system-x86_64"));
        command.addAll(List.of(
                "-L", home.resolve("sandbox/usr/share/seabios").toString(), "-L", home.resolve("sandbox/usr/share/qemu").toString(), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-accel", "tcg,tb-size=128", "-cpu", "max,-erms,-fsrm", "-smp", String.valueOf(cpus), "-m", "512M",
                "-object", "memory-backend-memfd,id=mem,size=512M,share=on",
                "-kernel", kernel.resolve("vmlinux").toString(), "-initrd", kernel.resolve("initramfs").toString(),
                "-append", "quiet panic=-1 init_on_alloc=1 no_timer_check" + (cpus > 1 ? " maxcpus=1 noreplace-smp lpj=40000000" : "") + ofBoard(),
                "-chardev", "socket,id=fs,path=" + fsSocket, "-device", device("vhost-user-fs") + ",chardev=fs,tag=dkvm",
                "-device", device("virtio-serial"), "-chardev", "socket,id=agent,path=" + agentSocket, "-device", "virtserialport,chardev=agent,name=dkvm.agent",
                "-device", device("virtio-rng")));
        command.addAll(switch (board) {
            case Q35 -> List.of("-machine", "q35,memory-backend=mem,usb=off,smbus=off,sata=off,vmport=off");
            case MICROVM -> List.of("-machine", "microvm,memory-backend=mem,acpi=off", "-global", "virtio-mmio.force-legacy=false");
        });
        return command;
    }

    private String device(String name) {
        return switch (board) {
            case Q35 -> name + "-pci";
            case MICROVM -> name + "-device";
        };
    }

    /** What the kernel is told, as DKVM tells it. */
    private String ofBoard() throws IOException {
        try {
            return switch (board) {
                case Q35 -> "";
                case MICROVM -> " acpi=off reboot=t tsc=reliable tsc_early_khz=" + Command.output(home.resolve("sandbox/opt/dkvm/dkvm-tsc").toString());
            };
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static void converse(SocketChannel channel, String... program) throws IOException {
        expect(channel, HELLO);
        send(channel, WELCOME, 0, new byte[] {3, 0, 0, 0});
        send(channel, SET_UP, 0, new byte[0]);
        send(channel, OPEN, 1, process(program));
        expect(channel, FINISHED);
        send(channel, ACK, 0, new byte[0]);
    }

    private static byte[] process(String... program) {
        ByteBuffer open = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        open.put((byte) 1);
        for (String argument : program) {
            open.put(record(1, argument.getBytes(StandardCharsets.UTF_8)));
        }
        open.put(record(2, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".getBytes(StandardCharsets.UTF_8)));
        open.put(record(3, "/".getBytes(StandardCharsets.UTF_8)));
        open.put(record(4, new byte[8]));
        open.put(record(7, new byte[] {0}));
        byte[] bytes = new byte[open.position()];
        open.flip().get(bytes);
        return bytes;
    }

    private static byte[] record(int tag, byte[] value) {
        return ByteBuffer.allocate(6 + value.length).order(ByteOrder.LITTLE_ENDIAN).putShort((short) tag).putInt(value.length).put(value).array();
    }

    private static void send(SocketChannel channel, int type, int stream, byte[] payload) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(9 + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putInt(payload.length).put((byte) type).putInt(stream).put(payload).flip();
        while (frame.hasRemaining()) {
            channel.write(frame);
        }
    }

    /** Reads frames up to one of the type. */
    private static void expect(SocketChannel channel, int type) throws IOException {
        while (true) {
            ByteBuffer header = read(channel, 9);
            int length = header.getInt();
            int got = header.get();
            if (length < 0 || length > MAX_PAYLOAD) {
                throw new IOException("the agent sent a frame of " + length + " bytes");
            }
            ByteBuffer payload = read(channel, length);
            if (got == type) {
                return;
            }
            if (got == FAILED || got == REFUSED) {
                throw new IOException("the agent failed: " + StandardCharsets.ISO_8859_1.decode(payload));
            }
        }
    }

    private static ByteBuffer read(SocketChannel channel, int size) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes) < 0) {
                throw new EOFException("the VM ended early");
            }
        }
        return bytes.flip();
    }
}
