// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.PlainReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageKernelCacheTest {
    private static final String MODULES = "lib/modules/" + SampleKernel.RELEASE;

    @TempDir
    Path directory;

    private Path cache;
    private final List<String> made = new ArrayList<>();

    @BeforeEach
    void install() throws IOException {
        cache = directory.resolve("cache");
        Files.createDirectories(directory.resolve("home"));
        Files.writeString(directory.resolve("home/BUILD"), "1");
    }

    /** An image with a kernel of its own. */
    private Path image(String name, String text) throws IOException {
        Path root = directory.resolve(name);
        Files.createDirectories(root.resolve(MODULES).resolve("kernel"));
        Files.write(root.resolve("vmlinuz"), SampleKernel.image());
        Files.writeString(root.resolve("initrd.img"), "");
        Files.writeString(root.resolve(MODULES).resolve("kernel/a.ko"), text);
        return root;
    }

    /** The sandbox is played: what is made is the image's module and what tells images apart. */
    private KernelStore.Found prepare(Path root) throws DkvmException {
        ImageKernel.ImageRoot image = ImageKernel.ImageRoot.of(root, new PlainReader());
        ImageKernelCache kernels =
                new ImageKernelCache(cache, directory.resolve("home"), (from, kernel, modules, out) -> {
                    made.add(kernel + " " + modules);
                    try {
                        for (String name : ImageKernelFiles.NAMES) {
                            Files.write(
                                    out.resolve(name),
                                    Files.readAllBytes(
                                            from.resolve(modules.substring(1)).resolve("kernel/a.ko")));
                        }
                    } catch (IOException e) {
                        throw new DkvmException(e.toString(), "", e);
                    }
                });
        return kernels.prepare(new ImageKernel(image, root.resolve("vmlinuz")), Architecture.AMD64);
    }

    private List<Path> entries() throws IOException {
        try (var all = Files.list(cache)) {
            return all.filter(path -> path.getFileName().toString().length() == 64)
                    .toList();
        }
    }

    @Test
    void anImagesKernelIsMadeOnce() throws Exception {
        Path root = image("a", "A");
        KernelStore.Found first = prepare(root);
        assertThat(first.directory().resolve("initramfs")).hasContent("A");
        assertThat(first.release()).isEqualTo(SampleKernel.RELEASE);
        assertThat(prepare(root).directory()).isEqualTo(first.directory());
        assertThat(made).containsExactly("/vmlinuz /" + MODULES);
    }

    @Test
    void whatAGuestTouchesIsTheSameEntryAndWhatItChangesIsAnother() throws Exception {
        Path root = image("a", "A");
        Path entry = prepare(root).directory();
        Files.writeString(root.resolve(MODULES).resolve("modules.dep"), "depmod ran");
        Files.writeString(root.resolve(MODULES).resolve("kernel/notes"), "x");
        assertThat(prepare(root).directory()).isEqualTo(entry);
        assertThat(made).hasSize(1);
        // Copied up, as a guest's overlay does it, and dated back.
        Path module = root.resolve(MODULES).resolve("kernel/a.ko");
        FileTime before = Files.getLastModifiedTime(module);
        Files.delete(module);
        Files.writeString(module, "A");
        Files.setLastModifiedTime(module, before);
        assertThat(prepare(root).directory()).isEqualTo(entry);
        assertThat(entries()).containsExactly(entry);
        Files.writeString(module, "B");
        Files.setLastModifiedTime(module, before);
        Path other = prepare(root).directory();
        assertThat(other).isNotEqualTo(entry);
        assertThat(other.resolve("initramfs")).hasContent("B");
        assertThat(entries()).containsExactlyInAnyOrder(entry, other);
    }

    @Test
    void anotherImageNeverGetsThisOnes() throws Exception {
        Path a = image("a", "A");
        Path b = image("b", "B");
        assertThat(prepare(a).directory().resolve("initramfs")).hasContent("A");
        assertThat(prepare(b).directory().resolve("initramfs")).hasContent("B");
        Path same = image("c", "A");
        assertThat(prepare(same).directory()).isEqualTo(prepare(a).directory());
    }

    @Test
    void whatFailsLeavesNothing() throws Exception {
        Path root = image("a", "A");
        Files.delete(root.resolve(MODULES).resolve("kernel/a.ko"));
        assertThatThrownBy(() -> prepare(root))
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .startsWith("the image's kernel can not be used: ")
                                .endsWith("; DKVM_KERNEL=dkvm boots DKVM's own kernel instead"));
        try (var left = Files.list(cache)) {
            assertThat(left.map(path -> path.getFileName().toString())).containsExactly(".lock");
        }
    }

    @Test
    void whatAKilledCreateLeftIsRemovedByTheNext() throws Exception {
        Path left = Files.createDirectories(cache.resolve(".making-7/entry"));
        Files.writeString(left.resolve("vmlinuz"), "half");
        prepare(image("a", "A"));
        assertThat(left.getParent()).doesNotExist();
        Files.createDirectories(left);
        ImageKernelCache.sweep(cache);
        assertThat(left.getParent()).doesNotExist();
        assertThat(entries()).hasSize(1);
    }

    @Test
    void tooManyFilesInAnImageAreNotEvenCounted() throws Exception {
        Path root = image("a", "A");
        Path many = Files.createDirectories(root.resolve(MODULES).resolve("many"));
        for (int i = 0; i < Bounds.IMAGE.entries(); i++) {
            Files.createFile(many.resolve("f" + i));
        }
        assertThatThrownBy(() -> prepare(root)).hasMessageContaining("it has more than 20000 entries");
        assertThat(made).isEmpty();
    }

    @Test
    void theCacheHasABoundAndWhatWasUsedLastStays() throws Exception {
        CacheShelf shelf = new CacheShelf(Files.createDirectories(cache), 3000);
        List<Path> kept = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            kept.add(shelf.keep(entry("x".repeat(300) + i), "identity" + i));
            Files.setLastModifiedTime(kept.get(i), FileTime.fromMillis(1000L * i));
        }
        // 903 bytes each: three fit beside each other.
        assertThat(entries()).containsExactlyInAnyOrder(kept.get(2), kept.get(3), kept.get(4));
        assertThat(shelf.find("identity3")).isEqualTo(kept.get(3));
        assertThat(Files.exists(cache.resolve("by-image/identity1"), LinkOption.NOFOLLOW_LINKS))
                .isFalse();
        Files.setLastModifiedTime(kept.get(2), FileTime.fromMillis(9000));
        Path large = shelf.keep(entry("y".repeat(900)), "large");
        assertThat(entries()).containsExactly(large);
        Path small = shelf.keep(entry("z"), "small");
        assertThat(entries()).containsExactlyInAnyOrder(large, small);
    }

    private Path entry(String text) throws IOException {
        Path made = Files.createTempDirectory(cache, ".made-");
        for (String name : ImageKernelFiles.NAMES) {
            Files.writeString(made.resolve(name), text);
        }
        return made;
    }
}
