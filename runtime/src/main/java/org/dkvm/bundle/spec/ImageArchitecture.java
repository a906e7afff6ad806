// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import java.util.Optional;
import org.dkvm.bundle.options.ForeignImage;
import org.dkvm.bundle.options.Options;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.ElfHeader;
import org.dkvm.linux.ProgramHeader;

/** Tells what an image is built for: by the container's own word, else by the program that it starts with. */
public final class ImageArchitecture {
    private ImageArchitecture() {}

    /**
     * The architecture; the host's where neither says.
     *
     * @param program where the program is in the image, as {@link org.dkvm.bundle.process.ExecutableCheck} found it; empty for one that can not be seen from here
     */
    public static Architecture of(Options options, ContainerSpec container, String program) throws DkvmException {
        Optional<Architecture> told = options.machine().architecture();
        if (told.isEmpty() && !program.isEmpty()) {
            Optional<ElfHeader> header = ProgramHeader.of(
                    container.mounts().tree(),
                    program,
                    container.process().command().cwd());
            if (header.isPresent()) {
                told = header.get().architecture();
                if (told.isEmpty()) {
                    throw new DkvmException(
                            "the image is built for " + header.get().name() + ": its program \"" + program
                                    + "\" says so",
                            "DKVM has VMs for amd64 and arm64; where only that program is foreign, DKVM_ARCH names the image's");
                }
            }
        }
        Architecture architecture = told.isPresent() ? told.get() : Architecture.HOST;
        ForeignImage.check(architecture, options.machine());
        return architecture;
    }
}
