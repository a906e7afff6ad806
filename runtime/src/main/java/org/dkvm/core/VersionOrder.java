// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

import java.util.Comparator;

/** The order of versions, oldest first: numbers in them by value, all else by character; a release candidate comes before its release. */
public final class VersionOrder implements Comparator<String> {
    public static final VersionOrder OLDEST_FIRST = new VersionOrder();

    private VersionOrder() {}

    @Override
    public int compare(String one, String other) {
        String a = one.replace("-rc", "~rc");
        String b = other.replace("-rc", "~rc");
        int i = 0;
        int j = 0;
        while (i < a.length() || j < b.length()) {
            if (isDigit(a, i) && isDigit(b, j)) {
                int iEnd = endOfNumber(a, i);
                int jEnd = endOfNumber(b, j);
                int difference = compareNumbers(a.substring(i, iEnd), b.substring(j, jEnd));
                if (difference != 0) {
                    return difference;
                }
                i = iEnd;
                j = jEnd;
            } else {
                int difference = Integer.compare(rank(a, i), rank(b, j));
                if (difference != 0) {
                    return difference;
                }
                i++;
                j++;
            }
        }
        return one.compareTo(other);
    }

    /** The end comes before everything but the tilde. */
    private static int rank(String text, int at) {
        if (at >= text.length()) {
            return 0;
        }
        return text.charAt(at) == '~' ? -1 : text.charAt(at);
    }

    private static boolean isDigit(String text, int at) {
        return at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9';
    }

    private static int endOfNumber(String text, int start) {
        int end = start;
        while (isDigit(text, end)) {
            end++;
        }
        return end;
    }

    /** Of any length: no number type holds what a name may have. */
    private static int compareNumbers(String one, String other) {
        String a = withoutZeros(one);
        String b = withoutZeros(other);
        return a.length() != b.length() ? Integer.compare(a.length(), b.length()) : a.compareTo(b);
    }

    private static String withoutZeros(String digits) {
        int start = 0;
        while (start < digits.length() - 1 && digits.charAt(start) == '0') {
            start++;
        }
        return digits.substring(start);
    }
}
