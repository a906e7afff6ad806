// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import com.google.gson.JsonObject;
import java.util.Optional;
import org.dkvm.json.Json;

/**
 * Whether KVM runs DKVM's kernel here, as it was found by booting it.
 *
 * @param bootId the host's boot the verdict is of: another may load another KVM
 * @param packageVersion the package that was tried
 * @param works the verdict
 * @param reason why not; empty when it works
 */
public record KvmVerdict(String bootId, String packageVersion, boolean works, String reason) {
    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("bootId", bootId);
        json.addProperty("packageVersion", packageVersion);
        json.addProperty("kvm", works);
        json.addProperty("reason", reason);
        return json;
    }

    /** The verdict in a file's text; empty when it is none. */
    static Optional<KvmVerdict> fromJson(JsonObject json) {
        Optional<String> bootId = Json.string(json, "bootId");
        Optional<String> version = Json.string(json, "packageVersion");
        if (bootId.isEmpty() || version.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new KvmVerdict(
                bootId.get(),
                version.get(),
                Json.isTrue(json, "kvm"),
                Json.string(json, "reason").orElse("")));
    }
}
