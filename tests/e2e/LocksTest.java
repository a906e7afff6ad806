// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.PYTHON;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Locks of files on a volume hold between VMs, containers and the host, as between containers. */
@EndToEnd
class LocksTest {
    /** Tries locks, holds one until a file is there, waits for one. A range is bytes 10 to 19. */
    private static final String TOOL = """
            import fcntl, os, signal, struct, sys, time
            KINDS = {"flock-w": (0, fcntl.LOCK_EX), "flock-r": (0, fcntl.LOCK_SH), "posix-w": (1, fcntl.F_WRLCK), "posix-r": (1, fcntl.F_RDLCK),
                     "ofd-w": (2, fcntl.F_WRLCK), "ofd-r": (2, fcntl.F_RDLCK)}
            def lock(f, kind, wait, start=10, length=10):
                how, type = KINDS[kind]
                if how == 0:
                    fcntl.flock(f, type | (0 if wait else fcntl.LOCK_NB))
                else:
                    command = {(1, 0): fcntl.F_SETLK, (1, 1): fcntl.F_SETLKW, (2, 0): 37, (2, 1): 38}[how, int(wait)]
                    fcntl.fcntl(f, command, struct.pack("hhqqi4x", type, 0, start, length, 0))
            def attempt(kind, start=10, length=10, path="/v/file"):
                f = os.open(path, os.O_RDWR if os.path.isfile(path) else os.O_RDONLY)
                try:
                    lock(f, kind, False, start, length)
                    return "got"
                except OSError as e:
                    return "refused: " + os.strerror(e.errno)
                finally:
                    os.close(f)
            def tries():
                for kind in KINDS: print(kind, attempt(kind))
                print("beside", attempt("posix-w", 0, 10), attempt("posix-w", 20, 0), attempt("posix-w", 19, 1))
                with open("/v/file", "r") as f:
                    for kind in "flock-w", "flock-r":
                        try: lock(f, kind, False); print("read-only", kind, "got")
                        except OSError as e: print("read-only", kind, os.strerror(e.errno))
                    answer = struct.unpack("hhqqi4x", fcntl.fcntl(f, fcntl.F_GETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)))
                    print("in the way", answer[:4] if answer[0] != fcntl.F_UNLCK else "nothing", answer[4] <= 0)
            def await_file(name):
                while not os.path.exists(name): time.sleep(0.05)
            def hold(kind, end):
                f = open("/v/file", "r+")
                lock(f, kind, True)
                open("/v/held", "w").close()
                await_file("/v/release")
                if end == "unlock": fcntl.flock(f, fcntl.LOCK_UN) if kind[0] == "f" else fcntl.fcntl(f, 37 if kind[0] == "o" else fcntl.F_SETLK, struct.pack("hhqqi4x", fcntl.F_UNLCK, 0, 0, 0, 0))
                if end == "close": f.close()
                if end == "kill": os.kill(os.getpid(), signal.SIGKILL)
                if end in ("unlock", "close"): open("/v/released", "w").close(); time.sleep(1000)
            def wait(kind, seconds):
                def alarm(*_): raise InterruptedError
                signal.signal(signal.SIGALRM, alarm)
                signal.alarm(int(seconds))
                with open("/v/file", "r+") as f:
                    open("/v/waiting", "w").close()
                    try: lock(f, kind, True); print("got", kind)
                    except InterruptedError: print("interrupted", kind)
            def convert():
                with open("/v/file", "r+") as f, open("/v/file", "r+") as g:
                    for kind in "flock-r", "flock-w", "flock-r", "flock-w": lock(f, kind, False)
                    try: lock(g, "flock-r", False); print("within: got")
                    except BlockingIOError: print("within: refused")
                    lock(f, "posix-w", False, 0, 0); lock(f, "posix-r", False, 5, 5); lock(g, "posix-w", False, 5, 5)
                    try: lock(g, "ofd-w", False, 0, 5); print("within: got")
                    except BlockingIOError: print("within: refused")
                print("directory", attempt("flock-w", path="/v"))
            def threads(count):
                # two threads are one owner: of each file one gives a range back while the other takes one
                import threading
                files = [open("/v/t%d" % i, "w") for i in range(int(count))]
                for i, f in enumerate(files): lock(f, ("posix-w", "ofd-w")[i % 2], False, 0, 10)
                both = threading.Barrier(2)
                def give():
                    for i, f in enumerate(files):
                        both.wait()
                        fcntl.fcntl(f, (fcntl.F_SETLK, 37)[i % 2], struct.pack("hhqqi4x", fcntl.F_UNLCK, 0, 0, 10, 0))
                giver = threading.Thread(target=give)
                giver.start()
                for i, f in enumerate(files):
                    both.wait()
                    lock(f, ("posix-w", "ofd-w")[i % 2], False, 20, 10)
                giver.join()
                open("/v/held", "w").close()
                await_file("/v/release")
                for f in files: f.close()
                open("/v/released", "w").close()
            def held(count):
                for start in 0, 20: print(start, sorted({attempt("posix-w", start, 10, "/v/t%d" % i) for i in range(int(count))}))
            def many(count):
                for i in range(int(count)):
                    with open("/v/file", "r+") as f: lock(f, "flock-w", False); lock(f, "posix-w", False)
                print(count, "times")
            def insert(own, count):
                import sqlite3
                for i in range(int(count)):
                    while True:
                        try:
                            with sqlite3.connect("/v/db", timeout=120) as db: db.execute("insert into t values (?, ?)", (own, i))
                            db.close()
                            break
                        except sqlite3.OperationalError as e:
                            if "locked" not in str(e): raise
                print("inserted", count)
            def counter(count):
                for i in range(int(count)):
                    with open("/v/lock", "w") as f:
                        lock(f, "flock-w", True)
                        n = int(open("/v/number").read())
                        with open("/v/number", "w") as g: g.write(str(n + 1))
                        with open("/v/lines", "a") as g: g.write("line\\n")
            def count():
                import sqlite3
                db = sqlite3.connect("/v/db")
                print(db.execute("select own, count(*) from t group by own order by own").fetchall(), db.execute("pragma integrity_check").fetchall())
                print(open("/v/number").read(), len(open("/v/lines").readlines()))
            globals()[sys.argv[1]](*sys.argv[2:])
            """;

    private static Path volume(Docker docker) throws IOException {
        Path volume = docker.directory();
        Files.writeString(volume.resolve("tool"), TOOL);
        Files.writeString(volume.resolve("file"), "0123456789".repeat(10));
        return volume;
    }

    private static Container start(Docker docker, Path volume) throws Exception {
        return docker.start("-v", volume + ":/v", PYTHON, "sleep", "1000");
    }

    private static void tool(Container container, String... words) throws Exception {
        container.exec(
                Stream.concat(Stream.of("python3", "/v/tool"), Stream.of(words)).toArray(String[]::new));
    }

    private static void behind(Container container, String... words) throws Exception {
        container
                .docker()
                .quietly(
                        Stream.concat(Stream.of("exec", "-d", container.name(), "python3", "/v/tool"), Stream.of(words))
                                .toArray(String[]::new));
    }

    private static void awaitFile(Path file) throws Exception {
        Deadline.await(file.toString(), () -> Files.exists(file));
    }

    private static void hold(Container container, Path volume, String kind, String end) throws Exception {
        hold(container, volume, List.of("hold", kind, end));
    }

    private static void hold(Container container, Path volume, List<String> words) throws Exception {
        for (String left : List.of("held", "release", "released", "waiting")) {
            Files.deleteIfExists(volume.resolve(left));
        }
        behind(container, words.toArray(String[]::new));
        awaitFile(volume.resolve("held"));
    }

    private static void release(Path volume) throws IOException {
        Files.createFile(volume.resolve("release"));
    }

    @Test
    void locksHoldBetweenMachines() throws Exception {
        assertSame(docker -> {
            Path volume = volume(docker);
            Container one = start(docker, volume);
            Container other = start(docker, volume);
            Container host = docker.peer("-v", volume + ":/v", PYTHON, "sleep", "1000");
            for (String kind : List.of("flock-w", "flock-r", "posix-w", "posix-r", "ofd-w")) {
                hold(one, volume, kind, kind.startsWith("flock") ? "close" : "unlock");
                tool(other, "tries");
                tool(host, "tries");
                release(volume);
                awaitFile(volume.resolve("released"));
                tool(other, "tries");
            }
            for (String kind : List.of("flock-w", "posix-r")) {
                hold(host, volume, kind, "close");
                tool(one, "tries");
                release(volume);
                awaitFile(volume.resolve("released"));
                tool(one, "tries");
            }
            tool(one, "convert");
            ofThreads(one, other, host, volume);
            interrupted(one, other, volume);
            woken(one, other, volume, "exit");
            woken(one, other, volume, "kill");
            ofTheDead(docker, one, other, volume);
        });
    }

    private static void ofThreads(Container one, Container other, Container host, Path volume) throws Exception {
        hold(one, volume, List.of("threads", "100"));
        tool(other, "held", "100");
        tool(host, "held", "100");
        release(volume);
        awaitFile(volume.resolve("released"));
        tool(other, "held", "100");
    }

    private static void interrupted(Container one, Container other, Path volume) throws Exception {
        for (String kind : List.of("flock-w", "posix-w")) {
            hold(one, volume, kind, "close");
            tool(other, "wait", kind, "1");
            release(volume);
            awaitFile(volume.resolve("released"));
            tool(one, "tries");
        }
    }

    /** Who holds the lock ends in that way, and who waits for it goes on. */
    private static void woken(Container one, Container other, Path volume, String end) throws Exception {
        hold(one, volume, "flock-w", end);
        Running waits = other.docker().openCli(other.execArguments("python3", "/v/tool", "wait", "flock-w", "600"));
        awaitFile(volume.resolve("waiting"));
        release(volume);
        other.docker().note("who waited, at " + end, waits.finish().text());
    }

    private static void ofTheDead(Docker docker, Container one, Container other, Path volume) throws Exception {
        hold(one, volume, "posix-w", "close");
        Running waits = docker.openCli(other.execArguments("python3", "/v/tool", "wait", "posix-w", "600"));
        awaitFile(volume.resolve("waiting"));
        docker.quietly("kill", one.name());
        docker.note("who waited, at the other's death", waits.finish().text());
    }

    @Test
    void whatLocksProtectIsWhole() throws Exception {
        assertSame(docker -> {
            Path volume = volume(docker);
            Container one = start(docker, volume);
            Container other = start(docker, volume);
            Container host = docker.peer("-v", volume + ":/v", PYTHON, "sleep", "1000");
            host.exec(
                    "python3",
                    "-c",
                    "import sqlite3; db = sqlite3.connect('/v/db'); db.execute('create table t (own text, n int)')");
            Files.writeString(volume.resolve("number"), "0");
            Files.writeString(volume.resolve("lines"), "");
            for (List<String> work : List.of(
                    List.of("insert one 60", "insert other 60", "insert host 60"),
                    List.of("counter 100", "counter 100", "counter 100"))) {
                List<Running> all =
                        List.of(begin(one, work.get(0)), begin(other, work.get(1)), begin(host, work.get(2)));
                for (Running running : all) {
                    docker.note(work.toString(), running.finish());
                }
            }
            tool(one, "count");
            tool(host, "count");
        });
    }

    private static Running begin(Container container, String words) throws Exception {
        return container.docker().openCli(container.execArguments(("python3 /v/tool " + words).split(" ", -1)));
    }

    @Test
    void locksLeaveNothingOpenOnTheHost() throws Exception {
        onVm(docker -> {
            Path volume = volume(docker);
            Container container = start(docker, volume);
            tool(container, "many", "1000");
            long pid = Sandbox.of(container).orElseThrow().find("dkvm-locks").orElseThrow();
            try (Stream<Path> open = Files.list(Path.of("/proc/" + pid + "/fd"))) {
                assertThat(open.filter(file -> readLink(file).contains("file"))).isEmpty();
            }
        });
    }

    private static String readLink(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return "";
        }
    }
}
