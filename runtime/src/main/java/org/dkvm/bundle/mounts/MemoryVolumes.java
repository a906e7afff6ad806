// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.mounts;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.MountTable;
import org.jspecify.annotations.Nullable;

/**
 * A pod's volumes that are to lie in memory ({@code emptyDir} with {@code medium: Memory}). A kubelet mounts a tmpfs for each on the host; the VM has one of its own in that one's place, where nobody
 * has written to the host's before the first container with it is made. That is settled once for each volume of a pod, so that all of the pod's containers have the same.
 *
 * @param pod what Kubernetes calls the pod; empty where nobody tells: then there are none
 * @param settled the directory that says of each volume, in a link's text, whose tmpfs it is
 */
record MemoryVolumes(String pod, Path settled, HostView host) {
    /** In the path of each. */
    static final String EMPTY_DIRS = "/volumes/kubernetes.io~empty-dir/";

    private static final String NAME = "([a-z0-9][-a-z0-9]*)";

    /** The directory that a kubelet makes for a pod's own volume, and for each mount of a part of one. Sources are the engine's; no image chooses one. */
    private static final Pattern VOLUME = Pattern.compile("(/.*/pods/([^/]+))" + Pattern.quote(EMPTY_DIRS) + NAME);

    private static final Pattern PART = Pattern.compile("(/.*/pods/([^/]+))" + VolumeParts.PARTS + NAME + "/.+");

    private static final Pattern SIZE = Pattern.compile("(size|nr_inodes)=[0-9]+[kmg]?");
    private static final String TMPFS = "tmpfs";
    private static final String GUESTS = "guest";
    private static final String HOSTS = "host";
    private static final int PERMISSIONS = 07777;

    /**
     * A tmpfs of the guest.
     *
     * @param name how the guest knows it, and after a slash which directory of it, if not all
     * @param flags MS_* of mount(2)
     * @param data its options, as the first container that has it mounts it
     */
    record Volume(String name, long flags, String data) {}

    /** Whether a mount's source may be such a volume, or a part of one: what is in there can not be told from the host. */
    static boolean mayBe(String source, HostView host) {
        return (VOLUME.matcher(source).matches() || PART.matcher(source).matches())
                && host.filesystemAt(source).filter(MemoryVolumes::isTmpfs).isPresent();
    }

    private static boolean isTmpfs(MountTable.Mount mount) {
        return TMPFS.equals(mount.type());
    }

    /** The guest's tmpfs that a bind mount of the host's means; empty where it means what the host has. */
    Optional<Volume> find(String source, List<String> options) throws DkvmException {
        Matcher whole = VOLUME.matcher(source);
        if (whole.matches()) {
            return pod.equals(whole.group(2)) && !pod.isEmpty()
                    ? whole(source, whole.group(3), options)
                    : Optional.empty();
        }
        Matcher part = PART.matcher(source);
        return part.matches() && pod.equals(part.group(2)) && !pod.isEmpty() ? part(source, part) : Optional.empty();
    }

    private Optional<Volume> whole(String source, String name, List<String> options) throws DkvmException {
        Optional<MountTable.Mount> mount = host.filesystemAt(source).filter(MemoryVolumes::isTmpfs);
        if (mount.isEmpty() || !"/".equals(mount.get().root())) {
            return Optional.empty();
        }
        // What the node mounts there later is to be seen only where the host's is.
        boolean fits = !options.contains("rslave")
                && !options.contains("slave")
                && !mount.get().options().contains("ro")
                && host.reader().isEmpty(Path.of(source), "");
        return isGuests(name, fits) ? Optional.of(volume(source, name, "", mount.get())) : Optional.empty();
    }

    /** Of a volume that is the guest's the kubelet has made the directory on the host, where nobody uses it. The kernel tells which one that is. */
    private Optional<Volume> part(String source, Matcher part) throws DkvmException {
        Optional<MountTable.Mount> mount = host.filesystemAt(source).filter(MemoryVolumes::isTmpfs);
        String name = part.group(3);
        String whole = part.group(1) + EMPTY_DIRS + name;
        if (mount.isEmpty() || !isBelowRoot(mount.get().root())) {
            return Optional.empty();
        }
        Optional<MountTable.Mount> all = host.filesystemAt(whole)
                .filter(MemoryVolumes::isTmpfs)
                .filter(top -> "/".equals(top.root())
                        && top.device().equals(mount.get().device()));
        return all.isPresent() && isGuests(name, false)
                ? Optional.of(volume(whole, name, mount.get().root(), all.get()))
                : Optional.empty();
    }

    /** The kernel puts "//deleted" behind what is not there any more. */
    private static boolean isBelowRoot(String root) {
        return root.startsWith("/") && root.length() > 1 && !root.contains("//");
    }

    private boolean isGuests(String name, boolean fits) throws DkvmException {
        Path link = settled.resolve(name);
        try {
            try {
                Files.createSymbolicLink(link, Path.of(fits ? GUESTS : HOSTS));
                return fits;
            } catch (FileAlreadyExistsException e) {
                return GUESTS.equals(Files.readSymbolicLink(link).toString());
            }
        } catch (IOException e) {
            throw new DkvmException("can not write \"" + link + "\": " + e, "delete the pod, and make it again", e);
        }
    }

    private static Volume volume(String top, String name, String path, MountTable.Mount mount) throws DkvmException {
        StringBuilder data = new StringBuilder();
        for (String setting : mount.settings()) {
            if (SIZE.matcher(setting).matches()) {
                data.append(setting).append(',');
            }
        }
        try {
            Map<String, Object> file = Files.readAttributes(Path.of(top), "unix:mode,uid,gid");
            data.append("mode=")
                    .append(Integer.toOctalString(number(file.get("mode")) & PERMISSIONS))
                    .append(",uid=")
                    .append(Integer.toUnsignedString(number(file.get("uid"))))
                    .append(",gid=")
                    .append(Integer.toUnsignedString(number(file.get("gid"))));
        } catch (IOException e) {
            throw new DkvmException("volume \"" + top + "\" can not be looked at: " + e, "", e);
        }
        return new Volume(
                "empty-dir-" + name + path,
                MountOptions.parse(mount.options()).flags() & MountPlan.SLOT_FLAGS & ~MountOptions.RDONLY,
                data.toString());
    }

    private static int number(@Nullable Object attribute) {
        return attribute instanceof Integer known ? known : 0;
    }
}
