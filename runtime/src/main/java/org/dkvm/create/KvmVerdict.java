// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.Optional;
import org.dkvm.json.Json;

/**
 * Whether KVM runs DKVM's kernel here, as it was found by booting it.
 *
 * @param bootId the host's boot the verdict is of: another may load another KVM
 * @param packageVersion the package that was tried
 * @param works the verdict
 * @param reason why not; empty when it works
 * @param tries how often in a row nothing sure came of it; 0: it is sure
 * @param uptime how long the host had been up then: what is not sure is tried again later
 */
public record KvmVerdict(
        String bootId, String packageVersion, boolean works, String reason, int tries, Duration uptime) {
    /** A host that has not answered so often will not before it boots again. */
    private static final int MOST_TRIES = 5;

    /** Until the second try; four times as long until each one after it. */
    private static final Duration FIRST_WAIT = Duration.ofMinutes(1);

    private static final int BACKOFF = 4;

    /** Whether it is time to find out anew. */
    boolean isDue(Duration now) {
        if (tries == 0 || tries >= MOST_TRIES) {
            return false;
        }
        Duration wait = FIRST_WAIT;
        for (int i = 1; i < tries; i++) {
            wait = wait.multipliedBy(BACKOFF);
        }
        return now.compareTo(uptime.plus(wait)) >= 0;
    }

    JsonObject toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("bootId", bootId);
        json.addProperty("packageVersion", packageVersion);
        json.addProperty("kvm", works);
        json.addProperty("reason", reason);
        json.addProperty("tries", tries);
        json.addProperty("uptimeSeconds", uptime.toSeconds());
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
                Json.string(json, "reason").orElse(""),
                Math.clamp(Json.number(json, "tries").orElse(0L), 0, MOST_TRIES),
                Duration.ofSeconds(
                        Math.max(0, Json.number(json, "uptimeSeconds").orElse(0L)))));
    }
}
