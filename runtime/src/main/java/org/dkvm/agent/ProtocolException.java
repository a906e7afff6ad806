// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/** The other side broke the protocol; its connection is given up. The message holds no text of the other side's. */
public final class ProtocolException extends Exception {
    private static final long serialVersionUID = 1L;

    /** A breach, told in one line: lower case, no full stop. */
    public ProtocolException(String message) {
        super(message);
    }

    /** The message, which is never null. */
    public String text() {
        return String.valueOf(getMessage());
    }
}
