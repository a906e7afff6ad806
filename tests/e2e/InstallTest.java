// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** The real package installed, upgraded and removed, as an image and as a Debian package, each on a machine of its own. VersionsTest has the scripts' fine points. */
@EndToEnd
@Execution(ExecutionMode.SAME_THREAD) // each machine's files are in memory
class InstallTest {
    private static final Path PACKAGE = Path.of("build/package/dkvm");
    private static final String SCRIPTS = "/opt/dkvm/scripts/";
    private static final String HELPER = "/opt/dkvm/current/sandbox/opt/dkvm/jre/lib/jspawnhelper";
    private static final String DAEMON_JSON = "{\"debug\": false,\n    \"labels\": [\"a=b\"]}\n";
    /** An add-on gives directories, and the link to the latest kernel, other times. */
    private static final String LIST =
            "find . -mindepth 1 '(' -type f -printf '%P %m %U:%G %T@ \\n' -o -printf '%P %m %U:%G %l\\n' ')'"
                    + " | sed 's/\\.[0-9]* $//' | sort | sha256sum";

    private static String runsVm(Machine machine) throws Exception {
        return machine.run("docker", "run", "--rm", "--runtime=dkvm", "tools", "/busybox", "uname", "-r");
    }

    /** A program for amd64, started in a VM for arm64. */
    private static String foreign(Machine machine) throws Exception {
        Outcome outcome = machine.attempt(
                "docker", "run", "--rm", "--runtime=dkvm", "--env=DKVM_ARCH=arm64", "tools", "/busybox", "true");
        assertThat(outcome.exitCode()).isNotZero();
        return outcome.errors();
    }

    /** The package as another version, its files shared. */
    private static Path laterVersion(Path directory) throws Exception {
        Path later = directory.resolve("later");
        Host.run("cp", "-al", PACKAGE.toString(), later.toString());
        Files.delete(later.resolve("VERSION"));
        Files.writeString(later.resolve("VERSION"), "99.0.0\n");
        Files.delete(later.resolve("BUILD"));
        Files.writeString(later.resolve("BUILD"), "99.0.0\n2099-01-01T00:00:00Z\nffffffff-0\n");
        Files.delete(later.resolve("guest/build-arm64"));
        Files.copy(later.resolve("BUILD"), later.resolve("guest/build-arm64"));
        return later;
    }

    /** In the work tree, which a machine sees, and so on the filesystem of the package. */
    private interface Case {
        void play(Machine machine, Path directory) throws Exception;
    }

    private static void onMachine(Case part) throws Exception {
        onVm(docker -> {
            assertThat(PACKAGE.resolve("guest/build-arm64"))
                    .as("\"make install ARCHES=arm64\" makes it")
                    .exists();
            Files.createDirectories(Path.of("target"));
            Path directory = Files.createTempDirectory(Path.of("target"), "install-");
            try {
                Machine machine = Machine.start();
                try {
                    part.play(machine, directory);
                } finally {
                    machine.end();
                }
            } finally {
                Host.removeTree(directory);
            }
        });
    }

    @Test
    void theImageInstallsAnUpgradeLeavesVmsTheirVersionAndARemovalLeavesNothing() throws Exception {
        onMachine((machine, directory) -> {
            machine.shell("mkdir -p /etc/docker; cat >/etc/docker/daemon.json <<'END'\n" + DAEMON_JSON + "END\n");
            Set<String> before = machine.written();
            machine.run("package/image.sh", PACKAGE.toString());
            assertThat(machine.attempt("docker", "run", "--rm", "dkvm/dkvm").errors())
                    .contains("docker run --rm -v /opt/dkvm:/dkvm");
            assertThat(machine.run("docker", "run", "--rm", "-v", "/opt/dkvm:/dkvm", "dkvm/dkvm"))
                    .contains("is installed", "next, on the host: sudo /opt/dkvm/scripts/dkvm-install-runtime.sh");
            assertThat(machine.run(SCRIPTS + "dkvm-install-runtime.sh")).contains("the Docker engine reloaded");
            assertThat(machine.shell("cat /etc/docker/daemon.json"))
                    .startsWith(DAEMON_JSON.replaceFirst("}\\s*$", "") + ",\n    \"runtimes\"");
            assertThat(machine.run(SCRIPTS + "dkvm-install-runtime.sh", "--no-check"))
                    .contains("(unchanged)");
            String kernel = runsVm(machine);
            assertThat(kernel).endsWith("-dkvm");

            assertThat(Integer.parseInt(machine.shell("du -sm /opt/dkvm/current/ | cut -f1")))
                    .as("MiB of a package without add-on")
                    .isLessThanOrEqualTo(260);
            assertThat(foreign(machine)).contains("VMs for arm64 need an add-on", "dkvm/dkvm:arm64");
            assertThat(machine.run("docker", "run", "--rm", "-v", "/opt/dkvm:/dkvm", "dkvm/dkvm:arm64"))
                    .contains("the add-on for arm64 is installed", "is there already");
            assertThat(foreign(machine)).contains("exec format error");
            assertThat(machine.shell("cd /opt/dkvm/current/ && " + LIST))
                    .isEqualTo(machine.shell("cd " + PACKAGE + " && " + LIST));

            upgrade(machine, directory);

            machine.run("docker", "create", "--name", "kept", "--runtime=dkvm", "tools", "/busybox", "true");
            assertThat(machine.run(SCRIPTS + "dkvm-uninstall.sh")).contains("/opt/dkvm is removed", "    kept");
            machine.run("docker", "inspect", "kept");
            assertThat(machine.shell("cat /etc/docker/daemon.json") + "\n").isEqualTo(DAEMON_JSON);
            machine.run("rm", "/etc/docker/daemon.json.dkvm-backup");
            assertThat(machine.written()).isEqualTo(before);
        });
    }

    private static void upgrade(Machine machine, Path directory) throws Exception {
        machine.run("docker", "run", "-d", "--name", "vm", "--runtime=dkvm", "tools", "/busybox", "sleep", "100000");
        // Its launcher leaves a trace from now on.
        machine.shell("sed -i '1a : >/tmp/old-one-asked' /opt/dkvm/current/scripts/dkvm-runtime");
        Path later = laterVersion(directory);
        machine.run(later.resolve("scripts/dkvm-upgrade.sh").toString(), later.toString());
        assertThat(machine.run("/opt/dkvm/bin/dkvm", "version")).isEqualTo("dkvm 99.0.0");
        assertThat(machine.run("docker", "exec", "vm", "/busybox", "echo", "alive"))
                .isEqualTo("alive");
        machine.run("rm", "/tmp/old-one-asked");
        machine.run("docker", "update", "--cpu-shares", "512", "vm");
        machine.run("rm", "/tmp/old-one-asked");
        assertThat(runsVm(machine)).endsWith("-dkvm");
        assertThat(machine.attempt("ls", "/tmp/old-one-asked").exitCode())
                .as("a new VM is the new version's")
                .isNotZero();
        Outcome older = machine.attempt("docker", "run", "--rm", "-v", "/opt/dkvm:/dkvm", "dkvm/dkvm");
        assertThat(older.exitCode()).isEqualTo(1);
        assertThat(older.errors()).contains("which is newer", "--downgrade");
        assertThat(machine.run(SCRIPTS + "dkvm-upgrade.sh", "--clean")).contains("is kept: 1 VMs run from it");
        Outcome busy = machine.attempt(SCRIPTS + "dkvm-uninstall.sh");
        assertThat(busy.exitCode()).isEqualTo(1);
        assertThat(busy.errors()).contains("1 VMs run from");
        assertThat(machine.run("docker", "exec", "vm", "/busybox", "echo", "still"))
                .isEqualTo("still");
        machine.run("docker", "rm", "-f", "vm");
        machine.run(SCRIPTS + "dkvm-upgrade.sh", "--clean");
        assertThat(machine.run("ls", "/opt/dkvm/versions")).isEqualTo("99.0.0-ffffffff");
    }

    @Test
    void theDebianPackageInstallsRunsAndLeavesNothing() throws Exception {
        onMachine((machine, directory) -> {
            Set<String> before = machine.written();
            machine.run("env", "DEB_LEVEL=1", "package/deb.sh", PACKAGE.toString(), directory.toString());
            String deb = machine.shell("ls " + directory + "/dkvm_*.deb");
            String addOn = machine.shell("ls " + directory + "/dkvm-arm64_*.deb");
            assertClean(machine, deb);
            machine.run("dpkg", "-i", deb);
            assertThat(machine.run("dpkg", "--verify", "dkvm")).isEmpty();
            // As on a host with an older libc than the one that the package has with it.
            machine.run("mount", "--bind", "/bin/false", HELPER);
            assertThat(machine.run("dkvm", "check"))
                    .contains(
                            "ok: package: /opt/dkvm",
                            "ok: runc: ",
                            "ok: docker: registered",
                            "ok: architectures: amd64; for images for arm64 install dkvm-arm64_<version>_amd64.deb");
            machine.run("umount", HELPER);
            assertThat(machine.run("man", "-w", "dkvm", "dkvm-runtime", "dkvm.json"))
                    .contains("man8/dkvm-runtime.8.gz");
            assertThat(runsVm(machine)).endsWith("-dkvm");
            assertThat(foreign(machine)).contains("VMs for arm64 need an add-on", "dkvm-arm64_<version>_amd64.deb");
            machine.run("dpkg", "-i", addOn);
            assertThat(machine.run("dpkg", "--verify", "dkvm", "dkvm-arm64")).isEmpty();
            assertThat(foreign(machine)).contains("exec format error");
            assertThat(machine.attempt("dpkg", "-r", "dkvm").errors()).contains("dkvm-arm64 depends on dkvm");
            assertThat(machine.attempt(SCRIPTS + "dkvm-upgrade.sh", "--without", "arm64")
                            .errors())
                    .contains("apt remove dkvm-arm64");
            // Once more, over what is there.
            machine.run("dpkg", "-i", deb);
            assertThat(machine.run("dkvm", "check")).contains("ok: architectures: amd64, arm64");
            machine.run("dpkg", "-r", "dkvm-arm64");
            assertThat(machine.run("dkvm", "check")).contains("ok: architectures: amd64;");
            assertThat(machine.run("dpkg", "--verify", "dkvm")).isEmpty();
            assertThat(machine.shell("ls /opt/dkvm/current/kernels")).isEqualTo("debian\ndkvm");

            machine.run(
                    "docker", "run", "-d", "--name", "vm", "--runtime=dkvm", "tools", "/busybox", "sleep", "100000");
            assertThat(machine.attempt("dpkg", "-r", "dkvm").errors()).contains("1 VMs run from");
            assertThat(machine.run("docker", "exec", "vm", "/busybox", "echo", "alive"))
                    .isEqualTo("alive");
            machine.run("docker", "rm", "-f", "vm");
            assertThat(machine.attempt(SCRIPTS + "dkvm-uninstall.sh").errors()).contains("apt remove dkvm");

            machine.run("dpkg", "-r", "dkvm");
            assertThat(machine.shell("ls /etc/dkvm")).isEqualTo("dkvm.json");
            assertThat(machine.attempt("test", "-e", "/opt/dkvm").exitCode()).isEqualTo(1);
            machine.run("dpkg", "-P", "dkvm");
            assertThat(machine.shell("ls -d /etc/dkvm /opt/dkvm /usr/share/doc/dkvm 2>/dev/null || true"))
                    .isEmpty();
            assertThat(machine.written()).isEqualTo(before);
        });
    }

    /** What lintian would look at, as far as it matters. */
    private static void assertClean(Machine machine, String deb) throws IOException, InterruptedException {
        assertThat(machine.run("dpkg-deb", "-f", deb, "Package", "Architecture", "Section", "Priority"))
                .contains("Package: dkvm", "Architecture: amd64", "Section: admin", "Priority: optional");
        List<String> files = List.of(machine.run("dpkg-deb", "-c", deb).split("\n", -1));
        assertThat(files).hasSizeGreaterThan(500).allMatch(line -> line.contains(" root/root "));
        assertThat(files)
                .filteredOn(line -> !line.startsWith("l") && line.charAt(8) == 'w' && line.charAt(9) != 't')
                .as("written by everybody")
                .isEmpty();
        assertThat(files).as("setuid").noneMatch(line -> line.substring(1, 10).matches(".*[sS].*"));
        assertThat(machine.shell("dpkg-deb -I " + deb + " md5sums | wc -l; dpkg-deb -c " + deb + " | grep -c '^[-h]' ")
                        .split("\n", -1))
                .as("sums of all files but the conffile")
                .satisfies(
                        counts -> assertThat(Integer.parseInt(counts[0])).isEqualTo(Integer.parseInt(counts[1]) - 1));
    }

    @Test
    void theManualPagesAreClean() throws Exception {
        for (String page : List.of("man1/dkvm.1", "man8/dkvm-runtime.8", "man5/dkvm.json.5")) {
            Outcome shown = Running.complete(
                    List.of(
                            "man",
                            "--warnings=w",
                            "--encoding=UTF-8",
                            "--local-file",
                            PACKAGE.resolve("share/man").resolve(page).toString()),
                    Bytes.of(""));
            assertThat(shown.exitCode()).isZero();
            assertThat(shown.errors()).isEmpty();
            assertThat(shown.text()).contains("NAME", "SEE ALSO").doesNotContain("@", "`");
        }
        String keys = Files.readString(PACKAGE.resolve("share/man/man5/dkvm.json.5"));
        for (String key : List.of("accel", "logs-size", "vhost-net")) {
            assertThat(keys).contains("\\fB" + key.replace("-", "\\-") + "\\fR");
        }
    }
}
