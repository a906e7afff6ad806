// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Passes text on without what moves a terminal's cursor or wipes its screen: EFI does both on the serial port, and the container's standard error is no terminal of its own. See
 * ECMA-48, 5.4.
 */
public final class WithoutSequences implements Consumer<byte[]> {
    private static final byte ESCAPE = 0x1B;
    private static final byte INTRODUCER = '[';
    private static final byte FIRST_FINAL = 0x40;
    private static final byte LAST_FINAL = 0x7E;

    private enum State {
        TEXT,
        /** Behind an escape character. */
        ESCAPED,
        /** In a sequence, up to its final byte. */
        SEQUENCE
    }

    private final Consumer<byte[]> next;
    private State state = State.TEXT;

    public WithoutSequences(Consumer<byte[]> next) {
        this.next = next;
    }

    @Override
    public void accept(byte[] text) {
        byte[] kept = new byte[text.length];
        int count = 0;
        for (byte b : text) {
            if (take(b)) {
                kept[count++] = b;
            }
        }
        if (count > 0) {
            next.accept(Arrays.copyOf(kept, count));
        }
    }

    /** Whether the byte is text. */
    private boolean take(byte b) {
        State before = state;
        state = switch (before) {
            case TEXT -> b == ESCAPE ? State.ESCAPED : State.TEXT;
            case ESCAPED -> b == INTRODUCER ? State.SEQUENCE : State.TEXT;
            case SEQUENCE -> b >= FIRST_FINAL && b <= LAST_FINAL ? State.TEXT : State.SEQUENCE;
        };
        return before == State.TEXT && state == State.TEXT;
    }
}
