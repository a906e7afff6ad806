// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.Map;
import org.dkvm.core.DkvmException;

/** Finds the cpio archive in an rpm package, behind its lead, its signature and its header. See the format's description, docs/manual/format_v4.md of rpm. */
final class RpmPayload {
    /** What every rpm starts with. */
    static final byte[] MAGIC = {(byte) 0xed, (byte) 0xab, (byte) 0xee, (byte) 0xdb};

    private static final int LEAD_BYTES = 96;
    /** Three bytes of magic and the version, 1. */
    private static final int HEADER_MAGIC = 0x8eade801;

    private static final int MAX_INDEX_ENTRIES = 64 * 1024;
    /** The header of a kernel with 10,000 files has 2 MiB. */
    private static final int MAX_STORE_BYTES = 256 * 1024 * 1024;

    private static final int ALIGNMENT = 8;
    private static final int TAG_PAYLOAD_FORMAT = 1124;
    private static final int TAG_PAYLOAD_COMPRESSOR = 1125;
    private static final int TYPE_STRING = 6;
    private static final int MAX_TEXT = 32;

    private final DataInputStream stream;
    private final Map<Integer, String> texts = new HashMap<>();

    private RpmPayload(InputStream stream) {
        this.stream = new DataInputStream(stream);
    }

    /** The plain bytes of a package's payload; the stream stands at the package's start. */
    static InputStream open(InputStream stream) throws IOException, DkvmException {
        RpmPayload rpm = new RpmPayload(stream);
        stream.skipNBytes(LEAD_BYTES);
        int signature = rpm.readHeader();
        // The signature's length is padded, the header's is not.
        stream.skipNBytes((ALIGNMENT - signature % ALIGNMENT) % ALIGNMENT);
        rpm.texts.clear();
        rpm.readHeader();
        String format = rpm.texts.getOrDefault(TAG_PAYLOAD_FORMAT, "cpio");
        if (!"cpio".equals(format)) {
            throw new DkvmException("its payload is no cpio archive but \"" + format + "\"", "");
        }
        return rpm.compression().open(stream);
    }

    private Compression compression() throws DkvmException {
        String name = texts.getOrDefault(TAG_PAYLOAD_COMPRESSOR, "gzip");
        return switch (name) {
            case "none", "identity" -> Compression.NONE;
            case "gzip" -> Compression.GZIP;
            case "bzip2" -> Compression.BZIP2;
            case "lzma" -> Compression.LZMA;
            case "xz" -> Compression.XZ;
            case "zstd" -> Compression.ZSTD;
            default -> throw new DkvmException("its payload is compressed by \"" + name + "\", which is not known", "");
        };
    }

    /** Reads one header and remembers the texts of interest; returns how many bytes its store has. */
    private int readHeader() throws IOException, DkvmException {
        if (stream.readInt() != HEADER_MAGIC) {
            throw new DkvmException("it is no rpm of version 3 or 4", "");
        }
        stream.skipNBytes(Integer.BYTES);
        int entries = stream.readInt();
        int storeBytes = stream.readInt();
        if (entries < 0 || entries > MAX_INDEX_ENTRIES || storeBytes < 0 || storeBytes > MAX_STORE_BYTES) {
            throw new DkvmException("its header has " + entries + " entries and " + storeBytes + " bytes", "");
        }
        Map<Integer, Integer> offsets = new HashMap<>();
        for (int i = 0; i < entries; i++) {
            int tag = stream.readInt();
            int type = stream.readInt();
            int offset = stream.readInt();
            stream.skipNBytes(Integer.BYTES);
            if (type == TYPE_STRING && (tag == TAG_PAYLOAD_FORMAT || tag == TAG_PAYLOAD_COMPRESSOR)) {
                offsets.put(offset, tag);
            }
        }
        readStore(offsets, storeBytes);
        return storeBytes;
    }

    private void readStore(Map<Integer, Integer> offsets, int storeBytes) throws IOException {
        int at = 0;
        for (int offset : offsets.keySet().stream().sorted().toList()) {
            if (offset < at || offset >= storeBytes) {
                throw new EOFException("a text lies outside of the header");
            }
            stream.skipNBytes(offset - at);
            at = offset;
            StringBuilder text = new StringBuilder();
            while (at < storeBytes && text.length() < MAX_TEXT) {
                int one = stream.readUnsignedByte();
                at++;
                if (one == 0) {
                    break;
                }
                text.append(one >= ' ' && one <= '~' ? (char) one : '?');
            }
            texts.put(offsets.get(offset), text.toString());
        }
        stream.skipNBytes(storeBytes - at);
    }
}
