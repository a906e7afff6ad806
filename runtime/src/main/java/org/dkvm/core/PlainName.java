// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

/** Names that are one file name and nothing else: letters, digits, {@code _ + - .}, never {@code .} or {@code ..}. */
public final class PlainName {
    private PlainName() {}

    /** Whether a text is such a name. */
    public static boolean isValid(String text) {
        if (text.isEmpty() || ".".equals(text) || "..".equals(text)) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (!isAllowed(text.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isAllowed(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '_'
                || c == '+'
                || c == '-'
                || c == '.';
    }
}
