// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;
import org.dkvm.json.Json;

/** What QEMU's control socket sends: bytes → lines → messages. The input's first byte is how large the pieces are in which it arrives. */
public final class QmpFuzz {
    private QmpFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, QmpFuzz::take);
    }

    private static void take(byte[] input) throws Exception {
        int piece = input.length == 0 ? 1 : 1 + Byte.toUnsignedInt(input[0]);
        List<String> lines = lines(input, input.length + 1);
        Bounded.check(lines.equals(lines(input, piece)), "pieces give other lines");
        for (String line : lines) {
            Bounded.check(line.indexOf('\n') < 0, "a line with an end in it");
            try {
                message(QmpMessage.parse(line));
            } catch (DkvmException e) {
                Bounded.check(e.text().length() <= 1000 + line.length(), "a message longer than the line it is about");
            }
        }
    }

    private static void message(QmpMessage message) throws DkvmException {
        Bounded.check(!message.described().isEmpty() || message.text().isEmpty(), "nothing told");
        JsonObject arguments = new JsonObject();
        arguments.add("given", message.details());
        String command = QmpMessage.command(message.id(), message.text(), arguments);
        JsonObject read = Json.parseObject(command, "command");
        Bounded.check(command.indexOf('\n') == command.length() - 1, "a command in several lines");
        Bounded.check(
                message.text().equals(Json.requiredString(read, "execute"))
                        && message.id() == Json.requiredNumber(read, "id"),
                "a command that says something else: " + command);
    }

    private static List<String> lines(byte[] input, int piece) throws DkvmException {
        QmpLines lines = new QmpLines();
        List<String> all = new ArrayList<>();
        for (int at = 1; at < input.length; at += piece) {
            ByteBuffer bytes = ByteBuffer.wrap(input, at, Math.min(piece, input.length - at));
            for (String line = lines.next(bytes); line != null; line = lines.next(bytes)) {
                all.add(line);
            }
        }
        return all;
    }
}
