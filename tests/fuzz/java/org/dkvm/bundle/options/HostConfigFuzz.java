// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.nio.file.Files;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Display;
import org.dkvm.fuzz.Bounded;
import org.dkvm.fuzz.Scratch;

/** The administrator's dkvm.json: what is taken is within its bounds, and the settings can be used. */
public final class HostConfigFuzz {
    private static final Path FILE = Scratch.directory("config").resolve("dkvm.json");

    private HostConfigFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, HostConfigFuzz::take);
    }

    private static void take(byte[] input) throws Exception {
        Files.write(FILE, input);
        try {
            HostConfig config = HostConfig.read(FILE);
            Bounded.check(
                    config.vms().cpus() >= 0 && config.vms().cpus() <= 255,
                    config.vms().cpus() + " CPUs");
            Bounded.check(!config.vms().kernel().isEmpty(), "no kernel");
            Bounded.check(
                    config.vms().memory().compareTo(HostConfig.SMALLEST_MEMORY) >= 0,
                    "a VM of " + config.vms().memory());
            for (Accelerator accelerator : Accelerator.values()) {
                Bounded.check(
                        config.overhead(accelerator, Display.NONE).bytes() >= 0, "a sandbox of less than nothing");
            }
        } catch (DkvmException e) {
            Bounded.check(!e.text().isEmpty(), "refused without a word");
        }
    }
}
