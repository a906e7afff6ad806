// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The master side of a pseudo-terminal. See pty(7), posix_openpt(3), tty_ioctl(4).
 *
 * <p>The master cannot be opened by a path, as /proc/self/fd/N would give another terminal: hence the calls to libc.
 */
final class Pty implements AutoCloseable {
    private static final int O_RDWR = 2;
    private static final int O_NOCTTY = 0x100;
    private static final int O_CLOEXEC = 0x80000;
    private static final long TIOCSWINSZ = 0x5414;
    private static final int NAME_BYTES = 64;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN = call("posix_openpt", ValueLayout.JAVA_INT);
    private static final MethodHandle GRANT = call("grantpt", ValueLayout.JAVA_INT);
    private static final MethodHandle UNLOCK = call("unlockpt", ValueLayout.JAVA_INT);
    private static final MethodHandle CLOSE = call("close", ValueLayout.JAVA_INT);
    private static final MethodHandle NAME =
            call("ptsname_r", ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
    private static final MethodHandle READ = transfer("read");
    private static final MethodHandle WRITE = transfer("write");
    private static final MethodHandle IOCTL = LINKER.downcallHandle(
            symbol("ioctl"),
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
            Linker.Option.firstVariadicArg(2));

    private final int master;

    private Pty(int master) {
        this.master = master;
    }

    /** Opens a new terminal of that size. */
    static Pty open(int rows, int columns) throws IOException {
        int master = (int) invoke(OPEN, O_RDWR | O_NOCTTY | O_CLOEXEC);
        Pty pty = new Pty(checked("posix_openpt", master));
        checked("grantpt", (int) invoke(GRANT, master));
        checked("unlockpt", (int) invoke(UNLOCK, master));
        pty.resize(rows, columns);
        return pty;
    }

    /** The path of the side that programs open: /dev/pts/N. */
    String slave() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(NAME_BYTES);
            checked("ptsname_r", (int) invoke(NAME, master, name, (long) NAME_BYTES));
            return name.getString(0);
        }
    }

    /** Changes the size, which sends SIGWINCH to the foreground process group. */
    void resize(int rows, int columns) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment size =
                    arena.allocateFrom(ValueLayout.JAVA_SHORT, (short) rows, (short) columns, (short) 0, (short) 0);
            checked("ioctl TIOCSWINSZ", (int) invoke(IOCTL, master, TIOCSWINSZ, size));
        }
    }

    /** What programs write to the terminal; ends when the last of them has closed it. */
    InputStream input() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment bytes = arena.allocate(length);
                    int n = (int) (long) invoke(READ, master, bytes, (long) length);
                    // EIO: nobody has the other side open any more.
                    if (n <= 0) {
                        return -1;
                    }
                    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, buffer, offset, n);
                    return n;
                }
            }
        };
    }

    /** Keys that are pressed. */
    OutputStream output() {
        return new OutputStream() {
            @Override
            public void write(int one) throws IOException {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] buffer, int offset, int length) throws IOException {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment bytes = arena.allocate(length);
                    MemorySegment.copy(buffer, offset, bytes, ValueLayout.JAVA_BYTE, 0, length);
                    for (long done = 0; done < length; ) {
                        long n = (long) invoke(WRITE, master, bytes.asSlice(done), length - done);
                        checked("write", (int) n);
                        done += n;
                    }
                }
            }
        };
    }

    @Override
    public void close() throws IOException {
        checked("close", (int) invoke(CLOSE, master));
    }

    private static int checked(String call, int result) throws IOException {
        if (result < 0) {
            throw new IOException(call + " failed");
        }
        return result;
    }

    private static Object invoke(MethodHandle handle, Object... arguments) throws IOException {
        try {
            return handle.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IOException("call of libc failed", e);
        }
    }

    private static MethodHandle call(String name, ValueLayout... arguments) {
        return LINKER.downcallHandle(symbol(name), FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
    }

    private static MethodHandle transfer(String name) {
        return LINKER.downcallHandle(
                symbol(name),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    }

    private static MemorySegment symbol(String name) {
        return LINKER.defaultLookup().findOrThrow(name);
    }
}
