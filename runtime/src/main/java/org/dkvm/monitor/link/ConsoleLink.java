// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.Sockets;
import org.dkvm.monitor.program.Tail;

/** A stream of text from the VM: its serial port, or its firmware's debug port. The last bytes are kept for the case that it dies, and more of them in a file. */
public final class ConsoleLink implements Runnable {
    private static final int READ_BYTES = 4096;

    private final SocketChannel channel;
    private final SelectionKey key;
    private final Tail tail;
    private final ConsoleFile file;
    private final Consumer<byte[]> onText;
    private final BooleanSupplier mayRead;

    /**
     * Text goes to the tail, to the file and to {@code onText}, in pieces of at most 4096 bytes.
     *
     * @param mayRead whether more text may come; when not, the guest's serial port waits
     */
    public ConsoleLink(
            SocketChannel channel,
            EventLoop loop,
            Tail tail,
            ConsoleFile file,
            Consumer<byte[]> onText,
            BooleanSupplier mayRead)
            throws IOException {
        this.channel = channel;
        this.tail = tail;
        this.file = file;
        this.onText = onText;
        this.mayRead = mayRead;
        key = channel.register(loop.selector(), SelectionKey.OP_READ, this);
    }

    @Override
    public void run() {
        try {
            // Small and of short life: a quiet kernel never gets here.
            ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);
            int count = channel.read(buffer);
            if (count < 0) {
                Sockets.close(channel);
                return;
            }
            byte[] text = new byte[count];
            buffer.get(0, text);
            tail.add(text, count);
            file.add(text);
            onText.accept(text);
        } catch (IOException e) {
            Sockets.close(channel);
        }
    }

    /** Asks the loop for what is wanted next. */
    public void update() {
        int wanted = mayRead.getAsBoolean() ? SelectionKey.OP_READ : 0;
        if (key.isValid() && key.interestOps() != wanted) {
            key.interestOps(wanted);
        }
    }
}
