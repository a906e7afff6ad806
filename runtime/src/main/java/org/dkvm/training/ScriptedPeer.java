// SPDX-License-Identifier: Apache-2.0
package org.dkvm.training;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.dkvm.agent.Frame;
import org.dkvm.agent.FrameReader;
import org.dkvm.agent.FrameType;
import org.dkvm.agent.ProtocolException;
import org.dkvm.agent.Sender;

/** The other end of one of the monitor's connections, played by a thread that blocks. */
final class ScriptedPeer implements AutoCloseable {
    private record Heard(FrameType type, int stream) {}

    private final SocketChannel channel;
    private final FrameReader reader =
            new FrameReader(Sender.MONITOR, ByteBuffer.allocate(FrameReader.MIN_BUFFER), false);
    private final List<Heard> heard = new ArrayList<>();

    ScriptedPeer(Path socket) throws IOException {
        channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    }

    void say(FrameType type, int stream, int... payload) throws IOException {
        byte[] bytes = new byte[payload.length];
        for (int i = 0; i < payload.length; i++) {
            bytes[i] = (byte) payload[i];
        }
        sayBytes(Frame.make(type, stream, bytes));
    }

    void sayBytes(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Waits for a frame of that type on that stream; others are remembered. */
    void hear(FrameType type, int stream) throws IOException {
        while (!heard.remove(new Heard(type, stream))) {
            read();
        }
    }

    /** Answers QMP commands up to one of that name, by what the table has for them beside an empty result. */
    void answerUpTo(String last, Map<String, String> events) throws IOException {
        String name = "";
        while (!last.equals(name)) {
            JsonObject command = JsonParser.parseString(line()).getAsJsonObject();
            name = command.get("execute").getAsString();
            if (command.has("id")) {
                sayText("{\"id\":" + command.get("id") + ",\"return\":{}}\n" + events.getOrDefault(name, ""));
            }
        }
    }

    void sayText(String text) throws IOException {
        sayBytes(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (channel.read(one) == 1 && one.get(0) != '\n') {
            line.append((char) one.get(0));
            one.clear();
        }
        return line.toString();
    }

    private void read() throws IOException {
        try {
            int count = reader.read(
                    channel, Integer.MAX_VALUE, frame -> heard.add(new Heard(frame.type(), frame.stream())));
            if (count < 0) {
                throw new IOException("the monitor hung up");
            }
        } catch (ProtocolException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
