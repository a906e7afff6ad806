// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

/** Text in which somebody hostile may have a hand, fit for a terminal and a log: control and formatting characters are shown, not obeyed. */
public final class PrintableText {
    private static final String HEX = "0123456789abcdef";

    private PrintableText() {}

    /**
     * The text with such characters escaped.
     *
     * @param keepLines whether newlines stay, and carriage returns are dropped
     */
    public static String of(String text, boolean keepLines) {
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
