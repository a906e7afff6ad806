// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.template;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.create.JavaJob;
import org.dkvm.create.Jobs;
import org.dkvm.create.TemplateJob;
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
    private static final long MOST_MIB = 1L << 30;

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
                    TemplateStore.size(template).mib() + " MiB",
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
            @Option(
                            names = "--for",
                            paramLabel = "<key>",
                            description =
                                    "The key that a start has missed: no other one is made, and none where another one is just being made.")
                    String missed)
            throws DkvmException {
        if (memory < 0 || memory > MOST_MIB || cpus < 0) {
            throw new DkvmException("\"--memory\" is 0 to " + MOST_MIB + ", and \"--cpus\" not less than 0", "");
        }
        TemplateJob.make(
                        start.jobs(),
                        HostConfig.read(HostConfig.FILE),
                        MemorySize.ofMib(memory),
                        cpus,
                        missed == null || missed.isEmpty() ? Optional.empty() : Optional.of(key(missed)))
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
            List<Template> meant = new ArrayList<>(store.list());
            if (!"all".equals(name)) {
                meant.removeIf(
                        template -> name.isEmpty() || !template.key().text().startsWith(name));
                if (meant.isEmpty()) {
                    throw new DkvmException("there is no template \"" + name + "\"", "\"dkvm template ls\" lists them");
                }
                if (meant.stream()
                                .map(template -> template.key().text())
                                .distinct()
                                .count()
                        > 1) {
                    throw new DkvmException(
                            "\"" + name + "\" is the beginning of several templates", "give more of it");
                }
            }
            for (Template template : meant) {
                store.remove(template);
            }
        }
        return 0;
    }

    private static TemplateKey key(String text) throws DkvmException {
        if (!TemplateKey.isValid(text)) {
            throw new DkvmException("\"" + text + "\" is no key of a template", "");
        }
        return new TemplateKey(text);
    }

    @Command(
            name = "save",
            description = "What \"dkvm template make\" runs in a sandbox.",
            mixinStandardHelpOptions = true,
            hidden = true)
    int save(@Parameters(paramLabel = "OUT", description = "A directory with the machine's command.") Path out) {
        try {
            TemplateJob.save(out);
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
