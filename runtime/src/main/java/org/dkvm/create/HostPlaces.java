// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.nio.file.Path;
import org.dkvm.core.PackageLayout;
import org.dkvm.template.TemplateMisses;
import org.dkvm.template.TemplateStore;
import org.dkvm.vm.VmPlace;

/**
 * What outlives a command on the host.
 *
 * @param vms where the VMs' directories are made
 * @param templates what VMs are restored from
 * @param misses told where there was none for a VM
 */
public record HostPlaces(Path vms, TemplateStore templates, TemplateMisses misses) {
    /** This host's. */
    public static HostPlaces of(PackageLayout layout) {
        return new HostPlaces(VmPlace.DIRECTORY, new TemplateStore(), new TemplateOrder(layout));
    }
}
