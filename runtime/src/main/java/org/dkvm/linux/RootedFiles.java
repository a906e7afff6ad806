// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Has a program of ours, {@code dkvm-rooted}, read files below directories that somebody may be changing: a link is never followed out of the directory, nothing but a regular
 * file is opened, and nothing is waited for. Java opens by path only. One program answers all questions; it is started for the first. See openat2(2), RESOLVE_IN_ROOT.
 */
public final class RootedFiles implements RootedReader, AutoCloseable {
    private static final byte[] NO_BYTES = {};
    private static final int HEADER_BYTES = 8;
    /** As the kernel's, with a zero at the end. */
    private static final int PATH_MAX = 4096;

    private static final int NO_FILE = -1;

    private final List<String> command;
    private @Nullable Process process;

    /** Where {@code dkvm-rooted} is. */
    public RootedFiles(String program) {
        this.command = List.of(program, "answer");
    }

    @Override
    public byte[] head(Path root, String path, int most) {
        try {
            Process answering = process;
            if (answering == null) {
                Program.startWithoutHelper();
                answering = new ProcessBuilder(command)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
                process = answering;
            }
            OutputStream questions = answering.getOutputStream();
            questions.write(question(root.toString(), path, most));
            questions.flush();
            return answer(new DataInputStream(answering.getInputStream()), most);
        } catch (IOException e) {
            // What is wrong with the file runc will tell. What might still come would answer another question.
            close();
            return NO_BYTES;
        }
    }

    private static byte[] question(String root, String path, int most) throws IOException {
        byte[] rootBytes = root.getBytes(StandardCharsets.UTF_8);
        byte[] pathBytes = path.getBytes(StandardCharsets.UTF_8);
        if (rootBytes.length >= PATH_MAX || pathBytes.length >= PATH_MAX) {
            // The rest of it would be the next question.
            throw new IOException("a path has too many bytes");
        }
        return ByteBuffer.allocate(HEADER_BYTES + rootBytes.length + pathBytes.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(most)
                .putShort((short) rootBytes.length)
                .putShort((short) pathBytes.length)
                .put(rootBytes)
                .put(pathBytes)
                .array();
    }

    private static byte[] answer(DataInputStream from, int most) throws IOException {
        int size = Integer.reverseBytes(from.readInt());
        if (size == NO_FILE) {
            return NO_BYTES;
        }
        if (size < 0 || size > most) {
            throw new IOException("an answer has " + size + " bytes");
        }
        byte[] bytes = new byte[size];
        from.readFully(bytes);
        return bytes;
    }

    /** The program ends. */
    @Override
    public void close() {
        Process answering = process;
        if (answering != null) {
            answering.destroy();
        }
    }
}
