// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Looks at what execve(2) would load for a program: its ELF header, or that of the interpreter that its first line names. */
public final class ProgramHeader {
    /** As many bytes of a script as the kernel looks at; see its binfmts.h, BINPRM_BUF_SIZE. */
    private static final int HEAD_BYTES = 256;

    /** As many interpreters as the kernel follows. */
    private static final int MAX_INTERPRETERS = 5;

    private ProgramHeader() {}

    /**
     * The header; empty where the file does not say: it is missing, can not be seen from here, or is neither an ELF file nor a script.
     *
     * @param tree where the program is
     * @param program its path there
     * @param cwd what an interpreter's relative path starts from
     */
    public static Optional<ElfHeader> of(RootedTree tree, String program, String cwd) {
        String path = program;
        for (int followed = 0; followed <= MAX_INTERPRETERS && !path.isEmpty(); followed++) {
            byte[] head = tree.head(tree.find(path), HEAD_BYTES);
            Optional<ElfHeader> header = ElfHeader.parse(head);
            if (header.isPresent()) {
                return header;
            }
            path = interpreter(head);
            if (!path.isEmpty() && path.charAt(0) != '/') {
                path = cwd + "/" + path;
            }
        }
        return Optional.empty();
    }

    /** The path in a script's first line; empty where it is no script, or the line has no end that the kernel sees. */
    private static String interpreter(byte[] head) {
        if (head.length < 2 || head[0] != '#' || head[1] != '!') {
            return "";
        }
        int start = 2;
        while (start < head.length && isBlank(head[start])) {
            start++;
        }
        int end = start;
        while (end < head.length && !isBlank(head[end]) && head[end] != '\n' && head[end] != 0) {
            end++;
        }
        // A short file's end ends the line, too.
        return end < HEAD_BYTES ? new String(head, start, end - start, StandardCharsets.UTF_8) : "";
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }
}
