// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.template;

import java.nio.file.Path;
import java.util.List;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.create.JavaJob;
import org.dkvm.create.Jobs;
import org.dkvm.create.TemplateJob;
import org.dkvm.create.TemplateSaver;
import org.dkvm.json.Json;
import org.dkvm.template.Template;
import org.dkvm.template.TemplateKey;
import org.dkvm.template.TemplateStore;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code dkvm template}: what belongs to it. */
@Command(
        name = "template",
        description =
                "Lists, makes and removes templates: saved VMs from which others are restored in place of a boot.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND")
public final class TemplateCommand implements Runnable {
    private static final String FORMAT = "%-16s %10s %5s %10s  %s%n";
    private static final int SHORT_KEY = 16;

    /** How jobs are started. */
    public interface JobStart {
        Jobs jobs() throws DkvmException;
    }

    private final JobStart start;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    public TemplateCommand(JobStart start) {
        this.start = start;
    }

    /** Alone it says nothing to do. */
    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
    }

    @Command(
            name = "ls",
            description = "Lists the templates: the memory and the CPUs of their VMs, and what they take on the disk.",
            mixinStandardHelpOptions = true)
    int list() throws DkvmException {
        System.out.printf(FORMAT, "TEMPLATE", "MEMORY", "CPUS", "SIZE", "MADE");
        for (Template template : new TemplateStore().list()) {
            System.out.printf(
                    FORMAT,
                    shortened(template.key()),
                    template.memory(),
                    template.cpus(),
                    TemplateStore.size(template),
                    template.made());
        }
        return 0;
    }

    @Command(
            name = "make",
            description = "Makes the template of VMs of a size: boots one in a sandbox, and saves it.",
            mixinStandardHelpOptions = true)
    int make(
            @Option(
                            names = "--memory",
                            paramLabel = "<MiB>",
                            description = "Their memory; without it, what VMs have where nothing is said.")
                    long memory,
            @Option(
                            names = "--cpus",
                            paramLabel = "<number>",
                            description = "Their CPUs; without it, what VMs have where nothing is said.")
                    int cpus,
            @Option(names = "--if-idle", description = "Not where another one is being made.") boolean idle)
            throws DkvmException {
        if (memory < 0 || cpus < 0) {
            throw new DkvmException("\"--memory\" and \"--cpus\" are not less than 0", "");
        }
        TemplateJob.make(start.jobs(), HostConfig.read(HostConfig.FILE), MemorySize.ofMib(memory), cpus, !idle)
                .ifPresent(template -> System.out.println(shortened(template.key())));
        return 0;
    }

    @Command(name = "rm", description = "Removes templates.", mixinStandardHelpOptions = true)
    int remove(
            @Parameters(
                            paramLabel = "TEMPLATE",
                            arity = "1..*",
                            description = "What \"dkvm template ls\" lists, or \"all\".")
                    List<String> names)
            throws DkvmException {
        TemplateStore store = new TemplateStore();
        for (String name : names) {
            boolean found = "all".equals(name);
            for (Template template : store.list()) {
                if ("all".equals(name) || template.key().text().startsWith(name)) {
                    found |= store.remove(template.key());
                }
            }
            if (!found) {
                throw new DkvmException("there is no template \"" + name + "\"", "\"dkvm template ls\" lists them");
            }
        }
        return 0;
    }

    @Command(
            name = "save",
            description = "What \"dkvm template make\" runs in a sandbox.",
            mixinStandardHelpOptions = true,
            hidden = true)
    int save(@Parameters(paramLabel = "OUT", description = "A directory with the machine's command.") Path out) {
        try {
            TemplateSaver.save(Json.strings(Json.readObject(out.resolve(TemplateJob.COMMAND)), TemplateJob.QEMU), out);
            return 0;
        } catch (DkvmException e) {
            System.err.print(JavaJob.said(e));
            return 1;
        }
    }

    private static String shortened(TemplateKey key) {
        return key.text().substring(0, SHORT_KEY);
    }
}
