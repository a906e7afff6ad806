// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;

/** The host's sockets among a container's mounts, numbered. */
final class SocketMounts {
    /** So many has native/common/tunnel.h room for. */
    static final int MOST = 64;

    private final List<JsonObject> mounts = new ArrayList<>();

    /** One more, to be seen by the sandbox where {@code dkvm-sockets} looks for it. Its number. */
    String add(Path source) throws DkvmException {
        if (mounts.size() == MOST) {
            throw new DkvmException(
                    "mounting the socket \"" + source + "\": a VM takes " + MOST + " sockets at most",
                    "mount fewer sockets");
        }
        String number = Integer.toString(mounts.size());
        mounts.add(MountPlan.mount(
                SandboxPaths.SOCKETS + "/" + number,
                "bind",
                source.toString(),
                "bind",
                "rprivate",
                "ro",
                "nosuid",
                "nodev",
                "noexec"));
        return number;
    }

    /** What runc mounts for them. */
    List<JsonObject> mounts() {
        return mounts;
    }
}
