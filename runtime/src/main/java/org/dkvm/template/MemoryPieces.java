// SPDX-License-Identifier: Apache-2.0
package org.dkvm.template;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A machine's memory without what is zero: see native/sandbox/init/template.h, which puts it together again. */
public final class MemoryPieces {
    /** What is looked at at a time, in bytes: a few pages, so that pieces are not too many. */
    private static final int BLOCK = 16 * 1024;

    private static final int HEADER = 2 * Long.BYTES;

    private MemoryPieces() {}

    /**
     * Writes the pieces of a file.
     *
     * @param to a file that is not there
     */
    public static void write(Path from, Path to) throws IOException {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        ByteBuffer zero = ByteBuffer.allocateDirect(BLOCK);
        try (FileChannel in = FileChannel.open(from, StandardOpenOption.READ);
                FileChannel out = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long begin = -1;
            long size = in.size();
            for (long at = 0; at < size; at += BLOCK) {
                block.clear().limit((int) Math.min(BLOCK, size - at));
                while (block.hasRemaining()) {
                    if (in.read(block, at + block.position()) < 0) {
                        throw new IOException("\"" + from + "\" has become shorter");
                    }
                }
                boolean empty = block.flip().equals(zero.clear().limit(block.limit()));
                if (empty && begin >= 0) {
                    piece(in, out, begin, at);
                }
                begin = empty ? -1 : begin < 0 ? at : begin;
            }
            if (begin >= 0) {
                piece(in, out, begin, size);
            }
            out.force(true);
        }
    }

    private static void piece(FileChannel in, FileChannel out, long begin, long end) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(begin).putLong(end - begin).flip();
        while (header.hasRemaining()) {
            out.write(header);
        }
        for (long at = begin; at < end; ) {
            at += in.transferTo(at, end - at, out);
        }
    }
}
