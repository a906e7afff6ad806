// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.sandbox.HostShare;
import org.dkvm.bundle.sandbox.SandboxResources;
import org.dkvm.bundle.sandbox.SandboxUsers;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.KvmUse;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.Processor;
import org.dkvm.json.Json;
import org.dkvm.kernel.KernelStore;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.HostMemory;
import org.dkvm.linux.HostProcessors;
import org.dkvm.linux.OwnedDirectory;
import org.dkvm.machine.QemuCommand;
import org.dkvm.machine.TemplateMachine;
import org.dkvm.template.Template;
import org.dkvm.template.TemplateKey;
import org.dkvm.template.TemplateStore;

/** Makes templates: a machine is booted and saved by {@code dkvm template save} in a sandbox, which sees the kernel and writes to one directory. */
public final class TemplateJob {
    /** What is wanted. */
    private static final String COMMAND = "command.json";

    /** In it: QEMU's words. */
    private static final String QEMU = "qemu";

    /** In it: how long a phase of a start may take. */
    private static final String START_SECONDS = "startSeconds";

    private static final String KERNEL = "dkvm";

    /** In phases of a start: two boots, of which the first is given up early, and what follows. */
    private static final int LIMIT_FACTOR = 3;

    /** QEMU's translated code, the JVM, and the memory that the machine uses, once more as it is copied. */
    private static final MemorySize BESIDE = MemorySize.ofMib(768);

    private static final String OUT = Job.PLACE + "/out";

    private TemplateJob() {}

    /**
     * Makes the template of VMs of this size, unless it is there.
     *
     * @param memory 0: what VMs have where nothing is said
     * @param cpus 0: likewise
     * @param missed the key of one that a start has missed: no other one is made, and none where another one is just being made; empty: somebody waits for it
     * @return empty where none is made
     */
    public static Optional<Template> make(
            Jobs jobs, HostConfig config, MemorySize memory, int cpus, Optional<TemplateKey> missed)
            throws DkvmException {
        KernelStore.Found kernel = new KernelStore(jobs.layout().kernels()).find(KERNEL);
        TemplateStore store = new TemplateStore();
        TemplateChoice choice = new TemplateChoice(jobs.layout(), kernel.directory(), store, (key, size) -> {});
        MachineShape shape = wanted(jobs, config, kernel, resources(memory, cpus), missed, choice);
        TemplateKey key = choice.key(shape);
        try (FileChannel turn = store.turn();
                FileLock mine = missed.isPresent() ? turn.tryLock() : turn.lock()) {
            Optional<Template> there = mine == null ? Optional.empty() : store.find(key);
            if (mine == null || there.isPresent()) {
                return there;
            }
            return Optional.of(make(jobs, limits(config, shape, missed.isPresent()), kernel, shape, choice, store));
        } catch (IOException e) {
            throw new DkvmException("can not make the template: " + e, "", e);
        }
    }

    private static MachineShape wanted(
            Jobs jobs,
            HostConfig config,
            KernelStore.Found kernel,
            JsonObject linux,
            Optional<TemplateKey> missed,
            TemplateChoice choice)
            throws DkvmException {
        for (Processor processor : processors(jobs, config, missed.isPresent())) {
            MachineShape shape = shape(config, kernel, linux, processor);
            if (!TemplateMachine.fits(shape)) {
                throw new DkvmException(
                        "no template can be made of a VM of " + shape.size().memory(),
                        "templates are for VMs of up to 4096 MiB");
            }
            if (missed.isEmpty() || missed.get().text().equals(choice.key(shape).text())) {
                return shape;
            }
        }
        throw new DkvmException("the template that was missed is of another VM, or of another version", "");
    }

    /** Does it in a sandbox: what is wanted stands in the directory that it is to write to. */
    public static void save(Path out) throws DkvmException {
        JsonObject command = Json.readObject(out.resolve(COMMAND));
        Duration step = Duration.ofSeconds(Json.requiredNumber(command, START_SECONDS));
        TemplateSaver.save(Json.strings(command, QEMU), step, out);
    }

    private static Job.Limits limits(HostConfig config, MachineShape shape, boolean last) {
        MemorySize memory = shape.size().memory();
        return new Job.Limits(config.patience().start().multipliedBy(LIMIT_FACTOR), memory.plus(BESIDE), memory, last);
    }

    private static Template make(
            Jobs jobs,
            Job.Limits limits,
            KernelStore.Found kernel,
            MachineShape shape,
            TemplateChoice choice,
            TemplateStore store)
            throws DkvmException, IOException {
        try (OwnedDirectory making = store.begin()) {
            TemplateKey key = choice.key(shape);
            Path out = Files.createDirectory(making.path().resolve("template"));
            run(jobs, limits, kernel, shape, out);
            // An upgrade may have come in between.
            if (!choice.key(shape).text().equals(key.text())) {
                throw new DkvmException("the package has changed while the template was made", "make it again");
            }
            return store.keep(out, key, shape.size().memory(), shape.size().cpus());
        }
    }

    private static void run(Jobs jobs, Job.Limits limits, KernelStore.Found kernel, MachineShape shape, Path out)
            throws DkvmException, IOException {
        JsonObject command = new JsonObject();
        command.add(QEMU, Json.arrayOf(QemuCommand.argv(TemplateChoice.machine(shape))));
        command.addProperty(START_SECONDS, limits.time().toSeconds() / LIMIT_FACTOR);
        AtomicFile.replacePrivate(out.resolve(COMMAND), Json.write(command));
        List<Job.Mount> mounts =
                List.of(new Job.Mount(out, OUT, true), new Job.Mount(kernel.directory(), SandboxPaths.KERNEL, false));
        JavaJob.run(
                jobs,
                JavaJob.of(
                        jobs.version(),
                        mounts,
                        limits,
                        Job.Rights.MACHINES,
                        shape.processor().accelerator() == Accelerator.KVM,
                        "template",
                        "save",
                        OUT));
        Files.delete(out.resolve(COMMAND));
    }

    /** What VMs have here where nothing is said; or all that a start may have had that missed one. */
    private static List<Processor> processors(Jobs jobs, HostConfig config, boolean missed) throws DkvmException {
        if (!missed) {
            Accelerator accelerator = new HostAccelerator(
                            jobs, config.patience().kvmProbe(), warning -> {})
                    .choose(config.vms().acceleration());
            return List.of(
                    accelerator == Accelerator.TCG ? translated(jobs) : new Processor(accelerator, KvmUse.PLAIN, 0));
        }
        return List.of(
                translated(jobs),
                new Processor(Accelerator.KVM, KvmUse.PLAIN, 0),
                new Processor(Accelerator.KVM, new KvmUse(true, false), 0));
    }

    private static Processor translated(Jobs jobs) throws DkvmException {
        return new Processor(Accelerator.TCG, new HostClock(jobs.layout()).kilohertz());
    }

    /** What an engine says of a container of that size. */
    private static JsonObject resources(MemorySize memory, int cpus) {
        JsonObject limits = new JsonObject();
        JsonObject limit = new JsonObject();
        limit.addProperty("limit", memory.bytes());
        limits.add("memory", limit);
        JsonObject quota = new JsonObject();
        quota.addProperty("period", 1);
        quota.addProperty("quota", cpus);
        limits.add("cpu", quota);
        JsonObject linux = new JsonObject();
        linux.add("resources", limits);
        return linux;
    }

    private static MachineShape shape(
            HostConfig config, KernelStore.Found kernel, JsonObject linux, Processor processor) throws DkvmException {
        return SandboxResources.shape(
                linux,
                Options.parse(List.of(), config),
                config,
                new GuestKernel(kernel.name(), kernel.architecture(), kernel.image(), "", false),
                new HostShare(
                        HostProcessors.count(), HostMemory.total(), processor, false, new SandboxUsers(0, false), 0));
    }
}
