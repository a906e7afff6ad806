// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.plan;

import com.google.gson.JsonObject;
import org.dkvm.json.Json;

/**
 * Which namespaces one of several containers of a VM has to itself, beside those that each has: what is not said here is the VM's. The network always is.
 *
 * @param firstsProcesses whether its processes are in the PID namespace of the container that the VM starts with ({@code shareProcessNamespace})
 * @param ownMessages whether it has an IPC namespace of its own
 * @param ownName its host name in a UTS namespace of its own; empty: it has the VM's
 */
public record MemberNamespaces(boolean firstsProcesses, boolean ownMessages, String ownName) {
    void addTo(JsonObject json) {
        json.addProperty("firstsProcesses", firstsProcesses);
        json.addProperty("ownMessages", ownMessages);
        json.addProperty("ownName", ownName);
    }

    static MemberNamespaces in(JsonObject json) {
        return new MemberNamespaces(
                Json.isTrue(json, "firstsProcesses"),
                Json.isTrue(json, "ownMessages"),
                Json.string(json, "ownName").orElse(""));
    }
}
