// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * A machine to throw away, with this one's programs and an engine of its own: installations are tried in it. All that is written in it is gone with it, but for what goes into the work
 * tree. See unshare(1), overlayfs.
 */
final class Machine {
    /** The root is an overlay over the host's; what belongs to one machine only is empty. */
    private static final String SETUP = """
            base=$1 tree=$2
            mount -t tmpfs -o mode=755 tmpfs "$base"
            mkdir "$base/upper" "$base/work" "$base/root"
            mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root"
            cd "$base/root"
            for place in opt run tmp var/lib/docker var/lib/containerd var/log; do
                mkdir -p "$place"
                mount -t tmpfs -o mode=755 tmpfs "$place"
            done
            chmod 1777 tmp
            mkdir -p ".$tree"
            mount --bind "$tree" ".$tree"
            mount -t proc proc proc
            mount --rbind /sys sys
            mount --rbind /dev dev
            rm -rf etc/dkvm etc/docker var/cache/dkvm
            find usr/local -lname '/opt/dkvm/*' -delete
            ip link set lo up
            mkdir -p run/lower run/machine
            mount --bind "$base/upper" run/machine
            pivot_root . run/lower
            cd /
            umount -l run/lower
            echo ready
            # Whoever is left without a parent is this shell's, which buries it.
            sleep infinity &
            wait
            """;

    private static final Path TREE = Path.of("").toAbsolutePath();

    private final Path base;
    private final Running keeper;
    private final long pid;

    private Machine(Path base, Running keeper, long pid) {
        this.base = base;
        this.keeper = keeper;
        this.pid = pid;
    }

    /** A machine whose engine runs, with an image "tools" of one program, /busybox. */
    static Machine start() throws Exception {
        return start("package/docker-engine.sh start");
    }

    /**
     * Likewise.
     *
     * @param engine a shell's commands that start it; it answers at once or soon
     */
    static Machine start(String engine) throws Exception {
        Path base = Files.createTempDirectory("dkvm-e2e-machine-");
        Running keeper = Running.start(List.of(
                "unshare",
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--propagation",
                "private",
                "sh",
                "-ec",
                SETUP,
                "sh",
                base.toString(),
                TREE.toString()));
        keeper.awaitStdout("ready");
        long inner = ProcessHandle.of(keeper.pid())
                .flatMap(outer -> outer.children().findFirst())
                .orElseThrow()
                .pid();
        Machine machine = new Machine(base, keeper, inner);
        machine.shell(engine);
        Deadline.await(
                "the machine's engine answers",
                () -> machine.attempt("docker", "version").exitCode() == 0);
        machine.run(
                "bash", "-ec", "tar -C \"$(dirname \"$(command -v busybox)\")\" -ch busybox | docker import - tools");
        return machine;
    }

    /** Runs a command in the work tree's directory, whatever it ends with. */
    Outcome attempt(String... command) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(
                "nsenter",
                "--target",
                Long.toString(pid),
                "--mount",
                "--net",
                "--pid",
                "sh",
                "-c",
                "cd \"$1\" && shift && exec \"$@\"",
                "sh",
                TREE.toString()));
        all.addAll(List.of(command));
        return Running.complete(all, Bytes.of(""));
    }

    /** Runs a command, which has to end with 0; returns its standard output. */
    String run(String... command) throws IOException, InterruptedException {
        Outcome outcome = attempt(command);
        if (outcome.exitCode() != 0) {
            throw new AssertionError(String.join(" ", command) + "\n      " + outcome);
        }
        return outcome.text();
    }

    String shell(String script) throws IOException, InterruptedException {
        return run("sh", "-ec", script);
    }

    /** What was written in this machine, of what one would call installed: the state of packages and caches left out. */
    Set<String> written() throws IOException, InterruptedException {
        Predicate<String> kept =
                path -> path.startsWith("var/") || path.startsWith("root/") || path.startsWith("etc/docker");
        Set<String> paths = new TreeSet<>(List.of(run("find", "/run/machine", "!", "-type", "d", "-printf", "%P\\n")
                .split("\n", -1)));
        paths.addAll(List.of(run("find", "/opt", "/etc/docker", "-not", "-path", "/opt/containerd*")
                .split("\n", -1)));
        paths.removeIf(kept);
        return paths;
    }

    /** Ends the containers first: their control groups are the host's. */
    void end() throws Exception {
        try {
            attempt(
                    "sh",
                    "-c",
                    "docker ps -aq | xargs -r docker rm -f; package/docker-engine.sh stop; [ ! -e /run/docker.pid ] || kill $(cat /run/docker.pid)");
        } finally {
            keeper.signal("TERM");
            keeper.close();
            Deadline.await("the machine to be gone", () -> !keeper.isAlive());
            Files.delete(base);
        }
    }
}
