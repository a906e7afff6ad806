// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class WithoutSequencesTest {
    private final StringBuilder shown = new StringBuilder();
    private final WithoutSequences filter =
            new WithoutSequences(text -> shown.append(new String(text, StandardCharsets.ISO_8859_1)));

    private void say(String text) {
        filter.accept(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void whatEfiSaysToItsTerminalIsLeftOut() {
        say("\u001b[2J\u001b[01;01H\u001b[=3hEFI stub: Loaded initrd\r\n");
        assertThat(shown).hasToString("EFI stub: Loaded initrd\r\n");
    }

    @Test
    void sequencesMayComeInPieces() {
        for (String piece : new String[] {"a", "\u001b", "[", "0", "1;0", "1H", "b", "\u001b", "7", "c"}) {
            say(piece);
        }
        assertThat(shown).hasToString("abc");
    }

    @Test
    void ordinaryTextIsLeftAsItIs() {
        say("[    0.000000] Linux \u00e9 \t[mem]\n");
        assertThat(shown).hasToString("[    0.000000] Linux \u00e9 \t[mem]\n");
    }
}
