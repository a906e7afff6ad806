// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.mounts.GuestModules;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.spec.ContainerSpec;
import org.dkvm.bundle.spec.Pod;
import org.dkvm.core.Architecture;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.Processor;
import org.dkvm.json.Json;

/** Rewrites specs under fixed conditions. */
public final class Rewrites {
    static final Path BUNDLE = Path.of("/run/bundle");

    private Rewrites() {}

    public static SandboxSpec rewrite(JsonObject spec, Accelerator accelerator, HostView host) throws DkvmException {
        return rewrite(spec, accelerator, host, false);
    }

    public static SandboxSpec rewrite(JsonObject spec, Accelerator accelerator, HostView host, boolean vhostNet)
            throws DkvmException {
        return rewrite(spec, accelerator, host, vhostNet, HostConfig.defaults());
    }

    private static SandboxSpec rewrite(
            JsonObject spec, Accelerator accelerator, HostView host, boolean vhostNet, HostConfig config)
            throws DkvmException {
        JsonObject seccomp = new JsonObject();
        seccomp.addProperty("defaultAction", "the sandbox's own");
        Options options = Options.parse(Json.strings(Json.objectOrNew(spec, "process"), "env"), config);
        List<ResourceLimit> inherited = List.of(new ResourceLimit(7, 1024, 4096), new ResourceLimit(4, 0, -1));
        return SandboxSpec.rewrite(
                ContainerSpec.read(
                        spec,
                        Pod.of(spec, host).withoutVm(spec, host),
                        BUNDLE,
                        options.machine().disks(),
                        inherited,
                        host),
                new SandboxSpec.Inputs(
                        new SandboxPlace(
                                new ContainerId("c1"),
                                BUNDLE,
                                "/run/dkvm/vms/c1/log",
                                Pod.of(spec, host).role() == Pod.Role.SANDBOX ? "/run/dkvm/vms/c1/pod" : "",
                                new PackageLayout(PackageLayout.DEFAULT_HOME)),
                        options,
                        config,
                        new BootKernel(
                                new GuestKernel("dkvm/6.12", Architecture.AMD64, "vmlinux", "", false),
                                Path.of("/opt/dkvm/kernels/dkvm/6.12"),
                                new GuestModules(Path.of("/opt/dkvm/kernels/dkvm/6.12/modules"), "6.12")),
                        new HostShare(
                                4,
                                MemorySize.ofMib(16 * 1024),
                                new Processor(accelerator, 0),
                                vhostNet,
                                new SandboxUsers(host.isUsers() ? 65_281 : 2_130_000_000, host.isUsers()),
                                524_288),
                        seccomp,
                        Templates.NONE));
    }

    public static SandboxSpec rewrite(JsonObject spec) throws DkvmException {
        return rewrite(spec, Accelerator.TCG, new FakeHost());
    }

    static SandboxSpec rewrite(JsonObject spec, HostConfig config) throws DkvmException {
        return rewrite(spec, Accelerator.TCG, new FakeHost(), false, config);
    }
}
