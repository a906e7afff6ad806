// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.BoundedStream;

/** Reads a distribution's package: deb(5), rpm, or apk of version 2. Its signature is not looked at: that is its buyer's business. */
final class KernelPackage {
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final byte[] AR_MAGIC = {'!', '<', 'a', 'r', 'c', 'h', '>', '\n'};
    private static final byte[] GZIP_MAGIC = {0x1f, (byte) 0x8b};
    private static final String DATA = "data.tar";

    private KernelPackage() {}

    /** Gives all that is in a package to the unpacker. */
    static void unpack(Path file, Unpacker unpacker) throws DkvmException {
        try (InputStream stream = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES)) {
            byte[] start = peek(stream);
            if (startsWith(start, AR_MAGIC)) {
                deb(stream, unpacker);
            } else if (startsWith(start, RpmPayload.MAGIC)) {
                cpio(unpacker.bounded(RpmPayload.open(stream)), unpacker);
            } else if (startsWith(start, GZIP_MAGIC)) {
                // Signature, control and data are tar archives one behind the other, without the ends of the first two.
                tar(unpacker.bounded(new GZIPInputStream(stream, BUFFER_BYTES)), unpacker);
            } else {
                throw new DkvmException("it is no deb, rpm or apk", "");
            }
        } catch (DkvmException e) {
            throw new DkvmException(
                    "can not take a kernel from \"" + file + "\": " + e.getMessage(), advice(e.advice()), e);
        } catch (BoundedStream.Exceeded e) {
            throw new DkvmException("can not take a kernel from \"" + file + "\": " + e.getMessage(), advice(""), e);
        } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
            // The libraries end with any of these where an archive makes no sense to them.
            throw new DkvmException("package \"" + file + "\" can not be read: " + e, "fetch it again", e);
        }
    }

    private static String advice(String given) {
        return given.isEmpty() ? "give the package of a distribution's kernel, or a directory" : given;
    }

    private static byte[] peek(InputStream stream) throws IOException {
        stream.mark(AR_MAGIC.length);
        byte[] start = stream.readNBytes(AR_MAGIC.length);
        stream.reset();
        return start;
    }

    private static boolean startsWith(byte[] bytes, byte[] magic) {
        return bytes.length >= magic.length && Arrays.equals(bytes, 0, magic.length, magic, 0, magic.length);
    }

    private static void deb(InputStream stream, Unpacker unpacker) throws IOException, DkvmException {
        try (ArArchiveInputStream ar = new ArArchiveInputStream(stream)) {
            for (ArArchiveEntry entry = ar.getNextEntry(); entry != null; entry = ar.getNextEntry()) {
                Compression compression = Compression.ofName(entry.getName());
                if (DATA.equals(compression.stripFrom(entry.getName()))) {
                    tar(unpacker.bounded(compression.open(new BufferedInputStream(ar, BUFFER_BYTES))), unpacker);
                    return;
                }
            }
        }
        throw new DkvmException("it has no \"" + DATA + "\"", "");
    }

    private static void tar(InputStream stream, Unpacker unpacker) throws IOException, DkvmException {
        ArchiveStream archive = new ArchiveStream(stream);
        try (TarArchiveInputStream tar = new TarArchiveInputStream(archive)) {
            for (TarArchiveEntry entry = archive.next(tar::getNextEntry);
                    entry != null;
                    entry = archive.next(tar::getNextEntry)) {
                unpacker.take(entry.getName(), kind(entry), entry.getSize(), tar);
                tar.transferTo(OutputStream.nullOutputStream());
            }
        }
    }

    private static Unpacker.Kind kind(TarArchiveEntry entry) {
        if (entry.isDirectory()) {
            return Unpacker.Kind.DIRECTORY;
        }
        return entry.isFile() && !entry.isLink() && !entry.isSymbolicLink() ? Unpacker.Kind.FILE : Unpacker.Kind.OTHER;
    }

    private static void cpio(InputStream stream, Unpacker unpacker) throws IOException, DkvmException {
        ArchiveStream archive = new ArchiveStream(stream);
        try (CpioArchiveInputStream cpio = new CpioArchiveInputStream(archive)) {
            for (CpioArchiveEntry entry = archive.next(cpio::getNextEntry);
                    entry != null;
                    entry = archive.next(cpio::getNextEntry)) {
                unpacker.take(entry.getName(), kind(entry), entry.getSize(), cpio);
                cpio.transferTo(OutputStream.nullOutputStream());
            }
        }
    }

    /** Of several names for one file only the last comes with its bytes: as good as a link. */
    private static Unpacker.Kind kind(CpioArchiveEntry entry) {
        if (entry.isDirectory()) {
            return Unpacker.Kind.DIRECTORY;
        }
        return entry.isRegularFile() && entry.getNumberOfLinks() <= 1 ? Unpacker.Kind.FILE : Unpacker.Kind.OTHER;
    }
}
