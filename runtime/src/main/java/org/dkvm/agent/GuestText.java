// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.dkvm.core.PrintableText;

/** Makes text that a guest wrote fit for a terminal and a log: control and formatting characters are shown, not obeyed. */
public final class GuestText {
    private GuestText() {}

    /** One line of the payload's text: a newline is escaped, too. */
    public static String line(ByteBuffer utf8) {
        return PrintableText.of(decode(utf8), false);
    }

    /** Text of several lines; carriage returns are dropped. */
    public static String lines(byte[] utf8) {
        return PrintableText.of(new String(utf8, StandardCharsets.UTF_8), true);
    }

    /** The last lines of a text that has at most so many characters; a line cut in front is dropped when others follow. */
    public static String tail(String text, int mostLines, int mostChars) {
        String end = text.strip();
        if (end.length() > mostChars) {
            end = end.substring(end.length() - mostChars);
            int cut = end.indexOf('\n');
            end = cut >= 0 ? end.substring(cut + 1) : end;
        }
        int from = end.length();
        for (int lines = 0; lines < mostLines && from >= 0; lines++) {
            from = end.lastIndexOf('\n', from - 1);
        }
        return end.substring(from + 1);
    }

    private static String decode(ByteBuffer utf8) {
        byte[] bytes = new byte[utf8.remaining()];
        utf8.get(utf8.position(), bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
