// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/** What a kernel module says of itself: the section {@code .modinfo} of its ELF file, texts of the form {@code key=value}. See elf(5), modinfo(8). */
final class ModuleFile {
    private static final String SECTION = ".modinfo";
    private static final int ELF_MAGIC = 0x7f454c46;
    private static final int HEADER_BYTES = 64;
    private static final int SECTION_BYTES = 64;
    private static final int MAX_BYTES = 4 * 1024 * 1024;

    private final SeekableByteChannel file;

    private ModuleFile(SeekableByteChannel file) {
        this.file = file;
    }

    /** A section's place in the file. */
    private record Section(int name, long offset, long size) {}

    /** The values of a key in a plain (not compressed) module, in order. */
    static List<String> values(Path module, String key) throws IOException {
        try (SeekableByteChannel file = Files.newByteChannel(module)) {
            String start = key + "=";
            return new ModuleFile(file)
                    .texts().stream()
                            .filter(text -> text.startsWith(start))
                            .map(text -> text.substring(start.length()))
                            .toList();
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new IOException("its ELF tables make no sense", e);
        }
    }

    /** The names of the modules that a module needs before it. */
    static List<String> dependencies(Path module) throws IOException {
        return values(module, "depends").stream()
                .flatMap(names -> Arrays.stream(names.split(",", -1)))
                .filter(Predicate.not(String::isEmpty))
                .map(ModuleDirectory::plainName)
                .toList();
    }

    private List<String> texts() throws IOException {
        ByteBuffer header = read(0, HEADER_BYTES);
        boolean isElf64 = header.order(ByteOrder.BIG_ENDIAN).getInt(0) == ELF_MAGIC && header.get(4) == 2;
        if (!isElf64 || header.get(5) != 1) {
            throw new IOException("it is no ELF file of a 64-bit kernel");
        }
        header.order(ByteOrder.LITTLE_ENDIAN);
        int count = Short.toUnsignedInt(header.getShort(60));
        if (Short.toUnsignedInt(header.getShort(58)) != SECTION_BYTES) {
            throw new IOException("its ELF sections have an unknown size");
        }
        ByteBuffer table = read(header.getLong(40), (long) count * SECTION_BYTES);
        List<Section> sections = new ArrayList<>();
        for (int at = 0; at < count * SECTION_BYTES; at += SECTION_BYTES) {
            sections.add(new Section(table.getInt(at), table.getLong(at + 24), table.getLong(at + 32)));
        }
        Section names = sections.get(Short.toUnsignedInt(header.getShort(62)));
        ByteBuffer nameTable = read(names.offset, names.size);
        for (Section section : sections) {
            if (isNamed(nameTable, section.name)) {
                return split(read(section.offset, section.size));
            }
        }
        throw new IOException("it has no section " + SECTION);
    }

    /** Compared where it stands: a name without an end in each of many sections would take hours to copy. */
    private static boolean isNamed(ByteBuffer names, int start) {
        int length = SECTION.length();
        if (start < 0 || start >= names.limit() - length || names.get(start + length) != 0) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (names.get(start + i) != SECTION.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private ByteBuffer read(long offset, long size) throws IOException {
        if (offset < 0 || size < 0 || size > MAX_BYTES || offset > file.size() - size) {
            throw new IOException("its ELF tables lead out of it");
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
        file.position(offset);
        int count = 0;
        while (bytes.hasRemaining() && count >= 0) {
            count = file.read(bytes);
        }
        return bytes.flip();
    }

    private static List<String> split(ByteBuffer bytes) {
        List<String> texts = new ArrayList<>();
        int at = 0;
        while (at < bytes.limit()) {
            String text = text(bytes, at);
            if (!text.isEmpty()) {
                texts.add(text);
            }
            at += text.length() + 1;
        }
        return texts;
    }

    /** The text up to the next NUL; a byte is a character. */
    private static String text(ByteBuffer bytes, int start) {
        int end = start;
        while (end < bytes.limit() && bytes.get(end) != 0) {
            end++;
        }
        byte[] text = new byte[end - start];
        bytes.get(start, text);
        return new String(text, StandardCharsets.ISO_8859_1);
    }
}
