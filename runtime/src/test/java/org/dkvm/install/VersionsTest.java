// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** dkvm-upgrade.sh and dkvm-uninstall.sh, killed wherever they change something, and called again. */
class VersionsTest {
    private static final String OLD = "0.1.0-aaaaaaaa";
    private static final String NEW = "0.2.0-bbbbbbbb";
    /** More points than any script has: a script that is never done is a fault. */
    private static final int MOST_POINTS = 200;

    /** The last of the add-on that comes. */
    private static final String PROGRAM = "sandbox/usr/bin/qemu-system-aarch64";

    @TempDir
    Path directory;

    private StandIn host;
    private Path root;
    private Path oldPackage;
    private Path newPackage;

    @BeforeEach
    void pack() throws IOException {
        host = new StandIn(directory);
        root = directory.resolve("root");
        oldPackage = host.pack("0.1.0", "aaaaaaaa", "2026-01-01T00:00:00Z");
        newPackage = host.pack("0.2.0", "bbbbbbbb", "2026-02-01T00:00:00Z");
    }

    private StandIn.Result install(int killAt, Path from, String... options) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("--target", root.toString(), from.toString()));
        arguments.addAll(List.of(options));
        return host.run(killAt, newPackage.resolve("scripts/dkvm-upgrade.sh"), arguments.toArray(new String[0]));
    }

    private StandIn.Result upgrade(String option) throws IOException, InterruptedException {
        return host.run(0, root.resolve("scripts/dkvm-upgrade.sh"), option);
    }

    private void done(StandIn.Result result) {
        assertThat(result.code()).as(result.output()).isZero();
    }

    private String current() throws IOException {
        return Files.readSymbolicLink(root.resolve("current")).toString();
    }

    private void addKernel() throws IOException {
        StandIn.text(root.resolve("kernels/hand/7/initramfs"), "agent of another time");
        StandIn.text(root.resolve("kernels/hand/7/modules/x.ko"), "module");
        Files.createSymbolicLink(root.resolve("kernels/hand/latest"), Path.of("7"));
    }

    /** A version, a whole one, and all ways lead to it. */
    private void assertWhole() throws IOException, InterruptedException {
        String version = Files.readString(root.resolve("VERSION")).strip();
        assertThat(current()).isEqualTo("versions/" + (version.equals("0.1.0") ? OLD : NEW));
        StandIn.Result launched = host.run(0, root.resolve("scripts/dkvm-runtime"));
        assertThat(launched.output().strip()).isEqualTo(version);
        for (String file :
                List.of("bin/dkvm", "sandbox/opt/dkvm/jre/bin/java", "kernels/dkvm/latest", "lib/dkvm-files")) {
            assertThat(root.resolve(file)).exists();
        }
    }

    private void assertClean(String... versions) throws IOException {
        assertThat(StandIn.names(root.resolve("versions"))).containsExactly(versions);
        assertThat(StandIn.names(root)).doesNotContain(".new-link", ".removing");
        assertThat(StandIn.names(root.resolve("kernels"))).noneMatch(name -> name.startsWith(".work"));
    }

    @Test
    void anInstallationIsThereAsAWholeOrNotAtAll() throws IOException, InterruptedException {
        int points = 0;
        for (int killAt = 1; killAt < MOST_POINTS; killAt += 2) {
            int code = install(killAt, newPackage).code();
            if (Files.exists(root.resolve("current"))) {
                assertWhole();
            }
            if (code == 0) {
                break;
            }
            assertThat(code).isEqualTo(StandIn.KILLED);
            done(install(0, newPackage));
            assertWhole();
            assertClean(NEW);
            points++;
            Files.move(root, directory.resolve("root-" + killAt));
        }
        assertThat(points).isBetween(10, MOST_POINTS / 2 - 1);
    }

    @Test
    void anUpgradeThatIsKilledLeavesTheOldVersionOrTheNewOne() throws IOException, InterruptedException {
        done(install(0, oldPackage));
        addKernel();
        Path before = directory.resolve("before");
        Files.move(root, before);
        int points = 0;
        for (int killAt = 1; killAt < MOST_POINTS; killAt++) {
            StandIn.copyTree(before, root);
            int code = install(killAt, newPackage).code();
            assertWhole();
            assertThat(root.resolve("kernels/hand/latest/modules/x.ko")).hasContent("module");
            if (code == 0) {
                break;
            }
            assertThat(code).isEqualTo(StandIn.KILLED);
            done(install(0, newPackage));
            assertWhole();
            assertThat(current()).endsWith(NEW);
            assertClean(OLD, NEW);
            assertThat(root.resolve("kernels/hand/7/initramfs")).hasContent("agent 0.2.0");
            assertThat(root.resolve("versions/" + OLD + "/kernels/hand/7/initramfs"))
                    .hasContent("agent of another time");
            points++;
            Files.move(root, directory.resolve("root-" + killAt));
        }
        assertThat(points).isBetween(10, MOST_POINTS - 2);
    }

    /** As a package that has the add-on for arm64, of a build. */
    private static void addOn(Path home, Path build) throws IOException {
        StandIn.text(home.resolve("kernels/debian-arm64/6/.shipped"), "");
        Files.createSymbolicLink(home.resolve("kernels/debian-arm64/latest"), Path.of("6"));
        StandIn.text(home.resolve("guest/initramfs-arm64"), "agent");
        StandIn.text(home.resolve("guest/build-arm64"), Files.readString(build.resolve("BUILD")));
        StandIn.text(home.resolve(PROGRAM), "qemu");
    }

    private StandIn.Result withoutAddOn(int killAt) throws IOException, InterruptedException {
        return host.run(
                killAt,
                newPackage.resolve("scripts/dkvm-upgrade.sh"),
                "--target",
                root.toString(),
                "--without",
                "arm64");
    }

    private void assertWholeAddOnIfAny() {
        if (Files.exists(root.resolve(PROGRAM))) {
            assertThat(root.resolve("guest/initramfs-arm64")).hasContent("agent");
            assertThat(root.resolve("kernels/debian-arm64/6/.shipped")).exists();
        }
    }

    @Test
    void anAddOnComesToTheVersionThatIsThereAndGoesAgain() throws IOException, InterruptedException {
        done(install(0, newPackage));
        addOn(newPackage, newPackage);
        int points = 0;
        for (int killAt = 1; killAt < MOST_POINTS; killAt += 2) {
            int code = install(killAt, newPackage, "--link").code();
            assertWhole();
            assertWholeAddOnIfAny();
            if (code == 0) {
                break;
            }
            assertThat(code).isEqualTo(StandIn.KILLED);
            points++;
        }
        assertThat(points).isBetween(5, MOST_POINTS / 2 - 1);
        assertThat(root.resolve(PROGRAM)).hasContent("qemu");
        assertThat(root.resolve("kernels/debian-arm64/latest/.shipped")).exists();
        assertClean(NEW);
        assertThat(StandIn.names(root.resolve("versions").resolve(NEW))).noneMatch(name -> name.startsWith(".work"));
        // As what was added by hand.
        StandIn.text(root.resolve("kernels/debian-arm64/5/vmlinuz"), "kernel");
        for (int killAt = 1; killAt < MOST_POINTS; killAt += 2) {
            StandIn.Result removed = withoutAddOn(killAt);
            assertWhole();
            assertWholeAddOnIfAny();
            if (removed.code() == 0) {
                assertThat(removed.output()).contains("the add-on for arm64 is removed");
                break;
            }
        }
        assertThat(root.resolve(PROGRAM)).doesNotExist();
        assertThat(root.resolve("guest/initramfs-arm64")).doesNotExist();
        assertThat(StandIn.names(root.resolve("kernels/debian-arm64"))).containsExactly("5", "latest");
        assertThat(root.resolve("kernels/debian-arm64/latest/vmlinuz")).hasContent("kernel");
        assertThat(StandIn.names(root.resolve("versions").resolve(NEW))).noneMatch(name -> name.startsWith(".work"));
        assertThat(newPackage.resolve(PROGRAM)).hasContent("qemu");
    }

    @Test
    void anAddOnAloneLeavesTheVersionThatSomebodyRolledBackTo() throws IOException, InterruptedException {
        done(install(0, oldPackage));
        done(install(0, newPackage));
        done(upgrade("--rollback"));
        addOn(newPackage, newPackage);
        StandIn.Result added = install(0, newPackage, "--with", "arm64", "--link");
        done(added);
        assertThat(current()).endsWith(OLD);
        assertThat(root.resolve(PROGRAM)).doesNotExist();
        assertThat(root.resolve("versions/" + NEW).resolve(PROGRAM)).hasContent("qemu");
        assertThat(added.output())
                .contains("is of version " + NEW + ", and " + OLD + " is the current one")
                .contains("--rollback");
        done(upgrade("--rollback"));
        assertThat(current()).endsWith(NEW);
        assertWhole();
        assertWholeAddOnIfAny();
        assertThat(root.resolve(PROGRAM)).hasContent("qemu");
    }

    @Test
    void anAddOnAloneIsForAVersionThatIsThere() throws IOException, InterruptedException {
        done(install(0, oldPackage));
        StandIn.Result bare = install(0, newPackage, "--with", "arm64");
        assertThat(bare.code()).isEqualTo(1);
        assertThat(bare.output()).contains("has no add-on for arm64 of its own build");
        addOn(newPackage, newPackage);
        StandIn.Result early = install(0, newPackage, "--with", "arm64");
        assertThat(early.code()).isEqualTo(1);
        assertThat(early.output()).contains("has no version " + NEW).contains("install that version first");
        assertThat(current()).endsWith(OLD);
        assertClean(OLD);
    }

    @Test
    void anUpgradeSaysThatItHasNotTheAddOnOfTheVersionBefore() throws IOException, InterruptedException {
        addOn(oldPackage, oldPackage);
        done(install(0, oldPackage));
        StandIn.Result upgraded = install(0, newPackage);
        done(upgraded);
        assertThat(upgraded.output()).contains("VMs for arm64 need the add-on of this version, too: install");
        assertThat(root.resolve("kernels/debian-arm64")).doesNotExist();
        StandIn.Result back = upgrade("--rollback");
        done(back);
        assertThat(back.output()).doesNotContain("add-on");
        assertThat(root.resolve("kernels/debian-arm64/6/.shipped")).exists();
    }

    @Test
    void aKernelForArm64ThatWasAddedIsTakenAlongAndHasItsAgentFromTheAddOn() throws IOException, InterruptedException {
        addOn(oldPackage, oldPackage);
        done(install(0, oldPackage));
        StandIn.text(root.resolve("kernels/debian-arm64/5/initramfs"), "agent of another time");
        StandIn.text(root.resolve("kernels/debian-arm64/5/modules/x.ko"), "module");
        done(install(0, newPackage));
        Path initramfs = root.resolve("kernels/debian-arm64/5/initramfs");
        assertThat(initramfs).hasContent("agent of another time");
        addOn(newPackage, newPackage);
        done(install(0, newPackage));
        assertThat(initramfs).hasContent("agent 0.2.0");
        assertThat(Files.readSymbolicLink(root.resolve("kernels/debian-arm64/latest")))
                .hasToString("6");
    }

    @Test
    void anAddOnOfAnotherBuildIsLeftOut() throws IOException, InterruptedException {
        addOn(newPackage, oldPackage);
        StandIn.Result installed = install(0, newPackage);
        done(installed);
        assertThat(installed.output()).contains("has arm64's add-on of another build: it is left out");
        assertWhole();
        assertThat(root.resolve(PROGRAM)).doesNotExist();
        assertThat(root.resolve("kernels/debian-arm64")).doesNotExist();
    }

    @Test
    void aRemovalThatIsKilledGoesOnWhenItIsCalledAgain() throws IOException, InterruptedException {
        done(install(0, oldPackage));
        done(install(0, newPackage));
        addKernel();
        Path before = directory.resolve("before");
        Files.move(root, before);
        Path daemonJson = directory.resolve("daemon.json");
        StandIn.text(daemonJson, "{}");
        int points = 0;
        for (int killAt = 1; killAt < MOST_POINTS; killAt++) {
            StandIn.copyTree(before, root);
            Path script = root.resolve("scripts/dkvm-uninstall.sh");
            StandIn.Result result = host.run(killAt, script, "--daemon-json", daemonJson.toString());
            if (result.code() == 0) {
                assertThat(result.output())
                        .contains(root + " is removed")
                        .contains("they and their data stay")
                        .contains("    kept");
                break;
            }
            assertThat(result.code()).as(result.output()).isEqualTo(StandIn.KILLED);
            done(host.run(0, script, "--daemon-json", daemonJson.toString()));
            assertThat(root).doesNotExist();
            points++;
        }
        assertThat(points).isBetween(5, MOST_POINTS - 2);
        assertThat(root).doesNotExist();
    }

    @Test
    void theVersionBeforeComesBackWithTheKernelsOfToday() throws IOException, InterruptedException {
        done(install(0, oldPackage));
        done(install(0, newPackage));
        addKernel();
        done(upgrade("--rollback"));
        assertThat(current()).endsWith(OLD);
        assertWhole();
        assertThat(root.resolve("kernels/hand/latest/initramfs")).hasContent("agent 0.1.0");
        done(upgrade("--rollback"));
        assertThat(current()).endsWith(NEW);
        done(upgrade("--clean"));
        assertClean(NEW);
        StandIn.Result nowhere = upgrade("--rollback");
        assertThat(nowhere.code()).isEqualTo(1);
        assertThat(nowhere.output()).contains("there is no version before this one");
    }

    @Test
    void anOlderVersionIsTakenOnlyWhenAskedFor() throws IOException, InterruptedException {
        done(install(0, newPackage));
        StandIn.Result refused = install(0, oldPackage);
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.output())
                .contains(NEW + ", which is newer than " + OLD)
                .contains("--downgrade");
        Path earlier = host.pack("0.2.0", "cccccccc", "2026-01-31T00:00:00Z");
        assertThat(install(0, earlier).code()).isEqualTo(1);
        assertThat(StandIn.names(root.resolve("versions"))).containsExactly(NEW);
        done(install(0, oldPackage, "--downgrade"));
        assertThat(current()).endsWith(OLD);
    }

    @Test
    void versionsAreComparedByTheirNumbers() throws IOException, InterruptedException {
        done(install(0, host.pack("0.10.0", "aaaaaaaa", "2026-01-01T00:00:00Z")));
        assertThat(install(0, host.pack("0.9.12", "aaaaaaaa", "2026-03-01T00:00:00Z"))
                        .code())
                .isEqualTo(1);
        done(install(0, host.pack("1.0", "aaaaaaaa", "2026-01-01T00:00:00Z")));
    }

    @Test
    void aPackageMayBeLinkedOrUnpacked() throws IOException, InterruptedException {
        done(install(0, newPackage, "--link"));
        assertThat(Files.isSameFile(root.resolve("VERSION"), newPackage.resolve("VERSION")))
                .isTrue();
        Path archive = directory.resolve("old.tar.gz");
        Process tar = new ProcessBuilder(
                        "tar",
                        "-C",
                        directory.toString(),
                        "-czf",
                        archive.toString(),
                        String.valueOf(oldPackage.getFileName()))
                .start();
        assertThat(tar.waitFor()).isZero();
        done(install(0, archive, "--downgrade"));
        assertWhole();
        assertClean(OLD, NEW);
    }

    @Test
    void whatIsNoPackageIsRefused() throws IOException, InterruptedException {
        Path other = Files.createDirectories(directory.resolve("other"));
        StandIn.Result result = install(0, other);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.output()).contains("is no package of DKVM: it has no \"VERSION\"");
    }

    @Test
    void anInstallationOfBeforeVersionsBecomesOne() throws IOException, InterruptedException {
        StandIn.copyTree(oldPackage, root);
        addKernel();
        done(install(0, newPackage));
        assertWhole();
        assertClean(NEW);
        assertThat(root.resolve("kernels/hand/latest/modules/x.ko")).exists();
    }

    @Test
    void twoAtATimeAreNot() throws IOException, InterruptedException {
        done(install(0, oldPackage));
        Process holder =
                new ProcessBuilder("flock", root.resolve(".lock").toString(), "sh", "-c", "echo held; cat").start();
        try {
            assertThat(holder.getInputStream().read()).isEqualTo('h');
            StandIn.Result result = install(0, newPackage);
            assertThat(result.code()).isEqualTo(1);
            assertThat(result.output()).contains("somebody else installs");
            assertThat(current()).endsWith(OLD);
        } finally {
            holder.destroy();
        }
    }
}
