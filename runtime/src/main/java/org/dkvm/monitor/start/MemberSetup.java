// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.agent.Client;
import org.dkvm.agent.ContainerRecords;
import org.dkvm.bundle.plan.MemberPlan;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.ContainerRoot;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.machine.TerminalDevice;
import org.dkvm.json.Json;

/** What the agent is told of a further container of a pod, whose mounts have come into the sandbox while it ran. */
public record MemberSetup(MemberPlan plan, MountCheck mounts) {
    /**
     * Reads what the container's create wrote.
     *
     * @param number the container's in the VM
     */
    public static MemberSetup read(Places places, int number) throws DkvmException {
        MemberSetup setup = new MemberSetup(plan(places, number), MountCheck.now(places.mounts()));
        setup.check();
        return setup;
    }

    /** The plan alone, as it is now. */
    public static MemberPlan plan(Places places, int number) throws DkvmException {
        Path file = places.plans().resolve(number + ".json");
        if (!Files.exists(file)) {
            throw new DkvmException("this VM has no plan of a container " + number, "create the container again");
        }
        MemberPlan plan = MemberPlan.fromJson(Json.readObject(file));
        if (plan.number() != number) {
            throw new DkvmException("the plan of container " + number + " is that of " + plan.number(), "");
        }
        return plan;
    }

    /** What did not reach the sandbox, the guest would take for an empty directory. */
    private void check() throws DkvmException {
        checkMounted(plan.rootSlot(), "its root");
        ContainerRoot root = plan.container().root();
        for (GuestMount mount : root.mounts()) {
            if (mount.kind() == GuestMount.Kind.SLOT) {
                checkMounted(mount.source(), "\"" + mount.target() + "\"");
                if (!mount.filesystem().isEmpty()) {
                    checkMounted(mount.filesystem(), "the volume of \"" + mount.target() + "\"");
                }
            }
        }
    }

    private void checkMounted(String slot, String what) throws DkvmException {
        if (!mounts.has(slot)) {
            throw new DkvmException(
                    "what the container has for " + what + " is not mounted in the pod's sandbox",
                    "create the container again; if it fails again, look for a mount of /run that is not shared");
        }
    }

    /** The records of CONTAINER. */
    public byte[] container() throws DkvmException {
        ContainerRecords to = new ContainerRecords();
        to.rootSlot(plan.rootSlot());
        to.limits(plan.limits());
        if (plan.namespaces().firstsProcesses()) {
            to.inFirstsPidNamespace();
        }
        if (plan.namespaces().ownMessages()) {
            to.ownIpcNamespace();
        }
        to.ownHostName(plan.namespaces().ownName());
        return GuestSetup.container(to, plan.container(), mounts::flags);
    }

    /** The records of its first process's OPEN, with what its client said of itself. */
    public byte[] process(Client client) throws DkvmException {
        return GuestSetup.process(plan.container().process(), plan.container().init(), TerminalDevice.NONE, client);
    }
}
