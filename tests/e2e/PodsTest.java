// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Pods of several containers: one VM each, in which the containers share what those of a pod share, and nothing else. */
@EndToEnd
@Execution(ExecutionMode.SAME_THREAD) // what is left of one is looked for on the host
class PodsTest {
    private static final Path VMS = Path.of("/run/dkvm/vms");
    /** After so many restarts all that is kept for the next is there. */
    private static final int WARM = 5;

    /** What the guest's kernel may have more of in use for a moment. */
    private static final long NOISE_KIB = 24 << 10;

    private static final String FOREVER = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done";

    /** Servers that read all, and send it back; others that speak first, that reset, that are reset, that say nothing. */
    private static final String SERVER = """
            import socket, struct, threading

            def echoes(client):
                got = bytearray()
                while piece := client.recv(65536):
                    got += piece
                client.sendall(got)

            def greets(client):
                client.sendall(b"hello")

            def resets(client):
                client.recv(1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

            def is_reset(client):
                try:
                    client.recv(1), client.recv(1)
                except ConnectionResetError:
                    print("8005 is reset")

            def holds(client):
                client.sendall(b"connected")
                client.recv(1)

            def serve(family, address, port, job):
                server = socket.socket(family)
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind((address, port))
                server.listen(64)
                def one(client):
                    with client:
                        job(client)
                def accept():
                    while True:
                        threading.Thread(target=one, args=server.accept()[:1]).start()
                threading.Thread(target=accept).start()

            serve(socket.AF_INET, "0.0.0.0", 8001, echoes)
            serve(socket.AF_INET, "127.0.0.1", 8002, echoes)
            serve(socket.AF_INET6, "::1", 8003, echoes)
            serve(socket.AF_INET, "127.0.0.1", 8004, resets)
            serve(socket.AF_INET, "127.0.0.1", 8005, is_reset)
            serve(socket.AF_INET, "127.0.0.1", 8006, greets)
            serve(socket.AF_INET, "127.0.0.1", 8007, holds)
            print("ready")
            """;

    /** Prints what comes of each; with "holds" it waits for the end of one. */
    private static final String CLIENT = """
            import os, socket, struct, sys, threading

            def connect(port, *addresses):
                for address in addresses or ("127.0.0.1", "::1"):
                    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
                    client.settimeout(60)
                    try:
                        client.connect((address, port))
                        return client
                    except ConnectionRefusedError:
                        client.close()
                raise ConnectionRefusedError

            def all_of(client):
                got = bytearray()
                while piece := client.recv(65536):
                    got += piece
                return bytes(got)

            def echoed(port, *addresses):
                client = connect(port, *addresses)
                data = os.urandom(1 << 20)
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                return all_of(client) == data

            if sys.argv[1] == "holds":
                client = connect(8007)
                print(client.recv(100).decode(), flush=True)
                try:
                    client.recv(100)
                except ConnectionResetError:
                    pass
                print("and its end comes")
                sys.exit()
            for port in 8001, 8002, 8003:
                print(port, echoed(port))
            print("::1", echoed(8003, "::1"), "the address", echoed(8001, sys.argv[1]))
            print("another of the loopback", echoed(8001, "127.9.8.7"))
            print("a greeting", all_of(connect(8006)))
            for port in 8004, 8099:
                try:
                    client = connect(port)
                    client.sendall(b"x")
                    client.recv(1)
                    print(port, "answers")
                except ConnectionError as error:
                    # In a VM it is known only when the connection has been made.
                    print(port, "is reset" if port == 8004 else "is refused")
            client = connect(8005)
            client.sendall(b"x")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            done = []
            threads = [threading.Thread(target=lambda: done.append(echoed(8002))) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            print("at once", done.count(True))
            """;

    private static Containerd containerd;

    @BeforeAll
    static void start() throws Exception {
        containerd = Containerd.start();
    }

    @AfterAll
    static void end() throws Exception {
        if (containerd != null) {
            containerd.close();
        }
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        assertThat(containerd.interfaces()).doesNotContain("veth");
        assertThat(containerd.ctr("-n", "k8s.io", "container", "ls", "-q").text())
                .isEmpty();
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain("/pod/share");
    }

    private interface Case {
        List<String> play(String runtime) throws Exception;
    }

    private static void assertSame(Case one) throws Exception {
        List<String> reference = one.play(Settings.REFERENCE);
        List<String> subject = one.play(Settings.SUBJECT);
        assertThat(subject).isEqualTo(reference);
    }

    private static Path volume(String name, String runtime) throws Exception {
        return Files.createDirectories(containerd
                .directory()
                .resolve("kubelet-" + runtime + "/pods/uid/volumes/kubernetes.io~empty-dir/" + name));
    }

    private static void await(KubernetesPod pod, String name, String said) throws Exception {
        Deadline.await(
                "\"" + name + "\" says \"" + said + "\"", () -> pod.log(name).contains(said));
    }

    @Test
    void containersOfAPodShareWhatAPodShares() throws Exception {
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            Path volume = volume("shared", runtime);
            KubernetesPod pod = new KubernetesPod(
                    containerd, runtime, KubernetesPod.OF_ITS_OWN, KubernetesPod.OF_THE_CONTAINER, 512 << 20);
            try {
                String web = pod.start(
                        "web",
                        "echo page >/index.html; httpd -h /; mkfifo /v/fifo; echo of web >/dev/shm/word; cat /v/fifo & "
                                + FOREVER,
                        Map.of("/v", volume));
                await(pod, "web", "ready");
                String side = pod.start("side", FOREVER, Map.of("/w:ro", volume, "/v", volume));
                await(pod, "side", "ready");
                seen.add(pod.exec(side, "hostname; wget -qO- http://127.0.0.1/; cat /dev/shm/word; ls /index.html"));
                seen.add(pod.exec(side, "echo through >/v/fifo; touch /w/x"));
                seen.add(pod.exec(side, "cat /proc/1/comm; ps | grep -c h[t]tpd"));
                seen.add(pod.exec(web, "cat /proc/1/comm; id -u; echo of web >&2; exit 9"));
                seen.add(pod.exec(web, "grep -c ' /proc/sys .*[ ,]ro[ ,]' /proc/mounts"));
                // Less than a whole VM's, as neighbours are there; making devices is not among them.
                seen.add(pod.exec(web, "grep -h CapEff /proc/1/status /proc/self/status")
                        .replace("a00425fb", "a80425fb"));
                seen.add(containerd.fetch("http://" + pod.address() + "/"));
                pod.stop(web, 60);
                seen.add(pod.status(web));
                seen.add(pod.exec(side, "echo goes on; ls /v"));
                seen.add(pod.said("web"));
                pod.stop(side, 60);
                seen.add(pod.status(side));
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    /** As containerd connects for "kubectl port-forward": from the host, in the pod's network namespace. */
    @Test
    void localhostOfAPodIsReachedFromTheHost() throws Exception {
        containerd.bring("dkvm-test/python");
        assertSame(runtime -> {
            Path volume = volume("forward", runtime);
            Path client = containerd.directory().resolve("client.py");
            Files.writeString(volume.resolve("server.py"), SERVER);
            Files.writeString(client, CLIENT);
            List<String> seen = new ArrayList<>();
            KubernetesPod pod =
                    new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN).with("dkvm-test/python");
            try {
                pod.start("server", "exec python3 -u /v/server.py", Map.of("/v", volume));
                await(pod, "server", "ready");
                List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + pod.network(), "python3"));
                command.addAll(List.of(client.toString(), pod.address()));
                Outcome outcome = Running.complete(command, Bytes.of(""));
                seen.add(outcome.text() + outcome.errors());
                await(pod, "server", "8005 is reset");
                if (Settings.SUBJECT.equals(runtime)) {
                    assertForwardIsAsThePageSays(pod);
                }
                command.set(command.size() - 1, "holds");
                try (Running holds = Running.start(command)) {
                    holds.awaitStdout("connected");
                    pod.end();
                    seen.add(holds.finish().text());
                }
            } finally {
                pod.close();
            }
            return seen;
        });
        assertThat(Host.run("sh", "-c", "pgrep -x dkvm-forward | wc -l").strip())
                .isEqualTo("0");
    }

    private static void assertForwardIsAsThePageSays(KubernetesPod pod) throws Exception {
        String pid = Host.run(
                "sh",
                "-c",
                "for p in $(pgrep -x dkvm-forward); do grep -q " + pod.id() + " /proc/$p/cgroup && echo $p; done");
        RightsTest.assertForwardIsAsThePageSays(Long.parseLong(pid.strip()));
    }

    /** One filesystem of it in the guest, and one lock on the host. */
    @Test
    void locksOfAVolumeHoldBetweenTheContainersOfAPod() throws Exception {
        containerd.bring("dkvm-test/debian");
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            Path volume = volume("locks", runtime);
            KubernetesPod pod =
                    new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN).with("dkvm-test/debian");
            try {
                pod.start(
                        "holds",
                        "exec 9>/v/lock; flock 9; echo ready; until [ -e /v/go ]; do sleep 0.1; done; flock -u 9; "
                                + FOREVER,
                        Map.of("/v", volume));
                await(pod, "holds", "ready");
                String asks = pod.start("asks", FOREVER, Map.of("/v", volume));
                await(pod, "asks", "ready");
                seen.add(pod.exec(asks, "flock -n /v/lock echo wrong"));
                seen.add("host "
                        + Running.complete(List.of("flock", "-n", volume + "/lock", "true"), Bytes.of(""))
                                .exitCode());
                seen.add(pod.exec(asks, "touch /v/go; flock /v/lock echo taken"));
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    /** As a kubelet makes an {@code emptyDir} with {@code medium: Memory}. */
    private static Path memory(Path pod, String name) throws Exception {
        Path volume = Files.createDirectories(pod.resolve("volumes/kubernetes.io~empty-dir/" + name));
        Host.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", volume.toString());
        Host.run("chgrp", "4000", volume.toString());
        Host.run("chmod", "2777", volume.toString());
        return volume;
    }

    /** As a kubelet makes a mount of a part of a volume. */
    private static Path part(Path pod, Path volume, String path, String container) throws Exception {
        Path part = Files.createDirectories(
                pod.resolve("volume-subpaths/" + volume.getFileName() + "/" + container + "/0"));
        Host.run(
                "mount", "--bind", Files.createDirectories(volume.resolve(path)).toString(), part.toString());
        return part;
    }

    @Test
    void aVolumeInMemoryIsOneForThePodAndTakesNoMoreThanItMay() throws Exception {
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            KubernetesPod pod = new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN);
            Path directory = pod.directory(containerd.directory().resolve("kubelet-memory-" + runtime));
            try {
                Path volume = memory(directory, "memory");
                Path early = memory(directory, "early");
                Files.writeString(early.resolve("file"), "of the node\n");
                String writes = pod.start(
                        "writes",
                        "echo in memory >/m/file; mkfifo /m/fifo; cat /m/fifo & " + FOREVER,
                        Map.of("/m", volume, "/early", early));
                await(pod, "writes", "ready");
                String reads = pod.start("reads", FOREVER, Map.of("/m:ro", volume, "/w", volume));
                await(pod, "reads", "ready");
                seen.add(
                        pod.exec(
                                reads,
                                "cat /m/file; stat -c '%u %g %a' /m; grep ' /m ' /proc/mounts | cut -d ' ' -f 1,3; touch /m/x"));
                seen.add(pod.exec(reads, "echo through >/w/fifo; df -k /m | tail -n 1 | awk '{print $2}'"));
                seen.add(pod.exec(
                        writes, "head -c 16m /dev/zero >/m/big; rm /m/big; touch /m/mine; stat -c %g /m/mine"));
                seen.add(pod.exec(writes, "cat /early/file; echo of the pod >>/early/file"));
                seen.add(Files.readString(early.resolve("file")));
                // Of no use to the node, which has a tmpfs of its own.
                assertThat(Files.exists(volume.resolve("file"))).isEqualTo(Settings.REFERENCE.equals(runtime));
                pod.stop(writes, 60);
                seen.add(pod.status(writes));
                String again = pod.start("again", "cat /m/file; " + FOREVER, Map.of("/m", volume));
                await(pod, "again", "in memory");
                String late = pod.start("late", FOREVER, Map.of("/p", part(directory, volume, "a/b", "late")));
                await(pod, "late", "ready");
                seen.add(
                        pod.exec(
                                late,
                                "stat -c '%u %g' /p; mkfifo /p/fifo; echo late >/p/file; (cat /p/fifo >/p/got; mv /p/got /p/all) >/dev/null 2>&1 &"));
                seen.add(
                        pod.exec(
                                again,
                                "cat /m/a/b/file; echo through >/m/a/b/fifo; until [ -e /m/a/b/all ]; do sleep 0.1; done; cat /m/a/b/all; ls /m"));
            } finally {
                pod.close();
                Host.run("sh", "-c", "umount " + directory + "/volumes/*/* " + directory + "/volume-subpaths/*/*/*");
            }
            return seen;
        });
    }

    @Test
    void partsOfAVolumeAndReadOnlyMountsAreOfItsFilesystem() throws Exception {
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            KubernetesPod pod = new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN);
            Path directory = pod.directory(containerd.directory().resolve("kubelet-parts-" + runtime));
            Path scratch = Files.createDirectories(directory.resolve("volumes/kubernetes.io~empty-dir/scratch"));
            Path claim = Files.createDirectories(containerd.directory().resolve("claim-" + runtime));
            Path node = Files.createDirectories(containerd.directory().resolve("node-" + runtime));
            Host.run("mount", "--bind", node.toString(), node.toString());
            Host.run("mount", "--make-shared", node.toString());
            try {
                // Before anybody has all of it.
                String first = pod.start(
                        "first",
                        "mkfifo /p/first; cat /p/first >/p/got-first & " + FOREVER,
                        Map.of("/p", part(directory, scratch, "a", "first")));
                await(pod, "first", "ready");
                String all = pod.start(
                        "all",
                        "mkdir /c/b /c/d; mkfifo /v/a/one /c/two /c/b/three; echo of d >/c/d/file; "
                                + "cat /v/a/one >/v/1 & cat /c/two >/v/2 & cat /c/b/three >/v/3 & " + FOREVER,
                        Map.of("/v", scratch, "/c", claim));
                await(pod, "all", "ready");
                String parts = pod.start(
                        "parts",
                        FOREVER,
                        Map.of(
                                "/n:slave",
                                node,
                                "/p",
                                part(directory, scratch, "a", "parts"),
                                "/r:ro",
                                claim,
                                "/q:ro",
                                part(directory, claim, "b", "parts")));
                await(pod, "parts", "ready");
                pod.exec(parts, "echo one >/p/one; echo two >/r/two; echo three >/q/three; echo first >/p/first");
                seen.add(
                        pod.exec(
                                all,
                                "until [ -s /v/1 -a -s /v/2 -a -s /v/3 -a -s /v/a/got-first ]; do sleep 0.1; done; cat /v/[123] /v/a/got-first"));
                seen.add(pod.exec(parts, "touch /r/x; touch /q/x; ls /q; grep -c ' /[prq] ' /proc/mounts"));
                Path later = Files.createDirectories(node.resolve("later"));
                seen.add(pod.exec(parts, "ls /n/later"));
                Host.run("mount", "-t", "tmpfs", "tmpfs", later.toString());
                Files.writeString(later.resolve("file"), "mounted later\n");
                // What a guest has looked at it may believe for a second.
                seen.add(
                        pod.exec(
                                parts,
                                "n=0; until [ -e /n/later/file ]; do sleep 0.1; n=$((n + 1)); [ $n -lt 100 ] || exit 1; done; cat /n/later/file"));
                // It is in use as long as the guest remembers something of it.
                Host.run("umount", "-l", later.toString());
                seen.add(
                        pod.exec(
                                parts,
                                "n=0; while [ -e /n/later/file ]; do sleep 0.1; n=$((n + 1)); [ $n -lt 100 ] || exit 1; done; ls /n/later"));
                // What a neighbour puts in a part's place after the kubelet has mounted it, and after it was looked at.
                Path moved = part(directory, claim, "d", "moved");
                pod.exec(all, "mv /c/d /c/e; ln -s /etc /c/d");
                String late = pod.create("late", "ls /m; " + FOREVER, Map.of("/m", moved), KubernetesPod.MEMORY);
                pod.exec(all, "mv /c/e /c/f; ln -s /etc /c/e");
                pod.ask("StartContainer", late);
                await(pod, "late", "ready");
                seen.add(pod.said("late"));
                seen.add(pod.exec(late, "echo more >>/m/file; cat /m/file"));
                seen.add(pod.exec(all, "cat /c/f/file"));
                pod.stop(first, 60);
            } finally {
                pod.close();
                Host.run("sh", "-c", "umount " + directory + "/volume-subpaths/*/*/*; umount -R " + node);
            }
            return seen;
        });
    }

    /** What a container that was started again leaves would add up: in the guest, in the sandbox, on the host. */
    @Test
    void aContainerStartsAgainAndAgainAndLeavesNothing() throws Exception {
        KubernetesPod pod = new KubernetesPod(containerd, "dkvm", KubernetesPod.OF_ITS_OWN);
        Path directory = pod.directory(containerd.directory().resolve("kubelet-again"));
        Path volume = Files.createDirectories(directory.resolve("volumes/kubernetes.io~empty-dir/again"));
        Path memory = memory(directory, "memory");
        try {
            String stays = pod.start("stays", FOREVER, Map.of("/v", volume, "/m", memory));
            await(pod, "stays", "ready");
            Map<String, Path> mounts =
                    Map.of("/v", volume, "/r:ro", volume, "/m", memory, "/p", part(directory, volume, "part", "again"));
            List<String> before = List.of();
            long available = 0;
            for (int i = 0; i < Settings.POD_RESTARTS; i++) {
                startAgain(pod, i, mounts);
                if (i == WARM) {
                    before = left(pod, stays);
                    available = available(pod, stays);
                }
            }
            assertThat(before).anyMatch(seen -> seen.contains("virtiofsd"));
            assertThat(left(pod, stays)).isEqualTo(before);
            assertThat(available(pod, stays)).isGreaterThan(available - NOISE_KIB);
            Path plans = VMS.resolve(pod.id()).resolve("pod/plans");
            try (var left = Files.list(plans)) {
                assertThat(left).containsExactlyInAnyOrder(plans.resolve("2.json"), plans.resolve("2.of"));
            }
        } finally {
            pod.close();
            Host.run("sh", "-c", "umount " + directory + "/volumes/*/memory " + directory + "/volume-subpaths/*/*/*");
        }
    }

    /** One ends by itself, the next is killed; what it had is on the host as long as the guest uses it. */
    private static void startAgain(KubernetesPod pod, int round, Map<String, Path> mounts) throws Exception {
        String name = "again" + round;
        boolean killed = round % 2 == 1;
        String container = pod.start(
                name,
                "echo run " + round + " >>/v/runs; wc -l </r/runs; echo x >/m/x; echo x >/p/x; "
                        + (killed ? "while :; do echo x >/only-here || echo lost; done" : "exit " + round % 100),
                mounts);
        await(pod, name, "stdout F " + (round + 1));
        if (killed) {
            pod.stop(container, 0);
        }
        Deadline.await(name + " ends", () -> pod.hasEnded(container));
        assertThat(pod.status(container)).startsWith("2 " + (killed ? 137 : round % 100));
        assertThat(pod.said(name)).doesNotContain("lost");
        pod.ask("RemoveContainer", container);
    }

    /** Mounts and control groups in the guest; mounts, files, and the open files of each process of the sandbox, on the host. */
    private static List<String> left(KubernetesPod pod, String stays) throws Exception {
        return List.of(
                pod.exec(
                        stays, "grep -c . /proc/1/mountinfo; ls /sys/fs/cgroup | grep -c container-; ls /v /m /v/part"),
                "mounts " + mounts(pod),
                Host.run("sh", "-c", "find " + VMS.resolve(pod.id()) + " -xdev | wc -l"),
                Host.run(
                        "sh",
                        "-c",
                        "for p in $(cat $(grep -l " + pod.id()
                                + " /proc/[0-9]*/cgroup 2>/dev/null | sed 's/cgroup$/stat/') 2>/dev/null"
                                + " | cut -d ' ' -f 1); do echo $(cat /proc/$p/comm) $(ls /proc/$p/fd | wc -l); done | sort"));
    }

    private static long available(KubernetesPod pod, String stays) throws Exception {
        return Long.parseLong(
                pod.exec(stays, "grep MemAvailable /proc/meminfo").replaceAll("[^0-9]*([0-9]+) kB.*\\s*=0", "$1"));
    }

    private static long mounts(KubernetesPod pod) throws Exception {
        try (var lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
            return lines.filter(line -> line.contains("/" + pod.id() + "/pod/share"))
                    .count();
        }
    }

    @Test
    void aContainersLimitsAreItsOwnAndItsEndIsNobodyElses() throws Exception {
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            KubernetesPod pod = new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN);
            try {
                String stays = pod.start("stays", FOREVER, Map.of());
                await(pod, "stays", "ready");
                String eats = pod.create(
                        "eats",
                        "echo begins; head -c 120m /dev/zero | tail >/dev/null; echo $?; exec tail /dev/zero",
                        Map.of(),
                        48 << 20);
                pod.ask("StartContainer", eats);
                Deadline.await("it has eaten too much", () -> pod.hasEnded(eats));
                seen.add(pod.status(eats).replaceFirst(" .*", ""));
                seen.add(pod.said("eats").replaceAll("Killed\\s*", ""));
                String killed = pod.start("killed", FOREVER, Map.of());
                await(pod, "killed", "ready");
                pod.stop(killed, 0);
                seen.add(pod.status(killed));
                seen.add(pod.exec(stays, "echo goes on"));
                String missing = pod.create("missing", "true", Map.of(), KubernetesPod.MEMORY);
                seen.add("created " + !missing.isEmpty());
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    @Test
    void processesOfAPodAreSharedWhereItSaysSo() throws Exception {
        assertSame(runtime -> {
            List<String> seen = new ArrayList<>();
            KubernetesPod pod =
                    new KubernetesPod(containerd, runtime, KubernetesPod.OF_ITS_OWN, KubernetesPod.OF_ITS_OWN, 0);
            try {
                String one = pod.start("one", "sleep 1001 & " + FOREVER, Map.of());
                await(pod, "one", "ready");
                String two = pod.start("two", FOREVER, Map.of());
                await(pod, "two", "ready");
                seen.add(pod.exec(two, "cat /proc/1/comm; ps | grep -c s[l]eep.1001"));
                seen.add(pod.exec(two, "kill $(ps | grep s[l]eep.1001 | grep -v sh | awk '{print $1}'); echo $?"));
                pod.stop(one, 60);
                seen.add(pod.status(one));
                seen.add(pod.exec(two, "ps | grep -c s[l]eep.1001"));
            } finally {
                pod.close();
            }
            return seen;
        });
    }

    @Test
    void aVmThatIsLostTakesItsContainersAlongAndLeavesNothing() throws Exception {
        KubernetesPod pod = new KubernetesPod(containerd, "dkvm", KubernetesPod.OF_ITS_OWN);
        try {
            String one = pod.start("one", FOREVER, Map.of());
            String two = pod.start("two", FOREVER, Map.of());
            await(pod, "one", "ready");
            await(pod, "two", "ready");
            Host.run(
                    "sh",
                    "-c",
                    "for p in $(pgrep -f qemu-system-x86_64); do grep -q " + pod.id()
                            + " /proc/$p/cgroup && kill -9 $p; done; true");
            Deadline.await("both have ended", () -> pod.hasEnded(one) && pod.hasEnded(two));
            assertThat(pod.status(one)).matches("2 (137|255).*");
            assertThat(pod.status(two)).matches("2 (137|255).*");
        } finally {
            pod.close();
        }
    }
}
