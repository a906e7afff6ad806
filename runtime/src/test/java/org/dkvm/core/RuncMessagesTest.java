// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.dkvm.core.RuncMessages.Action;
import org.junit.jupiter.api.Test;

/** As runc 1.1.5 printed them; Docker makes exit codes of them. */
class RuncMessagesTest {
    @Test
    void createSpeaksAsRunc() {
        String start = "runc create failed: unable to start container process: exec: ";
        assertThat(RuncMessages.notFoundInPath(Action.CREATE, "foo"))
                .isEqualTo(start + "\"foo\": executable file not found in $PATH");
        assertThat(RuncMessages.relativeToDirectory(Action.CREATE, "echo"))
                .isEqualTo(start + "\"echo\": cannot run executable found relative to current directory");
        assertThat(RuncMessages.noSuchFile(Action.CREATE, "/foo"))
                .isEqualTo(start + "\"/foo\": stat /foo: no such file or directory");
        assertThat(RuncMessages.notADirectory(Action.CREATE, "/bin/busybox/x"))
                .isEqualTo(start + "\"/bin/busybox/x\": stat /bin/busybox/x: not a directory");
        assertThat(RuncMessages.tooManyLinks(Action.CREATE, "/bin/loop"))
                .isEqualTo(start + "\"/bin/loop\": stat /bin/loop: too many levels of symbolic links");
        assertThat(RuncMessages.permissionDenied(Action.CREATE, "/etc"))
                .isEqualTo(start + "\"/etc\": permission denied");
    }

    @Test
    void execAndRunHaveTheirOwnStart() {
        assertThat(RuncMessages.notFoundInPath(Action.EXEC, "foo"))
                .isEqualTo("exec failed: unable to start container process: exec: \"foo\":"
                        + " executable file not found in $PATH");
        assertThat(RuncMessages.notFoundInPath(Action.RUN, "foo")).startsWith("runc run failed: ");
    }

    @Test
    void namesAreQuotedAsInGo() {
        assertThat(RuncMessages.notFoundInPath(Action.CREATE, "a\"b\\c\n")).contains("exec: \"a\\\"b\\\\c\\n\": ");
    }
}
