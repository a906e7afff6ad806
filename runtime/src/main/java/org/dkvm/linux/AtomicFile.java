// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import org.dkvm.core.DkvmException;

/** Writes a file so that a reader sees the old one or the new one whole, never a part. */
public final class AtomicFile {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private static final Set<PosixFilePermission> READABLE = PosixFilePermissions.fromString("rw-r--r--");

    private AtomicFile() {}

    /** Puts the text in the file, which keeps its mode; a new one is readable and writable by its owner only. See rename(2). */
    public static void replace(Path file, String text) throws DkvmException {
        replace(file, text, OWNER_ONLY);
    }

    /** As {@link #replace}, but a new file is readable by all. */
    public static void replaceReadable(Path file, String text) throws DkvmException {
        replace(file, text, READABLE);
    }

    private static void replace(Path file, String text, Set<PosixFilePermission> modeOfNew) throws DkvmException {
        try {
            write(file, text, Files.exists(file) ? Files.getPosixFilePermissions(file) : modeOfNew);
        } catch (IOException e) {
            throw new DkvmException("can not write \"" + file + "\": " + e, "", e);
        }
    }

    /** Puts the text in a file for its owner only, whatever mode an older one had. */
    public static void replacePrivate(Path file, String text) throws DkvmException {
        try {
            write(file, text, OWNER_ONLY);
        } catch (IOException e) {
            throw new DkvmException("can not write \"" + file + "\": " + e, "", e);
        }
    }

    private static void write(Path file, String text, Set<PosixFilePermission> mode) throws IOException {
        Path fresh = file.resolveSibling(
                "." + file.getFileName() + "." + ProcessHandle.current().pid());
        try (SeekableByteChannel channel = Files.newByteChannel(
                fresh,
                Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
                PosixFilePermissions.asFileAttribute(OWNER_ONLY))) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            if (!mode.equals(OWNER_ONLY)) {
                Files.setPosixFilePermissions(fresh, mode);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (IOException e) {
            Files.deleteIfExists(fresh);
            throw e;
        }
    }
}
