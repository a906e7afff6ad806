// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;

/** What a VM wrote down. */
public interface VmFiles {
    /** The monitor's log. */
    String MONITOR = "monitor.log";

    /** What the console said, in two parts. */
    String OLDER_CONSOLE = "console.old";

    String CONSOLE = "console.log";

    /** When each step of the start was done. */
    String TIMELINE = "timeline.json";

    /** The same of the last of a pod's further containers. */
    String MEMBERS = "members.json";

    /** A file's bytes, not more than a few hundred thousand; none where it is not there. */
    byte[] read(String name) throws DkvmException;

    /** What dkvm-keep kept of one that is gone: the host's own files, with bytes from somebody hostile. */
    static VmFiles kept(Path directory) {
        return name -> {
            Path file = directory.resolve(name);
            try {
                return Files.exists(file, LinkOption.NOFOLLOW_LINKS) ? Files.readAllBytes(file) : new byte[0];
            } catch (IOException e) {
                throw new DkvmException("can not read \"" + file + "\": " + e, "", e);
            }
        };
    }

    /** A file as text. */
    default String text(String name) throws DkvmException {
        return new String(read(name), StandardCharsets.UTF_8);
    }
}
