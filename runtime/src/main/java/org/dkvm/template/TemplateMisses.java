// SPDX-License-Identifier: Apache-2.0
package org.dkvm.template;

import org.dkvm.core.machine.MachineSize;

/** Told of VMs that a template would have fitted. */
@FunctionalInterface
public interface TemplateMisses {
    /** There was none of that key; this VM boots. */
    void missed(TemplateKey key, MachineSize size);
}
