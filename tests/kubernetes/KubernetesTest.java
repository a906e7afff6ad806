// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.KubernetesSide.status;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Pods of a real Kubernetes: what is seen of a pod of runc's is what is seen of the same pod of dkvm's. Each play makes pods and
 * notes facts of them; each fact is a case of its own.
 *
 * <p>{@code make test-kubernetes} runs it: it wants the programs that tests/kubernetes/build.sh makes.
 */
@Execution(ExecutionMode.SAME_THREAD)
class KubernetesTest {
    private static final String FOREVER = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    private static final String API_PORT = "6443";
    private static final Path VMS = Path.of("/run/dkvm/vms");
    private static final Path PAGE = Path.of("docs/kubernetes.md");

    private static Cluster cluster;

    @BeforeAll
    static void start() throws Exception {
        cluster = Cluster.start(System.getProperty("dkvm.e2e.kubernetes", ""));
    }

    @AfterAll
    static void end() throws Exception {
        if (cluster != null) {
            cluster.close();
        }
    }

    private interface Play {
        void on(KubernetesSide side) throws Exception;
    }

    /** Plays it on both sides; what both have seen are the cases. */
    private static Stream<DynamicTest> same(Play play) throws Exception {
        KubernetesSide reference = new KubernetesSide(cluster, Settings.REFERENCE);
        KubernetesSide subject = new KubernetesSide(cluster, Settings.SUBJECT);
        List<Throwable> failures = new ArrayList<>();
        try (ExecutorService sides = Executors.newFixedThreadPool(Settings.TOGETHER ? 2 : 1)) {
            Future<List<Throwable>> first = sides.submit(played(play, reference));
            Future<List<Throwable>> second = sides.submit(played(play, subject));
            failures.addAll(first.get());
            failures.addAll(second.get());
        }
        List<DynamicTest> cases = new ArrayList<>();
        for (Map.Entry<String, KubernetesSide.Sight> fact : reference.seen().entrySet()) {
            cases.add(dynamicTest(fact.getKey(), () -> {
                assertThat(fact.getValue().actual())
                        .as(Settings.REFERENCE)
                        .matches(Pattern.compile(fact.getValue().expected(), Pattern.DOTALL));
                KubernetesSide.Sight same = subject.seen().get(fact.getKey());
                assertThat(same == null ? "nothing: the play did not get that far" : same.actual())
                        .as(Settings.SUBJECT)
                        .isEqualTo(fact.getValue().actual());
            }));
        }
        cases.add(dynamicTest("the play comes to its end, and nothing is left", () -> {
            for (Throwable failure : failures) {
                throw new AssertionError(failure.getMessage(), failure);
            }
            assertNothingIsLeft();
        }));
        return cases.stream();
    }

    private static Callable<List<Throwable>> played(Play play, KubernetesSide side) {
        return () -> {
            List<Throwable> failures = new ArrayList<>();
            try {
                play.on(side);
            } catch (Exception | AssertionError e) {
                failures.add(new AssertionError(side.runtime() + ": " + e.getMessage(), e));
            }
            try {
                side.close();
            } catch (Exception | AssertionError e) {
                failures.add(new AssertionError(side.runtime() + ", at the end: " + e.getMessage(), e));
            }
            return failures;
        };
    }

    /** The kubelet calls a pod deleted when its containers have ended; the pod itself goes a moment later. */
    private static void assertNothingIsLeft() throws Exception {
        Deadline.await("no VM has a directory", () -> {
            try (Stream<Path> left = Files.exists(VMS) ? Files.list(VMS) : Stream.of()) {
                return left.findAny().isEmpty();
            }
        });
        Deadline.await(
                "no pod has an interface",
                () -> !cluster.inNetwork("ip", "-br", "link").contains("veth"));
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain(VMS + "/");
        assertThat(Host.run("sh", "-c", "pgrep -c -f '[q]emu-system-x86_64.*dkvm' || true")
                        .strip())
                .isEqualTo("0");
    }

    @TestFactory
    Stream<DynamicTest> containersOfAPodShareIt() throws Exception {
        return same(side -> {
            side.run("shared", """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: shared-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      hostname: the-pod
                      terminationGracePeriodSeconds: 3
                      hostAliases: [{ip: 10.1.2.3, hostnames: [alias.test]}]
                      dnsPolicy: None
                      dnsConfig: {nameservers: [10.9.9.9], searches: [one.test, two.test], options: [{name: ndots, value: "2"}]}
                      initContainers:
                      - {name: first, image: "dkvm-test/busybox:1", command: [sh, -c, "sleep 1; echo first >>/v/order"], volumeMounts: [{name: v, mountPath: /v}]}
                      - {name: second, image: "dkvm-test/busybox:1", command: [sh, -c, "echo second >>/v/order; ip addr show eth0 | grep -c 'inet ' >>/v/order"], volumeMounts: [{name: v, mountPath: /v}]}
                      containers:
                      - name: web
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "echo page >/index.html; httpd -h /; echo of web >/dev/shm/word; mkfifo /v/fifo; cat /v/fifo & %1$s"]
                        volumeMounts: [{name: v, mountPath: /v}, {name: memory, mountPath: /m}]
                      - name: side
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "%1$s"]
                        volumeMounts: [{name: v, mountPath: /v}, {name: v, mountPath: /w, readOnly: true}, {name: memory, mountPath: /m}, {name: v, mountPath: /sub, subPath: a/b}]
                      - name: python
                        image: dkvm-test/python:1
                        command:
                        - python3
                        - -c
                        - |
                          import fcntl, socket
                          lock = open('/v/lock', 'w')
                          fcntl.flock(lock, fcntl.LOCK_EX)
                          server = socket.socket(socket.AF_UNIX)
                          server.bind('/v/socket')
                          server.listen()
                          while True:
                              client = server.accept()[0]
                              fcntl.flock(lock, fcntl.LOCK_UN)
                              client.sendall(b'by socket')
                              client.close()
                        volumeMounts: [{name: v, mountPath: /v}]
                      - name: locks
                        image: dkvm-test/python:1
                        command: [sh, -c, "%1$s"]
                        volumeMounts: [{name: v, mountPath: /v}]
                      volumes:
                      - {name: v, emptyDir: {}}
                      - {name: memory, emptyDir: {medium: Memory, sizeLimit: 8Mi}}
                    """.formatted(FOREVER), "web", "side");
            side.sees(
                    "init containers run one after the other",
                    "first\nsecond\n1\n=0",
                    side.exec("shared", "side", "cat /v/order"));
            side.sees(
                    "containers reach each other on localhost",
                    "page\n=0",
                    side.exec("shared", "side", "wget -qO- http://127.0.0.1/"));
            side.sees("the pod answers on its address", "page", fetched("http://" + side.address("shared") + "/"));
            side.sees("containers share /dev/shm", "of web\n=0", side.exec("shared", "side", "cat /dev/shm/word"));
            side.sees("containers have the pod's host name", "the-pod\n=0", side.exec("shared", "side", "hostname"));
            side.sees(
                    "each container has its own root",
                    ".*No such file.*=1",
                    side.exec("shared", "side", "ls /index.html"));
            side.sees(
                    "each container has its own processes",
                    "sh\n0\n=0",
                    side.exec("shared", "side", "cat /proc/1/comm; pidof httpd | wc -w"));
            String lock =
                    "until [ -S /v/socket ]; do sleep 0.1; done; python3 -c \"import fcntl; fcntl.flock(open('/v/lock'), fcntl.LOCK_EX | fcntl.LOCK_NB)\"";
            side.sees("a lock on a shared volume holds", ".*BlockingIOError.*=1", side.exec("shared", "locks", lock));
            side.sees(
                    "a unix socket on a shared volume connects containers",
                    "by socket=0",
                    side.exec(
                            "shared",
                            "locks",
                            "python3 -c \"import socket; s = socket.socket(socket.AF_UNIX); s.connect('/v/socket'); print(end=s.recv(99).decode())\""));
            side.sees("a lock that is given up can be taken", "=0", side.exec("shared", "locks", lock));
            side.exec("shared", "side", "echo through the FIFO >/v/fifo");
            side.awaitLog("shared", "web", "through the FIFO");
            side.sees(
                    "a FIFO on a shared volume leads to the other container",
                    "ready\nthrough the FIFO",
                    side.logs("shared", "web"));
            side.sees(
                    "a read-only mount of a volume is read-only",
                    ".*Read-only file system.*=1",
                    side.exec("shared", "side", "cat /w/order >/dev/null && touch /w/x"));
            side.sees(
                    "subPath is a directory of the volume",
                    "sub\n=0",
                    side.exec("shared", "side", "echo sub >/sub/file; cat /v/a/b/file"));
            side.exec(
                    "shared",
                    "side",
                    "mkfifo /sub/fifo; { cat /sub/fifo >/sub/got; mv /sub/got /sub/all; } >/dev/null 2>&1 &");
            side.sees(
                    "a FIFO in a subPath leads to who has the volume",
                    "by the volume\n=0",
                    side.exec(
                            "shared",
                            "web",
                            "echo by the volume >/v/a/b/fifo; until [ -e /v/a/b/all ]; do sleep 0.1; done; cat /v/a/b/all"));
            side.exec("shared", "web", "echo in memory >/m/file; mkfifo /m/fifo; cat /m/fifo >/dev/null 2>&1 &");
            side.sees(
                    "a volume in memory is one for the pod",
                    "in memory\ntmpfs\n=0",
                    side.exec("shared", "side", "cat /m/file; stat -f -c %T /m; echo >/m/fifo"));
            side.kubectl(
                    "debug",
                    "shared-RUNTIME",
                    "--image=dkvm-test/busybox:1",
                    "--container=debugger",
                    "--",
                    "sh",
                    "-c",
                    "exec 2>&1; wget -qO- http://127.0.0.1/; ls /index.html /v; cat /dev/shm/word; echo debugged");
            side.awaitLog("shared", "debugger", "debugged");
            side.sees(
                    "an ephemeral container has the pod's network and memory, and a root of its own",
                    "page\nls: /index.html: No such file or directory\nls: /v: No such file or directory\nof web\ndebugged",
                    side.logs("shared", "debugger"));
            side.sees(
                    "hosts aliases are in /etc/hosts",
                    "10.1.2.3\talias.test\n=0",
                    side.exec("shared", "side", "grep alias /etc/hosts"));
            side.sees(
                    "dnsConfig is in resolv.conf",
                    "search one.test two.test\nnameserver 10.9.9.9\noptions ndots:2\n=0",
                    side.exec("shared", "side", "cat /etc/resolv.conf"));
            side.sees(
                    "exec gives the exit code", ".*=9", side.exec("shared", "side", "echo out; echo err >&2; exit 9"));
            side.sees("exec feeds standard input", "3\n=0", side.feed("shared", "side", "a\nb\nc\n", "wc -l"));
            side.sees("logs are each container's own", "ready", side.logs("shared", "side"));
            Path file = side.directory("cp").resolve("file");
            Files.writeString(file, "copied\n".repeat(100_000));
            side.kubectl("cp", file.toString(), "shared-RUNTIME:/tmp/file", "-c", "side");
            side.kubectl("cp", "shared-RUNTIME:/tmp/file", file + ".back", "-c", "side");
            side.sees(
                    "cp copies there and back",
                    "-1 700000 /tmp/file\n=0",
                    Files.mismatch(file, Path.of(file + ".back")) + " "
                            + side.exec("shared", "side", "wc -c /tmp/file"));
            side.sees(
                    "all containers are ready, and none was restarted",
                    "true0 true0 true0 true0",
                    side.field("shared", "{range .status.containerStatuses[*]}{.ready}{.restartCount} {end}"));
            side.sees("port-forward reaches a server of the pod", "page", forwarded(side, "shared", 80));
        });
    }

    /** What a page says that is fetched by "kubectl port-forward". */
    private static String forwarded(KubernetesSide side, String pod, int port) throws Exception {
        try (Running forward = side.open("port-forward", pod + "-RUNTIME", ":" + port)) {
            forward.awaitStdout("-> " + port);
            Matcher matcher = Pattern.compile("127.0.0.1:([0-9]+) ->").matcher(forward.stdoutSoFar());
            assertThat(matcher.find()).isTrue();
            return fetched("http://127.0.0.1:" + matcher.group(1) + "/");
        }
    }

    /** A page, as the node gets it. */
    private static String fetched(String url) throws Exception {
        Outcome page = cluster.tryInNetwork("curl", "-s", "-m", "30", url);
        return page.exitCode() == 0 ? page.text() : "curl ended with " + page.exitCode();
    }

    @TestFactory
    Stream<DynamicTest> whatAPodIsToldReachesItsContainers() throws Exception {
        return same(side -> {
            Path directory = side.directory("told");
            Files.writeString(directory.resolve("file"), "of the node\n");
            String settings = """
                    apiVersion: v1
                    kind: ConfigMap
                    metadata: {name: settings-RUNTIME}
                    data: {colour: "%s", nested.conf: "a = 1\\n"}
                    """;
            String secret = """
                    apiVersion: v1
                    kind: Secret
                    metadata: {name: secret-RUNTIME}
                    stringData: {password: "%s"}
                    """;
            side.apply(settings.formatted("red"));
            side.apply(secret.formatted("first"));
            side.run("told", """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: told-RUNTIME, labels: {app: demo}, annotations: {note: of the pod}}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      serviceAccountName: default
                      containers:
                      - name: a
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "%1$s"]
                        resources: {limits: {memory: 64Mi, cpu: 500m}, requests: {memory: 32Mi, cpu: 100m}}
                        env:
                        - {name: PLAIN, value: "a value, with \\"quotes\\""}
                        - {name: REFERS, value: "<$(PLAIN)>"}
                        - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                        - {name: ADDRESS, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                        - {name: COLOUR, valueFrom: {configMapKeyRef: {name: settings-RUNTIME, key: colour}}}
                        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: secret-RUNTIME, key: password}}}
                        - {name: LIMIT, valueFrom: {resourceFieldRef: {resource: limits.memory}}}
                        volumeMounts:
                        - {name: settings, mountPath: /etc/settings}
                        - {name: secret, mountPath: /etc/secret, readOnly: true}
                        - {name: projected, mountPath: /etc/projected}
                        - {name: info, mountPath: /etc/info}
                        - {name: directory, mountPath: /node}
                        - {name: file, mountPath: /node-file}
                        - {name: settings, mountPath: /etc/one, subPath: nested.conf}
                        - {name: secret, mountPath: /etc/outer, readOnly: true}
                        - {name: settings, mountPath: /etc/outer/inner}
                        - {name: propagated, mountPath: /propagated, mountPropagation: HostToContainer}
                      - name: b
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "%1$s"]
                        volumeMounts: [{name: settings, mountPath: /etc/settings}, {name: directory, mountPath: /node}]
                      - name: watches
                        image: dkvm-test/python:1
                        command:
                        - python3
                        - -c
                        - |
                          import ctypes, os, signal
                          signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
                          libc = ctypes.CDLL(None)
                          watches = libc.inotify_init()
                          moved_to = 0x80
                          libc.inotify_add_watch(watches, b'/etc/projected', moved_to)
                          print('ready', flush=True)
                          while True:
                              events = os.read(watches, 4096)
                              with open('/etc/projected/colour') as file:
                                  colour = file.read()
                              if b'..data' in events and colour == 'green':
                                  print('..data', colour, sep='\\n', flush=True)
                                  break
                          signal.pause()
                        volumeMounts: [{name: projected, mountPath: /etc/projected}]
                      volumes:
                      - {name: settings, configMap: {name: settings-RUNTIME, items: [{key: colour, path: colour}, {key: nested.conf, path: a/b/nested.conf}, {key: nested.conf, path: nested.conf}]}}
                      - {name: secret, secret: {secretName: secret-RUNTIME, defaultMode: 0400}}
                      - {name: info, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
                      - {name: directory, hostPath: {path: %2$s, type: Directory}}
                      - {name: file, hostPath: {path: %2$s/file, type: File}}
                      - {name: propagated, hostPath: {path: %2$s/propagated, type: DirectoryOrCreate}}
                      - name: projected
                        projected:
                          sources:
                          - {configMap: {name: settings-RUNTIME, items: [{key: colour, path: colour}]}}
                          - {secret: {name: secret-RUNTIME}}
                          - {serviceAccountToken: {path: token, expirationSeconds: 600}}
                    """.formatted(FOREVER, directory), "a", "b", "watches");
            side.alias(side.address("told"), "ADDRESS");
            side.sees(
                    "the environment, with references",
                    "a value, with \"quotes\" <a value, with \"quotes\">\n=0",
                    side.exec("told", "a", "echo \"$PLAIN $REFERS\""));
            side.sees(
                    "the downward API in the environment",
                    "told-RUNTIME ADDRESS 67108864\n=0",
                    side.exec("told", "a", "echo \"$POD $ADDRESS $LIMIT\""));
            side.sees(
                    "configMap and secret in the environment",
                    "red first\n=0",
                    side.exec("told", "a", "echo \"$COLOUR $PASSWORD\""));
            side.sees(
                    "a configMap is a volume, also below directories",
                    "reda = 1\n=0",
                    side.exec("told", "a", "cat /etc/settings/colour /etc/settings/a/b/nested.conf"));
            side.sees("subPath of a configMap is one file", "a = 1\n=0", side.exec("told", "a", "cat /etc/one"));
            side.sees(
                    "a secret is a volume with modes, read-only",
                    "first400 .*Read-only.*=1",
                    side.exec(
                            "told",
                            "a",
                            "cat /etc/secret/password; echo -n $(stat -Lc %a /etc/secret/password) ''; touch /etc/secret/x"));
            side.sees(
                    "a projected volume has all its sources",
                    "redfirst\n2\n=0",
                    side.exec(
                            "told",
                            "a",
                            "cat /etc/projected/colour /etc/projected/password; echo; tr -cd . </etc/projected/token | wc -c"));
            side.sees("the downward API is a volume", "app=\"demo\"=0", side.exec("told", "a", "cat /etc/info/labels"));
            side.sees(
                    "hostPath directory and file",
                    "of the node\nof the node\nby a\n=0",
                    side.exec("told", "a", "cat /node/file /node-file; echo by a >/node/by-a")
                                    .replace("=0", "")
                            + side.exec("told", "b", "cat /node/by-a"));
            Files.writeString(directory.resolve("later"), "later\n");
            side.sees(
                    "what the node writes to a hostPath is seen",
                    "later\n=0",
                    side.exec("told", "b", "cat /node/later"));
            side.sees(
                    "a configMap lies below a secret's directory",
                    "firstred=0",
                    side.exec("told", "a", "cat /etc/outer/password /etc/outer/inner/colour"));
            Path propagated = Files.createDirectories(directory.resolve("propagated/there"));
            Host.run("mount", "-t", "tmpfs", "tmpfs", propagated.toString());
            try {
                Files.writeString(propagated.resolve("file"), "mounted later\n");
                side.sees(
                        "HostToContainer: what the node mounts later is seen",
                        "mounted later\n=0",
                        side.exec("told", "a", "cat /propagated/there/file"));
            } finally {
                // docs/kubernetes.md: it is in use as long as the guest remembers something of it.
                Host.run("umount", "-l", propagated.toString());
            }
            side.sees(
                    "and goes again",
                    "=0",
                    side.exec(
                            "told",
                            "a",
                            "n=0; while [ -e /propagated/there/file ]; do sleep 0.1; n=$((n + 1)); [ $n -lt 100 ] || exit 1; done; ls /propagated/there"));
            side.apply(settings.formatted("green"));
            side.apply(secret.formatted("second"));
            String swapped =
                    "n=0; until [ \"$(cat %s)\" = %s ]; do sleep 1; n=$((n + 1)); [ $n -lt 100 ] || exit 1; done; cat %1$s";
            side.sees(
                    "a configMap that changes is seen by all",
                    "green=0 green=0",
                    side.exec("told", "a", swapped.formatted("/etc/settings/colour", "green")) + " "
                            + side.exec("told", "b", swapped.formatted("/etc/settings/colour", "green")));
            side.sees(
                    "a secret that changes is seen",
                    "second=0",
                    side.exec("told", "a", swapped.formatted("/etc/secret/password", "second")));
            side.awaitLog("told", "watches", "green");
            side.sees(
                    "a program that watches a projected volume is told of the change",
                    "ready\n..data\ngreen",
                    side.logs("told", "watches"));
            side.sees("a subPath stays as it was", "a = 1\n=0", side.exec("told", "a", "cat /etc/one"));
        });
    }

    @TestFactory
    Stream<DynamicTest> containersEndAsTheyDo() throws Exception {
        return same(side -> {
            side.apply("""
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: ends-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      restartPolicy: Never
                      containers:
                      - {name: zero, image: "dkvm-test/busybox:1", command: [sh, -c, "echo of zero; echo done >/dev/termination-log"]}
                      - {name: seven, image: "dkvm-test/busybox:1", command: [sh, -c, "echo last words; exit 7"], terminationMessagePolicy: FallbackToLogsOnError}
                      - {name: eats, image: "dkvm-test/busybox:1", command: [sh, -c, "exec tail /dev/zero"], resources: {limits: {memory: 48Mi}}}
                      - {name: missing, image: "dkvm-test/busybox:1", command: [/no/such/program]}
                      - {name: stays, image: "dkvm-test/busybox:1", command: [sh, -c, "until [ -e /tmp/end ]; do sleep 0.1; done; echo ends; exit 3"]}
                    """);
            for (String name : List.of("zero", "seven", "eats", "missing")) {
                side.awaitField(
                        "ends",
                        status(name, "state.terminated.exitCode") + "{'.'}" + status(name, "state.running.startedAt"),
                        code(name) + ".");
            }
            side.sees(
                    "exit code 0 is Completed",
                    "Completed",
                    side.field("ends", status("zero", "state.terminated.reason")));
            side.sees("a termination message", "done", side.field("ends", status("zero", "state.terminated.message")));
            side.sees(
                    "exit code 7 is Error",
                    "Error 7",
                    side.field(
                            "ends",
                            status("seven", "state.terminated.reason") + " "
                                    + status("seven", "state.terminated.exitCode")));
            side.sees(
                    "a termination message out of the log",
                    "last words",
                    side.field("ends", status("seven", "state.terminated.message")));
            side.sees(
                    "a container that eats too much is OOMKilled",
                    "OOMKilled 137",
                    side.field(
                            "ends",
                            status("eats", "state.terminated.reason") + " "
                                    + status("eats", "state.terminated.exitCode")));
            side.sees(
                    "a program that is missing",
                    "(ContainerCannotRun|StartError) 128",
                    side.field(
                            "ends",
                            status("missing", "state.terminated.reason") + " "
                                    + status("missing", "state.terminated.exitCode")));
            side.sees("the others live on", "lives\n=0", side.exec("ends", "stays", "echo lives"));
            side.sees("the pod runs", "Running", side.field("ends", "{.status.phase}"));
            side.sees("the log of one that has ended", "of zero", side.logs("ends", "zero"));
            side.kubectl("exec", "ends-RUNTIME", "-c", "stays", "--", "touch", "/tmp/end");
            side.awaitField("ends", status("stays", "state.terminated.exitCode"), "3");
            side.sees("its last words are in the log", "ends", side.logs("ends", "stays"));
        });
    }

    private static String code(String name) {
        return switch (name) {
            case "zero" -> "0";
            case "seven" -> "7";
            case "eats" -> "137";
            default -> "128";
        };
    }

    @TestFactory
    Stream<DynamicTest> containersStartAgain() throws Exception {
        return same(side -> {
            side.apply("""
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: again-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      restartPolicy: OnFailure
                      containers:
                      - {name: twice, image: "dkvm-test/busybox:1", command: [sh, -c, "echo run >>/v/runs; touch /only-here; n=$(wc -l </v/runs); echo this is run $n; [ $n -gt 2 ] || exit 4; %1$s"], volumeMounts: [{name: v, mountPath: /v}]}
                      - {name: sidecar, image: "dkvm-test/busybox:1", command: [sh, -c, "echo sidecar ends"], volumeMounts: [{name: v, mountPath: /v}]}
                      - {name: stays, image: "dkvm-test/busybox:1", command: [sh, -c, "%1$s"], volumeMounts: [{name: v, mountPath: /v}]}
                      volumes: [{name: v, emptyDir: {}}]
                    """.formatted(FOREVER));
            side.awaitField("again", status("twice", "restartCount"), "2");
            side.awaitField("again", status("twice", "ready"), "true");
            side.sees(
                    "a container that fails starts again, in the same pod",
                    "2 4",
                    side.field(
                            "again",
                            status("twice", "restartCount") + " " + status("twice", "lastState.terminated.exitCode")));
            side.sees("it has its volumes still", "3\n=0", side.exec("again", "stays", "wc -l </v/runs"));
            side.awaitLog("again", "twice", "ready");
            side.sees("its log is its own", "this is run 3\nready", side.logs("again", "twice"));
            side.sees("logs --previous", "this is run 2", side.logs("again", "twice", "--previous"));
            side.sees(
                    "a sidecar that ends well does not start again",
                    "0 Completed",
                    side.field(
                            "again",
                            status("sidecar", "restartCount") + " " + status("sidecar", "state.terminated.reason")));
            side.sees(
                    "nobody else was touched",
                    "0 true",
                    side.field("again", status("stays", "restartCount") + " " + status("stays", "ready")));
        });
    }

    @TestFactory
    Stream<DynamicTest> probesAndHooks() throws Exception {
        return same(side -> {
            Path directory = side.directory("hooks");
            side.apply("""
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: probes-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      terminationGracePeriodSeconds: 30
                      containers:
                      - name: exec
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "touch /healthy; %1$s"]
                        livenessProbe: {exec: {command: [cat, /healthy]}, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 20}
                        readinessProbe: {exec: {command: [cat, /healthy-enough]}, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 20}
                      - name: http
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "mkdir /www; echo >/www/index.html; httpd -p 8080 -h /www; %1$s"]
                        livenessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 20, initialDelaySeconds: 2}
                        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 20}
                      - name: tcp
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "httpd -p 8081; %1$s"]
                        startupProbe: {tcpSocket: {port: 8081}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 60}
                        readinessProbe: {tcpSocket: {port: 8081}, periodSeconds: 1, timeoutSeconds: 20}
                      - name: hooks
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "trap 'echo got TERM >>/hooks/seen; exit 0' TERM; while :; do sleep 0.1; done"]
                        lifecycle:
                          postStart: {exec: {command: [sh, -c, "echo started >>/hooks/seen"]}}
                          preStop: {exec: {command: [sh, -c, "echo stopping >>/hooks/seen; sleep 1"]}}
                        volumeMounts: [{name: hooks, mountPath: /hooks}]
                      volumes: [{name: hooks, hostPath: {path: %2$s}}]
                    """.formatted(FOREVER, directory));
            for (String name : List.of("http", "tcp", "hooks")) {
                side.awaitField("probes", status(name, "ready"), "true");
            }
            side.sees(
                    "what is not ready is not: exec",
                    "false 0",
                    side.field("probes", status("exec", "ready") + " " + status("exec", "restartCount")));
            side.kubectl("exec", "probes-RUNTIME", "-c", "exec", "--", "touch", "/healthy-enough");
            side.awaitField("probes", "{.status.conditions[?(@.type=='Ready')].status}", "True");
            side.sees("then it is", "true", side.field("probes", status("exec", "ready")));
            side.sees(
                    "HTTP and TCP probes reach their servers",
                    "true true",
                    side.field("probes", status("http", "ready") + " " + status("tcp", "ready")));
            side.sees("a startup probe has succeeded", "true", side.field("probes", status("tcp", "started")));
            side.sees("the postStart hook has run", "started", Files.readString(directory.resolve("seen")));
            side.kubectl("exec", "probes-RUNTIME", "-c", "exec", "--", "rm", "/healthy");
            side.awaitField("probes", status("exec", "restartCount"), "1");
            side.sees(
                    "an exec probe that fails has the container started again",
                    "1 0",
                    side.field(
                            "probes",
                            status("exec", "restartCount") + " " + status("exec", "lastState.terminated.exitCode")));
            side.kubectl("exec", "probes-RUNTIME", "-c", "http", "--", "rm", "/www/index.html");
            side.awaitField("probes", status("http", "restartCount"), "1");
            side.sees(
                    "so has an HTTP probe, and nobody else",
                    "1 0 0",
                    side.field(
                            "probes",
                            status("http", "restartCount") + " " + status("tcp", "restartCount") + " "
                                    + status("hooks", "restartCount")));
            side.kubectl("delete", "pod", "probes-RUNTIME", "--timeout=120s");
            side.sees(
                    "the preStop hook runs before the signal",
                    "started\nstopping\ngot TERM",
                    Files.readString(directory.resolve("seen")));
        });
    }

    @TestFactory
    Stream<DynamicTest> securityContexts() throws Exception {
        return same(side -> {
            side.run("secure", """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: secure-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      securityContext: {fsGroup: 4000, supplementalGroups: [5000], sysctls: [{name: net.ipv4.ip_local_port_range, value: "20000 30000"}]}
                      containers:
                      - name: user
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "%1$s"]
                        securityContext: {runAsUser: 1000, runAsGroup: 3000, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
                        volumeMounts: [{name: v, mountPath: /v}, {name: m, mountPath: /m}]
                      - name: more
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "%1$s"]
                        securityContext: {capabilities: {add: [NET_ADMIN], drop: [CHOWN]}}
                        volumeMounts: [{name: v, mountPath: /v}]
                      - name: plain
                        image: dkvm-test/busybox:1
                        workingDir: /tmp
                        command: [sh]
                        args: [-c, "%1$s"]
                        securityContext: {seccompProfile: {type: RuntimeDefault}}
                      - name: privileged
                        image: dkvm-test/busybox:1
                        command: [sh, -c, "%1$s"]
                        securityContext: {privileged: true}
                      volumes: [{name: v, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]
                    """.formatted(FOREVER), "user", "more", "plain", "privileged");
            side.sees(
                    "runAsUser, runAsGroup, fsGroup, supplementalGroups",
                    "uid=1000 gid=3000 groups=3000,4000,5000\n=0",
                    side.exec("secure", "user", "id"));
            side.sees(
                    "a volume is fsGroup's",
                    "4000 2777\n4000\n=0",
                    side.exec("secure", "user", "stat -c '%g %a' /v; touch /v/x; stat -c %g /v/x"));
            side.sees(
                    "so is a volume in memory",
                    "0 4000 3777\n4000\n=0",
                    side.exec("secure", "user", "stat -c '%u %g %a' /m; touch /m/x; stat -c %g /m/x"));
            side.sees(
                    "no capability is left",
                    "CapEff:\t0+\n=0",
                    side.exec("secure", "user", "grep CapEff /proc/1/status"));
            side.sees(
                    "no new privileges",
                    "NoNewPrivs:\t1\n=0",
                    side.exec("secure", "user", "grep NoNewPrivs /proc/1/status"));
            side.sees("the root is read-only", ".*Read-only.*=1", side.exec("secure", "user", "touch /x"));
            side.sees(
                    "capabilities that were added, and dropped",
                    "CapEff:\t00000000a80435fa\n.*=0",
                    side.exec(
                                    "secure",
                                    "more",
                                    "grep CapEff /proc/1/status; ip link add d0 type dummy 2>&1 || true; ip link del d0 2>/dev/null || true")
                            .replaceAll("ip:.*\n", "")
                            // Without CAP_MKNOD: docs/comparison.md.
                            .replace("a00435fa", "a80435fa"));
            side.sees(
                    "CHOWN is gone",
                    ".*Operation not permitted.*=1",
                    side.exec("secure", "more", "touch /tmp/x; chown 1 /tmp/x"));
            side.sees(
                    "the working directory, and arguments",
                    "/tmp sh -c trap\n=0",
                    side.exec(
                            "secure",
                            "plain",
                            "echo $(readlink /proc/1/cwd) $(tr '\\0' ' ' </proc/1/cmdline | cut -d ' ' -f 1-3)"));
            side.sees(
                    "sysctls of the pod",
                    "20000\t30000\n=0",
                    side.exec("secure", "plain", "cat /proc/sys/net/ipv4/ip_local_port_range"));
            side.sees(
                    "a privileged container may mount",
                    "mounted\n=0",
                    side.exec(
                            "secure",
                            "privileged",
                            "mount -t tmpfs none /mnt 2>/dev/null || { mkdir /mnt && mount -t tmpfs none /mnt; }; grep -q ' /mnt ' /proc/mounts && echo mounted"));
        });
    }

    @TestFactory
    Stream<DynamicTest> processesAreShared() throws Exception {
        return same(side -> {
            side.run("processes", """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: processes-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      shareProcessNamespace: true
                      containers:
                      - {name: one, image: "dkvm-test/busybox:1", command: [sh, -c, "trap 'echo got USR1' USR1; echo $$$$ >/v/pid; %1$s"], volumeMounts: [{name: v, mountPath: /v}]}
                      - {name: two, image: "dkvm-test/busybox:1", command: [sh, -c, "%1$s"], volumeMounts: [{name: v, mountPath: /v}]}
                      volumes: [{name: v, emptyDir: {}}]
                    """.formatted(FOREVER), "one", "two");
            side.sees("PID 1 is the pause container's", "pause\n=0", side.exec("processes", "two", "cat /proc/1/comm"));
            side.sees(
                    "a container sees the other's processes",
                    "sh\n=0",
                    side.exec("processes", "two", "cat /proc/$(cat /v/pid)/comm"));
            side.kubectl("exec", "processes-RUNTIME", "-c", "two", "--", "sh", "-c", "kill -USR1 $(cat /v/pid)");
            side.awaitLog("processes", "one", "got USR1");
            side.sees("and can signal them", "ready\ngot USR1", side.logs("processes", "one"));
            side.sees("and see their roots", "pid\n=0", side.exec("processes", "two", "ls /proc/$(cat /v/pid)/root/v"));
        });
    }

    @TestFactory
    Stream<DynamicTest> networksOfAPod() throws Exception {
        return same(side -> {
            String port = side.runtime().equals(Settings.REFERENCE) ? "31080" : "31081";
            side.alias(port, "PORT");
            side.run("ports", """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: ports-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      containers:
                      - {name: everywhere, image: "dkvm-test/busybox:1", command: [sh, -c, "mkdir /www; echo everywhere >/www/index.html; httpd -p 8080 -h /www; %1$s"], ports: [{containerPort: 8080, hostPort: %2$s}]}
                      - {name: inside, image: "dkvm-test/busybox:1", command: [sh, -c, "mkdir /www; echo inside >/www/index.html; httpd -p 127.0.0.1:8081 -h /www; %1$s"]}
                    """.formatted(FOREVER, port), "everywhere", "inside");
            side.run("node", """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: node-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      hostNetwork: true
                      containers:
                      - {name: one, image: "dkvm-test/busybox:1", command: [sh, -c, "%1$s"]}
                      - {name: two, image: "dkvm-test/busybox:1", command: [sh, -c, "%1$s"]}
                    """.formatted(FOREVER), "one", "two");
            side.sees("hostPort", "everywhere", fetched("http://10.233.0.1:" + port + "/"));
            side.sees(
                    "pods reach each other",
                    "everywhere\n=0",
                    side.exec("node", "one", "wget -T 30 -qO- http://" + side.address("ports") + ":8080/"));
            side.sees("port-forward to a server on all addresses", "everywhere", forwarded(side, "ports", 8080));
            side.sees("port-forward to a server on localhost", "inside", forwarded(side, "ports", 8081));
            serviceAndFilters(side, port);
            twoFamilies(side);
            side.sees("hostNetwork has the node's address", "10.233.0.1", side.address("node"));
            side.sees("and its host name", Host.run("hostname").strip() + "\n=0", side.exec("node", "two", "hostname"));
        });
    }

    /** Rules of the node, as a kube-proxy and whoever carries out policies write them. */
    private static void serviceAndFilters(KubernetesSide side, String port) throws Exception {
        String address = side.address("ports");
        String service = "10.235.0." + (100 + Integer.parseInt(port) % 100);
        for (String chain : List.of("PREROUTING", "OUTPUT")) {
            cluster.iptables(
                    "-t",
                    "nat",
                    "-A",
                    chain,
                    "-d",
                    service,
                    "-p",
                    "tcp",
                    "--dport",
                    "80",
                    "-j",
                    "DNAT",
                    "--to-destination",
                    address + ":8080");
        }
        side.sees("a Service's address leads to the pod", "everywhere", fetched("http://" + service + "/"));
        side.sees(
                "from a pod, too",
                "everywhere\n=0",
                side.exec("node", "two", "wget -T 30 -qO- http://" + service + "/"));
        String[] in = {"OUTPUT", "-d", address, "-p", "tcp", "--dport", "8080", "-j", "REJECT"};
        String[] out = {"INPUT", "-s", address, "-p", "tcp", "--dport", API_PORT, "-j", "REJECT"};
        String toNode = "nc -w 10 10.233.0.1 " + API_PORT + " </dev/null >/dev/null 2>&1; echo $?";
        side.sees("the pod reaches the node", "0\n=0", side.exec("ports", "inside", toNode));
        cluster.iptables(join("-I", in));
        cluster.iptables(join("-I", out));
        try {
            side.sees(
                    "a filter of the node keeps others from the pod",
                    "curl ended with 7",
                    fetched("http://" + address + ":8080/"));
            side.sees("and the pod from others", "1\n=0", side.exec("ports", "inside", toNode));
        } finally {
            cluster.iptables(join("-D", in));
            cluster.iptables(join("-D", out));
        }
    }

    private static String[] join(String first, String... others) {
        List<String> all = new ArrayList<>(List.of(first));
        all.addAll(List.of(others));
        return all.toArray(String[]::new);
    }

    private static void twoFamilies(KubernetesSide side) throws Exception {
        String address = side.exec(
                        "ports",
                        "inside",
                        "ip -6 -o addr show dev eth0 scope global | sed 's,.*inet6 \\(.*\\)/.*,\\1,'")
                .replaceAll("\\s*=0$", "");
        side.alias(address, "ADDRESS");
        side.sees("a pod has an address of each family", "ADDRESS", address);
        side.sees("and answers at both", "everywhere", fetched("http://[" + address + "]:8080/"));
    }

    @TestFactory
    Stream<DynamicTest> attachAndGracePeriods() throws Exception {
        return same(side -> {
            side.run("attach", """
                    apiVersion: v1
                    kind: Pod
                    metadata: {name: attach-RUNTIME}
                    spec:
                      runtimeClassName: RUNTIME
                      nodeName: node
                      restartPolicy: Never
                      terminationGracePeriodSeconds: 2
                      containers:
                      - {name: reads, image: "dkvm-test/busybox:1", stdin: true, stdinOnce: true, command: [sh, -c, "while read line; do echo got $line; done; echo end of input"]}
                      - {name: deaf, image: "dkvm-test/busybox:1", command: [sh, -c, "trap '' TERM; while :; do sleep 0.1; done"]}
                    """);
            try (Running attached = side.open("attach", "-i", "attach-RUNTIME", "-c", "reads")) {
                attached.write("one\n");
                attached.awaitStdout("got one");
                attached.write("two\n");
                attached.awaitStdout("got two");
                attached.closeStdin();
                attached.finish();
            }
            side.awaitField("attach", status("reads", "state.terminated.exitCode"), "0");
            side.sees(
                    "attach feeds a container, to the end of its input",
                    "got one\ngot two\nend of input",
                    side.logs("attach", "reads"));
            side.kubectl("delete", "pod", "attach-RUNTIME", "--timeout=60s");
            side.sees(
                    "one that ignores TERM ends with its grace period",
                    ".*NotFound.*",
                    side.attempt("get", "pod", "attach-RUNTIME").errors());
        });
    }

    @TestFactory
    Stream<DynamicTest> theManifestOfThePage() throws Exception {
        Matcher block = Pattern.compile(
                        "```yaml\n(apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(PAGE));
        assertThat(block.find()).isTrue();
        return same(side -> {
            side.run(
                    "web",
                    block.group(1)
                            .replace("name: web\nspec:", "name: web-RUNTIME\nspec:\n  nodeName: node")
                            .replace("runtimeClassName: dkvm", "runtimeClassName: RUNTIME"));
            String address = side.address("web");
            Deadline.await(
                    "the page has the sidecar's text",
                    () -> cluster.tryInNetwork("curl", "-s", "-m", "30", "http://" + address + "/")
                            .text()
                            .startsWith("It is "));
            side.sees(
                    "the manifest of the page works",
                    "It is .*",
                    fetched("http://" + address + "/").replaceAll("is .*", "is now"));
        });
    }
}
