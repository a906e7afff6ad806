// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Places of the host that several VMs may write to: memory is not mapped shared between them. */
public final class SharedPlaces {
    /**
     * One place.
     *
     * @param path the inner one, where one VM's lies in the other's
     * @param one a VM that may write there
     * @param other another one
     */
    public record Shared(String path, VmRecord one, VmRecord other) {}

    private SharedPlaces() {}

    /** What two of these VMs may write to; for each pair of VMs one place. */
    public static List<Shared> among(List<VmRecord> vms) {
        List<Shared> shared = new ArrayList<>();
        for (int i = 0; i < vms.size(); i++) {
            for (int j = i + 1; j < vms.size(); j++) {
                String path = common(vms.get(i), vms.get(j));
                if (!path.isEmpty()) {
                    shared.add(new Shared(path, vms.get(i), vms.get(j)));
                }
            }
        }
        return shared;
    }

    /** A place that both may write to; empty for none. */
    public static String common(VmRecord one, VmRecord other) {
        if (one.isWith(other)) {
            return "";
        }
        for (String path : one.writable()) {
            for (String others : other.writable()) {
                if (Path.of(path).startsWith(others)) {
                    return path;
                }
                if (Path.of(others).startsWith(path)) {
                    return others;
                }
            }
        }
        return "";
    }
}
