// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

import java.util.Optional;

/** What a VM's processor understands, and so what its kernel and its image are built for. */
public enum Architecture {
    AMD64("amd64", "x86_64", "ttyS0"),
    ARM64("arm64", "aarch64", "ttyAMA0");

    /** What the package, and so the host, is built for. */
    public static final Architecture HOST = AMD64;

    private final String label;
    private final String machine;
    private final String console;

    Architecture(String label, String machine, String console) {
        this.label = label;
        this.machine = machine;
        this.console = console;
    }

    /** The one of either name, Docker's or uname(1)'s. */
    public static Optional<Architecture> named(String name) {
        for (Architecture architecture : values()) {
            if (name.equals(architecture.label) || name.equals(architecture.machine)) {
                return Optional.of(architecture);
            }
        }
        return Optional.empty();
    }

    /** The architecture of a distribution's kernels by what the distribution is called among them: {@code debian}, {@code debian-arm64}. */
    public static Architecture ofKernels(String distribution) {
        for (Architecture architecture : values()) {
            if (architecture.isForeign() && distribution.endsWith(architecture.kernelSuffix())) {
                return architecture;
            }
        }
        return HOST;
    }

    /** As Docker calls it. */
    public String label() {
        return label;
    }

    /** As uname(1) prints it, and as QEMU's program is called. */
    public String machine() {
        return machine;
    }

    /** The kernel's name of its machines' serial port. */
    public String console() {
        return console;
    }

    /** Whether the host's processor can not run it: KVM never does. */
    public boolean isForeign() {
        return this != HOST;
    }

    /** What a distribution's name ends in among the kernels; the host's have none. */
    public String kernelSuffix() {
        return isForeign() ? "-" + label : "";
    }
}
