// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PlainName;
import org.dkvm.linux.ElfHeader;

/** The kinds of kernel image that QEMU boots. */
enum KernelImage {
    /** Compressed, with the boot protocol's header. See the kernel's Documentation/arch/x86/boot.rst. */
    BZIMAGE("vmlinuz", Architecture.AMD64),
    /** The ELF file, which QEMU starts by PVH. */
    ELF("vmlinux", Architecture.AMD64),
    /** Plain, compressed by gzip as a whole, or an EFI program with the same in it. See the kernel's Documentation/arch/arm64/booting.rst. */
    ARM64_IMAGE("vmlinuz", Architecture.ARM64);

    private static final int HEAD_BYTES = 0x210;
    private static final int BOOT_FLAG_AT = 0x1fe;
    private static final int BOOT_FLAG = 0xaa55;
    private static final int MAGIC_AT = 0x202;
    private static final int MAGIC = 0x53726448;
    private static final int VERSION_AT = 0x20e;
    /** The pointer to the version counts from the end of the first sector. */
    private static final int VERSION_BASE = 0x200;

    /** As much of a file as is looked at, in bytes. */
    static final int MOST_START = 64 * 1024;

    private static final int ARM64_MAGIC_AT = 56;
    private static final int ARM64_MAGIC = 0x644d5241;
    private static final int GZIP_MAGIC = 0x8b1f;
    /** An EFI program's first two bytes, and where it points to the header that names the machine. */
    private static final int DOS_MAGIC = 0x5a4d;

    private static final int PE_AT = 0x3c;
    private static final int PE_MAGIC = 0x4550;
    private static final int PE_ARM64 = 0xaa64;
    /** See the kernel's drivers/firmware/efi/libstub/zboot-header.S. */
    private static final int ZBOOT_MAGIC_AT = 4;

    private static final int ZBOOT_MAGIC = 0x676d697a;
    private static final int ZBOOT_COMPRESSION_AT = 24;
    private static final int ZBOOT_COMPRESSION_BYTES = 32;

    private final String fileName;
    private final Architecture architecture;

    KernelImage(String fileName, Architecture architecture) {
        this.fileName = fileName;
        this.architecture = architecture;
    }

    /** The name it has in the store. */
    String fileName() {
        return fileName;
    }

    /** What such an image is built for. */
    Architecture architecture() {
        return architecture;
    }

    /** What a file is, by its first bytes. */
    static KernelImage of(Path file) throws IOException, DkvmException {
        return of(String.valueOf(file.getFileName()), bytes(file, MOST_START));
    }

    /**
     * What a file is.
     *
     * @param name the file's, for messages
     * @param start its first bytes, {@link #MOST_START} where it has so many
     */
    static KernelImage of(String name, byte[] start) throws IOException, DkvmException {
        ByteBuffer head =
                ByteBuffer.wrap(start, 0, Math.min(start.length, HEAD_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        if (head.limit() == HEAD_BYTES) {
            if (Short.toUnsignedInt(head.getShort(BOOT_FLAG_AT)) == BOOT_FLAG && head.getInt(MAGIC_AT) == MAGIC) {
                return BZIMAGE;
            }
            if (ElfHeader.parse(start).equals(Optional.of(ElfHeader.X86_64))) {
                return ELF;
            }
            if (isArm64(head) || isCompressedArm64(head, start) || isZbootArm64(head, name)) {
                return ARM64_IMAGE;
            }
        }
        throw new DkvmException(
                "\"" + name + "\" is no Linux kernel for amd64 or arm64", "give one as distributions ship it");
    }

    private static boolean isArm64(ByteBuffer head) {
        return head.limit() >= ARM64_MAGIC_AT + Integer.BYTES && head.getInt(ARM64_MAGIC_AT) == ARM64_MAGIC;
    }

    private static boolean isCompressedArm64(ByteBuffer head, byte[] start) throws IOException {
        if (Short.toUnsignedInt(head.getShort(0)) != GZIP_MAGIC) {
            return false;
        }
        try (InputStream stream = new GZIPInputStream(new ByteArrayInputStream(start))) {
            return isArm64(ByteBuffer.wrap(stream.readNBytes(HEAD_BYTES)).order(ByteOrder.LITTLE_ENDIAN));
        } catch (EOFException | ZipException e) {
            return false;
        }
    }

    private static boolean isZbootArm64(ByteBuffer head, String file) throws DkvmException {
        int header = head.getInt(PE_AT);
        boolean zboot = Short.toUnsignedInt(head.getShort(0)) == DOS_MAGIC
                && head.getInt(ZBOOT_MAGIC_AT) == ZBOOT_MAGIC
                && header > 0
                && header <= HEAD_BYTES - Integer.BYTES - Short.BYTES
                && head.getInt(header) == PE_MAGIC
                && Short.toUnsignedInt(head.getShort(header + Integer.BYTES)) == PE_ARM64;
        if (!zboot) {
            return false;
        }
        byte[] compression = new byte[ZBOOT_COMPRESSION_BYTES];
        head.get(ZBOOT_COMPRESSION_AT, compression);
        String name = new String(compression, StandardCharsets.ISO_8859_1);
        name = name.substring(0, Math.max(0, name.indexOf('\0')));
        if (!"gzip".equals(name)) {
            throw new DkvmException(
                    "\"" + file + "\" is compressed by \"" + (PlainName.isValid(name) ? name : "?")
                            + "\", which QEMU does not unpack",
                    "give a kernel that is compressed by gzip, or not at all");
        }
        return true;
    }

    /** Whether EFI can start it: a compressed kernel with an EFI stub. */
    static boolean isEfiProgram(Path file) throws IOException {
        ByteBuffer head = ByteBuffer.wrap(bytes(file, HEAD_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        return head.limit() == HEAD_BYTES
                && Short.toUnsignedInt(head.getShort(0)) == DOS_MAGIC
                && head.getInt(MAGIC_AT) == MAGIC;
    }

    /** The release of a bzImage, as uname(1) would print it. */
    static String release(Path file) throws DkvmException {
        try {
            return release(file.toString(), bytes(file, MOST_START));
        } catch (IOException e) {
            throw new DkvmException("kernel \"" + file + "\" can not be read: " + e.getMessage(), "", e);
        }
    }

    /**
     * As {@link #release(Path)}.
     *
     * @param file its path, for messages
     * @param head its first bytes, {@link #MOST_START} where it has so many
     */
    static String release(String file, byte[] head) throws DkvmException {
        ByteBuffer setup = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
        if (setup.limit() < VERSION_AT + 2 || setup.getInt(MAGIC_AT) != MAGIC) {
            throw bad(file, "is no Linux kernel for x86");
        }
        int start = VERSION_BASE + Short.toUnsignedInt(setup.getShort(VERSION_AT));
        int end = start;
        while (end < setup.limit() && setup.get(end) > ' ') {
            end++;
        }
        // The text must end before the bytes do.
        String release = end < setup.limit()
                ? StandardCharsets.US_ASCII
                        .decode(setup.slice(start, end - start))
                        .toString()
                : "";
        if (!PlainName.isValid(release)) {
            throw bad(file, "does not tell its version");
        }
        return release;
    }

    private static byte[] bytes(Path file, int most) throws IOException {
        try (InputStream stream = Files.newInputStream(file)) {
            return stream.readNBytes(most);
        }
    }

    private static DkvmException bad(String file, String what) {
        return new DkvmException("kernel \"" + file + "\" " + what, "a bzImage is wanted, as distributions ship it");
    }
}
