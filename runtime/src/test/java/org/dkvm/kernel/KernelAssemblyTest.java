// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class KernelAssemblyTest {
    private static final KernelName NAME = new KernelName("sample", "1");
    private static final byte[] AGENT = "the agent's archive.".getBytes(ISO_8859_1);
    private static final byte[] ARM64_AGENT = "the agent's archive for arm64".getBytes(ISO_8859_1);
    private static final String MODULES = "./lib/modules/" + SampleKernel.RELEASE + "/";

    @TempDir
    Path directory;

    private final List<String> progress = new ArrayList<>();

    @BeforeEach
    void writeAgent() throws IOException {
        Files.createDirectories(layout().home().resolve("guest"));
        Files.write(layout().agent(Architecture.AMD64), AGENT);
        Files.write(layout().agent(Architecture.ARM64), ARM64_AGENT);
    }

    private PackageLayout layout() {
        return new PackageLayout(directory.resolve("home"));
    }

    private KernelStore.Found make(Path... sources) throws IOException, DkvmException {
        return make(Bounds.USUAL, sources);
    }

    private KernelStore.Found make(Bounds bounds, Path... sources) throws IOException, DkvmException {
        Path work = Files.createTempDirectory(directory, "work-");
        return new KernelAssembly(work, layout(), bounds, progress::add).make(NAME, List.of(sources), "none");
    }

    private Path deb(Map<String, byte[]> files) throws IOException {
        return SampleKernel.deb(directory, Compression.XZ, SampleKernel.tar(files));
    }

    /** The archive behind the agent's. */
    private static Map<String, String> modulesOf(KernelStore.Found kernel) throws IOException {
        return modulesOf(kernel, "initramfs");
    }

    private static Map<String, String> modulesOf(KernelStore.Found kernel, String initramfs) throws IOException {
        byte[] all = Files.readAllBytes(kernel.directory().resolve(initramfs));
        assertThat(all).startsWith(AGENT);
        Map<String, String> entries = new LinkedHashMap<>();
        try (CpioArchiveInputStream cpio =
                new CpioArchiveInputStream(new ByteArrayInputStream(all, AGENT.length, all.length - AGENT.length))) {
            for (CpioArchiveEntry entry = cpio.getNextEntry(); entry != null; entry = cpio.getNextEntry()) {
                entries.put(entry.getName(), new String(cpio.readAllBytes(), ISO_8859_1));
            }
        }
        return entries;
    }

    private static void assertIsTheSample(KernelStore.Found kernel) throws IOException {
        assertThat(kernel.image()).isEqualTo("vmlinuz");
        assertThat(kernel.release()).isEqualTo(SampleKernel.RELEASE);
        assertThat(kernel.directory().resolve("vmlinuz")).hasBinaryContent(SampleKernel.image());
        assertThat(kernel.directory().resolve("config")).hasContent("CONFIG_PCI=y\n");
        assertThat(kernel.directory().resolve("modules/modules.builtin")).exists();
        assertThat(kernel.directory().resolve("modules/modules.dep")).isNotEmptyFile();
        Map<String, String> modules = modulesOf(kernel);
        assertThat(modules.get("modules.list")).isEqualTo("""
                        /modules/virtio_console.ko
                        /modules/fuse.ko
                        /modules/virtiofs.ko
                        /modules/failover.ko
                        /modules/net_failover.ko
                        /modules/virtio_net.ko
                        """);
        assertThat(modules.get("modules/virtiofs.ko")).isEqualTo(new String(SampleKernel.module("fuse"), ISO_8859_1));
        assertThat(modules).hasSize(8);
        try (var files = Files.list(kernel.directory())) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "vmlinuz", "config", "initramfs", "initramfs-more", "modules", "release");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"NONE", "GZIP", "XZ", "ZSTD"})
    void aDebIsAKernel(Compression compression) throws Exception {
        assertIsTheSample(make(SampleKernel.deb(directory, compression, SampleKernel.tar(SampleKernel.files()))));
    }

    @ParameterizedTest
    @EnumSource(names = {"GZIP", "XZ", "ZSTD"})
    void modulesInTheInitramfsArePlain(Compression compression) throws Exception {
        assertIsTheSample(make(deb(SampleKernel.withModules(compression))));
    }

    @Test
    void anApkIsAKernel() throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        // Alpine's image and configuration are named after the flavour.
        SampleKernel.files()
                .forEach((name, bytes) ->
                        files.put(name.substring(2).replace("vmlinuz-" + SampleKernel.RELEASE, "vmlinuz-virt"), bytes));
        assertIsTheSample(make(SampleKernel.apk(directory, SampleKernel.tar(files))));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "xz", "zstd"})
    void anRpmIsAKernel(String compressor) throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        // Fedora's image and configuration are beside the modules.
        for (Map.Entry<String, byte[]> file : SampleKernel.files().entrySet()) {
            files.put(
                    file.getKey()
                            .replace("./boot/vmlinuz-" + SampleKernel.RELEASE, MODULES + "vmlinuz")
                            .replace("./boot/config-" + SampleKernel.RELEASE, MODULES + "config"),
                    file.getValue());
        }
        Compression compression = switch (compressor) {
            case "gzip" -> Compression.GZIP;
            case "xz" -> Compression.XZ;
            default -> Compression.ZSTD;
        };
        assertIsTheSample(make(
                SampleKernel.rpm(directory, compressor, SampleKernel.compress(compression, SampleKernel.cpio(files)))));
    }

    @Test
    void severalPackagesAreOneKernel() throws Exception {
        Map<String, byte[]> image = SampleKernel.files();
        Map<String, byte[]> modules = SampleKernel.files();
        image.keySet().removeIf(name -> name.contains("/modules/"));
        modules.keySet().removeIf(name -> name.contains("/boot/"));
        Path first = Files.move(deb(image), directory.resolve("image.deb"));
        assertIsTheSample(make(first, deb(modules)));
    }

    @Test
    void aPackageWithoutModulesAsksForThem() throws Exception {
        Map<String, byte[]> image = SampleKernel.files();
        image.keySet().removeIf(name -> name.contains("/modules/"));
        assertThatThrownBy(() -> make(deb(image)))
                .hasMessageContaining("no modules found")
                .isInstanceOfSatisfying(
                        DkvmException.class, e -> assertThat(e.advice()).contains("--from again"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "usr/"})
    void aRootFilesystemIsAKernel(String prefix) throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        SampleKernel.files().forEach((name, bytes) -> files.put(name.replace("./lib/", prefix + "lib/"), bytes));
        assertIsTheSample(make(SampleKernel.directory(directory.resolve("root"), files)));
    }

    @Test
    void aFlatDirectoryIsAKernel() throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        SampleKernel.files()
                .forEach((name, bytes) -> files.put(
                        name.replace(MODULES, "modules/")
                                .replace("boot/vmlinuz-" + SampleKernel.RELEASE, "vmlinuz")
                                .replace("boot/config-" + SampleKernel.RELEASE, "config"),
                        bytes));
        assertIsTheSample(make(SampleKernel.directory(directory.resolve("flat"), files)));
    }

    @Test
    void ofSeveralKernelsTheNamedOneIsTaken() throws Exception {
        Path root = SampleKernel.directory(directory.resolve("root"), SampleKernel.files());
        Files.createDirectories(root.resolve("lib/modules/5.4"));
        assertThatThrownBy(() -> make(root))
                .hasMessageContaining("it has several kernels: 5.4, " + SampleKernel.RELEASE);
        Path work = Files.createTempDirectory(directory, "work-");
        assertIsTheSample(
                new KernelAssembly(work, layout(), progress::add).make(NAME, List.of(root), SampleKernel.RELEASE));
    }

    @Test
    void whatFewVmsNeedIsInListsOfItsOwn() throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        files.put(MODULES + "kernel/drivers/gpu/drm/drm.ko", SampleKernel.module(""));
        files.put(MODULES + "kernel/drivers/gpu/drm/virtio/virtio-gpu.ko", SampleKernel.module("drm"));
        files.put(MODULES + "kernel/drivers/input/evdev.ko", SampleKernel.module(""));
        Map<String, String> modules = modulesOf(make(deb(files)), "initramfs-more");
        assertThat(modules.get("modules-graphics.list")).isEqualTo("/modules/drm.ko\n/modules/virtio_gpu.ko\n");
        assertThat(modules.get("modules-input.list")).isEqualTo("/modules/evdev.ko\n");
        assertThat(modules.get("modules-xfs.list")).isEqualTo("/modules/xfs.ko\n");
        assertThat(modules).containsKey("modules/drm.ko").doesNotContainKey("modules-btrfs.list");
        assertThat(modulesOf(make(deb(SampleKernel.files())), "initramfs-more"))
                .doesNotContainKeys("modules-graphics.list", "modules-input.list");
    }

    @Test
    void withoutVirtioItIsNoGuest() throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        files.remove(MODULES + "kernel/fs/fuse/virtiofs.ko");
        assertThatThrownBy(() -> make(deb(files))).hasMessageContaining("has no \"virtiofs\", neither built in nor");
    }

    @Test
    void aModuleThatIsNeededAndMissingIsNamed() throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        files.remove(MODULES + "kernel/net/core/failover.ko");
        assertThatThrownBy(() -> make(deb(files))).hasMessageContaining("needs \"failover\", which is not there");
    }

    @Test
    void modulesThatNeedEachOtherAreNoHang() throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        files.put(MODULES + "kernel/fs/fuse/fuse.ko", SampleKernel.module("virtiofs"));
        assertThat(modulesOf(make(deb(files))).get("modules.list"))
                .contains("/modules/fuse.ko\n/modules/virtiofs.ko\n");
    }

    @Test
    void aModuleThatIsNoElfFileIsNamed() throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        files.put(MODULES + "kernel/fs/fuse/fuse.ko", SampleKernel.bytes("hello"));
        assertThatThrownBy(() -> make(deb(files))).hasMessageContaining("fuse.ko\" is no module");
    }

    @Test
    void anImageOfAnotherMachineIsRefused() throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        files.put("./boot/vmlinuz-" + SampleKernel.RELEASE, new byte[4096]);
        assertThatThrownBy(() -> make(deb(files))).hasMessageContaining("is no Linux kernel for amd64 or arm64");
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "gzip", "zboot"})
    void aKernelForArm64GetsTheAgentForArm64(String kind) throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        byte[] image = SampleKernel.arm64Image(kind);
        files.put("./boot/vmlinuz-" + SampleKernel.RELEASE, image);
        KernelStore.Found kernel = new KernelAssembly(
                        Files.createTempDirectory(directory, "work-"), layout(), progress::add)
                .make(new KernelName("sample-arm64", "1"), List.of(deb(files)), "none");
        assertThat(kernel.architecture()).isEqualTo(Architecture.ARM64);
        assertThat(kernel.release()).isEqualTo(SampleKernel.RELEASE);
        assertThat(kernel.directory().resolve("vmlinuz")).hasBinaryContent(image);
        assertThat(kernel.directory().resolve("release")).hasContent(SampleKernel.RELEASE + "\n");
        assertThat(Files.readAllBytes(kernel.directory().resolve("initramfs"))).startsWith(ARM64_AGENT);
        assertThat(Files.readAllBytes(kernel.directory().resolve("initramfs-more")))
                .startsWith(ARM64_AGENT);
    }

    @Test
    void aKernelsNameSaysItsArchitecture() throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        Path work = Files.createTempDirectory(directory, "work-");
        assertThatThrownBy(() -> new KernelAssembly(work, layout(), progress::add)
                        .make(new KernelName("sample-arm64", "1"), List.of(deb(files)), "none"))
                .hasMessage("the kernel for \"sample-arm64/1\" is built for amd64");
        files.put("./boot/vmlinuz-" + SampleKernel.RELEASE, SampleKernel.arm64Image("plain"));
        assertThatThrownBy(() -> make(deb(files)))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("the kernel for \"sample/1\" is built for arm64; name it sample-arm64/1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"zboot-zstd22", "gzip-of-text", "gzip-cut", "zboot-for-riscv64"})
    void anImageThatOnlyLooksLikeArm64sIsRefused(String kind) throws Exception {
        Map<String, byte[]> files = SampleKernel.files();
        files.put("./boot/vmlinuz-" + SampleKernel.RELEASE, SampleKernel.arm64Image(kind));
        assertThatThrownBy(() -> make(deb(files)))
                .hasMessageContaining(
                        kind.equals("zboot-zstd22")
                                ? "is compressed by \"zstd22\", which QEMU does not unpack"
                                : "is no Linux kernel for amd64 or arm64");
    }

    @Test
    void aFileOfAnotherKindIsRefused() throws Exception {
        Path text = Files.writeString(directory.resolve("text"), "hello, world\n");
        assertThatThrownBy(() -> make(text)).hasMessageContaining("it is no deb, rpm or apk");
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 20, 100, 300, 700})
    void aPackageThatIsCutIsAnError(int length) throws Exception {
        Path deb = deb(SampleKernel.files());
        Files.write(deb, java.util.Arrays.copyOf(Files.readAllBytes(deb), length));
        assertThatThrownBy(() -> make(deb)).isInstanceOf(DkvmException.class);
    }

    @Test
    void noByteMakesThePackageReaderFailOtherwise() throws Exception {
        byte[] good = Files.readAllBytes(SampleKernel.rpm(
                directory, "gzip", SampleKernel.compress(Compression.GZIP, SampleKernel.cpio(SampleKernel.files()))));
        Path rpm = directory.resolve("damaged.rpm");
        for (int at = 0; at < 400; at += 3) {
            byte[] bad = good.clone();
            bad[at] ^= (byte) 0xff;
            Files.write(rpm, bad);
            Unpacker unpacker = new Unpacker(directory.resolve("out-" + at), new Budget(Bounds.USUAL));
            try {
                KernelPackage.unpack(rpm, unpacker);
            } catch (DkvmException e) {
                assertThat(e.getMessage()).contains(rpm.toString());
            }
        }
    }
}
