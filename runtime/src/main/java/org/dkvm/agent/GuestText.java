// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Makes text that a guest wrote fit for a terminal and a log: control and formatting characters are shown, not obeyed. */
public final class GuestText {
    private static final String HEX = "0123456789abcdef";

    private GuestText() {}

    /** One line of the payload's text: a newline is escaped, too. */
    public static String line(ByteBuffer utf8) {
        return escape(decode(utf8), false);
    }

    /** Text of several lines; carriage returns are dropped. */
    public static String lines(byte[] utf8) {
        return escape(new String(utf8, StandardCharsets.UTF_8), true);
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

    private static String escape(String text, boolean keepLines) {
        StringBuilder out = new StringBuilder(text.length() + 8);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\t' || !isControl(c) || (keepLines && c == '\n')) {
                out.append(c);
            } else if (!keepLines || c != '\r') {
                escapeChar(out, c);
            }
        }
        return out.toString();
    }

    private static boolean isControl(char c) {
        if (c >= ' ' && c < 0x7F) {
            return false;
        }
        // FORMAT has the marks that turn the direction of writing, by which a text can lie about itself.
        return Character.isISOControl(c)
                || Character.getType(c) == Character.FORMAT
                || Character.getType(c) == Character.LINE_SEPARATOR
                || Character.getType(c) == Character.PARAGRAPH_SEPARATOR;
    }

    private static void escapeChar(StringBuilder out, char c) {
        out.append(c < 0x100 ? "\\x" : "\\u");
        for (int shift = c < 0x100 ? 4 : 12; shift >= 0; shift -= 4) {
            out.append(HEX.charAt((c >> shift) & 0xF));
        }
    }
}
