// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class MountTableTest {
    @Test
    void aLineIsReadWhateverOptionalFieldsItHas() {
        assertThat(MountTable.parse("""
                36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue
                37 35 0:5 / /x ro - tmpfs shm rw
                """))
                .containsExactly(
                        new MountTable.Mount(
                                "98:0",
                                "/mnt1",
                                "/mnt2",
                                List.of("rw", "noatime"),
                                "ext3",
                                "/dev/root",
                                List.of("rw", "errors=continue")),
                        new MountTable.Mount("0:5", "/", "/x", List.of("ro"), "tmpfs", "shm", List.of("rw")));
    }

    @Test
    void escapesAreUndone() {
        String bytes = new String(
                "1 0 0:1 / /a\\040b\\134\u00fc rw - tmpfs  rw\n".getBytes(StandardCharsets.UTF_8),
                StandardCharsets.ISO_8859_1);
        assertThat(MountTable.parse(bytes))
                .containsExactly(
                        new MountTable.Mount("0:1", "/", "/a b\\\u00fc", List.of("rw"), "tmpfs", "", List.of("rw")));
    }

    @Test
    void aLineThatIsNotUnderstoodIsLeftOut() {
        assertThat(MountTable.parse("\n1 2 3\n36 35 98:0 /mnt1 /mnt2 rw - ext3\n"))
                .isEmpty();
    }

    @Test
    void ownMountsAreThere() {
        assertThat(MountTable.own()).anyMatch(mount -> mount.point().equals("/proc"));
    }
}
