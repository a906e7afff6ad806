// SPDX-License-Identifier: Apache-2.0
package org.dkvm.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** package/assemble.sh and package/join-addon.sh: what a package leaves out, with regard to the add-on that may join it. */
class AssemblyTest {
    private static final String LIBRARY = "sandbox/usr/lib/x86_64-linux-gnu/libstdc++.so.6";
    private static final String PROGRAM = "sandbox/usr/bin/qemu-system-aarch64";

    @TempDir
    Path directory;

    private Path home;

    @BeforeEach
    void pack() throws IOException {
        home = directory.resolve("package");
        StandIn.text(home.resolve(LIBRARY), "");
        StandIn.text(home.resolve("sandbox/usr/share/doc/libstdc++6/copyright"), "");
        StandIn.text(home.resolve("sandbox/usr/share/doc/packages.txt"), "libc6 1\nlibstdc++6 1\n");
        StandIn.text(home.resolve("sandbox/usr/bin/qemu-system-x86_64"), "libc.so.6");
        StandIn.text(home.resolve("BUILD"), "0.1.0\n");
    }

    private StandIn.Result bash(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bash"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new StandIn.Result(process.waitFor(), output);
    }

    private void dropUnusedLibrary() throws IOException, InterruptedException {
        StandIn.Result result = bash(
                "-c",
                ". package/assemble.sh; build=$1 dest=$2; ldconfig() { :; }; drop_unused_library",
                "test",
                directory.resolve("build").toString(),
                home.toString());
        assertThat(result.code()).as(result.output()).isZero();
    }

    @Test
    void aLibraryThatNothingAsksForIsLeftOut() throws IOException, InterruptedException {
        dropUnusedLibrary();
        assertThat(home.resolve(LIBRARY)).doesNotExist();
        assertThat(home.resolve("sandbox/usr/share/doc/packages.txt")).hasContent("libc6 1");
    }

    @Test
    void aLibraryThatOnlyTheAddOnAsksForStays() throws IOException, InterruptedException {
        StandIn.text(directory.resolve("build/sandbox-root-arm64/usr/bin/qemu-system-aarch64"), "libstdc++.so.6");
        dropUnusedLibrary();
        assertThat(home.resolve(LIBRARY)).exists();
    }

    private StandIn.Result join(String loaderSays) throws IOException, InterruptedException {
        Path addOn = directory.resolve("arm64");
        StandIn.script(home.resolve("sandbox/lib64/ld-linux-x86-64.so.2"), "echo '" + loaderSays + "'");
        for (String directory : List.of("sandbox/usr/share/doc", "kernels", "guest")) {
            Files.createDirectories(home.resolve(directory));
        }
        StandIn.text(addOn.resolve(PROGRAM), "qemu");
        StandIn.text(addOn.resolve("kernels/debian-arm64/6/.shipped"), "");
        StandIn.text(addOn.resolve("guest/initramfs-arm64"), "agent");
        StandIn.text(addOn.resolve("sandbox/usr/share/doc/qemu-system-arm/copyright"), "");
        return bash("package/join-addon.sh", home.toString(), addOn.toString());
    }

    @Test
    void anAddOnJoinsAPackageThatHasItsLibraries() throws IOException, InterruptedException {
        StandIn.Result joined = join("libc.so.6 => /usr/lib/libc.so.6");
        assertThat(joined.code()).as(joined.output()).isZero();
        assertThat(home.resolve(PROGRAM)).hasContent("qemu");
        assertThat(home.resolve("guest/build-arm64")).hasSameTextualContentAs(home.resolve("BUILD"));
    }

    @Test
    void anAddOnDoesNotJoinAPackageThatLacksALibrary() throws IOException, InterruptedException {
        StandIn.Result joined = join("libstdc++.so.6 => not found");
        assertThat(joined.code()).isEqualTo(1);
        assertThat(joined.output())
                .contains("remove that directory and build again")
                .contains("libstdc++.so.6");
        assertThat(home.resolve(PROGRAM)).doesNotExist();
    }
}
