// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SandboxSeccompTest {
    private static List<JsonObject> rules(String name) {
        List<JsonObject> rules = new ArrayList<>();
        for (JsonObject rule : Json.objects(SandboxSeccomp.profile(), "syscalls")) {
            if (Json.strings(rule, "names").contains(name)) {
                rules.add(rule);
            }
        }
        return rules;
    }

    @Test
    void whatIsNotNamedIsRefused() {
        JsonObject profile = SandboxSeccomp.profile();
        assertThat(profile.get("defaultAction").getAsString()).isEqualTo("SCMP_ACT_ERRNO");
        assertThat(Json.strings(profile, "architectures")).containsExactly("SCMP_ARCH_X86_64");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mount",
                "umount2",
                "pivot_root",
                "move_mount",
                "fsopen",
                "open_tree",
                "mount_setattr",
                "setns",
                "ptrace",
                "process_vm_readv",
                "process_vm_writev",
                "pidfd_getfd",
                "kcmp",
                "bpf",
                "perf_event_open",
                "userfaultfd",
                "keyctl",
                "add_key",
                "request_key",
                "kexec_load",
                "kexec_file_load",
                "init_module",
                "finit_module",
                "delete_module",
                "reboot",
                "swapon",
                "settimeofday",
                "clock_settime",
                "adjtimex",
                "sethostname",
                "open_by_handle_at",
                "iopl",
                "ioperm",
                "modify_ldt",
                "personality",
                "quotactl",
                "acct",
                "syslog",
                "fanotify_init",
                "memfd_secret",
                "vhangup"
            })
    void noRuleNamesWhatReachesOutOfTheSandbox(String name) {
        assertThat(rules(name)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "read", "execve", "exit_group", "rt_sigreturn", "futex", "mmap", "memfd_create", "prctl", "seccomp",
                "capset", "chroot", "mknodat", "fchownat", "setresuid", "ioctl", "ppoll", "sendmsg", "signalfd4",
                "vfork", "rseq", "io_submit", "openat2"
            })
    void whatTheSandboxsProgramsNeedIsAllowed(String name) {
        assertThat(rules(name)).singleElement().satisfies(rule -> {
            assertThat(rule.get("action").getAsString()).isEqualTo("SCMP_ACT_ALLOW");
            assertThat(rule.has("args")).isFalse();
        });
    }

    @Test
    void cloneMakesNoNamespaces() {
        assertThat(rules("clone"))
                .singleElement()
                .satisfies(rule -> assertThat(rule.get("args"))
                        .hasToString("[{\"index\":0,\"value\":2114060288,\"op\":\"SCMP_CMP_MASKED_EQ\"}]"));
        assertThat(rules("clone3"))
                .singleElement()
                .satisfies(rule -> assertThat(rule.get("errnoRet").getAsInt()).isEqualTo(38));
    }

    @Test
    void unshareTakesCloneFsAlone() {
        assertThat(rules("unshare"))
                .singleElement()
                .satisfies(rule -> assertThat(rule.get("args"))
                        .hasToString("[{\"index\":0,\"value\":512,\"op\":\"SCMP_CMP_EQ\"}]"));
    }

    @Test
    void socketsAreOfFourFamilies() {
        assertThat(rules("socket"))
                .hasSize(4)
                .allSatisfy(rule -> assertThat(rule.has("args")).isTrue());
    }

    /** Whether a call whose argument has that value is allowed, as libseccomp compares it. */
    private static boolean passes(String name, int argument, long value) {
        return rules(name).stream()
                .anyMatch(rule -> Json.objects(rule, "args").stream()
                        .allMatch(it -> it.get("index").getAsInt() == argument
                                && it.get("op").getAsString().equals("SCMP_CMP_MASKED_EQ")
                                && (value & it.get("value").getAsLong())
                                        == it.get("valueTwo").getAsLong()));
    }

    @ParameterizedTest
    @ValueSource(longs = {8, 10, 15, 0x1_0000_0008L, 0xFFFF_FFFF_0000_000FL})
    void noFileHasASignalSent(long command) {
        assertThat(passes("fcntl", 1, command)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1024, 1030, 1031, 1032, 1033, 1034, 0x1_0000_0004L})
    void allElseIsDoneToFiles(long command) {
        assertThat(passes("fcntl", 1, command)).isTrue();
    }

    @Test
    void limitsAreOnesOwn() {
        assertThat(passes("prlimit64", 0, 0)).isTrue();
        assertThat(passes("prlimit64", 0, 7)).isFalse();
    }

    @Test
    void ioUringIsNotThere() {
        assertThat(rules("io_uring_setup"))
                .singleElement()
                .satisfies(rule -> assertThat(rule.get("action").getAsString()).isEqualTo("SCMP_ACT_ERRNO"));
    }
}
