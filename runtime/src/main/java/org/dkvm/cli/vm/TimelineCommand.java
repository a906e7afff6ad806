// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.util.concurrent.Callable;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.vm.StartTimeline;
import org.dkvm.vm.TimelineSvg;
import org.dkvm.vm.TimelineText;
import org.dkvm.vm.VmList;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dkvm timeline}. */
@Command(
        name = "timeline",
        description = {
            "Prints where the time of a VM's start went: from the engine's call to the workload's start.",
            "host: DKVM's create, runc and the engine. monitor: each step ends where its bar does. guest: QEMU, the kernel, the agent."
        },
        mixinStandardHelpOptions = true)
public final class TimelineCommand implements Callable<Integer> {
    @Parameters(paramLabel = "CONTAINER", description = "A container's id, the beginning of one, or a name.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String container;

    @Option(names = "--svg", description = "As a picture: an SVG document on standard output.")
    private boolean svg;

    private final VmTools tools;

    public TimelineCommand(PackageLayout layout) {
        tools = new VmTools(layout);
    }

    @Override
    public Integer call() throws DkvmException {
        VmList.Entry entry = VmTools.find(container).getFirst();
        StartTimeline timeline = tools.timeline(entry);
        if (svg) {
            System.out.print(TimelineSvg.of(timeline, VmTools.title(entry).replace("\"", "")));
        } else {
            System.out.println("== " + VmTools.title(entry));
            System.out.print(TimelineText.of(timeline));
        }
        return 0;
    }
}
