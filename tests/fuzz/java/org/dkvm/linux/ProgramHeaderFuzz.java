// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Scratch;

/** An image's program: its ELF header, or its interpreter's. The input is the program; its interpreter may be itself. */
public final class ProgramHeaderFuzz {
    private static final Path ROOT = Scratch.directory("image");
    private static final Path PROGRAM = ROOT.resolve("p");

    private ProgramHeaderFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, ProgramHeaderFuzz::take);
    }

    /** Whatever is read is the input. */
    private static final class OneProgram implements RootedReader {
        private static final RootedReader PLAIN = new PlainReader();

        private final byte[] input;

        OneProgram(byte[] input) {
            this.input = input;
        }

        @Override
        public byte[] head(Path root, String path, int most) {
            return Arrays.copyOf(input, Math.min(input.length, most));
        }

        @Override
        public Look look(Path root, String path) {
            return PLAIN.look(root, path);
        }

        @Override
        public boolean isEmpty(Path root, String path) {
            return PLAIN.isEmpty(root, path);
        }
    }

    private static void take(byte[] input) throws Exception {
        Files.write(PROGRAM, input);
        Optional<ElfHeader> header = ElfHeader.parse(input);
        RootedTree tree = new RootedTree(ROOT, new OneProgram(input));
        Optional<ElfHeader> found = ProgramHeader.of(tree, "/p", "/");
        Bounded.check(header.equals(found), header + " is found as " + found);
        if (header.isPresent()) {
            ElfHeader read = header.get();
            boolean big = !read.littleEndian();
            int machine = (Byte.toUnsignedInt(input[big ? 18 : 19]) << 8) | Byte.toUnsignedInt(input[big ? 19 : 18]);
            Bounded.check(read.machine() == machine, read + " of a file for machine " + machine);
            Bounded.check(!read.name().isEmpty(), "an architecture without a name");
            Bounded.check(read.architecture().isEmpty() || !big, "an architecture of the other byte order");
        }
    }
}
