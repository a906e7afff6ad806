// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where things are in the installed package, on the host.
 *
 * @param home the package's directory: /opt/dkvm, elsewhere in tests
 */
public record PackageLayout(Path home) {
    /** The place of an installed package. */
    public static final Path DEFAULT_HOME = Path.of("/opt/dkvm");

    /** The root filesystem of every sandbox. */
    public Path sandbox() {
        return home.resolve("sandbox");
    }

    /** One of DKVM's own programs, which are static and run on the host as well. */
    public Path program(String name) {
        return sandbox().resolve("opt/dkvm").resolve(name);
    }

    /** The guest kernels: {@code <dist>/<version>/}. */
    public Path kernels() {
        return home.resolve("kernels");
    }

    /** The agent's archive, which every initramfs begins with. */
    public Path agent(Architecture architecture) {
        return home.resolve("guest/initramfs" + architecture.kernelSuffix());
    }

    /** The program of VMs of an architecture; for a foreign one it is part of an add-on. */
    public Path qemu(Architecture architecture) {
        return sandbox().resolve("usr/bin/qemu-system-" + architecture.machine());
    }

    /** Whether what VMs of an architecture need is installed. */
    public boolean has(Architecture architecture) {
        return !architecture.isForeign() || Files.exists(qemu(architecture));
    }

    /** Refuses an architecture whose add-on is not installed. */
    public void checkAddOn(Architecture architecture) throws DkvmException {
        if (!has(architecture)) {
            throw new DkvmException(
                    "VMs for " + architecture.label() + " need an add-on, which is not installed",
                    adviceToAdd(architecture));
        }
    }

    /** How to get the add-on, whichever way DKVM came. */
    public static String adviceToAdd(Architecture architecture) {
        String label = architecture.label();
        return "install dkvm-" + label + "_<version>_amd64.deb, or call \"docker run --rm -v /opt/dkvm:/dkvm dkvm/dkvm:"
                + label + "\", or \"make install ARCHES=" + label + "\"";
    }

    /** The sandbox's dynamic loader, which starts the sandbox's programs on a host of any libc. */
    public Path loader() {
        return sandbox().resolve("lib64/ld-linux-x86-64.so.2");
    }

    /** The directory of the sandbox's libraries, for the loader's {@code --library-path}. */
    public String libraryPath() {
        return sandbox().resolve("usr/lib/x86_64-linux-gnu").toString();
    }
}
