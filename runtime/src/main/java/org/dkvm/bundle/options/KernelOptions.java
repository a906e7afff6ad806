// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

/**
 * Which kernel, and how it is booted.
 *
 * @param name {@code <dist>[/<version>]}; empty when not given
 * @param debug whether the kernel's log goes to the console
 * @param append more kernel parameters; empty for none
 * @param mountLibModules whether its modules cover /lib/modules as a whole
 * @param template whether the VM may be restored where a template fits, and the kernel not be booted
 */
public record KernelOptions(String name, boolean debug, String append, boolean mountLibModules, TemplateUse template) {
    /** What a container has that asks for nothing. */
    public static final KernelOptions NONE = new KernelOptions("", false, "", false, TemplateUse.OFF);
}
