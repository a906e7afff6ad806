// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.dkvm.core.DkvmException;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Disk;
import org.dkvm.core.machine.DiskFilesystem;
import org.dkvm.linux.RootedTree;

/** The value of {@code DKVM_DISKS}: {@code <file>,<directory>,<filesystem>,<size>}, more disks after a {@code ;}. See docs/disks.md. */
public final class DisksOption {
    private static final int MAX_DISKS = 16;
    private static final int FIELDS = 4;
    /** Files and mount points there are the kernel's or DKVM's own business. */
    private static final List<String> FORBIDDEN = List.of("/proc", "/sys", "/dev", "/.dkvm", "/opt/dkvm");

    private static final String FORM =
            "give <file>,<directory>,<filesystem>,<size>, such as /disk1,/home,ext4,5G, and a ; between disks";

    private DisksOption() {}

    /** The disks in a value; none in an empty one. */
    public static List<Disk> parse(String value) throws DkvmException {
        List<Disk> disks = new ArrayList<>();
        if (value.isEmpty()) {
            return disks;
        }
        checkCharacters(value);
        Set<String> sources = new HashSet<>();
        Set<String> targets = new HashSet<>();
        String[] items = value.split(";", -1);
        if (items.length > MAX_DISKS) {
            throw bad("has " + items.length + " disks", "a VM takes at most " + MAX_DISKS);
        }
        for (String item : items) {
            Disk disk = disk(item);
            if (!sources.add(disk.source())) {
                throw bad("uses the file \"" + disk.source() + "\" twice", "give each disk a file of its own");
            }
            if (!targets.add(disk.target())) {
                throw bad("has two disks for \"" + disk.target() + "\"", "give each disk a directory of its own");
            }
            disks.add(disk);
        }
        return disks;
    }

    private static Disk disk(String item) throws DkvmException {
        String[] fields = item.split(",", -1);
        if (fields.length != FIELDS) {
            throw bad("has the disk \"" + item + "\" with " + fields.length + " fields and not " + FIELDS, FORM);
        }
        checkPath(fields[0]);
        checkPath(fields[1]);
        if (RootedTree.isAtOrBelow(fields[1], SandboxPaths.DISKS)) {
            throw bad(
                    "has a disk for \"" + fields[1] + "\"",
                    "what is below " + SandboxPaths.DISKS + " is not seen by the VM: give another directory");
        }
        DiskFilesystem filesystem = filesystem(fields[2]);
        OptionalLong bytes = DiskSize.parse(fields[3]);
        if (bytes.isEmpty()) {
            throw bad(
                    "has the size \"" + fields[3] + "\"",
                    "give bytes, or a number with K, M, G, T, P, E (powers of 1024) or KB, MB … (powers of 1000)");
        }
        if (bytes.getAsLong() < filesystem.minimumBytes()) {
            throw bad(
                    "has the size \"" + fields[3] + "\" for " + filesystem.label(),
                    "it takes at least " + filesystem.minimumBytes() / (1024 * 1024) + "M");
        }
        return new Disk(fields[0], fields[1], filesystem, bytes.getAsLong());
    }

    /** The words of an fstab and of command lines: other characters would only ever be mistakes. */
    private static void checkCharacters(String value) throws DkvmException {
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) < ' ' || value.charAt(i) > '~') {
                throw bad("has a character that is not printable ASCII", FORM);
            }
        }
    }

    /** One way to write each path, so that two that are the same are seen to be. */
    private static void checkPath(String path) throws DkvmException {
        if (!path.startsWith("/")) {
            throw bad("has the path \"" + path + "\", which is not absolute", "start it with a /");
        }
        if ("/".equals(path)) {
            throw bad("has the path \"/\"", "give a file or a directory below it");
        }
        for (String name : path.substring(1).split("/", -1)) {
            if (name.isEmpty() || ".".equals(name) || "..".equals(name)) {
                throw bad("has the path \"" + path + "\"", "write it without \"//\", \".\", \"..\" and a / at its end");
            }
        }
        for (String forbidden : FORBIDDEN) {
            if (RootedTree.isAtOrBelow(path, forbidden)) {
                throw bad("has the path \"" + path + "\"", "give one that is not in " + forbidden);
            }
        }
    }

    private static DiskFilesystem filesystem(String name) throws DkvmException {
        for (DiskFilesystem filesystem : DiskFilesystem.values()) {
            if (filesystem.label().equals(name)) {
                return filesystem;
            }
        }
        throw bad("has the filesystem \"" + name + "\"", "give ext4, ext3, ext2, xfs or btrfs");
    }

    private static DkvmException bad(String what, String advice) {
        return new DkvmException("option \"DKVM_DISKS\" " + what, advice);
    }
}
