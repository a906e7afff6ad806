// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Bytes;
import org.dkvm.fuzz.Scratch;

/**
 * A kernel's package: nothing but a kernel's files comes out of it, below the target, within the bounds.
 *
 * <p>An input's first byte says what the rest is, so that the fuzzer need not find checksums: the package itself; a tar archive, which goes into a deb or an apk; a cpio archive, which
 * goes into an rpm; or a deb's data, compressed by the way of that number.
 */
public final class KernelPackageFuzz {
    static final List<Compression> COMPRESSIONS = List.of(Compression.values());

    private static final int DEB = 1;
    private static final int APK = 2;
    private static final int RPM = 3;
    private static final int COMPRESSED = 4;
    private static final int KINDS = COMPRESSED + COMPRESSIONS.size();
    private static final Bounds SMALL = new Bounds(64, 64 * 1024, 256 * 1024, Duration.ofMinutes(1));
    /** A dictionary of "xz -9", and as much again for the rest. */
    private static final long MEMORY = 2 * 68 * 1024 * 1024;

    private static final int BLOCK = 512;
    private static final Path PLACE = Scratch.directory("package");
    private static final Path PACKAGE = PLACE.resolve("package");
    private static final Path TARGET = PLACE.resolve("deep/target");

    private KernelPackageFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, MEMORY, KernelPackageFuzz::take);
    }

    private static void take(byte[] input) throws IOException {
        Bytes in = new Bytes(input);
        int kind = in.u8() % KINDS;
        Files.write(PACKAGE, of(kind, in.rest()));
        try {
            KernelPackage.unpack(PACKAGE, new Unpacker(TARGET, new Budget(SMALL)));
        } catch (DkvmException e) {
            Bounded.check(!e.text().isEmpty(), "refused without a word");
        }
        check();
        Scratch.delete(PLACE.resolve("deep"));
    }

    private static void check() throws IOException {
        long bytes = 0;
        int files = 0;
        try (Stream<Path> walk = Files.walk(PLACE)) {
            for (Path path : walk.toList()) {
                Bounded.check(
                        path.equals(PACKAGE) || path.startsWith(TARGET) || TARGET.startsWith(path),
                        "\"" + path + "\" was made outside of the target");
                boolean file = Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS);
                Bounded.check(file || Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS), "\"" + path + "\" is a link");
                if (file && !path.equals(PACKAGE)) {
                    files++;
                    bytes += Files.size(path);
                }
            }
        }
        Bounded.check(
                files <= SMALL.entries() && bytes <= SMALL.totalBytes() + SMALL.fileBytes(),
                files + " files with " + bytes + " bytes");
    }

    private static byte[] of(int kind, byte[] bytes) throws IOException {
        return switch (kind) {
            case DEB -> deb(Compression.NONE, summed(bytes));
            case APK -> gzip(summed(bytes));
            case RPM -> rpm(bytes);
            default -> kind < COMPRESSED ? bytes : deb(COMPRESSIONS.get(kind - COMPRESSED), bytes);
        };
    }

    private static byte[] deb(Compression compression, byte[] data) throws IOException {
        String name = "data.tar" + suffix(compression);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ArArchiveOutputStream ar = new ArArchiveOutputStream(out)) {
            ar.putArchiveEntry(new ArArchiveEntry(name, data.length));
            ar.write(data);
            ar.closeArchiveEntry();
        }
        return out.toByteArray();
    }

    /** What a compression adds to a file's name. */
    static String suffix(Compression compression) {
        return switch (compression) {
            case NONE -> "";
            case GZIP -> ".gz";
            case BZIP2 -> ".bz2";
            case LZMA -> ".lzma";
            case XZ -> ".xz";
            case ZSTD -> ".zst";
        };
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    private static byte[] rpm(byte[] payload) throws IOException {
        byte[] rpm = Files.readAllBytes(SampleKernel.rpm(PLACE, "none", payload));
        Files.delete(PLACE.resolve("kernel-core.rpm"));
        return rpm;
    }

    /** A tar archive whose headers' sums are right. */
    private static byte[] summed(byte[] tar) {
        for (int at = 0; at + BLOCK <= tar.length; at += BLOCK * (1 + blocks(tar, at))) {
            if (tar[at] == 0) {
                continue;
            }
            System.arraycopy("        ".getBytes(StandardCharsets.US_ASCII), 0, tar, at + 148, 8);
            int sum = 0;
            for (int i = 0; i < BLOCK; i++) {
                sum += Byte.toUnsignedInt(tar[at + i]);
            }
            byte[] digits = String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(digits, 0, tar, at + 148, 8);
        }
        return tar;
    }

    /** How many blocks of content an entry has, as far as they are there. */
    private static int blocks(byte[] tar, int header) {
        long size = 0;
        for (int i = header + 124; i < header + 136 && tar[i] >= '0' && tar[i] <= '7'; i++) {
            size = size * 8 + tar[i] - '0';
        }
        return (int) Math.min(tar.length / BLOCK, (size + BLOCK - 1) / BLOCK);
    }
}
