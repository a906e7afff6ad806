// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.host;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.dkvm.core.MemorySize;
import org.dkvm.linux.MountTable;
import org.dkvm.linux.PlainReader;
import org.dkvm.linux.RootedReader;

/** A host whose sources are directories, but for the files that engines mount and those a test names. */
public final class FakeHost implements HostView {
    private final Map<String, SourceKind> kinds = new HashMap<>();
    private final Map<String, String> lines = new HashMap<>();
    private final List<MountTable.Mount> filesystems = new ArrayList<>();
    private String hostNetwork = "";
    private String inhabited = "";
    private boolean users;

    public FakeHost with(String path, SourceKind kind) {
        kinds.put(path, kind);
        return this;
    }

    /** That file begins with that line. */
    public FakeHost withLine(String path, String line) {
        lines.put(path, line);
        return this;
    }

    public FakeHost withHostNetwork(String path) {
        hostNetwork = path;
        return this;
    }

    /** Something is mounted. */
    public FakeHost withMount(MountTable.Mount mount) {
        filesystems.add(mount);
        return this;
    }

    /** The engine is a user's. */
    public FakeHost withUsersEngine() {
        users = true;
        return this;
    }

    /** Somebody lives in the network namespace of that path. */
    public FakeHost withProcessesIn(String path) {
        inhabited = path;
        return this;
    }

    @Override
    public SourceKind kindOf(String path) {
        boolean file = path.endsWith("/resolv.conf")
                || path.endsWith("/hosts")
                || path.endsWith("/hostname")
                || path.endsWith("/.containerenv")
                || path.endsWith("/catatonit")
                || path.endsWith("/docker-init")
                || path.endsWith("/file");
        return kinds.getOrDefault(path, file ? SourceKind.FILE : SourceKind.DIRECTORY);
    }

    @Override
    public String sizeless(String path) {
        return path.equals("/proc") || path.startsWith("/proc/") ? "proc" : "";
    }

    @Override
    public MemorySize filesystemSize(String path) {
        return MemorySize.ofMib(64);
    }

    @Override
    public boolean isSharedMemory(String path) {
        return path.endsWith("/shm");
    }

    @Override
    public Optional<MountTable.Mount> filesystemAt(String path) {
        return filesystems.stream().filter(mount -> mount.point().equals(path)).findAny();
    }

    @Override
    public List<MountTable.Mount> mounts() {
        return filesystems;
    }

    @Override
    public boolean isDevice(String path, int major, int minor) {
        return path.equals("/dev/sda") && major == 8 && minor == 0;
    }

    @Override
    public String name() {
        return "the-host";
    }

    @Override
    public boolean isHostNetwork(String path) {
        return path.equals(hostNetwork);
    }

    @Override
    public boolean isInhabited(String path, String except) {
        return path.equals(inhabited) && !(except.equals("77") && path.startsWith("/proc/77/"));
    }

    @Override
    public boolean isUsers() {
        return users;
    }

    @Override
    public RootedReader reader() {
        return new PlainReader();
    }

    @Override
    public String line(String path) {
        return switch (path) {
            case "/pod/hostname" -> "the-pod";
            case "/proc/77/cmdline" -> "/catatonit\0-P\0";
            case "/proc/78/cmdline" -> "/usr/sbin/nginx\0";
            default -> lines.getOrDefault(path, "");
        };
    }
}
