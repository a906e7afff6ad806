// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.json.Json;
import org.dkvm.machine.Machine;
import org.dkvm.machine.QmpLines;
import org.dkvm.machine.QmpMessage;
import org.dkvm.machine.TemplateMachine;
import org.dkvm.share.VirtiofsdCommand;
import org.dkvm.template.MemoryPieces;
import org.dkvm.template.Template;

/** Boots a machine until its agent waits for its first order, and saves it: what {@link TemplateJob} runs in a sandbox. */
final class TemplateSaver {
    private static final Path PLACE = Path.of("/tmp");

    /** Of the machine that is saved. */
    static final Machine.Sockets SOCKETS = new Machine.Sockets(
            PLACE.resolve("agent.sock"),
            PLACE.resolve("control.sock"),
            PLACE.resolve("console.sock"),
            PLACE.resolve("share.sock"),
            PLACE.resolve("terminal"));

    /** Nothing is in it. */
    private static final Path SHARE = PLACE.resolve("share");

    private static final Path WORDS = PLACE.resolve("words");

    private static final int MAX_WORDS = 500;
    private static final Duration PAUSE = Duration.ofMillis(5);

    /** The agent's channel, as QemuCommand names it. */
    private static final String AGENT = "agent";

    /** How much of a step each attempt to boot may take: one that hangs is given up soon, and on a busy host the last has time. The job has three steps. */
    private static final List<Integer> TWELFTHS = List.of(4, 6, 9, 12);

    private static final Duration REST = Duration.ofSeconds(10);
    private static final int READ_BYTES = 4096;

    /** What QEMU says of a processor that has something to do. */
    private static final String AT_WORK = "HLT=0";

    private final SocketChannel control;
    private final QmpLines lines = new QmpLines();
    private final ByteBuffer bytes = ByteBuffer.allocate(READ_BYTES).flip();
    private long lastId;

    private TemplateSaver(SocketChannel control) {
        this.control = control;
    }

    /**
     * Saves a machine.
     *
     * @param command QEMU's command line
     * @param step how long a phase of a start may take
     * @param out where its memory and its state are put
     */
    static void save(List<String> command, Duration step, Path out) throws DkvmException {
        try {
            Files.createDirectory(SHARE);
            // Emulated processors race now and then while they boot: see docs/adr/0007-emulated-cpus-after-the-boot.md.
            boolean saved = false;
            for (int i = 0; i < TWELFTHS.size() && !saved; i++) {
                saved = attempt(command, out, step.multipliedBy(TWELFTHS.get(i)).dividedBy(12));
            }
            if (!saved) {
                throw new DkvmException("the machine does not boot: " + words(), "");
            }
            MemoryPieces.write(TemplateMachine.MADE_MEMORY, out.resolve(Template.MEMORY));
        } catch (IOException e) {
            throw new DkvmException("can not save the machine: " + e.getMessage(), "", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DkvmException("interrupted", "", e);
        }
    }

    /** False: it did not boot in time, and nothing is left of it. */
    private static boolean attempt(List<String> command, Path out, Duration most)
            throws IOException, InterruptedException, DkvmException {
        List<String> served = new ArrayList<>(VirtiofsdCommand.argv(SHARE, SOCKETS.share(), Architecture.HOST, false));
        // It serves nobody's files, and a job may do no more.
        served.add("--modcaps=-chown:-fowner:-fsetid:-setgid:-setuid:-mknod:-setfcap");
        for (Path made : List.of(SOCKETS.share(), SOCKETS.control(), TemplateMachine.MADE_MEMORY)) {
            Files.deleteIfExists(made);
        }
        Process share = start(served);
        Process qemu = null;
        try {
            await(share, SOCKETS.share(), most);
            qemu = start(command);
            await(qemu, SOCKETS.control(), most);
            try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(SOCKETS.control()))) {
                if (!new TemplateSaver(channel).save(out.resolve(Template.STATE), most)) {
                    return false;
                }
            }
            qemu.waitFor();
            return true;
        } finally {
            share.destroyForcibly().waitFor();
            if (qemu != null) {
                qemu.destroyForcibly().waitFor();
            }
        }
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(WORDS.toFile()))
                .start();
    }

    private static void await(Process program, Path socket, Duration most) throws DkvmException, InterruptedException {
        long deadline = System.nanoTime() + most.toNanos();
        while (!Files.exists(socket)) {
            if (!program.isAlive() || System.nanoTime() - deadline > 0) {
                throw new DkvmException("\"" + socket.getFileName() + "\" was not made: " + words(), "");
            }
            Thread.sleep(PAUSE);
        }
    }

    /** The last words of the programs. */
    private static String words() {
        try {
            String all = Files.readString(WORDS, StandardCharsets.ISO_8859_1).strip();
            return all.substring(Math.max(0, all.length() - MAX_WORDS));
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private boolean save(Path state, Duration most) throws IOException, DkvmException, InterruptedException {
        control.write(ByteBuffer.wrap(QmpMessage.NEGOTIATE.getBytes(StandardCharsets.UTF_8)));
        if (!booted(most)) {
            return false;
        }
        rest();
        execute("migrate-set-capabilities", TemplateMachine.capabilities());
        send("migrate", TemplateMachine.save(state));
        QmpMessage end = await(message -> message.kind() == QmpMessage.Kind.FAILED || isMigrated(message));
        if (!"completed".equals(TemplateMachine.status(end))) {
            throw new DkvmException("QEMU can not save the machine: " + end.described(), "");
        }
        send("quit", new JsonObject());
        return true;
    }

    /** Whether the agent has opened its port in time. The event that tells of it may have been before anybody listened. */
    private boolean booted(Duration most) throws IOException, DkvmException, InterruptedException {
        long deadline = System.nanoTime() + most.toNanos();
        while (System.nanoTime() - deadline < 0) {
            if (isOpen(execute("query-chardev", new JsonObject()).details())) {
                return true;
            }
            Thread.sleep(PAUSE);
        }
        return false;
    }

    private static boolean isOpen(JsonElement devices) {
        for (JsonElement device : devices instanceof JsonArray array ? array : new JsonArray()) {
            if (device instanceof JsonObject object
                    && Json.string(object, "label").orElse("").equals(AGENT)
                    && Json.isTrue(object, "frontend-open")) {
                return true;
            }
        }
        return false;
    }

    /** Nothing is lost where it has something to do still: a restored machine goes on with that. */
    private void rest() throws IOException, DkvmException, InterruptedException {
        JsonObject arguments = new JsonObject();
        arguments.addProperty("command-line", "info registers -a");
        long deadline = System.nanoTime() + REST.toNanos();
        while (System.nanoTime() - deadline < 0) {
            if (!execute("human-monitor-command", arguments)
                    .details()
                    .toString()
                    .contains(AT_WORK)) {
                return;
            }
            Thread.sleep(PAUSE);
        }
    }

    private static boolean isMigrated(QmpMessage message) {
        String status = TemplateMachine.status(message);
        return "completed".equals(status) || "failed".equals(status);
    }

    private QmpMessage execute(String command, JsonObject arguments) throws IOException, DkvmException {
        long id = send(command, arguments);
        QmpMessage answer = await(message -> message.id() == id);
        if (answer.kind() == QmpMessage.Kind.FAILED) {
            throw new DkvmException(command + ": " + answer.text(), "");
        }
        return answer;
    }

    private long send(String command, JsonObject arguments) throws IOException {
        ByteBuffer line = StandardCharsets.UTF_8.encode(QmpMessage.command(++lastId, command, arguments));
        while (line.hasRemaining()) {
            control.write(line);
        }
        return lastId;
    }

    /** The sandbox has a deadline for the whole. */
    private QmpMessage await(Predicate<QmpMessage> wanted) throws IOException, DkvmException {
        while (true) {
            String line = lines.next(bytes);
            if (line == null) {
                bytes.clear();
                if (control.read(bytes) < 0) {
                    throw new DkvmException("QEMU has ended: " + words(), "");
                }
                bytes.flip();
                continue;
            }
            QmpMessage message = QmpMessage.parse(line);
            if (wanted.test(message)) {
                return message;
            }
        }
    }
}
