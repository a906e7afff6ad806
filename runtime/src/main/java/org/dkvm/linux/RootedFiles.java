// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Has a program of ours, {@code dkvm-rooted}, look at and read what is below directories that somebody may be changing: a link is never followed out of the directory, nothing but a
 * regular file is opened, and nothing is waited for. Java knows files by path only. One program answers all questions. The launcher has started it beside Java; where it has
 * not, it is started for the first question. See openat2(2), RESOLVE_IN_ROOT.
 */
public final class RootedFiles implements RootedReader, AutoCloseable {
    /** Where the program is there already, the descriptors of its answers and of questions to it, as dkvm-rooted.c writes them. */
    private static final String BESIDE = System.getProperty("dkvm.beside", "");

    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    private static final byte[] NO_BYTES = {};
    private static final int HEADER_BYTES = 8;
    private static final int LOOK_BYTES = 12;
    /** As the kernel's, with a zero at the end. */
    private static final int PATH_MAX = 4096;

    private static final int NO_ANSWER = -1;

    /** What is asked for in place of a number of bytes. */
    private static final int LOOK = -1;

    private static final int EMPTY = -2;

    private final String program;
    private final String answers;
    private final String questions;
    private @Nullable Channel channel;
    private boolean broken;

    /** The program's two ends, and itself where it is ours to end. */
    private record Channel(
            OutputStream questions,
            DataInputStream answers,
            @Nullable Process process) {}

    /** Where {@code dkvm-rooted} is. */
    public RootedFiles(String program) {
        this(
                BESIDE.isEmpty() ? program : "",
                DESCRIPTORS
                        .resolve(BESIDE.substring(0, Math.max(0, BESIDE.indexOf(','))))
                        .toString(),
                DESCRIPTORS.resolve(BESIDE.substring(BESIDE.indexOf(',') + 1)).toString());
    }

    /** A program that is there already has no name: it writes to and reads from these pipes. */
    RootedFiles(String program, String answers, String questions) {
        this.program = program;
        this.answers = answers;
        this.questions = questions;
    }

    private Channel started() throws IOException {
        Process process = new ProcessBuilder(List.of(program, "answer"))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        return new Channel(process.getOutputStream(), new DataInputStream(process.getInputStream()), process);
    }

    /** See fifo(7): an open for reading and writing never waits for the other side, which may have ended, and an open beside it does not either. */
    private Channel connected() throws IOException {
        RandomAccessFile asked = new RandomAccessFile(questions, "rw");
        try (RandomAccessFile _ = new RandomAccessFile(answers, "rw")) {
            return new Channel(
                    new FileOutputStream(asked.getFD()), new DataInputStream(new FileInputStream(answers)), null);
        } catch (IOException e) {
            asked.close();
            throw e;
        }
    }

    @Override
    public byte[] head(Path root, String path, int most) {
        byte[] bytes = ask(root, path, most, most);
        return bytes == null ? NO_BYTES : bytes;
    }

    @Override
    public Look look(Path root, String path) {
        byte[] bytes = ask(root, path, LOOK, LOOK_BYTES + PATH_MAX);
        if (bytes == null) {
            return Look.UNKNOWN;
        }
        if (bytes.length < LOOK_BYTES) {
            return Look.MISSING;
        }
        ByteBuffer look = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return new Look(
                look.getInt(),
                look.getInt(),
                look.getInt(),
                new String(bytes, LOOK_BYTES, bytes.length - LOOK_BYTES, StandardCharsets.UTF_8));
    }

    @Override
    public boolean isEmpty(Path root, String path) {
        byte[] bytes = ask(root, path, EMPTY, 1);
        return bytes != null && bytes.length == 1 && bytes[0] == 1;
    }

    /** The answer; null where there is none. */
    private byte @Nullable [] ask(Path root, String path, int wanted, int most) {
        byte[] question = question(root.toString(), path, wanted);
        if (broken || question == null) {
            return null;
        }
        try {
            Channel open = channel;
            if (open == null) {
                open = program.isEmpty() ? connected() : started();
                channel = open;
            }
            open.questions.write(question);
            open.questions.flush();
            return answer(open.answers, most);
        } catch (IOException e) {
            // What is wrong with the file runc will tell. What might still come would answer another question.
            close();
            return null;
        }
    }

    /** Null for what no path is: the program would read a question about another one. */
    private static byte @Nullable [] question(String root, String path, int wanted) {
        try {
            ByteBuffer rootBytes = bytes(root);
            ByteBuffer pathBytes = bytes(path);
            ByteBuffer question = ByteBuffer.allocate(HEADER_BYTES + rootBytes.remaining() + pathBytes.remaining())
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(wanted)
                    .putShort((short) rootBytes.remaining())
                    .putShort((short) pathBytes.remaining())
                    .put(rootBytes)
                    .put(pathBytes);
            return question.array();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static ByteBuffer bytes(String path) throws CharacterCodingException {
        ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(path));
        if (bytes.remaining() >= PATH_MAX || path.indexOf(0) >= 0) {
            throw new CharacterCodingException();
        }
        return bytes;
    }

    private static byte @Nullable [] answer(DataInputStream from, int most) throws IOException {
        int size = Integer.reverseBytes(from.readInt());
        if (size == NO_ANSWER) {
            return null;
        }
        if (size < 0 || size > most) {
            throw new IOException("an answer has " + size + " bytes");
        }
        byte[] bytes = new byte[size];
        from.readFully(bytes);
        return bytes;
    }

    /** Nothing is asked any more. A program that was started here ends; one beside Java ends with it. */
    @Override
    public void close() {
        broken = true;
        Channel open = channel;
        channel = null;
        if (open == null) {
            return;
        }
        if (open.process != null) {
            open.process.destroy();
        }
        try {
            open.questions.close();
            open.answers.close();
        } catch (IOException e) {
            // Nothing that was asked is lost.
        }
    }
}
