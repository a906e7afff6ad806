// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.sandbox.MonitorCommand;
import org.dkvm.bundle.sandbox.SandboxSeccomp;
import org.dkvm.core.PackageLayout;
import org.dkvm.json.Json;

/** The spec of a {@link Job}'s sandbox: the root, the seccomp profile and the device rules of a VM's, and less of all else. See the OCI runtime spec. */
final class JobSpec {
    private static final String PROGRAMS = "/usr/bin";
    /** Where the package's programs are beside the host's. */
    private static final String BESIDE = "/mnt";

    private static final String TIMER = " timeout -s KILL \"$0\" \"$@\"; exit $?";
    private static final int NOBODY = 65534;
    private static final int PROCESSES = 128;

    /** The least that there is: others have 1024. */
    private static final int LAST_SHARES = 2;

    private static final int OPEN_FILES = 4096;
    private static final int KVM_MAJOR = 10;
    private static final int KVM_MINOR = 232;
    private static final int OPEN_TO_ALL = 0666;

    private static final List<String> HIDDEN = List.of(
            "/proc/acpi",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/sched_debug",
            "/proc/scsi",
            "/sys/firmware");

    private static final List<String> READ_ONLY =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

    private JobSpec() {}

    /**
     * The spec.
     *
     * @param id the name of its control group
     * @param groups what control groups of this host can limit: {@code memory}, {@code pids}, {@code cpu}
     */
    static JsonObject of(PackageLayout layout, Job job, String id, List<String> groups) {
        JsonObject spec = new JsonObject();
        spec.addProperty("ociVersion", "1.0.2");
        spec.addProperty("hostname", "dkvm");
        JsonObject root = new JsonObject();
        root.addProperty("path", layout.sandbox().toString());
        root.addProperty("readonly", true);
        spec.add("root", root);
        spec.add("process", process(job));
        spec.add("mounts", mounts(layout, job));
        spec.add("linux", linux(job, id, groups));
        return spec;
    }

    private static JsonObject process(Job job) {
        JsonObject process = new JsonObject();
        process.addProperty("terminal", false);
        process.addProperty("cwd", "/");
        process.addProperty("noNewPrivileges", true);
        process.add("args", Json.arrayOf(timed(job)));
        process.add("env", Json.arrayOf(MonitorCommand.ENVIRONMENT));
        int user = job.rights() == Job.Rights.NOBODYS ? NOBODY : 0;
        process.add("user", Json.objectOf("uid", user, "gid", user));
        JsonArray rights = Json.arrayOf(job.rights().capabilities());
        JsonObject sets = new JsonObject();
        for (String set : List.of("bounding", "effective", "permitted")) {
            sets.add(set, rights);
        }
        process.add("capabilities", sets);
        JsonArray rlimits = new JsonArray();
        rlimits.add(rlimit("RLIMIT_FSIZE", job.limits().fileSize().bytes()));
        rlimits.add(rlimit("RLIMIT_CPU", job.limits().time().toSeconds()));
        rlimits.add(rlimit("RLIMIT_CORE", 0));
        rlimits.add(rlimit("RLIMIT_NOFILE", OPEN_FILES));
        process.add("rlimits", rlimits);
        return process;
    }

    /** Also where its starter is gone it ends in time: what kills it is the sandbox's first process, which ends with it. */
    private static List<String> timed(Job job) {
        String busybox = (job.programs() == Job.Programs.HOST ? BESIDE : PROGRAMS) + "/busybox";
        List<String> argv = new ArrayList<>(List.of(busybox, "sh", "-c", busybox + TIMER));
        argv.add(Long.toString(job.limits().time().toSeconds()));
        argv.addAll(job.argv());
        return argv;
    }

    private static JsonObject rlimit(String type, long most) {
        return Json.objectOf("type", type, "soft", most, "hard", most);
    }

    private static JsonArray mounts(PackageLayout layout, Job job) {
        JsonArray mounts = new JsonArray();
        if (job.programs() == Job.Programs.HOST) {
            mounts.add(mount("/usr", "bind", "/usr", "rbind", "rprivate", "ro", "nosuid", "nodev"));
            String own = layout.sandbox().resolve(PROGRAMS.substring(1)).toString();
            mounts.add(mount(BESIDE, "bind", own, "bind", "rprivate", "ro", "nosuid", "nodev"));
        }
        mounts.add(mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev"));
        mounts.add(mount("/dev", "tmpfs", "tmpfs", "nosuid", "noexec", "mode=755", "size=64k"));
        mounts.add(mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"));
        mounts.add(mount("/run", "tmpfs", "tmpfs", "nosuid", "nodev", "noexec", "mode=755", "size=1m"));
        // Its bytes are the job's memory.
        mounts.add(mount(
                "/tmp",
                "tmpfs",
                "tmpfs",
                "nosuid",
                "nodev",
                "noexec",
                "mode=1777",
                "size=" + job.limits().memory().bytes()));
        for (Job.Mount mount : job.mounts()) {
            mounts.add(mount(
                    mount.target(),
                    "bind",
                    mount.source().toString(),
                    "rbind",
                    "rprivate",
                    mount.writable() ? "rw" : "ro",
                    "nosuid",
                    "nodev",
                    "noexec"));
        }
        return mounts;
    }

    private static JsonObject mount(String target, String type, String source, String... options) {
        return Json.objectOf(
                "destination", target, "type", type, "source", source, "options", Json.arrayOf(List.of(options)));
    }

    private static JsonObject linux(Job job, String id, List<String> groups) {
        JsonObject linux = new JsonObject();
        JsonArray namespaces = new JsonArray();
        // A network of its own has no interface that is up.
        for (String type : List.of("pid", "network", "ipc", "uts", "mount")) {
            namespaces.add(Json.objectOf("type", type));
        }
        linux.add("namespaces", namespaces);
        linux.addProperty("cgroupsPath", "/" + id);
        linux.add("resources", resources(job, groups));
        JsonArray devices = new JsonArray();
        if (job.kvm()) {
            JsonObject kvm = number("c", KVM_MAJOR, KVM_MINOR);
            kvm.addProperty("path", "/dev/kvm");
            kvm.addProperty("fileMode", OPEN_TO_ALL);
            devices.add(kvm);
        }
        linux.add("devices", devices);
        linux.add("seccomp", SandboxSeccomp.profile());
        linux.add("maskedPaths", Json.arrayOf(HIDDEN));
        linux.add("readonlyPaths", Json.arrayOf(READ_ONLY));
        return linux;
    }

    private static JsonObject resources(Job job, List<String> groups) {
        JsonObject resources = new JsonObject();
        JsonArray rules = new JsonArray();
        rules.add(Json.objectOf("allow", false, "access", "rwm"));
        if (job.kvm()) {
            JsonObject kvm = number("c", KVM_MAJOR, KVM_MINOR);
            kvm.addProperty("allow", true);
            kvm.addProperty("access", "rwm");
            rules.add(kvm);
        }
        resources.add("devices", rules);
        if (groups.contains("memory")) {
            resources.add("memory", Json.objectOf("limit", job.limits().memory().bytes()));
        }
        if (groups.contains("pids")) {
            resources.add("pids", Json.objectOf("limit", PROCESSES));
        }
        if (job.limits().last() && groups.contains("cpu")) {
            resources.add("cpu", Json.objectOf("shares", LAST_SHARES));
        }
        return resources;
    }

    private static JsonObject number(String type, int major, int minor) {
        return Json.objectOf("type", type, "major", major, "minor", minor);
    }
}
