// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import io.airlift.compress.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.XZInputStream;

/** How packages and modules are compressed. */
enum Compression {
    NONE(""),
    GZIP(".gz"),
    BZIP2(".bz2"),
    LZMA(".lzma"),
    XZ(".xz"),
    ZSTD(".zst");

    /** The largest dictionary of "xz -9" is 64 MiB. */
    private static final int XZ_MEMORY_KIB = 68 * 1024;

    private final String suffix;

    Compression(String suffix) {
        this.suffix = suffix;
    }

    /** The compression that a file's name tells. */
    static Compression ofName(String name) {
        for (Compression compression : values()) {
            if (compression != NONE && name.endsWith(compression.suffix)) {
                return compression;
            }
        }
        return NONE;
    }

    /** A file's name without what this compression added. */
    String stripFrom(String name) {
        return name.substring(0, name.length() - suffix.length());
    }

    /** The plain bytes of a compressed stream; how many they are is not bounded here. */
    InputStream open(InputStream compressed) throws IOException {
        return switch (this) {
            case NONE -> compressed;
            case GZIP -> new GZIPInputStream(compressed);
            case BZIP2 -> new BZip2CompressorInputStream(compressed, true);
            case LZMA -> new LZMAInputStream(compressed, XZ_MEMORY_KIB);
            case XZ -> new XZInputStream(compressed, XZ_MEMORY_KIB);
            case ZSTD -> new ZstdInputStream(compressed);
        };
    }
}
