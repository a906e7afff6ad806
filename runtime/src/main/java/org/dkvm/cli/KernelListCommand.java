// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.kernel.KernelShelf;
import org.dkvm.kernel.KernelStore;
import org.dkvm.linux.FileTree;
import picocli.CommandLine.Command;

/** {@code dkvm kernel ls}. */
@Command(
        name = "ls",
        description = "Lists the kernels: which came with the package, which is a distribution's latest, which is the"
                + " default.",
        mixinStandardHelpOptions = true,
        versionProvider = AdminCommand.Version.class)
final class KernelListCommand implements Callable<Integer> {
    private static final String FORMAT = "%-44s %9s  %-8s %s%n";

    private final PackageLayout layout;

    KernelListCommand(PackageLayout layout) {
        this.layout = layout;
    }

    @Override
    public Integer call() throws DkvmException {
        String configured = HostConfig.read(HostConfig.FILE).vms().kernel();
        String byDefault = defaultName(configured);
        System.out.printf(FORMAT, "KERNEL", "SIZE", "ORIGIN", "");
        for (KernelShelf.Entry entry : KernelShelf.list(layout.kernels())) {
            List<String> marks = new ArrayList<>();
            if (entry.architecture().isForeign()) {
                marks.add(entry.architecture().label());
            }
            if (entry.latest()) {
                marks.add("latest");
            }
            if (entry.name().toString().equals(byDefault)) {
                marks.add("default");
            }
            System.out.printf(
                    FORMAT, entry.name(), size(entry), entry.shipped() ? "shipped" : "added", String.join(", ", marks));
        }
        for (KernelShelf.Link link : KernelShelf.links(layout.kernels())) {
            System.out.printf(FORMAT, link.name(), "", "link", "to " + link.target());
        }
        if (byDefault.isEmpty()) {
            System.out.println("the default, \"" + configured + "\", is none of them: \"dkvm kernel default\" sets it");
        }
        return 0;
    }

    /** The kernel behind the configured name; empty when there is none. */
    private String defaultName(String configured) {
        try {
            return layout.kernels()
                    .toRealPath()
                    .relativize(
                            new KernelStore(layout.kernels()).find(configured).directory())
                    .toString();
        } catch (DkvmException | IOException e) {
            return "";
        }
    }

    private static String size(KernelShelf.Entry entry) throws DkvmException {
        try {
            return new MemorySize(FileTree.size(entry.directory())).mib() + " MiB";
        } catch (IOException e) {
            throw new DkvmException("can not read \"" + entry.directory() + "\": " + e, "", e);
        }
    }
}
