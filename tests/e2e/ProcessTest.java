// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** Who the workload is and what it may do: users, groups, limits, capabilities, and its place among processes. */
@EndToEnd
class ProcessTest {
    private static final String STATUS = "^(Uid|Gid|Groups|Umask|NoNewPrivs):";
    private static final String CAPABILITIES = "^Cap";

    @Test
    void rootByDefault() throws Exception {
        assertSame(docker -> docker.run(DEBIAN, "sh", "-c", "id; umask; grep -E '" + STATUS + "' /proc/self/status"));
    }

    @Test
    void aUserByNameHasItsGroup() throws Exception {
        assertSame(docker -> docker.run("-u", "www-data", DEBIAN, "id"));
    }

    @Test
    void aUserByNumberMayBeUnknown() throws Exception {
        assertSame(docker ->
                docker.run("-u", "12345", DEBIAN, "sh", "-c", "id; grep -E '" + STATUS + "' /proc/self/status"));
    }

    @Test
    void aUserAndAGroup() throws Exception {
        assertSame(docker -> {
            docker.run("-u", "1000:2000", DEBIAN, "id");
            docker.run("-u", "www-data:daemon", DEBIAN, "id");
            docker.run("-u", "0:100", DEBIAN, "id");
        });
    }

    @Test
    void groupsAreAdded() throws Exception {
        assertSame(
                docker -> docker.run("-u", "1000:1000", "--group-add", "audio", "--group-add", "4321", DEBIAN, "id"));
    }

    @Test
    void aGroupThatIsAddedTwiceIsThereOnce() throws Exception {
        assertSame(docker -> docker.run(
                "--group-add",
                "0",
                "--group-add",
                "9",
                "--group-add",
                "9",
                BUSYBOX,
                "grep",
                "Groups",
                "/proc/self/status"));
    }

    @Test
    void anUnknownUserNameIsRefused() throws Exception {
        assertSame(docker -> docker.fails().run("-u", "nobody-of-this-name", DEBIAN, "id"));
    }

    @Test
    void anUnknownGroupNameIsRefused() throws Exception {
        assertSame(docker -> docker.fails().run("-u", "root:no-such-group", DEBIAN, "id"));
    }

    @Test
    void theUserOfTheImage() throws Exception {
        assertSame(docker -> docker.run(docker.image("FROM " + DEBIAN + "\nUSER daemon:www-data\n"), "id"));
    }

    @Test
    void aSupplementaryGroupOpensAFile() throws Exception {
        assertSame(docker ->
                docker.run("-u", "1000:1000", "--group-add", "shadow", DEBIAN, "sh", "-c", "head -c 4 /etc/shadow"));
    }

    @Test
    void theWorkloadIsProcessOne() throws Exception {
        assertSame(docker -> docker.run(TOOLS, "ps", "-e", "-o", "pid,ppid,pgid,sid,tty,nice,args"));
    }

    @Test
    void orphansBecomeItsChildren() throws Exception {
        String script = """
                import os, time
                r, w = os.pipe()
                if os.fork() == 0:
                    if os.fork() == 0:
                        while os.getppid() != 1: time.sleep(0.01)
                        os.write(w, b"adopted")
                        os._exit(7)
                    os._exit(0)
                os.wait()
                print(os.getpid(), os.read(r, 100), os.WEXITSTATUS(os.wait()[1]))
                """;
        assertSame(docker -> docker.run(TOOLS, "python3", "-c", script));
    }

    @Test
    void withInitItIsNotProcessOneAndZombiesAreReaped() throws Exception {
        String script = """
                import os, time
                print(os.getpid() != 1, os.getppid() == 1)
                children = [p for p in range(5)]
                for _ in children:
                    if os.fork() == 0:
                        if os.fork() == 0:
                            os._exit(0)
                        os._exit(0)
                    os.wait()
                def zombies():
                    count = 0
                    for p in os.listdir("/proc"):
                        try:
                            count += p.isdigit() and " Z " in open(f"/proc/{p}/stat").read()
                        except (FileNotFoundError, ProcessLookupError):
                            pass
                    return count
                while zombies(): time.sleep(0.01)
                print("no zombies")
                raise SystemExit(13)
                """;
        assertSame(docker -> docker.exits(13).run("--init", TOOLS, "python3", "-c", script));
    }

    @Test
    void limitsAreTheGivenOnes() throws Exception {
        assertSame(docker -> docker.run(
                "--ulimit",
                "nofile=100:200",
                "--ulimit",
                "core=0",
                "--ulimit",
                "nproc=300:400",
                "--ulimit",
                "stack=4194304",
                "--ulimit",
                "fsize=1000000",
                "--ulimit",
                "cpu=1000",
                "--ulimit",
                "data=500000000",
                DEBIAN,
                "bash",
                "-c",
                "for l in n c u s f t d; do ulimit -S$l; ulimit -H$l; done"));
    }

    @Test
    void limitsAreTheSameByDefault() throws Exception {
        assertSame(docker -> docker.run(DEBIAN, "bash", "-c", "ulimit -aS; ulimit -aH"));
    }

    @Test
    void theLimitOfOpenFilesHolds() throws Exception {
        assertSame(docker -> docker.run(
                "--ulimit",
                "nofile=20:20",
                TOOLS,
                "python3",
                "-c",
                "f = []\ntry:\n  while True: f.append(open('/dev/null'))\nexcept OSError as e: print(len(f), e)"));
    }

    @Test
    void theLimitOfFileSizeHolds() throws Exception {
        assertSame(docker -> docker.run(
                "--ulimit",
                "fsize=4096",
                BUSYBOX,
                "sh",
                "-c",
                "head -c 10000 /dev/zero >/file; echo $?; stat -c %s /file"));
    }

    @Test
    void theLimitOfProcessesHolds() throws Exception {
        assertSame(docker -> docker.run("--pids-limit", "30", TOOLS, "python3", "-c", """
                import os, time
                try:
                    for i in range(100):
                        if os.fork() == 0: time.sleep(1000)
                except OSError as e:
                    print(i, e)
                """));
    }

    @Test
    void allCapabilitiesDropped() throws Exception {
        assertSame(docker -> docker.run("--cap-drop", "ALL", BUSYBOX, "grep", "-E", CAPABILITIES, "/proc/self/status"));
    }

    @Test
    void allDroppedAndTwoAdded() throws Exception {
        assertSame(docker -> docker.run(
                "--cap-drop",
                "ALL",
                "--cap-add",
                "NET_BIND_SERVICE",
                "--cap-add",
                "CHOWN",
                BUSYBOX,
                "grep",
                "-E",
                CAPABILITIES,
                "/proc/self/status"));
    }

    @Test
    void allDroppedForAnotherUser() throws Exception {
        assertSame(docker -> docker.run(
                "--cap-drop",
                "ALL",
                "--cap-add",
                "CHOWN",
                "-u",
                "1000",
                BUSYBOX,
                "grep",
                "-E",
                CAPABILITIES,
                "/proc/self/status"));
    }

    @Test
    void anotherUserHasNoEffectiveCapabilities() throws Exception {
        Transcript seen = assertSame(docker ->
                docker.run("-u", "1000", BUSYBOX, "grep", "-E", "^Cap(Inh|Prm|Eff|Amb)", "/proc/self/status"));
        assertThat(seen.first().text()).contains("CapEff:\t0000000000000000");
    }

    @Test
    void withoutChownNoOwnerChanges() throws Exception {
        assertSame(docker -> docker.fails().run("--cap-drop", "CHOWN", BUSYBOX, "sh", "-c", "echo >/f; chown 5:5 /f"));
    }

    @Test
    void withoutMknodNoDeviceIsMade() throws Exception {
        assertSame(docker -> docker.fails().run("--cap-drop", "MKNOD", BUSYBOX, "mknod", "/zero", "c", "1", "5"));
    }

    @Test
    void withoutDacOverrideRootIsBoundByModes() throws Exception {
        assertSame(docker -> docker.fails()
                .run(
                        "--cap-drop",
                        "DAC_OVERRIDE",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "echo a >/f; chown 5:5 /f 2>&1; chmod 600 /f; cat /f"));
    }

    @Test
    void withoutKillAnothersProcessLives() throws Exception {
        assertSame(
                docker -> docker.run(
                        "--cap-drop",
                        "KILL",
                        TOOLS,
                        "sh",
                        "-c",
                        "setpriv --reuid 1000 --clear-groups sleep 1000 &\n"
                                + "until [ \"$(stat -c %u /proc/$!)\" = 1000 ]; do :; done; kill $! 2>&1 | sed 's/([0-9]*)/(pid)/'; [ -d /proc/$! ] && echo lives"));
    }

    @Test
    void newPrivilegesAreRefused() throws Exception {
        assertSame(
                docker -> docker.run(
                        "--security-opt",
                        "no-new-privileges",
                        TOOLS,
                        "sh",
                        "-c",
                        "grep NoNewPrivs /proc/self/status; cp /usr/bin/id /id; chmod u+s /id; setpriv --reuid 1000 --regid 1000 --clear-groups /id"));
    }

    @Test
    void aSetuidProgramRunsAsItsOwner() throws Exception {
        Transcript seen = assertSame(docker -> docker.run(
                TOOLS,
                "sh",
                "-c",
                "cp /usr/bin/id /id; chmod u+s /id; setpriv --reuid 1000 --regid 1000 --clear-groups /id"));
        assertThat(seen.first().text()).contains("euid=0");
    }

    @Test
    void theOomScoreIsTheGivenOne() throws Exception {
        assertSame(docker -> docker.run("--oom-score-adj", "500", BUSYBOX, "cat", "/proc/self/oom_score_adj"));
    }

    @Test
    void workloadsMayHaveThreads() throws Exception {
        assertSame(docker -> docker.run(TOOLS, "python3", "-c", """
                import threading
                total = []
                threads = [threading.Thread(target=lambda n=n: total.append(n * n)) for n in range(100)]
                [t.start() for t in threads]; [t.join() for t in threads]
                print(len(total), sum(total))
                """));
    }

    @Test
    void itIsAloneInItsIpc() throws Exception {
        assertSame(docker ->
                docker.run(TOOLS, "sh", "-c", "ipcmk -M 4096 >/dev/null; ipcs -m | grep -c '^0x'; ls -A /dev/shm"));
    }

    @Test
    void posixSemaphoresAndSharedMemoryWork() throws Exception {
        assertSame(docker -> docker.run(TOOLS, "python3", "-c", """
                from multiprocessing import Process, Semaphore, shared_memory
                block = shared_memory.SharedMemory(create=True, size=1000)
                done = Semaphore(0)
                def child():
                    block.buf[:5] = b"child"
                    done.release()
                p = Process(target=child); p.start(); done.acquire(); p.join()
                print(bytes(block.buf[:5]), p.exitcode)
                block.close(); block.unlink()
                """));
    }
}
