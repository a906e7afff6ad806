// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.process.ExecutableCheck.ExecutableException;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.RuncMessages;
import org.dkvm.create.Create;
import org.dkvm.create.HostAccelerator;
import org.dkvm.create.HostClock;
import org.dkvm.create.HostPlaces;
import org.dkvm.create.Jobs;
import org.dkvm.exec.Exec;
import org.dkvm.exec.ExecRequest;
import org.dkvm.exec.ExecUser;
import org.dkvm.json.Json;
import org.dkvm.linux.StatePlaces;
import org.dkvm.update.Update;

/** What an engine calls: create, run, exec and update, before runc gets the same arguments. */
public final class RuntimeCommand {
    /** Where runc keeps its containers' states unless {@code --root} says otherwise, and where crun does. */
    private static final Path RUNC_ROOT = StatePlaces.runtimes().resolve("runc");

    private static final Path CRUN_ROOT = StatePlaces.runtimes().resolve("crun");

    private static final int FAILED = 1;

    /** As runc's, which leaves 1 to the process. */
    private static final int EXEC_FAILED = 255;

    private RuntimeCommand() {}

    /** Runs the command and returns the exit code: 0 to go on with runc. */
    public static int run(List<String> args, PackageLayout layout) {
        return run(args, layout, HostPlaces.of(layout));
    }

    /** As {@link #run(List, PackageLayout)}, with other places of the host. */
    public static int run(List<String> args, PackageLayout layout, HostPlaces state) {
        RuncArguments arguments = RuncArguments.parse(args);
        RuntimeLog log = new RuntimeLog(
                arguments.value("log").orElse(""),
                "json".equals(arguments.value("log-format").orElse("")));
        try {
            arguments.check();
            refuseDescriptors(arguments);
            switch (arguments.command()) {
                case "create" -> create(arguments, layout, log, state, RuncMessages.Action.CREATE);
                case "run" -> create(arguments, layout, log, state, RuncMessages.Action.RUN);
                case "exec" -> exec(arguments, layout, log);
                case "update" -> update(args, arguments, layout);
                default ->
                    throw new DkvmException(
                            "command \"" + arguments.command() + "\" is not known",
                            "\"dkvm --help\" lists the administrator's commands");
            }
            return 0;
        } catch (ExecutableException e) {
            log.write(RuntimeLog.Level.ERROR, e.text());
        } catch (DkvmException e) {
            log.write(RuntimeLog.Level.ERROR, "dkvm " + arguments.command() + " failed: " + e.text());
        } catch (IllegalArgumentException e) {
            // A value in the engine's files that a record of ours refuses.
            log.write(RuntimeLog.Level.ERROR, "dkvm " + arguments.command() + " failed: " + e.getMessage());
        } catch (RuntimeException e) {
            log.write(RuntimeLog.Level.ERROR, "dkvm " + arguments.command() + " failed: this is a bug: " + e);
            e.printStackTrace();
        }
        return "exec".equals(arguments.command()) ? EXEC_FAILED : FAILED;
    }

    private static void create(
            RuncArguments arguments, PackageLayout layout, RuntimeLog log, HostPlaces host, RuncMessages.Action action)
            throws DkvmException {
        Path bundle = path(arguments.value("bundle", "b").orElse("."));
        HostConfig config = HostConfig.read(HostConfig.FILE);
        Jobs jobs = new Jobs(layout, RuncProgram.program());
        HostAccelerator accelerators =
                new HostAccelerator(jobs, config.patience().kvmProbe(), warnings(log));
        ContainerId id = id(arguments);
        new Create(jobs, config, accelerators, new HostClock(layout), host)
                .run(id, bundle, state(arguments, id), action, warnings(log))
                .ifPresent(System.out::println);
    }

    /** What the caller has open is open in the host's kernel. */
    private static void refuseDescriptors(RuncArguments arguments) throws DkvmException {
        String count = arguments.value("preserve-fds").orElse("0");
        if (!"0".equals(count)) {
            throw new DkvmException(
                    "--preserve-fds " + count + ": a VM can not be given descriptors of the host",
                    "give it files by --volume, or a socket by mounting it");
        }
    }

    /** The directory in which the runtime below keeps the container's state: by its name where neither of them has the container yet. */
    private static Path state(RuncArguments arguments, ContainerId id) throws DkvmException {
        Optional<String> root = arguments.value("root");
        if (root.isPresent()) {
            return path(root.get()).resolve(id.value());
        }
        Path runc = RUNC_ROOT.resolve(id.value());
        Path crun = CRUN_ROOT.resolve(id.value());
        boolean isCrun = Files.exists(crun) || (!Files.exists(runc) && RuncProgram.isCrun());
        return isCrun ? crun : runc;
    }

    private static void exec(RuncArguments arguments, PackageLayout layout, RuntimeLog log) throws DkvmException {
        ContainerId id = id(arguments);
        List<String> operands = arguments.operands();
        Optional<String> process = arguments.value("process", "p");
        ExecRequest.Source source = process.isPresent()
                ? new ExecRequest.ProcessFile(path(process.get()))
                : new ExecRequest.Arguments(
                        operands.subList(1, operands.size()),
                        arguments.value("cwd").orElse(""),
                        arguments.values("env", "e"),
                        arguments.has("tty", "t"),
                        new ExecUser(
                                arguments.values("additional-gids", "g"),
                                arguments.value("user", "u").orElse(""),
                                arguments.values("cap", "c"),
                                arguments.has("no-new-privs")));
        if (arguments.values("process", "p").size() > 1) {
            throw new DkvmException("--process is given more than once", "");
        }
        switch (Exec.run(new ExecRequest(id, state(arguments, id), source), layout, warnings(log))) {
            case Exec.Untouched untouched -> {}
            case Exec.OtherVersion other -> System.out.println(other.launcher());
            case Exec.Rewritten rewritten -> {
                // The launcher gives it to runc in the place of these words.
                RuncArguments.Words words = arguments.words("process", "p");
                System.out.println(words.first() + " " + words.last() + " " + Json.write(rewritten.process()));
            }
        }
    }

    private static Consumer<String> warnings(RuntimeLog log) {
        return warning -> log.write(RuntimeLog.Level.WARNING, warning);
    }

    private static void update(List<String> args, RuncArguments arguments, PackageLayout layout) throws DkvmException {
        ContainerId id = id(arguments);
        Path state = state(arguments, id);
        Optional<String> resources = arguments.value("resources", "r");
        if (resources.isPresent()) {
            Update.Runc runc = new RuncProgram(args, arguments.value("root"), id);
            Optional<String> done =
                    Update.run(state, resources.get(), System.in, HostConfig.read(HostConfig.FILE), runc, layout);
            if (done.isPresent()) {
                // Nothing is left for the launcher, or it goes on with the launcher that it is.
                System.out.println(done.get());
            }
        }
    }

    private static ContainerId id(RuncArguments arguments) throws DkvmException {
        if (arguments.operands().isEmpty()) {
            throw new DkvmException("no container id given", "");
        }
        return new ContainerId(arguments.operands().getFirst());
    }

    private static Path path(String text) throws DkvmException {
        try {
            return Path.of(text).toAbsolutePath().normalize();
        } catch (InvalidPathException e) {
            throw new DkvmException("\"" + text + "\" is not a valid path", "", e);
        }
    }
}
