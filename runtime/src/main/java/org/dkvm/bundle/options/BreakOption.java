// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.BreakPoint;

/** The value of {@code DKVM_BREAK}: names of points of the launch, separated by commas. */
public final class BreakOption {
    private static final String NAME = "DKVM_BREAK";

    private BreakOption() {}

    /** The points, in the order of the launch. */
    static List<BreakPoint> parse(String value, HostConfig config) throws DkvmException {
        if (value.isEmpty()) {
            return List.of();
        }
        if (!config.allow().contains(HostConfig.ALLOW_BREAK)) {
            throw new DkvmException(
                    "option \"" + NAME + "\" is not allowed on this host",
                    "it needs \"" + HostConfig.ALLOW_BREAK + "\" in \"allow\" of /etc/dkvm/dkvm.json");
        }
        Set<BreakPoint> points = EnumSet.noneOf(BreakPoint.class);
        for (String name : value.split(",", -1)) {
            if (!points.add(point(name, value))) {
                throw new DkvmException(
                        "option \"" + NAME + "\" has \"" + name + "\" twice in \"" + value + "\"",
                        "give each point once");
            }
        }
        return List.copyOf(points);
    }

    /** Fails where nobody could use the shells. */
    public static void checkTerminal(List<BreakPoint> points, boolean terminal) throws DkvmException {
        if (!points.isEmpty() && !terminal) {
            throw new DkvmException("option \"" + NAME + "\" needs a terminal", "give \"docker run\" the option -it");
        }
    }

    private static BreakPoint point(String name, String value) throws DkvmException {
        for (BreakPoint point : BreakPoint.values()) {
            if (point.label().equals(name)) {
                return point;
            }
        }
        throw new DkvmException(
                "option \"" + NAME + "\" has the point \"" + name + "\" in \"" + value + "\"",
                "give one or more of prenet, postnet, preqemu, separated by commas");
    }
}
