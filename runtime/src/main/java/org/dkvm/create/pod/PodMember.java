// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create.pod;

import com.google.gson.JsonObject;
import java.util.List;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.process.ExecutableCheck;
import org.dkvm.bundle.sandbox.MemberSpec;
import org.dkvm.bundle.sandbox.SandboxPlace;
import org.dkvm.bundle.sandbox.SandboxSeccomp;
import org.dkvm.bundle.spec.ContainerSpec;
import org.dkvm.bundle.spec.ImageArchitecture;
import org.dkvm.bundle.spec.Pod;
import org.dkvm.bundle.spec.PodNamespaces;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.RuncMessages;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.json.Json;
import org.dkvm.linux.ProcessLimits;

/** A further container of a pod: what its create reads and refuses. */
public final class PodMember {
    private PodMember() {}

    /** A container that was read, and its rewritten spec. */
    public record Rewritten(ContainerSpec container, MemberSpec member) {}

    /**
     * Rewrites a container's spec.
     *
     * @param original as the engine wrote it
     * @param place which container it is; the pod's directory
     */
    public static Rewritten rewrite(
            JsonObject original, Pod pod, PodVm vm, SandboxPlace place, HostConfig config, HostView host)
            throws DkvmException {
        refuseOptions(Json.strings(Json.objectOrNew(original, "process"), "env"), pod);
        if (pod.podmans()) {
            refuseOptions(Pod.options(original), pod);
        }
        ContainerSpec container = ContainerSpec.read(
                PodNamespaces.withoutProcessesOf(original, vm.process()),
                pod,
                place.bundle(),
                List.of(),
                ProcessLimits.own(),
                host);
        String program = ExecutableCheck.check(
                container.process(), container.mounts().tree(), RuncMessages.Action.CREATE, false);
        if (ImageArchitecture.of(Options.parse(List.of(), config), container, program)
                .isForeign()) {
            throw new DkvmException(
                    "the pod's VM is for images of " + Architecture.HOST + ", and this one is for another architecture",
                    "give it a pod of its own, with the annotation dkvm.arch");
        }
        MemberSpec member = MemberSpec.rewrite(
                container,
                original,
                new MemberSpec.Inputs(
                        place,
                        vm.takeNumber(),
                        vm.process(),
                        host,
                        CgroupMode.V2,
                        PodSize.unlimited(config),
                        SandboxSeccomp.profile()));
        return new Rewritten(container, member);
    }

    /** They shape the VM, which is there. */
    private static void refuseOptions(List<String> env, Pod pod) throws DkvmException {
        for (String entry : env) {
            if (Options.isOption(entry) && !entry.endsWith("=")) {
                String name = entry.substring(0, Math.max(entry.indexOf('='), 0));
                throw new DkvmException(
                        "option \"" + name + "\" of a pod's container: the VM is the pod's",
                        pod.podmans()
                                ? "make the pod with an infra image that has it in its environment (podman pod create --infra-image), or set it for all VMs in /etc/dkvm/dkvm.json"
                                : "annotate the pod instead: \"" + Pod.annotation(name)
                                        + "\", and have the engine pass annotations \"dkvm.*\" on");
            }
        }
    }
}
