// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.opentest4j.TestAbortedException;

/** What hosts of today have and a container may not: KVM and vhost-net, one hierarchy of control groups, AppArmor, an engine that systemd runs. */
@EndToEnd
@Isolated("restarts the machine's engine")
class ModernHostTest {
    private static final String LIVES = "trap 'exit 3' TERM; echo up; while :; do sleep 0.2; done";

    @Test
    void withKvmNothingIsTranslatedAndPacketsGoPastQemu() throws Exception {
        // In the box it has to work: nobody may take translation for it.
        needs(
                "KVM does not work here",
                Settings.OWN_HOST || Host.dkvm("check").text().contains("works: DKVM's kernel booted"));
        onVm(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", LIVES);
            container.awaitLog("up");
            long qemu =
                    Sandbox.of(container).orElseThrow().await("qemu-system-x86").orElseThrow();
            List<String> open = openFiles(qemu);
            assertThat(open).contains("/dev/kvm").contains("anon_inode:kvm-vcpu:0");
            if (Files.exists(Path.of("/dev/vhost-net"))) {
                assertThat(open).contains("/dev/vhost-net");
            }
        });
    }

    /** A size that no other case has. The first start finds no template of it, and has one made by a process of its own, after all others. */
    @Test
    void aVmWithKvmIsRestoredFromTheTemplateThatAnotherHadMissed() throws Exception {
        needs(
                "KVM does not work here",
                Settings.OWN_HOST || Host.dkvm("check").text().contains("works: DKVM's kernel booted"));
        onVm(docker -> {
            Set<Path> without = templates();
            Container first = docker.start("--memory=340m", BUSYBOX, "sh", "-c", LIVES);
            first.awaitLog("up");
            assertThat(timeline(first)).doesNotContain("restored from a template");
            docker.quietly("rm", "-f", first.name());
            Deadline.await("its template", () -> !without.containsAll(templates()));
            assertThat(Host.dkvm("template", "ls").text()).contains(" 340 MiB");

            Container second = docker.start("--memory=340m", BUSYBOX, "sh", "-c", LIVES);
            second.awaitLog("up");
            assertThat(timeline(second)).contains("restored from a template");
            long qemu =
                    Sandbox.of(second).orElseThrow().await("qemu-system-x86").orElseThrow();
            assertThat(openFiles(qemu)).contains("anon_inode:kvm-vcpu:0");
            second.exec("sh", "-c", "cat /proc/uptime && date +%s");
        });
    }

    @Test
    void theSandboxIsWhereTheEngineAskedForItAndConfinedAsAContainer() throws Exception {
        assertSame(docker -> {
            Container container = docker.start("--memory=128m", "--pids-limit=200", BUSYBOX, "sh", "-c", LIVES);
            container.awaitLog("up");
            Path process = Path.of("/proc", container.inspect("{{.State.Pid}}"));
            // Of a host with both versions the numbers of the hierarchies differ by nothing but the time they were
            // made.
            docker.note("control groups", Files.readString(process.resolve("cgroup")));
            docker.note("AppArmor", profile(process));
        });
    }

    @Test
    void aRestartOfTheEngineBySystemdIsAsWithContainers() throws Exception {
        needs("the engine of this machine may not be restarted", Settings.OWN_HOST);
        assertSame(docker -> {
            Container always = docker.start("--restart=always", BUSYBOX, "sh", "-c", LIVES);
            Container once = docker.start(BUSYBOX, "sh", "-c", LIVES);
            for (Container container : List.of(always, once)) {
                container.awaitLog("up");
            }
            Host.run("systemctl", "restart", "docker");
            Deadline.await("the engine's return", () -> docker.attempt("info").exitCode() == 0);
            docker.note("once", once.inspect("{{.State.Status}} {{.State.ExitCode}}"));
            Deadline.await("its next life", () -> always.log().split("up", -1).length == 3);
            always.exec("echo", "fine");
            docker.cli("start", once.name());
            once.exec("echo", "fine, too");
            docker.quietly("rm", "-f", always.name(), once.name());
            Sandbox.assertNothingLeft(always.id());
            Sandbox.assertNothingLeft(once.id());
        });
    }

    @Test
    void aUsersPodmanRunsVms() throws Exception {
        needs("there is no user \"user\" for a rootless engine", Settings.OWN_HOST);
        Host.run("sh", "-c", "docker save " + BUSYBOX + " | " + asUser("podman load --quiet"));
        assertThat(Host.run("sh", "-c", asUser("podman run --rm --network=none " + BUSYBOX + " echo fine")))
                .isEqualToIgnoringNewLines("fine");
        // What an administrator does who lets users have KVM: docs/rootless.md.
        Host.run("chmod", "666", "/dev/kvm");
        try {
            assertThat(Host.run(
                            "sh",
                            "-c",
                            asUser("podman --runtime /opt/dkvm/scripts/dkvm-runtime run --rm --network=none "
                                    + "--memory=128m --env=DKVM_ACCEL=kvm --env=DKVM_TEMPLATE=off " + BUSYBOX
                                    + " uname -r")))
                    .contains("dkvm");
        } finally {
            Host.run("chmod", "660", "/dev/kvm");
        }
        assertThat(Host.run("sh", "-c", asUser("dkvm ps --all"))).containsPattern("kvm +128 MiB");
    }

    /** Those that are whole: cheaper than to ask "dkvm template ls" again and again. */
    private static Set<Path> templates() throws IOException {
        Path store = Path.of("/var/cache/dkvm/templates");
        if (!Files.isDirectory(store)) {
            return Set.of();
        }
        try (Stream<Path> all = Files.list(store)) {
            return all.filter(place -> Files.exists(place.resolve("template.json")))
                    .filter(place -> !place.getFileName().toString().startsWith("making-"))
                    .collect(Collectors.toSet());
        }
    }

    private static String timeline(Container container) throws Exception {
        return Host.dkvm("timeline", container.id()).text();
    }

    private static void needs(String what, boolean there) {
        if (!there) {
            throw new TestAbortedException(what);
        }
    }

    private static String asUser(String command) {
        return "runuser --login user --command 'XDG_RUNTIME_DIR=/run/user/$(id -u) " + command + "'";
    }

    private static String profile(Path process) {
        try {
            return Files.readString(process.resolve("attr/apparmor/current"));
        } catch (IOException e) {
            // A kernel without it has no such file.
            return "none";
        }
    }

    private static List<String> openFiles(long pid) throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc", String.valueOf(pid), "fd"))) {
            return files.map(ModernHostTest::target).toList();
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            // Closed meanwhile.
            return "";
        }
    }
}
