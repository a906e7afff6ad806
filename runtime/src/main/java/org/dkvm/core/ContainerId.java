// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

/** A container's id as the engine gave it: letters, digits, {@code _ + - .}, at most 1024, never {@code .} or {@code ..} (runc's own rule). */
public record ContainerId(String value) {
    private static final int MAX_LENGTH = 1024;

    public ContainerId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("container id \"" + value + "\" is not valid");
        }
    }

    /** Whether a word can be one. */
    public static boolean isValid(String value) {
        return value.length() <= MAX_LENGTH && PlainName.isValid(value);
    }

    @Override
    public String toString() {
        return value;
    }
}
