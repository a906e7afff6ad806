// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PlainName;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Scratch;

/** A kernel's image: what it is, and its release, which names directories. */
public final class KernelImageFuzz {
    private static final Path FILE = Scratch.directory("kernel").resolve("vmlinuz");

    private KernelImageFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, KernelImageFuzz::take);
    }

    private static void take(byte[] input) throws IOException {
        Files.write(FILE, input);
        try {
            KernelImage image = KernelImage.of(FILE);
            Bounded.check(input.length >= 64, "an image of " + input.length + " bytes");
            KernelImage.isEfiProgram(FILE);
            if (image == KernelImage.BZIMAGE) {
                String release = KernelImage.release(FILE);
                Bounded.check(PlainName.isValid(release), "the release \"" + release + "\"");
            }
        } catch (DkvmException e) {
            Bounded.check(!e.text().isEmpty(), "refused without a word");
        } catch (IOException e) {
            Bounded.check(!String.valueOf(e.getMessage()).isEmpty(), "refused without a word");
        }
    }
}
