// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.host;

import java.util.List;
import java.util.Optional;
import org.dkvm.core.MemorySize;
import org.dkvm.linux.MountTable;
import org.dkvm.linux.RootedReader;

/** What the rewriter asks of the host's files; everything else it takes from the spec. */
public interface HostView {
    /** What a mount's source is, links followed. */
    enum SourceKind {
        DIRECTORY,
        FILE,
        SOCKET,
        DEVICE,
        MISSING
    }

    /** What is at a path of the host. */
    SourceKind kindOf(String path);

    /** The type of the kernel's own filesystem that a path of the host is on, whose files have a content and no size: "proc"; empty for any other. */
    String sizeless(String path);

    /** The size of the filesystem that a path of the host is on; 0 when it does not tell. */
    MemorySize filesystemSize(String path);

    /** Whether a path of the host is the tmpfs that an engine makes for a container's /dev/shm, and not a directory that somebody chose. */
    boolean isSharedMemory(String path);

    /** The mount whose place is that path of the host, links followed, where another filesystem begins than its parent's; empty for any other path. */
    Optional<MountTable.Mount> filesystemAt(String path);

    /** All that is mounted, in the order in which it was. */
    List<MountTable.Mount> mounts();

    /** Whether a path of the host is the device with that number. */
    boolean isDevice(String path, int major, int minor);

    /** The host's name. */
    String name();

    /** Whether a path names the host's own network namespace. */
    boolean isHostNetwork(String path);

    /**
     * Whether a process lives in the network namespace that a path names.
     *
     * @param except the number of one that does not count; empty for none
     */
    boolean isInhabited(String path, String except);

    /** Whether the engine is root in a user namespace only, and not on the host. */
    boolean isUsers();

    /** What looks at images and volumes. */
    RootedReader reader();

    /** The first line of a small file; empty where there is none. */
    String line(String path);
}
