// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveOutputStream;
import org.apache.commons.compress.archivers.cpio.CpioConstants;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.FileTree;

/**
 * Makes the initramfs of a distribution's kernel.
 *
 * <p>It is the agent's own archive with a second one behind it, as the kernel unpacks both: the modules it takes to reach the root filesystem and the network, plain (the
 * kernel need not know how to decompress them), and {@code /modules.list} naming them in the order of loading. See the kernel's buffer-format.rst.
 */
public final class Initramfs {
    /** Without these no VM of ours starts. */
    private static final List<String> REQUIRED = List.of("virtio_pci", "virtio_console", "virtiofs", "virtio_net");

    /** Where a kernel has these neither built in nor as a module, the guest does without. ext4 asks for crc32c without naming its module. */
    private static final List<String> WELCOME = List.of(
            "virtio_blk",
            "virtio_rng",
            "virtio_balloon",
            "overlay",
            "crc32c_generic",
            "ext4",
            "af_packet",
            "ipv6",
            "unix");

    /**
     * What a disk can be formatted with and every VM's initramfs is too small for, with what it asks the kernel for by name when it starts: modules do not tell, and
     * there is no modprobe yet.
     */
    private static final Map<String, List<String>> FILESYSTEMS = Map.of(
            "xfs",
            List.of("crc32c_generic", "crc32c_cryptoapi", "xfs"),
            "btrfs",
            List.of(
                    "crc32c_generic",
                    "crc32c_cryptoapi",
                    "xxhash_generic",
                    "sha256_generic",
                    "blake2b_generic",
                    "btrfs"));

    /** What a VM with a screen needs: keyboard and pointer; the drivers of the graphics cards that QEMU gives it. Any of them may be missing. */
    private static final Map<String, List<String>> DEVICES =
            Map.of("input", List.of("virtio_input", "evdev"), "graphics", List.of("virtio_gpu", "bochs"));

    private static final String LIST = "modules.list";

    /** The agent's buffer for a list; native/guest/early.c. */
    private static final int MAX_LIST_BYTES = 32 * 1024 - 1;

    /** The usual ones are ten to thirty. A chain of thousands is no kernel's. */
    private static final int MAX_MODULES = 500;

    private static final int CPIO_ALIGNMENT = 4;
    private static final int CPIO_BLOCK = 512;
    private static final long DIRECTORY_MODE = CpioConstants.C_ISDIR | 0755;
    private static final long FILE_MODE = CpioConstants.C_ISREG | 0644;

    private final ModuleDirectory modules;
    private final Path directory;
    private final Path work;
    private final Budget budget;
    /** Plain files by the modules' names. */
    private final Map<String, Path> plain = new TreeMap<>();

    /** The modules' names in the order of loading, by the list's file name. */
    private final Map<String, List<String>> lists = new TreeMap<>();

    private Initramfs(ModuleDirectory modules, Path directory, Path work, Budget budget) {
        this.modules = modules;
        this.directory = directory;
        this.work = work;
        this.budget = budget;
    }

    /**
     * Makes an initramfs; modules.dep is not needed, the modules say themselves what they depend on.
     *
     * @param modules what belongs in {@code /lib/modules/<release>}
     * @param agent the agent's archive, uncompressed
     * @param out the file to write, in a directory that may hold what is being made
     * @return how many modules are in it
     */
    public static int write(Path modules, Path agent, Path out) throws DkvmException {
        return write(modules, agent, out, false);
    }

    /** As {@link #write}, and with what few VMs need, each with a list of its own, {@code /modules-<name>.list}: disks' filesystems, screens' devices. */
    public static int writeMore(Path modules, Path agent, Path out) throws DkvmException {
        return write(modules, agent, out, true);
    }

    /**
     * Makes a kernel's two, {@code initramfs} and the larger {@code initramfs-more}, reading and decompressing each module once.
     *
     * @param directory where both are written
     * @param work a directory for modules that are plain meanwhile
     * @param budget what reading them may cost
     * @return how many modules the first has
     */
    static int writeBoth(Path modules, Path agent, Path directory, Path work, Budget budget) throws DkvmException {
        return write(modules, work, budget, made -> {
            made.writeArchive(agent, directory.resolve("initramfs"));
            int count = made.plain.size();
            made.chooseMore();
            made.writeArchive(agent, directory.resolve("initramfs-more"));
            return count;
        });
    }

    private static int write(Path modules, Path agent, Path out, boolean more) throws DkvmException {
        return write(modules, out.toAbsolutePath().resolveSibling("."), new Budget(Bounds.USUAL), made -> {
            if (more) {
                made.chooseMore();
            }
            made.writeArchive(agent, out);
            return made.plain.size();
        });
    }

    /** What is written once the modules are chosen. */
    private interface Writer {
        int write(Initramfs made) throws IOException, DkvmException;
    }

    private static int write(Path modules, Path directory, Budget budget, Writer writer) throws DkvmException {
        try {
            Path work = Files.createTempDirectory(directory, ".initramfs-");
            try {
                Initramfs made = new Initramfs(ModuleDirectory.read(modules, budget), modules, work, budget);
                made.chooseBase();
                return writer.write(made);
            } finally {
                FileTree.delete(work);
            }
        } catch (IOException e) {
            throw new DkvmException("can not make an initramfs in \"" + directory + "\": " + e, "", e);
        }
    }

    private void chooseMore() throws DkvmException {
        for (Map.Entry<String, List<String>> filesystem : FILESYSTEMS.entrySet()) {
            if (modules.file(filesystem.getKey()).isPresent()) {
                choose(filesystem.getKey(), filesystem.getValue());
            }
        }
        for (Map.Entry<String, List<String>> devices : DEVICES.entrySet()) {
            choose(devices.getKey(), devices.getValue());
        }
    }

    /** Each list stands alone: one may be needed without the others. */
    private void choose(String list, List<String> names) throws DkvmException {
        List<String> base = lists.getOrDefault(LIST, List.of());
        Set<String> chosen = new LinkedHashSet<>(base);
        for (String name : names) {
            add(name, chosen);
        }
        base.forEach(chosen::remove);
        if (!chosen.isEmpty()) {
            lists.put("modules-" + list + ".list", List.copyOf(chosen));
        }
    }

    private void chooseBase() throws DkvmException {
        Set<String> chosen = new LinkedHashSet<>();
        for (String name : REQUIRED) {
            if (modules.file(name).isPresent()) {
                add(name, chosen);
            } else if (!modules.isBuiltin(name)) {
                throw new DkvmException(
                        "the kernel of \"" + directory + "\" has no \"" + name
                                + "\", neither built in nor as a module: it can not be a guest",
                        "where a distribution has modules in several packages, give each of them");
            }
        }
        for (String name : WELCOME) {
            add(name, chosen);
        }
        lists.put(LIST, List.copyOf(chosen));
        // Loaded when a running VM first gets more memory.
        choose("memory", List.of("virtio_mem"));
    }

    /** What the module depends on, and then itself. A circle is a dependency that has begun and not ended: its first one is loaded last. */
    private void add(String name, Set<String> chosen) throws DkvmException {
        add(name, chosen, new HashSet<>());
    }

    private void add(String name, Set<String> chosen, Set<String> begun) throws DkvmException {
        Optional<Path> file = modules.file(name);
        if (file.isEmpty() || chosen.contains(name) || !begun.add(name)) {
            return;
        }
        if (begun.size() > MAX_MODULES) {
            throw new DkvmException("a guest of \"" + directory + "\" needs more than " + MAX_MODULES + " modules", "");
        }
        Path decompressed = work.resolve(name + ".ko");
        if (plain.putIfAbsent(name, decompressed) == null) {
            ModuleDirectory.decompress(file.get(), decompressed, budget);
        }
        for (String needed : dependencies(file.get(), decompressed)) {
            if (modules.file(needed).isEmpty() && !modules.isBuiltin(needed)) {
                throw new DkvmException(
                        "module \"" + name + "\" in \"" + directory + "\" needs \"" + needed + "\", which is not there",
                        "where a distribution has modules in several packages, give each of them");
            }
            add(needed, chosen, begun);
        }
        chosen.add(name);
    }

    private static List<String> dependencies(Path file, Path plain) throws DkvmException {
        try {
            return ModuleFile.dependencies(plain);
        } catch (IOException e) {
            throw new DkvmException("\"" + file + "\" is no module: " + e.getMessage(), "fetch the kernel again", e);
        }
    }

    private void writeArchive(Path agent, Path out) throws IOException, DkvmException {
        try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(out))) {
            long size = Files.copy(agent, file);
            file.write(new byte[(int) ((CPIO_ALIGNMENT - size % CPIO_ALIGNMENT) % CPIO_ALIGNMENT)]);
            try (CpioArchiveOutputStream cpio =
                    new CpioArchiveOutputStream(file, CpioConstants.FORMAT_NEW, CPIO_BLOCK, "US-ASCII")) {
                begin(cpio, "modules", DIRECTORY_MODE, 0);
                cpio.closeArchiveEntry();
                for (Path module : plain.values()) {
                    begin(cpio, "modules/" + module.getFileName(), FILE_MODE, Files.size(module));
                    Files.copy(module, cpio);
                    cpio.closeArchiveEntry();
                }
                for (Map.Entry<String, List<String>> list : lists.entrySet()) {
                    byte[] bytes = text(list.getValue());
                    begin(cpio, list.getKey(), FILE_MODE, bytes.length);
                    cpio.write(bytes);
                    cpio.closeArchiveEntry();
                }
            }
        }
    }

    private byte[] text(List<String> names) throws DkvmException {
        StringBuilder list = new StringBuilder();
        for (String name : names) {
            list.append("/modules/").append(name).append(".ko\n");
        }
        byte[] bytes = list.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MAX_LIST_BYTES) {
            throw new DkvmException("the kernel of \"" + directory + "\" needs " + names.size() + " modules", "");
        }
        return bytes;
    }

    /** Owner and time are zero: the same modules give the same bytes. */
    private static void begin(CpioArchiveOutputStream cpio, String name, long mode, long size) throws IOException {
        CpioArchiveEntry entry = new CpioArchiveEntry(CpioConstants.FORMAT_NEW, name, size);
        entry.setMode(mode);
        entry.setNumberOfLinks(1);
        cpio.putArchiveEntry(entry);
    }
}
