// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/** A terminal's size in characters; 0, 0 when unknown. */
public record TerminalSize(int rows, int columns) {
    private static final int MAX = 0xFFFF;

    public TerminalSize {
        if (rows < 0 || rows > MAX || columns < 0 || columns > MAX) {
            throw new IllegalArgumentException("terminal size " + rows + " × " + columns + " is out of bounds");
        }
    }
}
