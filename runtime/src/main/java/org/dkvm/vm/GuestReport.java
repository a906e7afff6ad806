// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PrintableText;

/**
 * What a guest says that it uses, as in USAGE. All of it is a stranger's word: numbers are bounded, and texts fit for a terminal.
 *
 * @param time nanoseconds since the guest's boot
 * @param busy nanoseconds of all its processors that something ran in
 * @param memory the guest's, in bytes
 * @param available bytes of it that nothing uses, or that hold what can be read again
 * @param processors how many are online
 * @param count processes of the workload
 * @param processes as many of them as had room
 */
public record GuestReport(
        long time, long busy, long memory, long available, int processors, long count, List<GuestProcess> processes) {
    /**
     * A process of the workload.
     *
     * @param pid as the workload sees it
     * @param user its name, or its number where the workload has none
     * @param state a letter, as in proc_pid_stat(5)
     * @param busy nanoseconds of processor time
     * @param memory bytes that are resident
     * @param command what it was started with; in brackets its name where the kernel does not tell
     */
    public record GuestProcess(long pid, String user, char state, long busy, long memory, String command) {}

    /** The largest report, in bytes. */
    public static final int MAX_BYTES = 65_536;

    private static final int FIXED = 40;
    private static final int ENTRY = 27;
    private static final int MAX_PROCESSORS = 65_536;

    /** No machine has more, and sums of several do not overflow. */
    private static final long MOST = 1L << 56;

    public GuestReport {
        processes = List.copyOf(processes);
    }

    /** Reads a report. */
    public static GuestReport parse(byte[] bytes) throws DkvmException {
        ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < FIXED || bytes.length > MAX_BYTES) {
            throw damaged(bytes.length + " bytes");
        }
        long time = number(from);
        long busy = number(from);
        long memory = number(from);
        long available = Math.min(memory, number(from));
        int processors = from.getInt();
        if (processors < 1 || processors > MAX_PROCESSORS) {
            throw damaged(Integer.toUnsignedString(processors) + " processors");
        }
        long count = Integer.toUnsignedLong(from.getInt());
        List<GuestProcess> processes = new ArrayList<>();
        while (from.hasRemaining()) {
            processes.add(process(from));
        }
        return new GuestReport(time, busy, memory, available, processors, Math.max(count, processes.size()), processes);
    }

    /** Bytes of memory in use. */
    public long used() {
        return memory - available;
    }

    private static GuestProcess process(ByteBuffer from) throws DkvmException {
        if (from.remaining() < ENTRY) {
            throw damaged("a process that is cut short");
        }
        long pid = Integer.toUnsignedLong(from.getInt());
        long uid = Integer.toUnsignedLong(from.getInt());
        int state = from.get();
        long busy = number(from);
        long memory = number(from);
        String user = text(from, 1);
        String command = text(from, 0);
        boolean letter = (state >= 'A' && state <= 'Z') || (state >= 'a' && state <= 'z');
        return new GuestProcess(
                pid, user.isEmpty() ? Long.toString(uid) : user, letter ? (char) state : '?', busy, memory, command);
    }

    private static long number(ByteBuffer from) throws DkvmException {
        long value = from.getLong();
        if (value < 0 || value > MOST) {
            throw damaged("the number " + Long.toUnsignedString(value));
        }
        return value;
    }

    /** A length of one byte, and a text of one line; so many bytes are to follow. */
    private static String text(ByteBuffer from, int after) throws DkvmException {
        int length = Byte.toUnsignedInt(from.get());
        if (from.remaining() < length + after) {
            throw damaged("a text that is cut short");
        }
        byte[] utf8 = new byte[length];
        from.get(utf8);
        return PrintableText.of(new String(utf8, StandardCharsets.UTF_8), false);
    }

    private static DkvmException damaged(String what) {
        return new DkvmException("the guest's report can not be read: " + what, "");
    }
}
