// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

/** An expected failure: what went wrong, and what the user can do about it. Only {@code cli} and the monitor's main turn one into text and an exit code. */
public class DkvmException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String advice;

    /**
     * @param message lower case, no full stop, the object quoted
     * @param advice what to do next, or empty
     */
    public DkvmException(String message, String advice) {
        super(message);
        this.advice = advice;
    }

    /** As above, with the failure that led to it. */
    public DkvmException(String message, String advice, Throwable cause) {
        super(message, cause);
        this.advice = advice;
    }

    /** What to do next; empty where the message says it all. */
    public String advice() {
        return advice;
    }

    /** Message and advice in one line: {@code message; advice}. It may name what an image chose: nothing in it moves the reader's cursor. */
    public String text() {
        return PrintableText.of(advice.isEmpty() ? String.valueOf(getMessage()) : getMessage() + "; " + advice, true);
    }
}
