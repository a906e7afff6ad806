// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.nio.charset.StandardCharsets;
import org.dkvm.core.VersionOrder;
import org.dkvm.fuzz.Bounded;

/** An image's os-release, and a kernel's name, which is made of what it says. */
public final class OsReleaseFuzz {
    private OsReleaseFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Bounded.run(input, bytes -> take(new String(bytes, StandardCharsets.UTF_8)));
    }

    private static void take(String text) {
        Distribution distribution = Distribution.parse(text);
        for (String name : distribution.names()) {
            Bounded.check(
                    !name.isEmpty() && name.chars().noneMatch(c -> c == ' ' || (c >= '\t' && c <= '\r')),
                    "name \"" + name + "\"");
        }
        Distribution again = Distribution.parse(
                "ID='" + String.join(" ", distribution.names()).replace("\n", "") + "'\n");
        Bounded.check(again.equals(distribution), distribution + " is read as " + again);
        for (String line : text.split("\n", -1)) {
            String other = line.isEmpty() ? "x" : line.substring(line.length() / 2);
            int order = Integer.signum(VersionOrder.OLDEST_FIRST.compare(line, other));
            Bounded.check(
                    order == -Integer.signum(VersionOrder.OLDEST_FIRST.compare(other, line)),
                    "\"" + line + "\" and \"" + other + "\" are each before the other");
            Bounded.check((order == 0) == line.equals(other), "one version is as good as another");
        }
    }
}
