// SPDX-License-Identifier: Apache-2.0
package org.dkvm.share;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.Architecture;

/** virtiofsd's command line (Rust, 1.13). See virtiofsd(1). */
public final class VirtiofsdCommand {
    private static final String PROGRAM = "/usr/libexec/virtiofsd";

    private VirtiofsdCommand() {}

    /**
     * The command that shares a directory with one VM.
     *
     * @param directory what the guest sees as its root
     * @param socket where the VMM connects, once
     * @param architecture what the guest is built for
     * @param sysAdmin whether it keeps CAP_SYS_ADMIN: extended attributes are then on the host what they are in the guest
     */
    public static List<String> argv(Path directory, Path socket, Architecture architecture, boolean sysAdmin) {
        List<String> argv = new ArrayList<>(List.of(
                PROGRAM,
                "--shared-dir=" + directory,
                "--socket-path=" + socket,
                // The sandbox around it is DKVM's: the container's, with nothing in it but the image and the volumes.
                "--sandbox=none",
                "--cache=auto",
                "--announce-submounts",
                "--posix-acl",
                // The guest's trusted.* become ours to keep: CAP_SYS_ADMIN would be needed otherwise.
                sysAdmin ? "--modcaps=+sys_admin" : "--xattrmap=:prefix:all:trusted.:user.virtiofs.::ok:all:::",
                // A hard limit can not be raised in a sandbox without CAP_SYS_RESOURCE.
                "--rlimit-nofile=0",
                "--log-level=error"));
        // A guest sends open(2)'s flags as numbers: O_DIRECTORY of arm64 is O_DIRECT here, which no directory opens
        // with.
        if (!architecture.isForeign()) {
            argv.add("--allow-direct-io");
        }
        return argv;
    }
}
