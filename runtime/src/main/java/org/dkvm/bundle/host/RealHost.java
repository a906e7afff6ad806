// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.dkvm.core.MemorySize;
import org.dkvm.linux.HostFiles;
import org.dkvm.linux.MountTable;
import org.dkvm.linux.RootedReader;
import org.dkvm.linux.UserNamespace;

/** The host as it is. */
public final class RealHost implements HostView {
    private static final int MAX_LINE = 256;

    /** Those of sysfs claim to be as large as a page, and are read. */
    private static final Set<String> SIZELESS =
            Set.of("proc", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "selinuxfs", "nsfs");

    /** What Docker, Podman and containerd name that filesystem. */
    private static final String SHM = "shm";

    private final RootedReader reader;
    private final boolean users;

    /** The host, for its root. */
    public RealHost(RootedReader reader) {
        this(reader, UserNamespace.host());
    }

    /**
     * The host.
     *
     * @param reader what looks at images and volumes
     * @param users whose root the engine is
     */
    public RealHost(RootedReader reader, UserNamespace users) {
        this.reader = reader;
        this.users = !users.isHosts();
    }

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
    public String sizeless(String path) {
        try {
            // Only what has no size is looked for in the table of mounts, which is long on some hosts.
            Path real = Path.of(path).toRealPath();
            return Files.size(real) == 0 ? sizeless(real, MountTable.own()) : "";
        } catch (IOException e) {
            return "";
        }
    }

    /** The mount that a path without links is on is the last one of those that are nearest. */
    static String sizeless(Path path, List<MountTable.Mount> mounts) {
        String type = "";
        int names = -1;
        for (MountTable.Mount mount : mounts) {
            Path point = Path.of(mount.point());
            if (path.startsWith(point) && point.getNameCount() >= names) {
                type = mount.type();
                names = point.getNameCount();
            }
        }
        return SIZELESS.contains(type) ? type : "";
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
    public Optional<MountTable.Mount> filesystemAt(String path) {
        try {
            Path real = Path.of(path).toRealPath();
            Path parent = real.getParent();
            // As above: the table is long on some hosts.
            if (parent == null || HostFiles.isOfOneFilesystem(real.toString(), parent.toString())) {
                return Optional.empty();
            }
            Optional<MountTable.Mount> last = Optional.empty();
            for (MountTable.Mount mount : MountTable.own()) {
                if (mount.point().equals(real.toString())) {
                    last = Optional.of(mount);
                }
            }
            return last;
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    @Override
    public List<MountTable.Mount> mounts() {
        return MountTable.own();
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
    public boolean isUsers() {
        return users;
    }

    @Override
    public RootedReader reader() {
        return reader;
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
