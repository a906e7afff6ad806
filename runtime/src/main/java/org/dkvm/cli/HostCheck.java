// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.sandbox.SandboxUsers;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.create.HostAccelerator;
import org.dkvm.create.KvmVerdict;
import org.dkvm.json.Json;
import org.dkvm.kernel.KernelChoice;
import org.dkvm.kernel.KernelStore;
import org.dkvm.linux.Program;
import org.dkvm.linux.StatePlaces;
import org.dkvm.linux.UserNamespace;

/** Looks whether this host has what VMs need. */
final class HostCheck {
    private static final Path DOCKER_CONFIG = Path.of("/etc/docker/daemon.json");
    private static final Path TUN = Path.of("/dev/net/tun");
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final List<String> PROGRAM_DIRECTORIES =
            List.of("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin");

    /** What the sandbox must have to start at all. */
    private static final List<String> PACKAGE_FILES = List.of(
            "scripts/dkvm-runtime",
            "sandbox/lib64/ld-linux-x86-64.so.2",
            "sandbox/opt/dkvm/jre/bin/java",
            "sandbox/opt/dkvm/lib/dkvm.jar",
            "sandbox/opt/dkvm/lib/gson.jar",
            "sandbox/opt/dkvm/dkvm-init",
            "sandbox/opt/dkvm/dkvm-exec",
            "sandbox/opt/dkvm/dkvm-keep",
            "sandbox/opt/dkvm/dkvm-rooted",
            "sandbox/opt/dkvm/dkvm-locks",
            "sandbox/opt/dkvm/dkvm-events",
            "sandbox/opt/dkvm/dkvm-forward",
            "sandbox/opt/dkvm/dkvm-web",
            "sandbox/usr/share/novnc/vnc.html",
            "sandbox/usr/bin/qemu-system-x86_64",
            "sandbox/usr/libexec/virtiofsd",
            "sandbox/opt/dkvm/dkvm-network");

    /** Without these every start takes longer. */
    private static final List<String> CACHES =
            List.of("sandbox/opt/dkvm/aot/runtime.aot", "sandbox/opt/dkvm/aot/monitor.aot");

    private final PackageLayout layout;

    HostCheck(PackageLayout layout) {
        this.layout = layout;
    }

    List<CheckResult> run() {
        List<CheckResult> results = new ArrayList<>();
        results.add(checkPackage());
        results.add(checkConfig());
        results.add(checkArchitectures());
        results.add(checkRunc());
        results.add(StatePlaces.areUsers() ? checkUsers() : checkDocker());
        results.add(checkTun());
        results.add(checkTrafficControl());
        results.add(checkKvm());
        return results;
    }

    private CheckResult checkPackage() {
        for (String file : PACKAGE_FILES) {
            if (!Files.exists(layout.home().resolve(file))) {
                return CheckResult.failed(
                        "package", "\"" + layout.home().resolve(file) + "\" is missing", "install DKVM again");
            }
        }
        for (String file : CACHES) {
            if (!Files.exists(layout.home().resolve(file))) {
                return CheckResult.warning(
                        "package",
                        "\"" + layout.home().resolve(file) + "\" is missing: every start takes longer",
                        "install DKVM again");
            }
        }
        return CheckResult.ok("package", layout.home().toString());
    }

    private CheckResult checkConfig() {
        try {
            HostConfig config = HostConfig.read(HostConfig.FILE);
            KernelStore.Found kernel = new KernelStore(layout.kernels())
                    .find(KernelChoice.packaged(config.vms().kernel()));
            if (!Files.exists(kernel.directory().resolve("initramfs"))) {
                return CheckResult.failed(
                        "kernel", "\"" + kernel.directory() + "\" has no initramfs", "install DKVM again");
            }
            return CheckResult.ok("kernel", kernel.name());
        } catch (DkvmException e) {
            return CheckResult.failed("configuration", String.valueOf(e.getMessage()), e.advice());
        }
    }

    /** An add-on that is not there is no fault. */
    private CheckResult checkArchitectures() {
        List<String> installed = new ArrayList<>();
        StringBuilder missing = new StringBuilder();
        for (Architecture architecture : Architecture.values()) {
            if (layout.has(architecture)) {
                installed.add(architecture.label());
            } else {
                missing.append("; for images for ")
                        .append(architecture.label())
                        .append(' ')
                        .append(PackageLayout.adviceToAdd(architecture));
            }
        }
        return CheckResult.ok("architectures", String.join(", ", installed) + missing);
    }

    private static CheckResult checkRunc() {
        Optional<String> runc = InnerRuntime.find();
        if (runc.isEmpty()) {
            return CheckResult.failed(
                    "runc",
                    "neither runc nor crun is found",
                    "install one, or name it in " + HostConfig.FILE + ": \"runc\": \"/path\"");
        }
        Program.Result result = Program.run(List.of(runc.get(), "--version"), PATIENCE);
        if (result.code() != 0) {
            return CheckResult.failed("runc", runc.get() + " does not run: " + result.output(), "install runc again");
        }
        int end = result.output().indexOf('\n');
        return CheckResult.ok(
                "runc",
                runc.get() + ", " + (end < 0 ? result.output() : result.output().substring(0, end)));
    }

    private CheckResult checkDocker() {
        String runtime = layout.home().resolve("scripts/dkvm-runtime").toString();
        String advice = "run " + layout.home().resolve("scripts/dkvm-install-runtime.sh");
        if (!Files.exists(DOCKER_CONFIG)) {
            return CheckResult.warning("docker", "no " + DOCKER_CONFIG + ": DKVM is not registered there", advice);
        }
        try {
            JsonObject runtimes = Json.objectOrNew(Json.readObject(DOCKER_CONFIG), "runtimes");
            for (String name : runtimes.keySet()) {
                if (runtime.equals(
                        Json.string(Json.objectOrNew(runtimes, name), "path").orElse(""))) {
                    return CheckResult.ok("docker", "registered as \"" + name + "\" in " + DOCKER_CONFIG);
                }
            }
            return CheckResult.warning("docker", "DKVM is not registered in " + DOCKER_CONFIG, advice);
        } catch (DkvmException e) {
            return CheckResult.warning("docker", e.text(), "mend " + DOCKER_CONFIG);
        }
    }

    /** A user's engine is Podman, which is told the runtime by each call. */
    private static CheckResult checkUsers() {
        try {
            long spare = UserNamespace.own().spare(SandboxUsers.COUNT);
            return CheckResult.ok(
                    "users",
                    "QEMU runs as " + spare + " of this user namespace; what is kept is in " + StatePlaces.run());
        } catch (DkvmException e) {
            return CheckResult.failed("users", String.valueOf(e.getMessage()), e.advice());
        }
    }

    private static CheckResult checkTun() {
        try (FileChannel tun = FileChannel.open(TUN, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return CheckResult.ok("tun", TUN + (tun.isOpen() ? " opens" : ""));
        } catch (IOException e) {
            return CheckResult.failed(
                    "tun", TUN + " does not open: " + e.getMessage(), "load the module: modprobe tun");
        }
    }

    /** Makes in a network namespace of its own what a sandbox makes in its. */
    private CheckResult checkTrafficControl() {
        Optional<Path> unshare = Program.find("unshare", PROGRAM_DIRECTORIES);
        if (unshare.isEmpty()) {
            return CheckResult.warning("traffic control", "not tried: there is no unshare(1)", "install util-linux");
        }
        Program.Result result = Program.run(
                List.of(
                        unshare.get().toString(),
                        "--net",
                        layout.program("dkvm-network").toString(),
                        "check"),
                PATIENCE);
        return result.code() == 0
                ? CheckResult.ok("traffic control", "ingress, u32, mirred and bpf work")
                : CheckResult.failed(
                        "traffic control",
                        result.output(),
                        "load the modules: modprobe -a tun sch_ingress cls_u32 act_mirred cls_bpf");
    }

    private CheckResult checkKvm() {
        try {
            KvmVerdict verdict = new HostAccelerator(
                            InnerRuntime.jobs(layout),
                            HostConfig.read(HostConfig.FILE).patience().kvmProbe(),
                            _ -> {})
                    .probe();
            return verdict.works()
                    ? CheckResult.ok("kvm", "works: DKVM's kernel booted")
                    : CheckResult.warning(
                            "kvm",
                            "does not work (" + verdict.reason() + "): VMs run under TCG, which is slower",
                            "use a host with KVM, or set \"accel\": \"tcg\" in " + HostConfig.FILE);
        } catch (DkvmException e) {
            return CheckResult.failed("kvm", String.valueOf(e.getMessage()), e.advice());
        }
    }
}
