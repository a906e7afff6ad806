// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.fuzz.Bounded;

/** The DKVM_ variables, which an image can set: the input is an environment, its entries divided by NULs. */
public final class OptionsFuzz {
    private static final int MOST_DISKS = 16;
    private static final int MOST_APPEND = 1024;

    private OptionsFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, bytes -> take(List.of(new String(bytes, StandardCharsets.UTF_8).split("\0", -1))));
    }

    private static void take(List<String> env) {
        Bounded.check(
                Options.without(env).stream().noneMatch(Options::isOption)
                        && Options.without(env).size() <= env.size(),
                "options are left in the environment");
        try {
            Options options = Options.parse(env, HostConfig.defaults());
            Bounded.check(options.equals(Options.parse(env, HostConfig.defaults())), "two meanings");
            Bounded.check(options.machine().disks().equals(Options.disks(env)), "other disks");
            Bounded.check(
                    options.machine().disks().size() <= MOST_DISKS,
                    options.machine().disks().size() + " disks");
            Bounded.check(!options.sysAdmin(), "an image was given CAP_SYS_ADMIN");
            Bounded.check(
                    options.kernel().append().length() <= MOST_APPEND
                            && options.kernel().append().chars().allMatch(c -> c >= ' ' && c <= '~'),
                    "kernel parameters that are not fit for a command line");
        } catch (DkvmException e) {
            Bounded.check(!e.text().isEmpty(), "refused without a word");
        }
    }
}
