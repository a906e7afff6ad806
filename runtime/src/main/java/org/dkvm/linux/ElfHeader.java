// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.util.Optional;
import org.dkvm.core.Architecture;

/**
 * The beginning of an ELF file: what it says of the machine it is for. See elf(5).
 *
 * @param machine the ABI's number of the architecture, {@code e_machine}
 * @param wide whether it is a 64-bit file
 * @param littleEndian the order of its bytes
 */
public record ElfHeader(int machine, boolean wide, boolean littleEndian) {
    private static final int MAGIC = 0x7f454c46;
    private static final int CLASS_AT = 4;
    private static final int DATA_AT = 5;
    private static final int MACHINE_AT = 18;
    /** As many bytes as it takes to read one. */
    public static final int BYTES = MACHINE_AT + 2;

    private static final int CLASS_32 = 1;
    private static final int CLASS_64 = 2;
    private static final int LITTLE = 1;
    private static final int BIG = 2;

    private static final int EM_386 = 3;
    private static final int EM_ARM = 40;
    private static final int EM_X86_64 = 62;
    private static final int EM_AARCH64 = 183;

    /** That of the programs, and of a kernel, for x86-64. */
    public static final ElfHeader X86_64 = new ElfHeader(EM_X86_64, true, true);

    /** The header that bytes begin with; empty where they are no ELF file's. */
    public static Optional<ElfHeader> parse(byte[] head) {
        if (head.length < BYTES || ((head[0] << 24) | (head[1] << 16) | (head[2] << 8) | head[3]) != MAGIC) {
            return Optional.empty();
        }
        boolean known = (head[CLASS_AT] == CLASS_32 || head[CLASS_AT] == CLASS_64)
                && (head[DATA_AT] == LITTLE || head[DATA_AT] == BIG);
        if (!known) {
            return Optional.empty();
        }
        boolean little = head[DATA_AT] == LITTLE;
        int first = Byte.toUnsignedInt(head[MACHINE_AT]);
        int second = Byte.toUnsignedInt(head[MACHINE_AT + 1]);
        int machine = little ? second << 8 | first : first << 8 | second;
        return Optional.of(new ElfHeader(machine, head[CLASS_AT] == CLASS_64, little));
    }

    /** The architecture whose VMs run such programs; the 32-bit ones of a family run on the 64-bit one's kernel. */
    public Optional<Architecture> architecture() {
        if (!littleEndian) {
            return Optional.empty();
        }
        return switch (machine) {
            case EM_X86_64, EM_386 -> Optional.of(Architecture.AMD64);
            case EM_AARCH64, EM_ARM -> Optional.of(Architecture.ARM64);
            default -> Optional.empty();
        };
    }

    /** The architecture as Docker calls it, for people. */
    public String name() {
        return switch (machine) {
            case EM_386 -> "386";
            case EM_X86_64 -> "amd64";
            case EM_ARM -> littleEndian ? "arm" : "armbe";
            case EM_AARCH64 -> littleEndian ? "arm64" : "arm64be";
            case 8 -> (wide ? "mips64" : "mips") + (littleEndian ? "le" : "");
            case 20 -> "ppc";
            case 21 -> littleEndian ? "ppc64le" : "ppc64";
            case 22 -> wide ? "s390x" : "s390";
            case 43 -> "sparc64";
            case 243 -> wide ? "riscv64" : "riscv32";
            case 258 -> wide ? "loong64" : "loong32";
            default -> "ELF machine " + machine;
        };
    }
}
