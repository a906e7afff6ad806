// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Bytes;
import org.dkvm.fuzz.Scratch;

/**
 * A kernel's modules: what they say of themselves, what modprobe looks up, the initramfs.
 *
 * <p>An input's first byte says what the rest is: one module as it is or compressed by the way of that number, or, of many modules that depend on each other, for each a byte of whose bits
 * are the ones it needs.
 */
public final class ModulesFuzz {
    private static final List<String> NAMES =
            List.of("virtio_pci", "virtio_console", "virtiofs", "virtio_net", "ext4", "xfs", "virtio-blk", "../fuse");
    private static final int KINDS = KernelPackageFuzz.COMPRESSIONS.size() + 1;
    /** A dictionary of "xz -9", and as much again for the rest. */
    private static final long MEMORY = 2 * 68 * 1024 * 1024;

    private static final Path PLACE = Scratch.directory("modules");
    private static final Path MODULES = PLACE.resolve("modules");
    private static final Path AGENT = PLACE.resolve("agent.cpio");

    private ModulesFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, MEMORY, ModulesFuzz::take);
    }

    private static void take(byte[] input) throws IOException {
        Bytes in = new Bytes(input);
        int kind = in.u8() % KINDS;
        Files.createDirectories(MODULES.resolve("kernel"));
        Files.write(AGENT, new byte[4]);
        try {
            if (kind < KernelPackageFuzz.COMPRESSIONS.size()) {
                one(KernelPackageFuzz.COMPRESSIONS.get(kind), in.rest());
            } else {
                many(in);
            }
            Budget budget = new Budget(Bounds.IMAGE);
            Bounded.check(Depmod.complete(MODULES, budget), "not made here");
            checkTexts();
            Initramfs.writeBoth(MODULES, AGENT, PLACE, PLACE, budget);
        } catch (DkvmException e) {
            Bounded.check(!e.text().isEmpty(), "refused without a word");
        }
        try (var left = Files.list(PLACE)) {
            Bounded.check(left.noneMatch(path -> path.getFileName().toString().startsWith(".")), "something is left");
        }
        Scratch.delete(MODULES);
    }

    private static void one(Compression compression, byte[] bytes) throws IOException {
        Path file = MODULES.resolve("kernel/virtio_pci.ko" + KernelPackageFuzz.suffix(compression));
        Files.write(file, bytes);
        if (compression == Compression.NONE) {
            try {
                int all = ModuleFile.values(file, "").size();
                Bounded.check(all == 0 || bytes.length > 64, "texts out of nothing");
                for (String needed : ModuleFile.dependencies(file)) {
                    Bounded.check(needed.indexOf('/') < 0, "a module's name with a directory: " + needed);
                }
            } catch (IOException e) {
                Bounded.check(!String.valueOf(e.getMessage()).isEmpty(), "refused without a word");
            }
        }
    }

    private static void many(Bytes in) throws IOException {
        for (String name : NAMES) {
            int bits = in.u8();
            StringBuilder needed = new StringBuilder();
            for (int i = 0; i < NAMES.size(); i++) {
                needed.append((bits >> i & 1) != 0 ? NAMES.get(i) + "," : "");
            }
            Path file = MODULES.resolve("kernel/" + name.substring(name.lastIndexOf('/') + 1) + ".ko");
            Files.write(file, SampleKernel.module(needed.toString(), "alias:" + bits));
        }
    }

    /** What modprobe reads names files that are there, and has nothing else in it. */
    private static void checkTexts() throws IOException {
        for (String line : Files.readAllLines(MODULES.resolve("modules.dep"))) {
            for (String file : line.replace(":", "").split(" ", -1)) {
                Bounded.check(Files.isRegularFile(MODULES.resolve(file)), "modules.dep names \"" + file + "\"");
            }
        }
        for (String line : Files.readAllLines(MODULES.resolve("modules.alias"))) {
            String module = line.substring(line.lastIndexOf(' ') + 1);
            Bounded.check(
                    line.startsWith("alias ")
                            && NAMES.stream()
                                    .anyMatch(name ->
                                            ModuleDirectory.plainName(name).equals(module)),
                    "modules.alias has the line \"" + line + "\"");
        }
    }
}
