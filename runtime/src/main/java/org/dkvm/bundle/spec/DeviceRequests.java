// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.DeviceNumber;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.NodeAccess;
import org.dkvm.json.Json;

/** What {@code --device} means for a VM (OCI runtime spec, config-linux.md, "devices"): see docs/adr/0017-devices-and-namespaces.md. */
public final class DeviceRequests {
    /** Character devices that a guest has by itself, or that its kernel makes something of; the numbers are the same in every Linux (devices.txt). */
    private static final Set<String> GUESTS_OWN = Set.of(
            "1:3", // null
            "1:5", // zero
            "1:7", // full
            "1:8", // random
            "1:9", // urandom
            "1:11", // kmsg
            "5:0", // tty
            "5:1", // console
            "5:2", // ptmx
            "10:183", // hwrng
            "10:200", // net/tun
            "10:229", // fuse
            "10:232", // kvm
            "10:237"); // loop-control

    private static final List<String> PCI = List.of("/dev/vfio/");
    private static final List<String> GRAPHICS = List.of("/dev/nvidia", "/dev/dri/", "/dev/kfd");
    private static final List<String> HOOKS = List.of("prestart", "createRuntime", "createContainer", "startContainer");
    private static final int MOST = 16;
    private static final int MODE = 0660;
    private static final int PERMISSIONS = 0777;
    private static final long MAX_ID = 0xFFFF_FFFFL;

    private DeviceRequests() {}

    /**
     * A user's engine can make no device and mounts the host's. With {@code --privileged} those are all that the host has, and none of them is meant for the VM.
     *
     * @param spec changed
     */
    public static void dropMounted(JsonObject spec, HostView host) {
        if (!host.isUsers()
                || !SupportedSpec.hasAllRights(Json.objectOrNew(spec, "linux"), Json.objectOrNew(spec, "process"))) {
            return;
        }
        JsonArray mounts = new JsonArray();
        for (JsonObject mount : Json.objects(spec, "mounts")) {
            String source = Json.string(mount, "source").orElse("");
            boolean same = source.equals(Json.string(mount, "destination").orElse(""));
            if (!same || host.kindOf(source) != HostView.SourceKind.DEVICE) {
                mounts.add(mount);
            }
        }
        spec.add("mounts", mounts);
    }

    /** The devices in a spec; what can not be passed is refused. */
    static List<GuestDevice> of(JsonObject spec, HostView host) throws DkvmException {
        JsonObject linux = Json.objectOrNew(spec, "linux");
        List<GuestDevice> devices = new ArrayList<>();
        boolean privileged = SupportedSpec.isPrivileged(linux, Json.objectOrNew(spec, "process"));
        for (JsonObject device : Json.objects(linux, "devices")) {
            // --privileged names all devices of the host: none of them is meant for the VM but what was asked for
            // beside.
            if (!privileged || isAskedFor(device, host)) {
                devices.add(device(device, linux));
            }
        }
        if (devices.size() > MOST) {
            throw new DkvmException("a VM takes at most " + MOST + " devices, not " + devices.size(), "");
        }
        refuseGraphicsHooks(spec);
        return devices;
    }

    /** Whether a block device has another name than on the host: then --privileged alone does not explain it. */
    private static boolean isAskedFor(JsonObject device, HostView host) {
        return isBlock(device) && !host.isDevice(path(device), number(device, "major"), number(device, "minor"));
    }

    private static GuestDevice device(JsonObject device, JsonObject linux) throws DkvmException {
        String path = path(device);
        int major = number(device, "major");
        int minor = number(device, "minor");
        boolean block = isBlock(device);
        if (!block && !GUESTS_OWN.contains(major + ":" + minor)) {
            throw refusal(path);
        }
        if (!isBelowDev(path)) {
            throw new DkvmException(
                    "device \"" + path + "\" would not be in " + GuestDevice.DIRECTORY,
                    "name a place there: --device <device>:" + GuestDevice.DIRECTORY + "<name>");
        }
        if (major < 0 || minor < 0) {
            throw new DkvmException("device \"" + path + "\" has no valid number", "");
        }
        String access = block ? access(linux, major, minor) : "";
        if (block && access.indexOf('r') < 0) {
            throw new DkvmException("device \"" + path + "\" can not be read", "allow it: --device <device>:<place>:r");
        }
        return new GuestDevice(
                path,
                new DeviceNumber(block, major, minor),
                access.indexOf('w') >= 0,
                new NodeAccess(
                        (int) (Json.number(device, "fileMode").orElse((long) MODE) & PERMISSIONS),
                        owner(device, "uid"),
                        owner(device, "gid")));
    }

    /** What the engine's last rule for a device allows; all, where it has none. */
    private static String access(JsonObject linux, int major, int minor) {
        String access = "rwm";
        for (JsonObject rule : Json.objects(Json.objectOrNew(linux, "resources"), "devices")) {
            if ("b".equals(Json.string(rule, "type").orElse(""))
                    && number(rule, "major") == major
                    && number(rule, "minor") == minor) {
                access =
                        Json.isTrue(rule, "allow") ? Json.string(rule, "access").orElse("") : "";
            }
        }
        return access;
    }

    private static DkvmException refusal(String path) {
        for (String prefix : GRAPHICS) {
            if (path.startsWith(prefix)) {
                return graphics("device \"" + path + "\"");
            }
        }
        for (String prefix : PCI) {
            if (path.startsWith(prefix)) {
                return new DkvmException(
                        "device \"" + path + "\": giving PCI devices to a VM (VFIO) is not supported yet", "");
            }
        }
        return new DkvmException(
                "device \"" + path + "\" is a character device of the host, which a VM can not be given",
                "block devices, and those that every guest has, can be: see docs/options.md");
    }

    /** What an engine's --gpus comes to, where the host has the vendor's tools. */
    private static void refuseGraphicsHooks(JsonObject spec) throws DkvmException {
        if (spec.has("hooks")) {
            for (String stage : HOOKS) {
                for (JsonObject hook : Json.objects(Json.objectOrNew(spec, "hooks"), stage)) {
                    String program = Json.string(hook, "path").orElse("");
                    if (program.substring(program.lastIndexOf('/') + 1).startsWith("nvidia")) {
                        throw graphics("--gpus");
                    }
                }
            }
        }
    }

    private static DkvmException graphics(String what) {
        return new DkvmException(what + ": graphics processors in a VM are not supported yet", "");
    }

    private static boolean isBelowDev(String path) {
        if (!path.startsWith(GuestDevice.DIRECTORY)) {
            return false;
        }
        for (String name : path.substring(1).split("/", -1)) {
            if (name.isEmpty() || ".".equals(name) || "..".equals(name)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isBlock(JsonObject device) {
        return "b".equals(Json.string(device, "type").orElse(""));
    }

    private static String path(JsonObject device) {
        return Json.string(device, "path").orElse("");
    }

    /** One that does not fit is none: its low bits may be another device's. */
    private static int number(JsonObject of, String name) {
        long number = Json.number(of, name).orElse(-1L);
        return number == (int) number ? (int) number : -1;
    }

    private static long owner(JsonObject device, String name) throws DkvmException {
        long id = Json.number(device, name).orElse(0L);
        if (id < 0 || id > MAX_ID) {
            throw new DkvmException("device \"" + path(device) + "\" has the " + name + " " + id, "");
        }
        return id;
    }
}
