// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PlainName;

/** The two kinds of kernel image that QEMU boots. */
enum KernelImage {
    /** Compressed, with the boot protocol's header. See the kernel's Documentation/arch/x86/boot.rst. */
    BZIMAGE("vmlinuz"),
    /** The ELF file, which QEMU starts by PVH. */
    ELF("vmlinux");

    private static final int HEAD_BYTES = 0x210;
    private static final int BOOT_FLAG_AT = 0x1fe;
    private static final int BOOT_FLAG = 0xaa55;
    private static final int MAGIC_AT = 0x202;
    private static final int MAGIC = 0x53726448;
    private static final int VERSION_AT = 0x20e;
    /** The pointer to the version counts from the end of the first sector. */
    private static final int VERSION_BASE = 0x200;

    private static final int MOST_SETUP = 64 * 1024;
    /** A program for EFI starts as one for DOS. */
    private static final int EFI_MAGIC = 0x5a4d;

    private static final int ELF_MAGIC = 0x464c457f;
    private static final int ELF_CLASS_AT = 4;
    private static final int ELF_MACHINE_AT = 18;
    private static final int ELF64 = 2;
    private static final int X86_64 = 62;

    private final String fileName;

    KernelImage(String fileName) {
        this.fileName = fileName;
    }

    /** The name it has in the store. */
    String fileName() {
        return fileName;
    }

    /** What a file is, by its first bytes. */
    static KernelImage of(Path file) throws IOException, DkvmException {
        ByteBuffer head = head(file, HEAD_BYTES);
        if (head.limit() == HEAD_BYTES
                && Short.toUnsignedInt(head.getShort(BOOT_FLAG_AT)) == BOOT_FLAG
                && head.getInt(MAGIC_AT) == MAGIC) {
            return BZIMAGE;
        }
        if (head.limit() == HEAD_BYTES
                && head.getInt(0) == ELF_MAGIC
                && head.get(ELF_CLASS_AT) == ELF64
                && head.getShort(ELF_MACHINE_AT) == X86_64) {
            return ELF;
        }
        throw new DkvmException(
                "\"" + file.getFileName() + "\" is no kernel image for x86-64", "give a kernel for this architecture");
    }

    /** Whether EFI can start it: a compressed kernel with an EFI stub. */
    static boolean isEfiProgram(Path file) throws IOException {
        ByteBuffer head = head(file, HEAD_BYTES);
        return head.limit() == HEAD_BYTES
                && Short.toUnsignedInt(head.getShort(0)) == EFI_MAGIC
                && head.getInt(MAGIC_AT) == MAGIC;
    }

    /** The release of a compressed kernel, as uname(1) would print it. */
    static String release(Path file) throws DkvmException {
        ByteBuffer setup;
        try {
            setup = head(file, MOST_SETUP);
        } catch (IOException e) {
            throw new DkvmException("kernel \"" + file + "\" can not be read: " + e.getMessage(), "", e);
        }
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

    private static ByteBuffer head(Path file, int most) throws IOException {
        try (InputStream stream = Files.newInputStream(file)) {
            return ByteBuffer.wrap(stream.readNBytes(most)).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    private static DkvmException bad(Path file, String what) {
        return new DkvmException("kernel \"" + file + "\" " + what, "a bzImage is wanted, as distributions ship it");
    }
}
