// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

/**
 * A mount that the agent makes, or finishes, in the guest.
 *
 * @param kind what is mounted
 * @param target absolute path in the guest
 * @param source first column of /proc/mounts: "tmpfs", "/dev/vda"; empty for a share; a socket's number
 * @param filesystem type as mount(2) takes it; empty for a share
 * @param flags MS_* bits of mount(2)
 * @param data filesystem options as mount(2) takes them, comma separated
 */
public record GuestMount(Kind kind, String target, String source, String filesystem, long flags, String data) {
    /** What is mounted; the number is the one in the protocol. */
    public enum Kind {
        /** A filesystem of the guest kernel: tmpfs. */
        FILESYSTEM(1),
        /** A volume or bind mount below the shared root: visible already; the flags are applied. */
        SHARE(2),
        /** A virtual disk. */
        DISK(3),
        /** A socket of the host; its number is the source. */
        SOCKET(4);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /** The kind's number in the protocol's MOUNT record. */
        public int code() {
            return code;
        }
    }

    public GuestMount {
        if (!target.startsWith("/")) {
            throw new IllegalArgumentException("mount target \"" + target + "\" is not absolute");
        }
    }
}
