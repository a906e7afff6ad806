// SPDX-License-Identifier: Apache-2.0
package org.dkvm.training;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.sandbox.MonitorCommand;
import org.dkvm.cli.Main;
import org.dkvm.cli.RuntimeCommand;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.create.HostPlaces;
import org.dkvm.template.Template;
import org.dkvm.template.TemplateStore;

/**
 * What package/assemble.sh runs to make the AOT caches; no user ever does.
 *
 * <p>A cache holds the classes that one run of a JVM loaded: so create and exec have to happen in one.
 */
public final class RuntimeTraining {

    private RuntimeTraining() {}

    /**
     * Runs one of two commands.
     *
     * @param args {@code runtime WORK}: create and exec, as an engine calls them, on the samples in WORK; {@code monitor-command}: prints the monitor's
     *     command line, an argument a line
     */
    public static void main(String[] args) {
        switch (args.length == 0 ? "" : args[0]) {
            case "runtime" -> System.exit(runtime(Path.of(args[1])));
            case "monitor-command" -> monitorCommand().forEach(System.out::println);
            default -> {
                System.err.println("usage: RuntimeTraining runtime WORK | monitor-command");
                System.exit(2);
            }
        }
    }

    private static int runtime(Path work) {
        // The one class of a command that this way does not come by.
        requireNonNull(Main.class);
        PackageLayout layout = new PackageLayout(Path.of(System.getProperty("dkvm.home", "")));
        List<String> create = List.of("create", "--bundle", work + "/bundle", "--pid-file", work + "/pid", "sample");
        List<String> exec = List.of("exec", "--process", work + "/process.json", "--detach", "sample");
        HostPlaces host = host(work);
        // The second one finds a template.
        for (int i = 0; i < 2; i++) {
            int created = RuntimeCommand.run(asDockerDoes(work, create), layout, host);
            if (created != 0) {
                return created;
            }
        }
        return RuntimeCommand.run(asDockerDoes(work, exec), layout);
    }

    /** A host on which what is missed is there at once, though nothing could be restored from it. */
    private static HostPlaces host(Path work) {
        TemplateStore templates = TemplateStore.in(work.resolve("templates"), work.resolve("checked"));
        return new HostPlaces(work.resolve("vms"), templates, (key, size) -> {
            try {
                Path made = Files.createDirectories(work.resolve("templates/made"));
                Files.writeString(made.resolve(Template.MEMORY), "memory");
                Files.writeString(made.resolve(Template.STATE), "state");
                templates.keep(made, key, size.memory(), size.cpus());
            } catch (IOException | DkvmException e) {
                throw new IllegalArgumentException(e);
            }
        });
    }

    private static List<String> asDockerDoes(Path work, List<String> command) {
        List<String> arguments =
                new ArrayList<>(List.of("--root", work + "/root", "--log", work + "/log.json", "--log-format", "json"));
        arguments.addAll(command);
        return arguments;
    }

    private static List<String> monitorCommand() {
        return MonitorCommand.monitor();
    }
}
