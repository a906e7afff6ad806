// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dkvm.bundle.host.HostView;
import org.dkvm.linux.HostFiles;

/**
 * What the containers of a pod have for volumes, on the host.
 *
 * @param uid what Kubernetes calls the pod; empty where nobody tells
 * @param pod the directory that DKVM has of it (native/host/keep/podshare.h)
 */
public record PodVolumes(String uid, Path pod, HostView host) {
    /** Of the slots that several containers may have. */
    static final String SLOTS = "volumes/";

    /** A directory of the pod's own, which no container of another pod has: one writes and another only reads, and both see one filesystem. */
    private static final Pattern EMPTY_DIR =
            Pattern.compile("/.*/pods/([^/]+)" + Pattern.quote(MemoryVolumes.EMPTY_DIRS) + "[^/]+");

    MemoryVolumes memory() {
        return new MemoryVolumes(uid, pod.resolve("memory"), host);
    }

    /** Where the slots are. */
    Path share() {
        return pod.resolve("share");
    }

    /** Whether a source is an {@code emptyDir} of this pod. */
    boolean isPodsOwn(String source) {
        Matcher matcher = EMPTY_DIR.matcher(source);
        return !uid.isEmpty() && matcher.matches() && uid.equals(matcher.group(1));
    }

    /** Whether a volume's slot is there: then it stays until the pod ends. */
    boolean isMounted(MemberSlots.Slot slot) {
        return slot.name().startsWith(SLOTS)
                && HostFiles.isSame(share().resolve(slot.name()).toString(), slot.source());
    }
}
