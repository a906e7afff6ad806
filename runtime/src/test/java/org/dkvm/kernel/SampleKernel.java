// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** A small kernel that boots nothing, and the packages distributions would make of it. */
final class SampleKernel {
    static final String RELEASE = "6.1.0-9-cloud";

    private SampleKernel() {}

    /** The files of a package, by path, as a distribution with plain modules has them; module names are those that a guest needs. */
    static Map<String, byte[]> files() throws IOException {
        String modules = "./lib/modules/" + RELEASE + "/";
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("./boot/vmlinuz-" + RELEASE, image());
        files.put("./boot/config-" + RELEASE, bytes("CONFIG_PCI=y\n"));
        files.put("./boot/System.map-" + RELEASE, bytes("ffff0000 T _start\n"));
        files.put(modules + "modules.builtin", bytes("kernel/drivers/virtio/virtio_pci.ko\nkernel/fs/ext4/ext4.ko\n"));
        files.put(modules + "kernel/net/core/failover.ko", module(""));
        files.put(modules + "kernel/drivers/net/net_failover.ko", module("failover"));
        files.put(modules + "kernel/drivers/net/virtio_net.ko", module("net_failover,failover", "virtio:d00000001v*"));
        files.put(modules + "kernel/drivers/char/virtio-console.ko", module("virtio_pci"));
        files.put(modules + "kernel/fs/fuse/fuse.ko", module(""));
        files.put(modules + "kernel/fs/fuse/virtiofs.ko", module("fuse"));
        files.put(modules + "kernel/fs/xfs/xfs.ko", module(""));
        files.put("./usr/share/doc/linux-image/copyright", bytes("GPL-2\n"));
        return files;
    }

    static byte[] image() {
        return ImageKernelTest.bzImage(RELEASE + " (builder@host) #1 SMP");
    }

    /** An image for arm64, or what is like one: {@code plain}, {@code gzip}, {@code zboot} and wrong ones. */
    static byte[] arm64Image(String kind) throws IOException {
        byte[] plain = new byte[4096];
        System.arraycopy(bytes("ARM\144"), 0, plain, 56, 4);
        byte[] gzip = compress(Compression.GZIP, plain);
        return switch (kind) {
            case "plain" -> plain;
            // As long as a real one's first bytes, which are looked at.
            case "gzip" -> Arrays.copyOf(gzip, 4096);
            case "gzip-of-text" -> Arrays.copyOf(compress(Compression.GZIP, bytes("x".repeat(4096))), 4096);
            case "gzip-cut" -> Arrays.copyOf(new byte[] {0x1f, (byte) 0x8b, 8}, 4096);
            case "zboot" -> zboot("gzip", 0xaa64);
            case "zboot-zstd22" -> zboot("zstd22", 0xaa64);
            case "zboot-for-riscv64" -> zboot("gzip", 0x5064);
            default -> throw new IllegalArgumentException(kind);
        };
    }

    /** An EFI program that unpacks a kernel: as far as anybody looks. */
    private static byte[] zboot(String compression, int machine) {
        ByteBuffer bytes = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(0, bytes("MZ")).put(4, bytes("zimg")).put(24, bytes(compression));
        bytes.putInt(0x3c, 0x40).put(0x40, bytes("PE")).putShort(0x44, (short) machine);
        return bytes.array();
    }

    /** An ELF file with nothing but {@code .modinfo}. */
    static byte[] module(String depends, String... aliases) {
        StringBuilder info = new StringBuilder("license=GPL\0\0depends=" + depends + "\0");
        for (String alias : aliases) {
            info.append("alias=").append(alias).append('\0');
        }
        byte[] text = bytes(info.toString());
        byte[] names = bytes("\0.modinfo\0.shstrtab\0");
        int table = 64 + text.length + names.length;
        ByteBuffer elf = ByteBuffer.allocate(table + 3 * 64).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(bytes("\177ELF\2\1\1")).position(64);
        elf.put(text).put(names);
        elf.putLong(40, table).putShort(58, (short) 64).putShort(60, (short) 3).putShort(62, (short) 2);
        elf.putInt(table + 64, 1).putLong(table + 64 + 24, 64).putLong(table + 64 + 32, text.length);
        elf.putInt(table + 128, 10).putLong(table + 128 + 24, 64L + text.length);
        elf.putLong(table + 128 + 32, names.length);
        return elf.array();
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The files as a distribution with compressed modules has them. */
    static Map<String, byte[]> withModules(Compression compression) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (Map.Entry<String, byte[]> file : files().entrySet()) {
            if (file.getKey().endsWith(".ko")) {
                String suffix =
                        compression == Compression.GZIP ? ".gz" : compression == Compression.XZ ? ".xz" : ".zst";
                files.put(file.getKey() + suffix, compress(compression, file.getValue()));
            } else {
                files.put(file.getKey(), file.getValue());
            }
        }
        return files;
    }

    static byte[] compress(Compression compression, byte[] plain) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream compressor = switch (compression) {
            case GZIP -> new GZIPOutputStream(out);
            case XZ -> new XZOutputStream(out, new LZMA2Options(1));
            case ZSTD -> new io.airlift.compress.zstd.ZstdOutputStream(out);
            case NONE -> out;
            case LZMA, BZIP2 -> throw new IllegalArgumentException(compression.name());
        }) {
            compressor.write(plain);
        }
        return out.toByteArray();
    }

    static byte[] tar(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(file.getKey(), true);
                entry.setSize(file.getValue().length);
                tar.putArchiveEntry(entry);
                tar.write(file.getValue());
                tar.closeArchiveEntry();
            }
        }
        return out.toByteArray();
    }

    static Path deb(Path directory, Compression compression, byte[] tar) throws IOException {
        String suffix = switch (compression) {
            case NONE -> "";
            case GZIP -> ".gz";
            case XZ -> ".xz";
            case ZSTD -> ".zst";
            case LZMA, BZIP2 -> throw new IllegalArgumentException(compression.name());
        };
        Path deb = directory.resolve("linux-image.deb");
        try (ArArchiveOutputStream ar = new ArArchiveOutputStream(Files.newOutputStream(deb))) {
            member(ar, "debian-binary", bytes("2.0\n"));
            member(ar, "control.tar.gz", compress(Compression.GZIP, tar(Map.of("./control", bytes("Package: x\n")))));
            member(ar, "data.tar" + suffix, compress(compression, tar));
        }
        return deb;
    }

    private static void member(ArArchiveOutputStream ar, String name, byte[] content) throws IOException {
        ar.putArchiveEntry(new ArArchiveEntry(name, content.length));
        ar.write(content);
        ar.closeArchiveEntry();
    }

    /** Three gzip streams, of which only the last has the end of a tar archive. */
    static Path apk(Path directory, byte[] tar) throws IOException {
        Path apk = directory.resolve("linux-virt.apk");
        try (OutputStream out = Files.newOutputStream(apk)) {
            byte[] signature = tar(Map.of(".SIGN.RSA.key", bytes("signature")));
            out.write(compress(Compression.GZIP, java.util.Arrays.copyOf(signature, 1024)));
            byte[] control = tar(Map.of(".PKGINFO", bytes("pkgname = linux-virt\n")));
            out.write(compress(Compression.GZIP, java.util.Arrays.copyOf(control, 1024)));
            out.write(compress(Compression.GZIP, tar));
        }
        return apk;
    }

    static byte[] cpio(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (CpioArchiveOutputStream cpio = new CpioArchiveOutputStream(out)) {
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                CpioArchiveEntry entry = new CpioArchiveEntry(file.getKey(), file.getValue().length);
                entry.setMode(0100644);
                entry.setNumberOfLinks(1);
                cpio.putArchiveEntry(entry);
                cpio.write(file.getValue());
                cpio.closeArchiveEntry();
            }
        }
        return out.toByteArray();
    }

    /**
     * A package of Fedora's kind.
     *
     * @param compressor the name in its header
     */
    static Path rpm(Path directory, String compressor, byte[] payload) throws IOException {
        Path rpm = directory.resolve("kernel-core.rpm");
        try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(rpm))) {
            byte[] lead = new byte[96];
            System.arraycopy(RpmPayload.MAGIC, 0, lead, 0, 4);
            out.write(lead);
            header(out, Map.of(1000, "five."));
            // Its store has 6 bytes, padded to 8.
            out.write(new byte[2]);
            header(out, Map.of(1000, "kernel-core", 1124, "cpio", 1125, compressor));
            out.write(payload);
        }
        return rpm;
    }

    private static void header(DataOutputStream out, Map<Integer, String> texts) throws IOException {
        ByteArrayOutputStream store = new ByteArrayOutputStream();
        ByteArrayOutputStream index = new ByteArrayOutputStream();
        DataOutputStream entries = new DataOutputStream(index);
        for (Map.Entry<Integer, String> text : texts.entrySet()) {
            entries.writeInt(text.getKey());
            entries.writeInt(6);
            entries.writeInt(store.size());
            entries.writeInt(1);
            store.write(bytes(text.getValue() + "\0"));
        }
        out.writeInt(0x8eade801);
        out.writeInt(0);
        out.writeInt(texts.size());
        out.writeInt(store.size());
        out.write(index.toByteArray());
        out.write(store.toByteArray());
    }

    /** Puts the files below a directory. */
    static Path directory(Path root, Map<String, byte[]> files) throws IOException {
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            Path path = root.resolve(file.getKey()).normalize();
            Files.createDirectories(path.getParent());
            Files.write(path, file.getValue());
        }
        return root;
    }
}
