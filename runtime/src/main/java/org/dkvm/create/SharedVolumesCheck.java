// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.util.function.Consumer;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.bundle.options.SharedVolumes;
import org.dkvm.core.DkvmException;
import org.dkvm.vm.SharedPlaces;
import org.dkvm.vm.VmList;
import org.dkvm.vm.VmRecord;

/** Tells, or refuses, that a container may write where another VM which runs does. */
final class SharedVolumesCheck {
    private SharedVolumesCheck() {}

    static void check(VmList vms, VmRecord own, SharedVolumes policy, Consumer<String> warn) throws DkvmException {
        if (policy == SharedVolumes.ALLOW || own.writable().isEmpty()) {
            return;
        }
        for (VmRecord vm : vms.there()) {
            String path = vm.id().equals(own.id()) ? "" : SharedPlaces.common(own, vm);
            if (!path.isEmpty() && ContainerState.isAlive(vm.state())) {
                String text = "\"" + path + "\" may be written to by this VM and by \"" + vm.title()
                        + "\": between VMs memory is not mapped shared, and locks hold with DKVM's kernel only";
                if (policy == SharedVolumes.REFUSE) {
                    throw new DkvmException(
                            text,
                            "mount it read-only, or use a disk (DKVM_DISKS); \"shared-volumes\" of dkvm.json allows it");
                }
                warn.accept(text + "; data of programs that rely on more, such as SQLite with WAL, is lost");
            }
        }
    }
}
