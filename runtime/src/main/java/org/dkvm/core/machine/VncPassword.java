// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import org.dkvm.core.DkvmException;

/**
 * What a VNC client has to know: a text, or a file of the container with it.
 *
 * @param text the password; empty when it is in a file
 * @param file the absolute path of the file; empty when there is none
 */
public record VncPassword(String text, String file) {
    /** No VNC, no password. */
    public static final VncPassword NONE = new VncPassword("", "");

    /** RFC 6143, 7.2.2: the password is the key of a cipher that takes eight bytes. */
    public static final int MAX_LENGTH = 8;

    private static final String ADVICE =
            "VNC counts " + MAX_LENGTH + " characters and no more: give 1 to " + MAX_LENGTH + " of printable ASCII";

    /** Whether one was given. */
    public boolean isGiven() {
        return !text.isEmpty() || !file.isEmpty();
    }

    /**
     * Refuses a password that would not be what its author thinks it is. It is never part of a message.
     *
     * @param source what it comes from, for the message
     */
    public static String checked(String password, String source) throws DkvmException {
        if (password.isEmpty()) {
            throw new DkvmException(source + " has no password", ADVICE);
        }
        if (password.length() > MAX_LENGTH) {
            throw new DkvmException(source + " has a password of " + password.length() + " characters", ADVICE);
        }
        for (int i = 0; i < password.length(); i++) {
            if (password.charAt(i) < ' ' || password.charAt(i) > '~') {
                throw new DkvmException(source + " has a password with other characters than printable ASCII", ADVICE);
            }
        }
        return password;
    }

    /** Without the password: records end up in logs. */
    @Override
    public String toString() {
        return "VncPassword[" + (text.isEmpty() ? file : "a text") + "]";
    }
}
