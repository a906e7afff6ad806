// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

/**
 * A mount that the agent makes in the guest.
 *
 * @param kind what is mounted
 * @param target absolute path in the guest, as the engine gave it: links in it are followed there
 * @param source first column of /proc/mounts: "tmpfs", "/dev/vda"; a slot's name; a socket's number
 * @param filesystem type as mount(2) takes it; for a slot that is a part of a volume that the VM has, that one's slot, else empty
 * @param flags MS_* bits of mount(2)
 * @param data filesystem options as mount(2) takes them, comma separated; for a part of a volume its inode number, a blank and its path in the volume
 */
public record GuestMount(Kind kind, String target, String source, String filesystem, long flags, String data) {
    /** What is mounted; the number is the one in the protocol. */
    public enum Kind {
        /** A filesystem of the guest kernel: tmpfs. */
        FILESYSTEM(1),
        /** What is in a slot of the share, its source: a volume, a bind mount. */
        SLOT(2),
        /** A virtual disk. */
        DISK(3),
        /** A socket of the host; its number is the source. */
        SOCKET(4),
        /** A filesystem of the guest kernel that all containers of the VM share; its name is the source, and after a slash a directory of it. */
        SHARED_FILESYSTEM(5);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /** The kind's number in the protocol's MOUNT record. */
        public int code() {
            return code;
        }
    }

    /** The same with more flags. */
    public GuestMount with(long more) {
        return new GuestMount(kind, target, source, filesystem, flags | more, data);
    }

    /** The same, and no other container has it. */
    public GuestMount unshared() {
        return kind == Kind.SHARED_FILESYSTEM
                ? new GuestMount(Kind.FILESYSTEM, target, source, filesystem, flags, data)
                : this;
    }

    public GuestMount {
        if (!target.startsWith("/")) {
            throw new IllegalArgumentException("mount target \"" + target + "\" is not absolute");
        }
    }
}
