// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

/**
 * How the administrator has VMs confined.
 *
 * @param uid the first of five user and group numbers that own nothing on this host: QEMU's, dkvm-network's, dkvm-events's, dkvm-web's, dkvm-forward's
 * @param antispoof whether they are held to their own addresses
 * @param sharedVolumes whether several may write to one place of the host
 */
public record Confinement(long uid, Antispoof antispoof, SharedVolumes sharedVolumes) {
    /**
     * Beyond what login.defs(5) gives to users and their containers (up to 600 100 000), systemd to its own and its containers (up to 0x6FFFFFFF), and SSSD to
     * domains (up to 2 000 200 000); below what systemd has for foreign systems (from 0x7FFE0000), and positive for whoever takes it for a signed number.
     */
    public static final long DEFAULT_UID = 2_130_000_000L;

    /** Root's is not to be had. */
    static final long SMALLEST_UID = 1;

    /** So that the fifth is a number of 32 bits: the very last is no number of a user. */
    static final long LARGEST_UID = 0xFFFF_FFFAL;

    /** What holds where there is no file. */
    static final Confinement DEFAULT = new Confinement(DEFAULT_UID, Antispoof.AUTO, SharedVolumes.WARN);
}
