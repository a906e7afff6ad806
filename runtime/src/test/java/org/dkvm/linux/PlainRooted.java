// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** A dkvm-rooted for roots that nobody changes meanwhile. */
public final class PlainRooted {
    private static final String PROGRAM = """
            #!/usr/bin/python3
            import os, stat, struct, sys
            LOOK, EMPTY = 0xffffffff, 0xfffffffe

            def look(file, itself):
                found = os.lstat(file) if itself else os.stat(file)
                text = os.readlink(file) if stat.S_ISLNK(found.st_mode) else b''
                return struct.pack('<III', found.st_mode, found.st_uid, found.st_gid) + text

            def answer(wanted, file, itself):
                try:
                    if wanted == LOOK:
                        return look(file, itself)
                    if wanted == EMPTY:
                        return bytes([os.path.isdir(file) and not os.listdir(file)])
                    return open(file, 'rb').read(wanted)
                except FileNotFoundError:
                    return b'' if wanted == LOOK else None
                except OSError:
                    return None

            while header := sys.stdin.buffer.read(8):
                wanted, root, path = struct.unpack('<IHH', header)
                root, path = sys.stdin.buffer.read(root), sys.stdin.buffer.read(path)
                told = answer(wanted, root + path, path)
                sys.stdout.buffer.write(struct.pack('<I', 0xffffffff if told is None else len(told)) + (told or b''))
                sys.stdout.buffer.flush()
            """;

    private PlainRooted() {}

    /** Puts it into a package. */
    public static void install(Path home) throws IOException {
        write(home.resolve("sandbox/opt/dkvm/dkvm-rooted"), PROGRAM);
    }

    /** A program at that place. */
    static Path write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
