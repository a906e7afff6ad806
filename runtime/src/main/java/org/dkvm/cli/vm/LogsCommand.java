// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import org.dkvm.agent.GuestText;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.vm.VmFiles;
import org.dkvm.vm.VmList;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dkvm logs}. */
@Command(
        name = "logs",
        description = {
            "Prints what is known of a VM's start, life and end: the monitor's log with the messages of QEMU, virtiofsd and the guest's"
                    + " agent, and the last lines of the guest's console, which are its kernel's.",
            "It is kept when the VM is gone, with bounds: \"logs\" and \"logs-size\" of dkvm.json. What the workload says is in the"
                    + " engine's own logs."
        },
        mixinStandardHelpOptions = true)
public final class LogsCommand implements Callable<Integer> {
    @Parameters(paramLabel = "CONTAINER", description = "A container's id, the beginning of one, or a name.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String container;

    @Option(
            names = {"-p", "--previous"},
            description = "Of the container's VM before the last one, as after a restart.")
    private boolean previous;

    private final VmTools tools;

    public LogsCommand(PackageLayout layout) {
        tools = new VmTools(layout);
    }

    @Override
    public Integer call() throws DkvmException {
        List<VmList.Entry> found = VmTools.findVms(container);
        if (previous && found.size() < 2) {
            throw new DkvmException("of \"" + container + "\" there is no log but the last VM's", "");
        }
        VmList.Entry entry = found.get(previous ? 1 : 0);
        VmFiles files = tools.files(entry);
        System.out.println("== " + VmTools.title(entry) + (entry.isThere() ? "" : ", gone"));
        print(
                "== monitor, QEMU, virtiofsd, agent; in front milliseconds since the monitor's start",
                files,
                VmFiles.MONITOR);
        print("== the guest's console, older part", files, VmFiles.OLDER_CONSOLE);
        print("== the guest's console", files, VmFiles.CONSOLE);
        return 0;
    }

    /** What the guest can have a hand in is harmless on a terminal. */
    private static void print(String title, VmFiles files, String name) throws DkvmException {
        String text = GuestText.lines(files.read(name));
        if (!text.isEmpty()) {
            System.out.println(title);
            byte[] utf8 = (text.endsWith("\n") ? text : text + "\n").getBytes(StandardCharsets.UTF_8);
            System.out.write(utf8, 0, utf8.length);
        }
    }
}
