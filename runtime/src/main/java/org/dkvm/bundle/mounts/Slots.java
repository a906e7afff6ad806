// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;

/**
 * Places in one directory of the sandbox at which runc mounts what a container brings. Their names are DKVM's, and each is used once: no name that an image or a volume
 * chose is looked up outside the VM.
 */
final class Slots {
    /** Before the number of a slot that is no directory. */
    private static final String FILE = "f";

    private final String directory;
    private final List<JsonObject> mounts = new ArrayList<>();

    Slots(String directory) {
        this.directory = directory;
    }

    /**
     * Gives a mount of a spec a slot.
     *
     * @return the slot's name
     */
    String add(JsonObject mount, boolean isDirectory) {
        String name = (isDirectory ? "" : FILE) + (mounts.size() + 1);
        JsonObject moved = mount.deepCopy();
        moved.addProperty("destination", directory + "/" + name);
        mounts.add(moved);
        return name;
    }

    /** Whether a slot is a single file. */
    static boolean isFile(String name) {
        return name.startsWith(FILE);
    }

    /** What runc mounts, in order. */
    List<JsonObject> mounts() {
        return mounts;
    }
}
