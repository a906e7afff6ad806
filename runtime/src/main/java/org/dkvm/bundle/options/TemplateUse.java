// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import org.dkvm.core.DkvmException;

/** Whether a VM may be restored from a template where one fits, in place of a boot. */
public enum TemplateUse {
    AUTO,
    OFF;

    /** The value of DKVM_TEMPLATE. What the host has off stays off: an image can set options. */
    static TemplateUse parse(String value, HostConfig config) throws DkvmException {
        return switch (value) {
            case "", "auto" -> config.vms().template();
            case "off" -> OFF;
            default -> throw Options.bad("DKVM_TEMPLATE", value, "auto or off");
        };
    }
}
