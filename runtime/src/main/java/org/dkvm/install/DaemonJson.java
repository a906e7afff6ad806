// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.dkvm.core.DkvmException;

/** Enters DKVM into Docker's daemon.json, or takes it out. What the install scripts run; broken files are left as they are. */
public final class DaemonJson {
    /** The runtime's name for {@code docker run --runtime}. */
    public static final String RUNTIME = "dkvm";

    private static final String BACKUP_SUFFIX = ".dkvm-backup";
    private static final String USAGE = "usage: DaemonJson register FILE PROGRAM | unregister FILE";

    private DaemonJson() {}

    /**
     * Runs one command and ends with 0, or 1 when nothing could be changed.
     *
     * @param args {@code register FILE PROGRAM} or {@code unregister FILE}
     */
    public static void main(String[] args) {
        try {
            System.out.println(run(args));
        } catch (DkvmException e) {
            System.err.println(e.text());
            System.exit(1);
        }
    }

    /** Does what the arguments say; the answer is {@code changed} or {@code unchanged}. */
    static String run(String... args) throws DkvmException {
        return switch (args.length == 0 ? "" : args[0]) {
            case "register" -> change(file(args, 3), text -> DaemonConfig.register(text, RUNTIME, args[2]));
            case "unregister" -> change(file(args, 2), text -> DaemonConfig.unregister(text, RUNTIME));
            default -> throw new DkvmException(USAGE, "");
        };
    }

    private interface Change {
        String apply(String text) throws DkvmException;
    }

    private static Path file(String[] args, int count) throws DkvmException {
        if (args.length != count) {
            throw new DkvmException(USAGE, "");
        }
        return Path.of(args[1]);
    }

    private static String change(Path file, Change change) throws DkvmException {
        try {
            // Where the file is a link, the link stays.
            Path real = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
            String before = read(real);
            String after = change.apply(before);
            if (after.equals(before)) {
                return "unchanged";
            }
            if (!before.isEmpty()) {
                Files.copy(
                        real,
                        real.resolveSibling(real.getFileName() + BACKUP_SUFFIX),
                        StandardCopyOption.REPLACE_EXISTING,
                        StandardCopyOption.COPY_ATTRIBUTES);
            }
            if (after.isEmpty()) {
                Files.delete(real);
            } else {
                replace(real, after);
            }
            return "changed";
        } catch (IOException e) {
            throw new DkvmException("can not change \"" + file + "\": " + e, "", e);
        } catch (DkvmException e) {
            throw new DkvmException(
                    "\"" + file + "\" is left as it is: " + e.getMessage(),
                    "correct the file, \"dockerd --validate\" checks it, and try again",
                    e);
        }
    }

    private static String read(Path file) throws IOException, DkvmException {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return "";
        } catch (CharacterCodingException e) {
            throw new DkvmException("it is not UTF-8 text", "", e);
        }
    }

    /** A dockerd that reads meanwhile sees the old file or the new one; so does one after a power failure. */
    private static void replace(Path file, String text) throws IOException {
        Set<PosixFilePermission> mode =
                Files.exists(file) ? Files.getPosixFilePermissions(file) : PosixFilePermissions.fromString("rw-r--r--");
        Files.createDirectories(file.resolveSibling(".").normalize());
        Path fresh = file.resolveSibling("." + file.getFileName() + ".dkvm-new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.setPosixFilePermissions(fresh, mode);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
