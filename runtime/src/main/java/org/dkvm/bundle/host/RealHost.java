// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.MemorySize;
import org.dkvm.linux.HostFiles;
import org.dkvm.linux.MountTable;

/** The host as it is. */
public final class RealHost implements HostView {
    private static final int MAX_LINE = 256;

    /** What Docker, Podman and containerd name that filesystem. */
    private static final String SHM = "shm";

    @Override
    public SourceKind kindOf(String path) {
        return switch (HostFiles.mode(path) & HostFiles.TYPE_MASK) {
            case 0 -> SourceKind.MISSING;
            case HostFiles.TYPE_DIRECTORY -> SourceKind.DIRECTORY;
            case HostFiles.TYPE_SOCKET -> SourceKind.SOCKET;
            case HostFiles.TYPE_BLOCK_DEVICE, HostFiles.TYPE_CHARACTER_DEVICE -> SourceKind.DEVICE;
            default -> SourceKind.FILE;
        };
    }

    @Override
    public MemorySize filesystemSize(String path) {
        return new MemorySize(HostFiles.filesystemSize(path));
    }

    @Override
    public boolean isSharedMemory(String path) {
        for (MountTable.Mount mount : MountTable.own()) {
            if (mount.point().equals(path)) {
                return "tmpfs".equals(mount.type()) && SHM.equals(mount.source());
            }
        }
        return false;
    }

    @Override
    public boolean isDevice(String path, int major, int minor) {
        return HostFiles.isDevice(path, major, minor);
    }

    @Override
    public String name() {
        return HostFiles.hostName();
    }

    @Override
    public boolean isHostNetwork(String path) {
        return HostFiles.isSame(path, "/proc/self/ns/net");
    }

    @Override
    public boolean isInhabited(String path, String except) {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (!process.endsWith(except) && HostFiles.isSame(path, process + "/ns/net")) {
                    return true;
                }
            }
            return false;
        } catch (IOException | DirectoryIteratorException e) {
            // What can not be looked at is not taken over.
            return true;
        }
    }

    @Override
    public String line(String path) {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            String text = new String(in.readNBytes(MAX_LINE), StandardCharsets.UTF_8);
            int end = text.indexOf('\n');
            return end < 0 ? text : text.substring(0, end);
        } catch (IOException e) {
            return "";
        }
    }
}
