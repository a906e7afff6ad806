// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.dkvm.core.DkvmException;
import org.junit.jupiter.api.Test;

class RuncArgumentsTest {
    private static RuncArguments parse(String... args) {
        return RuncArguments.parse(List.of(args));
    }

    @Test
    void containerdsCreateIsUnderstood() {
        RuncArguments parsed = parse(
                "--root",
                "/r",
                "--log",
                "/l",
                "--log-format",
                "json",
                "--systemd-cgroup",
                "create",
                "--bundle",
                "/b",
                "--pid-file",
                "/p",
                "--console-socket",
                "/c",
                "id1");
        assertThat(parsed.command()).isEqualTo("create");
        assertThat(parsed.value("root")).contains("/r");
        assertThat(parsed.value("log")).contains("/l");
        assertThat(parsed.value("log-format")).contains("json");
        assertThat(parsed.value("bundle", "b")).contains("/b");
        assertThat(parsed.operands()).containsExactly("id1");
    }

    @Test
    void conmonsExecIsUnderstood() {
        RuncArguments parsed = parse(
                "--log-format=json", "--log=/l", "exec", "--pid-file", "/p", "--process", "/x", "--detach", "id1");
        assertThat(parsed.command()).isEqualTo("exec");
        assertThat(parsed.value("log-format")).contains("json");
        assertThat(parsed.value("process", "p")).contains("/x");
        assertThat(parsed.operands()).containsExactly("id1");
    }

    @Test
    void optionsAfterExecsContainerAreTheProgramsOwn() {
        RuncArguments parsed = parse("exec", "-t", "-e", "A=1", "--env=B=2", "-u", "5", "id1", "ls", "-e", "--", "x");
        assertThat(parsed.values("env", "e")).containsExactly("A=1", "B=2");
        assertThat(parsed.has("tty", "t")).isTrue();
        assertThat(parsed.value("user", "u")).contains("5");
        assertThat(parsed.operands()).containsExactly("id1", "ls", "-e", "--", "x");
    }

    @Test
    void optionsMayFollowCreatesContainer() {
        RuncArguments parsed = parse("create", "id1", "-b", "/b");
        assertThat(parsed.value("bundle", "b")).contains("/b");
        assertThat(parsed.operands()).containsExactly("id1");
    }

    @Test
    void aValueMayLookLikeACommand() {
        assertThat(parse("--log", "create", "state", "id1").command()).isEqualTo("state");
    }

    @Test
    void aFlagCanBeSetOff() {
        assertThat(parse("exec", "--tty=false", "id1").has("tty", "t")).isFalse();
    }

    @Test
    void nothingIsNoCommand() {
        assertThat(parse().command()).isEmpty();
        assertThat(parse("--root").command()).isEmpty();
    }

    @Test
    void theWordsOfAnOptionAreKnown() {
        RuncArguments parsed = parse("--root", "/r", "exec", "-t", "-p", "/x", "id1", "-p", "y");
        assertThat(parsed.words("process", "p")).isEqualTo(new RuncArguments.Words(5, 6));
        assertThat(parse("exec", "--process=/x", "id1").words("process", "p")).isEqualTo(new RuncArguments.Words(2, 2));
        assertThat(parse("exec", "id1", "ls").words("process", "p")).isEqualTo(RuncArguments.Words.NONE);
    }

    @Test
    void aFlagThatNobodyKnowsIsNamed() {
        assertThatThrownBy(() -> parse("--nope", "create", "id1").check())
                .isInstanceOf(DkvmException.class)
                .hasMessage("flag \"--nope\" is not known");
        assertThatThrownBy(() -> parse("create", "-x", "id1").check())
                .isInstanceOf(DkvmException.class)
                .hasMessage("flag \"-x\" is not known");
        assertThatThrownBy(() -> parse("create", "id1", "--bundle").check())
                .isInstanceOf(DkvmException.class)
                .hasMessage("flag needs an argument: --bundle");
    }

    @Test
    void theLogIsKnownThatComesBeforeAFlagThatNobodyKnows() {
        assertThat(parse("--log", "/l", "create", "-x", "id1").value("log")).contains("/l");
    }

    @Test
    void aFlagWithItsValueIsForRuncToKnowAndSoAreUpdates() throws DkvmException {
        RuncArguments parsed = parse("create", "--new=1", "id1");
        parsed.check();
        assertThat(parsed.operands()).containsExactly("id1");
        RuncArguments update = parse("update", "--cpu-idle", "1", "--resources", "-", "id1");
        update.check();
        assertThat(update.operands()).containsExactly("id1");
    }
}
