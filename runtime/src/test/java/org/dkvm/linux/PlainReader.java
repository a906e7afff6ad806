// SPDX-License-Identifier: Apache-2.0
package org.dkvm.linux;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;

/** Looks at the test's own files, which nobody changes. */
public final class PlainReader implements RootedReader {
    private static final LinkOption[] FOLLOWED = {};
    private static final LinkOption[] ITSELF = {LinkOption.NOFOLLOW_LINKS};

    @Override
    public byte[] head(Path root, String path, int most) {
        try (InputStream in = path.isEmpty()
                ? Files.newInputStream(root)
                : Files.newInputStream(host(root, path), LinkOption.NOFOLLOW_LINKS)) {
            return in.readNBytes(most);
        } catch (IOException e) {
            return new byte[0];
        }
    }

    @Override
    public Look look(Path root, String path) {
        try {
            Path host = host(root, path);
            Map<String, Object> found =
                    Files.readAttributes(host, "unix:mode,uid,gid", path.isEmpty() ? FOLLOWED : ITSELF);
            int mode = number(found, "mode");
            boolean link = (mode & HostFiles.TYPE_MASK) == HostFiles.TYPE_LINK;
            String text = link ? Files.readSymbolicLink(host).toString() : "";
            return new Look(mode, number(found, "uid"), number(found, "gid"), text);
        } catch (NoSuchFileException e) {
            return Look.MISSING;
        } catch (IOException | InvalidPathException e) {
            return Look.UNKNOWN;
        }
    }

    @Override
    public boolean isEmpty(Path root, String path) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(host(root, path))) {
            return !entries.iterator().hasNext();
        } catch (IOException | InvalidPathException | DirectoryIteratorException e) {
            return false;
        }
    }

    private static int number(Map<String, Object> attributes, String name) {
        return attributes.get(name) instanceof Integer number ? number : 0;
    }

    private static Path host(Path root, String path) {
        return path.isEmpty() ? root : root.resolve(path.substring(1));
    }
}
