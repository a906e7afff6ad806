// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.host.RealHost;
import org.dkvm.bundle.mounts.GuestModules;
import org.dkvm.bundle.mounts.WritablePlaces;
import org.dkvm.bundle.options.Acceleration;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.options.VhostNet;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.bundle.process.CapabilityNames;
import org.dkvm.bundle.process.ExecutableCheck;
import org.dkvm.bundle.sandbox.BootKernel;
import org.dkvm.bundle.sandbox.HostShare;
import org.dkvm.bundle.sandbox.MemberSpec;
import org.dkvm.bundle.sandbox.SandboxPlace;
import org.dkvm.bundle.sandbox.SandboxSeccomp;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.bundle.sandbox.SandboxUsers;
import org.dkvm.bundle.spec.ContainerSpec;
import org.dkvm.bundle.spec.ImageArchitecture;
import org.dkvm.bundle.spec.Pod;
import org.dkvm.core.Architecture;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.RuncMessages;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.DisplayMode;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.core.machine.KvmUse;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.core.machine.Processor;
import org.dkvm.create.pod.PodGroup;
import org.dkvm.create.pod.PodHolder;
import org.dkvm.create.pod.PodMember;
import org.dkvm.create.pod.PodNeighbours;
import org.dkvm.create.pod.PodSize;
import org.dkvm.create.pod.PodVm;
import org.dkvm.json.Json;
import org.dkvm.kernel.ImageKernel;
import org.dkvm.kernel.ImageKernelCache;
import org.dkvm.kernel.KernelChoice;
import org.dkvm.kernel.KernelFit;
import org.dkvm.kernel.KernelStore;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.HostMemory;
import org.dkvm.linux.HostProcessors;
import org.dkvm.linux.OpenFiles;
import org.dkvm.linux.ProcessLimits;
import org.dkvm.linux.ProcessStart;
import org.dkvm.linux.RootedFiles;
import org.dkvm.linux.RootedReader;
import org.dkvm.linux.StatePlaces;
import org.dkvm.linux.UserNamespace;
import org.dkvm.vm.Creation;
import org.dkvm.vm.StaleVms;
import org.dkvm.vm.VmList;
import org.dkvm.vm.VmPlace;
import org.dkvm.vm.VmRecord;
import org.dkvm.vm.VmSummary;

/** Makes a container's bundle the bundle of a sandbox that runs it as a VM. */
public final class Create {
    private static final String SPEC_FILE = "config.json";

    /** What the engine wrote there, for dkvm-keep to put back. */
    private static final String ENGINES_FILE = "dkvm-engine.json";

    private final PackageLayout layout;
    private final HostConfig config;
    private final AcceleratorChoice accelerators;
    private final Jobs jobs;
    private final HostClock clock;
    private final HostPlaces places;

    /**
     * What all containers have in common.
     *
     * @param jobs where images' kernels are looked into
     */
    public Create(Jobs jobs, HostConfig config, AcceleratorChoice accelerators, HostClock clock, HostPlaces places) {
        this.jobs = jobs;
        this.layout = jobs.layout();
        this.config = config;
        this.accelerators = accelerators;
        this.clock = clock;
        this.places = places;
    }

    /**
     * Rewrites the bundle in place.
     *
     * @param state the directory in which runc will keep the container's state
     * @param action what runc is told to do, for its messages
     * @param warn takes what the user should know although all is well
     * @return the launcher of another version, whose pod's VM the container goes to; empty: it is done
     */
    public Optional<Path> run(
            ContainerId id, Path bundle, Path state, RuncMessages.Action action, Consumer<String> warn)
            throws DkvmException {
        try (RootedFiles files = new RootedFiles(rooted())) {
            return run(id, bundle, state, action, files, warn);
        }
    }

    private String rooted() {
        return layout.program("dkvm-rooted").toString();
    }

    private Optional<Path> run(
            ContainerId id,
            Path bundle,
            Path state,
            RuncMessages.Action action,
            RootedReader files,
            Consumer<String> warn)
            throws DkvmException {
        UserNamespace users = UserNamespace.own();
        VmPlace.checkUser(places.vms(), users);
        StatePlaces.prepare();
        JsonObject original = readBundle(bundle);
        HostView host = new RealHost(files, users);
        Pod told = Pod.of(original, host);
        // "run" makes a container, and takes it away, by itself: there is no moment at which the log could be kept.
        boolean logs = action == RuncMessages.Action.CREATE;
        boolean holdsPod = told.role() == Pod.Role.SANDBOX && logs;
        HostConfig hosts = holdsPod && !told.podmans() ? PodSize.of(original, config) : config;
        Options options = Options.parse(options(original, holdsPod), hosts);
        if (told.role() == Pod.Role.CONTAINER) {
            Optional<PodVm> vm = PodVm.of(places.vms(), told, original);
            if (vm.isPresent() && logs) {
                Optional<Path> other = vm.get().otherLauncher(layout);
                if (other.isEmpty()) {
                    join(id, bundle, state, original, told, vm.get(), host, warn);
                }
                return other;
            }
        }
        Pod pod = told.withoutVm(original, host);
        if (pod.role() == Pod.Role.CONTAINER) {
            PodNeighbours.check(places.vms(), id, pod, host);
        }
        CapabilityNames.warnOfUnknown(Json.objectOrNew(original, "process"), warn);
        ContainerSpec container =
                ContainerSpec.read(original, pod, bundle, options.machine().disks(), ProcessLimits.own(), host);
        if (holdsPod && !told.podmans()) {
            PodSize.weigh(container.spec());
        }
        String program =
                ExecutableCheck.check(container.process(), container.mounts().tree(), action, false);
        Architecture architecture = ImageArchitecture.of(options, container, program);
        layout.checkAddOn(architecture);
        Path root = bundle.resolve(
                Json.string(Json.objectOrNew(original, "root"), "path").orElse("rootfs"));
        KernelStore.Found kernel = kernel(options, ImageKernel.ImageRoot.of(root, files), architecture);
        Processor processor = processor(options, architecture);
        MemorySize most = HostMemory.total();
        if (holdsPod && Pod.isInPodmansGroup(original)) {
            MemorySize overhead =
                    hosts.overhead(processor.accelerator(), options.machine().display());
            most = PodGroup.of(original, host).give(container.spec(), overhead, most);
        }
        SandboxSpec sandbox = SandboxSpec.rewrite(
                container,
                new SandboxSpec.Inputs(
                        new SandboxPlace(
                                id,
                                bundle,
                                logs ? VmPlace.log(places.vms(), id).toString() : "",
                                holdsPod ? VmPlace.pod(places.vms(), id).toString() : "",
                                layout),
                        options,
                        hosts,
                        boot(kernel, options, architecture),
                        new HostShare(
                                HostProcessors.count(),
                                most,
                                processor,
                                users.isHosts()
                                        && options.network()
                                                .vhostNet()
                                                .isUsed(
                                                        processor.accelerator(),
                                                        options.network().mode(container.network()),
                                                        VhostNet.DEVICE),
                                SandboxUsers.of(users, config.confinement().uid()),
                                OpenFiles.most()),
                        SandboxSeccomp.profile(),
                        new TemplateChoice(layout, kernel.directory(), places.templates(), places.misses())));
        if (sandbox.plan().container().root().readOnly()) {
            new MountPoints(rooted()).make(root, container.mounts().missing());
        }
        VmRecord alone = record(id, state, original, sandbox, WritablePlaces.of(original, bundle, host));
        VmRecord record = holdsPod ? alone.in(id) : alone;
        VmList others = VmList.present(places.vms());
        SharedVolumesCheck.check(others, record, config.confinement().sharedVolumes(), warn);
        StaleVms.remove(others, keep());
        if (logs) {
            VmPlace.make(
                    places.vms(),
                    record,
                    linux(original),
                    config.logs(),
                    sandbox.plan().vm().template(),
                    holdsPod ? PodHolder.lines(sandbox.plan().vm(), original, told) : List.of());
        }
        save(bundle, original, sandbox.spec(), SandboxPlanJson.toJson(sandbox.plan()));
        return Optional.empty();
    }

    /** A container of a pod whose VM is there: it is one more in that. */
    private void join(
            ContainerId id,
            Path bundle,
            Path state,
            JsonObject original,
            Pod pod,
            PodVm vm,
            HostView host,
            Consumer<String> warn)
            throws DkvmException {
        CapabilityNames.warnOfUnknown(Json.objectOrNew(original, "process"), warn);
        PodMember.Rewritten rewritten = PodMember.rewrite(
                original,
                pod,
                vm,
                new SandboxPlace(id, bundle, "", vm.directory().toString(), layout),
                config,
                host);
        MemberSpec member = rewritten.member();
        if (member.plan().container().root().readOnly()) {
            Path root = bundle.resolve(
                    Json.string(Json.objectOrNew(original, "root"), "path").orElse("rootfs"));
            new MountPoints(rooted()).make(root, rewritten.container().mounts().missing());
        }
        VmRecord record = new VmRecord(
                        id,
                        VmPlace.name(original, id),
                        state,
                        vm.vm().machine(),
                        creation(),
                        WritablePlaces.of(original, bundle, host))
                .in(vm.vm().id());
        VmList others = VmList.present(places.vms());
        SharedVolumesCheck.check(others, record, config.confinement().sharedVolumes(), warn);
        StaleVms.remove(others, keep());
        VmPlace.makeMember(places.vms(), record, vm.vm().id(), member.plan().number(), member.lines());
        // After the record: what is left of a create that was killed is found by it.
        vm.write(member.plan());
        AtomicFile.replacePrivate(
                bundle.resolve(SandboxSpec.MEMBER_FILE),
                String.valueOf(member.plan().number()));
        save(bundle, original, member.spec(), member.plan().toJson());
    }

    private static List<String> options(JsonObject spec, boolean pod) {
        List<String> env = Json.strings(Json.objectOrNew(spec, "process"), "env");
        if (!pod) {
            return env;
        }
        List<String> all = new ArrayList<>(env);
        all.addAll(Pod.options(spec));
        return all;
    }

    /** A foreign machine has a clock of its own, and no host runs its instructions. */
    private Processor processor(Options options, Architecture architecture) throws DkvmException {
        if (architecture.isForeign()) {
            return new Processor(Accelerator.TCG, 0);
        }
        Accelerator accelerator = accelerators.choose(options.machine().acceleration());
        if (accelerator == Accelerator.TCG) {
            return new Processor(Accelerator.TCG, clock.kilohertz());
        }
        // Who left the choice to the host has a VM in any case, emulated where KVM turns out to be in use.
        boolean replaceable = options.machine().acceleration() == Acceleration.AUTO;
        return new Processor(
                accelerator, new KvmUse(options.machine().nested(), replaceable), replaceable ? clock.kilohertz() : 0);
    }

    private static BootKernel boot(KernelStore.Found kernel, Options options, Architecture architecture) {
        return new BootKernel(
                new GuestKernel(
                        kernel.name(),
                        architecture,
                        kernel.image(),
                        options.kernel().append(),
                        options.kernel().debug()),
                kernel.directory(),
                Files.isDirectory(kernel.modules())
                        ? new GuestModules(kernel.modules(), kernel.release())
                        : GuestModules.NONE);
    }

    private static VmRecord record(
            ContainerId id, Path state, JsonObject original, SandboxSpec sandbox, List<String> writable) {
        MachineShape shape = sandbox.plan().vm().shape();
        return new VmRecord(
                id,
                VmPlace.name(original, id),
                state,
                new VmSummary(
                        shape.kernel().name(),
                        shape.processor().accelerator(),
                        shape.size().cpus(),
                        shape.size().memory()),
                creation(),
                writable);
    }

    private static Creation creation() {
        long now = System.nanoTime();
        return new Creation(now - ProcessStart.ageNanos(), Instant.now(), now);
    }

    private static JsonObject linux(JsonObject spec) {
        return Json.objectOrNew(spec, "linux");
    }

    private KernelStore.Found kernel(Options options, ImageKernel.ImageRoot image, Architecture architecture)
            throws DkvmException {
        KernelStore store = new KernelStore(layout.kernels());
        KernelStore.Found chosen = new KernelChoice(
                        store,
                        new ImageKernelCache(ImageKernelCache.DIRECTORY, layout.home(), new ImageKernelJob(jobs)))
                .choose(options.kernel().name(), config.vms().kernel(), image, architecture);
        boolean text = options.machine().display().mode() == DisplayMode.CURSES;
        boolean byDefault = options.kernel().name().isEmpty() && !chosen.isOfImage();
        return architecture.isForeign() || (options.machine().hardware().isOrdinary() && !text)
                ? chosen
                : new KernelFit(store).fit(chosen, byDefault, options.machine().hardware(), text);
    }

    /** The very file; a bundle whose sandbox was never made has it already. */
    private static void keepEngines(Path bundle) throws DkvmException {
        Path spec = bundle.resolve(SPEC_FILE);
        Path engines = bundle.resolve(ENGINES_FILE);
        if (SandboxSpec.isSandbox(Json.readObject(spec))) {
            return;
        }
        try {
            Files.deleteIfExists(engines);
            Files.createLink(engines, spec);
        } catch (IOException | UnsupportedOperationException e) {
            AtomicFile.replacePrivate(engines, Json.write(Json.readObject(spec)));
        }
    }

    private Path keep() {
        return layout.program("dkvm-keep");
    }

    /** The spec as the engine wrote it, also when the bundle was rewritten before. */
    private static JsonObject readBundle(Path bundle) throws DkvmException {
        JsonObject spec = Json.readObject(bundle.resolve(SPEC_FILE));
        Path original = bundle.resolve(SandboxSpec.ORIGINAL_FILE);
        return SandboxSpec.isSandbox(spec) && Files.exists(original) ? Json.readObject(original) : spec;
    }

    /**
     * The spec itself comes last: until then the bundle is the engine's. Once runc has read it, it is again: the sandbox's spec has a hook that puts back what the engine
     * wrote, so that the bundle can be looked into, changed and run another time.
     */
    private void save(Path bundle, JsonObject original, JsonObject spec, JsonObject plan) throws DkvmException {
        keepEngines(bundle);
        JsonObject hooks = Json.objectOrNew(spec, "hooks");
        JsonArray before = hooks.get("prestart") instanceof JsonArray array ? array : new JsonArray();
        JsonObject restore = new JsonObject();
        restore.addProperty("path", keep().toString());
        restore.add("args", Json.arrayOf(List.of("dkvm-keep", "restore", bundle.toString())));
        before.add(restore);
        hooks.add("prestart", before);
        AtomicFile.replacePrivate(bundle.resolve(SandboxSpec.ORIGINAL_FILE), Json.write(original));
        AtomicFile.replacePrivate(bundle.resolve(SandboxSpec.PLAN_FILE), Json.write(plan));
        AtomicFile.replace(bundle.resolve(SPEC_FILE), Json.write(spec));
    }
}
