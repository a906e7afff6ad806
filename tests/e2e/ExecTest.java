// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** {@code docker exec}: what the new process is given, and what comes back. */
@EndToEnd
class ExecTest {
    private static final int LARGE_BYTES = 10_000_000;

    private static Container sleeper(Docker docker, String image) throws Exception {
        return docker.start(image, "sleep", "100000");
    }

    @Test
    void streamsAreSeparateAndTheCodeIsTheCommands() throws Exception {
        assertSame(
                docker -> sleeper(docker, BUSYBOX).exec(docker.exits(3), "sh", "-c", "echo out; echo err >&2; exit 3"));
    }

    @Test
    void everyExitCodeComesBack() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            for (int code : new int[] {0, 1, 2, 77, 125, 126, 127, 128, 130, 137, 254, 255}) {
                container.exec(docker.exits(code), "sh", "-c", "exit " + code);
            }
        });
    }

    @Test
    void aDeathBySignalIs128AndItsNumber() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            container.exec(docker.exits(137), "sh", "-c", "kill -KILL $$");
            container.exec(docker.exits(143), "sh", "-c", "kill -TERM $$");
            container.exec(docker.exits(134), "sh", "-c", "kill -ABRT $$");
            container.exec(docker.exits(130), "sh", "-c", "kill -INT $$");
        });
    }

    @Test
    void aMissingCommandGivesTheEnginesMessage() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            container.exec(docker.fails(), "no-such-command");
            container.exec(docker.fails(), "/no/such/path");
            container.exec(docker.fails(), "./relative");
        });
    }

    @Test
    void whatCannotBeExecutedGivesTheEnginesMessage() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            container.exec(docker.fails(), "/etc/passwd");
            container.exec(docker.fails(), "/etc");
        });
    }

    @Test
    void aBadInterpreterOrFormatFails() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "echo '#!/no/such' >/script; echo garbage >/garbage; chmod +x /script /garbage; echo ready; sleep 100000");
            container.awaitLog("ready");
            container.exec(docker.fails(), "/script");
            container.exec(docker.fails(), "/garbage");
        });
    }

    @Test
    void theEnvironmentIsTheContainersAndTheOptions() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-h", "box", "-e", "A=a b\nc", BUSYBOX, "sleep", "100000");
            container.exec("env");
            container.exec("-e", "A=exec", "-e", "C=new = value", "--", "sh", "-c", "env | sort");
            container.exec("-e", "PATH=/nowhere:/bin", "--", "sh", "-c", "echo $PATH");
        });
    }

    @Test
    void anEnvironmentFileCounts() throws Exception {
        assertSame(docker -> {
            Path file = docker.directory().resolve("env");
            Files.writeString(file, "SPACED=a b\nEQUALS=a=b\nLARGE=" + "x".repeat(60_000) + "\n");
            Container container = docker.start("-h", "box", BUSYBOX, "sleep", "100000");
            container.exec("--env-file", file.toString(), "--", "sh", "-c", "env | sort");
        });
    }

    @Test
    void theUserIsTheGivenOne() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, DEBIAN);
            container.exec("id");
            container.exec("-u", "www-data", "--", "sh", "-c", "id; echo $HOME");
            container.exec("-u", "4711:815", "--", "sh", "-c", "id; echo $HOME");
            container.exec("-u", "daemon:audio", "--", "id");
            container.exec(docker.fails(), "-u", "no-such-user", "--", "id");
        });
    }

    @Test
    void theUserIsTheContainersByDefault() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-u", "1000:1001", "--group-add", "audio", DEBIAN, "sleep", "100000");
            container.exec("sh", "-c", "id; echo $HOME; umask");
            container.exec("-u", "0", "--", "id");
        });
    }

    @Test
    void theWorkingDirectoryIsTheGivenOne() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-w", "/made/here", BUSYBOX, "sleep", "100000");
            container.exec("pwd");
            container.exec("-w", "/etc", "--", "pwd");
            container.exec(docker.fails(), "-w", "/no/such/dir", "--", "pwd");
        });
    }

    @Test
    void argumentsArriveAsTheyAre() throws Exception {
        assertSame(docker -> sleeper(docker, BUSYBOX)
                .exec(
                        "--",
                        "sh",
                        "-c",
                        "for a; do printf '<%s>\\n' \"$a\"; done",
                        "x",
                        " spaces ",
                        "",
                        "new\nline",
                        "quote'\"`$x\\",
                        "größe 🐳",
                        "-flag",
                        "--",
                        "x".repeat(100_000)));
    }

    @Test
    void stdinComesWithInteractiveOnly() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            container.exec(docker.stdin("typed\n"), "-i", "--", "sh", "-c", "cat; echo end");
            container.exec(docker.stdin("typed\n"), "sh", "-c", "cat; echo end");
            container.exec(docker.stdin(""), "-i", "--", "wc", "-c");
        });
    }

    @Test
    void tenMegabytesGoEachWay() throws Exception {
        byte[] noise = new byte[LARGE_BYTES];
        new Random(21).nextBytes(noise);
        Bytes input = Bytes.of(noise);
        Transcript seen = assertSame(docker -> sleeper(docker, BUSYBOX).exec(docker.stdin(input), "-i", "--", "cat"));
        assertThat(seen.first().stdout()).isEqualTo(input);
    }

    @Test
    void bothStreamsAtOnceComeOutWhole() throws Exception {
        assertSame(docker -> sleeper(docker, BUSYBOX).exec("sh", "-c", "seq 1 200000 & seq 200000 -1 1 >&2; wait"));
    }

    @Test
    void aBurstBeforeTheExitIsNotLost() throws Exception {
        Transcript seen = assertSame(docker ->
                sleeper(docker, BUSYBOX).exec(docker.exits(5), "sh", "-c", "head -c 300000 /dev/zero; exit 5"));
        assertThat(seen.first().stdout().size()).isEqualTo(300_000);
    }

    @Test
    void aDialogueOfManyRounds() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            Running client = docker.openCli(container.execArguments(
                    "-i", "--", "sh", "-c", "while read n; do echo got $n; done; echo eof; exit 9"));
            for (int i = 0; i < 20; i++) {
                client.write(i + "\n");
                client.awaitStdout("got " + i + "\n");
            }
            client.closeStdin();
            docker.note("dialogue", client.finish());
        });
    }

    @Test
    void stdinMayStayUnread() throws Exception {
        assertSame(docker -> sleeper(docker, BUSYBOX)
                .exec(
                        docker.stdin(Bytes.of(new byte[2_000_000])).exits(6),
                        "-i",
                        "--",
                        "sh",
                        "-c",
                        "head -c 4 | od; exit 6"));
    }

    @Test
    void itSeesTheContainersProcessesAndFiles() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "-v",
                    docker.directory() + ":/v",
                    "--tmpfs",
                    "/t",
                    TOOLS,
                    "sh",
                    "-c",
                    "echo root >/f; echo volume >/v/f; echo tmpfs >/t/f; echo ready; exec sleep 100000");
            container.awaitLog("ready");
            container.exec(
                    "sh", "-c", "cat /f /v/f /t/f; tr '\\0' ' ' </proc/1/cmdline; echo; kill -0 1 && echo can signal");
            container.exec("sh", "-c", "ps -o ppid,pgid,sid -p $$ | awk 'NR > 1 {print $1, $2 == $3}'");
        });
    }

    @Test
    void limitsAndPrivilegesAreTheContainers() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    "--cap-drop",
                    "ALL",
                    "--cap-add",
                    "CHOWN",
                    "--ulimit",
                    "nofile=222:222",
                    "--security-opt",
                    "no-new-privileges",
                    "--oom-score-adj",
                    "300",
                    DEBIAN,
                    "sleep",
                    "100000");
            container.exec("grep", "-E", "^(Cap|NoNewPrivs|Uid|Gid|SigBlk|SigIgn)", "/proc/self/status");
            container.exec("-u", "1000", "--", "grep", "-E", "^Cap(Inh|Prm|Eff|Amb)", "/proc/self/status");
            container.exec(
                    "bash", "-c", "ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj; umask; ls /proc/self/fd");
        });
    }

    @Test
    void itHasTheContainersNamesAndNetwork() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("-h", "whale", TOOLS, "sleep", "100000");
            container.address();
            container.exec("sh", "-c", "hostname; ip -o -4 addr show eth0 | awk '{print $4}'; ls /sys/class/net");
        });
    }

    @Test
    void itWorksWithoutNetworkOnAReadOnlyRoot() throws Exception {
        assertSame(docker -> {
            Container container =
                    docker.start("--network", "none", "--read-only", "-u", "1000", BUSYBOX, "sleep", "100000");
            container.exec("sh", "-c", "id -u; touch /f; ls /sys/class/net; true");
        });
    }

    @Test
    void itWorksInAnImageWithoutShellOrPasswd() throws Exception {
        assertSame(docker -> {
            String image = docker.image("FROM scratch\nCOPY --from=" + BUSYBOX + " /bin/busybox /busybox\n");
            Container container = docker.start(image, "/busybox", "sleep", "100000");
            container.exec("/busybox", "id");
            container.exec("/busybox", "ls", "-d", "/busybox", "/dev", "/etc", "/proc", "/sys");
            container.exec("-u", "5:6", "--", "/busybox", "sh", "-c", "/busybox id; echo $HOME");
            container.exec(docker.fails(), "sh");
        });
    }

    @Test
    void privilegedGetsEveryCapability() throws Exception {
        Probe.needs("docker run --privileged", "--privileged", BUSYBOX, "true");
        assertSame(
                docker -> sleeper(docker, BUSYBOX).exec("--privileged", "--", "grep", "CapEff", "/proc/self/status"));
    }

    @Test
    void thirtyInARowLeaveNothingOpen() throws Exception {
        assertSame(docker -> {
            Container container = sleeper(docker, BUSYBOX);
            for (int i = 0; i < 30; i++) {
                container.exec(docker.stdin("input " + i), "-i", "--", "cat");
            }
            container.exec("sh", "-c", "while ps | grep -q '[ ]cat$'; do :; done; ls /proc/1/fd");
        });
    }
}
