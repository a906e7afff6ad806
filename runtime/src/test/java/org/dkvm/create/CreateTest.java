// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.Options;
import org.dkvm.bundle.plan.MemberNamespaces;
import org.dkvm.bundle.plan.MemberPlan;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.core.Architecture;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.LogLimits;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.RuncMessages;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.GuestKernel;
import org.dkvm.json.Json;
import org.dkvm.linux.ElfFile;
import org.dkvm.linux.PlainRooted;
import org.dkvm.template.TemplateStore;
import org.dkvm.vm.Creation;
import org.dkvm.vm.VmPlace;
import org.dkvm.vm.VmRecord;
import org.dkvm.vm.VmSummary;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CreateTest {
    private final List<String> warnings = new ArrayList<>();

    @TempDir
    Path directory;

    private Path bundle;
    private Path config;

    @BeforeEach
    void makeABundle() throws IOException, DkvmException {
        bundle = Files.createDirectories(directory.resolve("bundle"));
        Path bin = Files.createDirectories(bundle.resolve("rootfs/bin"));
        Files.createFile(
                bin.resolve("echo"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        PlainRooted.install(directory.resolve("home"));
        ship("dkvm", "vmlinux");
        ship("debian-arm64", "vmlinuz");
        Files.createDirectories(directory.resolve("home/sandbox/usr/bin"));
        Files.createFile(addOn());
        config = bundle.resolve("config.json");
        JsonObject spec = Json.readObject(Path.of("runtime/src/test/resources/specs/docker-28.5/user.json"));
        spec.getAsJsonObject("root").addProperty("path", "rootfs");
        Files.writeString(config, Json.write(spec));
        Files.setPosixFilePermissions(config, PosixFilePermissions.fromString("rw-r--r--"));
    }

    /** What tells that the add-on for arm64 is installed. */
    private Path addOn() {
        return directory.resolve("home/sandbox/usr/bin/qemu-system-aarch64");
    }

    private void ship(String dist, String image) throws IOException {
        Path kernel = Files.createDirectories(
                directory.resolve("home/kernels").resolve(dist).resolve("6.12"));
        Files.writeString(kernel.resolve(image), "");
        Files.createSymbolicLink(kernel.resolveSibling("latest"), Path.of("6.12"));
    }

    /** The container's program, made for that machine. */
    private void programFor(int machine) throws IOException {
        Files.write(bundle.resolve("rootfs/bin/echo"), ElfFile.of(machine));
    }

    private void option(String option) throws IOException, DkvmException {
        JsonObject spec = Json.readObject(config);
        spec.getAsJsonObject("process").getAsJsonArray("env").add(option);
        Files.writeString(config, Json.write(spec));
    }

    private HostPlaces state() {
        return new HostPlaces(
                directory.resolve("vms"),
                TemplateStore.in(directory.resolve("templates"), directory.resolve("checked")),
                (key, size) -> {});
    }

    private HostClock clock() {
        return new HostClock(List.of("/bin/echo", "2600000"), directory.resolve("state"), directory.resolve("tsc"));
    }

    private void create() throws DkvmException {
        PackageLayout layout = new PackageLayout(directory.resolve("home"));
        new Create(new Jobs(layout, "/no/runc"), HostConfig.defaults(), _ -> Accelerator.TCG, clock(), state())
                .run(
                        new ContainerId("id1"),
                        bundle,
                        Path.of("/run/runc/id1"),
                        RuncMessages.Action.CREATE,
                        warnings::add);
    }

    private SandboxPlan plan() throws DkvmException {
        return SandboxPlanJson.fromJson(Json.readObject(bundle.resolve(SandboxSpec.PLAN_FILE)));
    }

    @Test
    void theBundleBecomesASandboxs() throws IOException, DkvmException {
        String original = Files.readString(config);
        create();
        assertThat(SandboxSpec.isSandbox(Json.readObject(config))).isTrue();
        assertThat(bundle.resolve("dkvm-config.json")).content().isEqualTo(original);
        assertThat(plan().container().process().command().args()).containsExactly("echo", "hi");
        assertThat(plan().vm().shape().kernel().name()).isEqualTo("dkvm/6.12");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(config)))
                .isEqualTo("rw-r--r--");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(bundle.resolve("dkvm-config.json"))))
                .isEqualTo("rw-------");
    }

    @Test
    void aPauseContainerIsThePodsVm() throws IOException, DkvmException {
        annotate("sandbox");
        annotation("io.kubernetes.cri.sandbox-memory", String.valueOf(256L << 20));
        annotation("io.kubernetes.cri.sandbox-cpu-quota", "150000");
        annotation("dkvm.kernel-append", "quiet");
        create();
        JsonObject spec = Json.readObject(config);
        String pod = directory.resolve("vms/id1/pod").toString();
        assertThat(SandboxSpec.isSandbox(spec)).isTrue();
        assertThat(Json.strings(Json.objectOrNew(spec, "process"), "args"))
                .containsSequence("--socket", "/run/dkvm/pod/monitor.sock");
        assertThat(Json.write(spec))
                .contains(pod + "/share", pod + "/plans", pod + "/socket", "\"rootfsPropagation\":\"rslave\"");
        assertThat(plan().vm().shape().size().memory()).isEqualTo(MemorySize.ofMib(256 + 48));
        assertThat(plan().vm().shape().kernel().append()).isEqualTo("quiet");
        assertThat(plan().container().cgroup().mode()).isEqualTo(CgroupMode.NONE);
        assertThat(directory.resolve("vms/id1/keep")).content().endsWith("\n\npod\n");
    }

    /** Where a kubelet's requests come from, for "kubectl port-forward". */
    @Test
    void localhostOfAPodsOwnNetworkLeadsToItsVm() throws IOException, DkvmException {
        annotate("sandbox");
        network("/run/netns/of-this-case");
        create();
        assertThat(Json.strings(Json.objectOrNew(Json.readObject(config), "process"), "args"))
                .containsSequence("--forward", "/run/dkvm/forward.sock")
                .contains("forward:2130000004:2130000004:0");
        assertThat(directory.resolve("vms/id1/keep")).content().endsWith("\npod\n0 /run/netns/of-this-case\n");
    }

    @Test
    void localhostOfTheHostsNetworkDoesNot() throws IOException, DkvmException {
        annotate("sandbox");
        network("/proc/self/ns/net");
        create();
        assertThat(Json.strings(Json.objectOrNew(Json.readObject(config), "process"), "args"))
                .doesNotContain("--forward")
                .noneMatch(word -> word.startsWith("forward:"));
        assertThat(directory.resolve("vms/id1/keep")).content().endsWith("\npod\n");
    }

    private void network(String path) throws IOException, DkvmException {
        JsonObject spec = Json.readObject(config);
        for (JsonObject namespace : Json.objects(Json.objectOrNew(spec, "linux"), "namespaces")) {
            if ("network".equals(Json.string(namespace, "type").orElse(""))) {
                namespace.addProperty("path", path);
            }
        }
        Files.writeString(config, Json.write(spec));
    }

    @Test
    void aPodsOtherContainersAreMembersOfItsVm() throws IOException, DkvmException {
        Path pod = pod(ProcessHandle.current().pid());
        annotate("container");
        joins(ProcessHandle.current().pid());
        plain();
        option("DKVM_KERNEL=debian");
        assertThatThrownBy(this::create)
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("\"DKVM_KERNEL\" of a pod's container")
                .satisfies(
                        refusal -> assertThat(((DkvmException) refusal).text()).contains("\"dkvm.kernel\""));
        plain();
        create();
        JsonObject spec = Json.readObject(config);
        assertThat(SandboxSpec.isSandbox(spec)).isTrue();
        assertThat(Json.strings(Json.objectOrNew(spec, "process"), "args"))
                .containsExactly("/opt/dkvm/dkvm-exec", "--exhaust", String.valueOf(512L << 20), "--member", "2");
        assertThat(Json.write(spec.getAsJsonArray("mounts")))
                .contains(pod + "/socket")
                .doesNotContain("rootfs");
        MemberPlan plan = MemberPlan.fromJson(Json.readObject(pod.resolve("plans/2.json")));
        assertThat(plan.container().process().command().args()).containsExactly("echo", "hi");
        assertThat(directory.resolve("vms/id1/member"))
                .content()
                .startsWith("p1\t2\n2/root\t6\t1\t" + bundle.resolve("rootfs"));
        assertThat(bundle.resolve(SandboxSpec.MEMBER_FILE)).hasContent("2");
        // Numbers are not used again, also where the container's create failed later.
        create();
        assertThat(pod.resolve("plans/3.json")).exists();
        assertThat(pod.resolve("numbers")).isDirectoryContaining("glob:**/3").isDirectoryNotContaining("glob:**/2");
    }

    /** Its annotations may be an image's. */
    @Test
    void aContainerThatJoinsNothingOfThePodIsNoMember() throws IOException, DkvmException {
        Path pod = pod(ProcessHandle.current().pid());
        annotate("container");
        assertThatThrownBy(this::create)
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("does not join that pod's IPC namespace");
        assertThat(pod.resolve("plans")).isEmptyDirectory();
    }

    /** With Podman, what is shared is its user's to say, and an image's annotations are in the spec, too. */
    @Test
    void aContainerOfPodmanIsAMemberByTheNetworkThatItJoins() throws IOException, DkvmException {
        long process = ProcessHandle.current().pid();
        Path pod = pod(process);
        annotation("io.container.manager", "libpod");
        annotation("io.kubernetes.cri-o.SandboxID", "p1");
        plain();
        create();
        assertThat(pod.resolve("plans")).isEmptyDirectory();
        assertThat(plan().container().process().command().args()).containsExactly("echo", "hi");
        Files.delete(bundle.resolve(SandboxSpec.PLAN_FILE));
        Files.delete(config);
        Files.move(bundle.resolve(SandboxSpec.ORIGINAL_FILE), config);
        joins("ipc", process);
        assertThatThrownBy(this::create)
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("does not have the pod's network");
        joins("network", process);
        create();
        MemberPlan plan = MemberPlan.fromJson(Json.readObject(pod.resolve("plans/2.json")));
        assertThat(plan.namespaces()).isEqualTo(new MemberNamespaces(false, false, "123456789abc"));
    }

    @Test
    void whatAContainerOfPodmanDoesNotShareIsItsOwn() throws IOException, DkvmException {
        long process = ProcessHandle.current().pid();
        Path pod = pod(process);
        annotation("io.container.manager", "libpod");
        annotation("io.kubernetes.cri-o.SandboxID", "p1");
        plain();
        joins("network", process);
        JsonObject spec = Json.readObject(config);
        spec.addProperty("hostname", "named");
        JsonArray mounts = new JsonArray();
        mounts.add(Json.objectOf("destination", "/dev/shm", "type", "tmpfs"));
        spec.add("mounts", mounts);
        Files.writeString(config, Json.write(spec));
        create();
        MemberPlan plan = MemberPlan.fromJson(Json.readObject(pod.resolve("plans/2.json")));
        assertThat(plan.namespaces()).isEqualTo(new MemberNamespaces(false, true, "named"));
        assertThat(plan.container().root().mounts())
                .extracting(GuestMount::kind)
                .containsExactly(GuestMount.Kind.FILESYSTEM);
        Files.move(bundle.resolve(SandboxSpec.ORIGINAL_FILE), config, StandardCopyOption.REPLACE_EXISTING);
        annotation("dkvm.kernel", "debian");
        assertThatThrownBy(this::create)
                .isInstanceOf(DkvmException.class)
                .satisfies(refusal -> assertThat(((DkvmException) refusal).text())
                        .contains("\"DKVM_KERNEL\" of a pod's container", "--infra-image"));
    }

    /** The directory of a VM that was made before. */
    private void place(String id, Path state, boolean pod) throws DkvmException {
        VmPlace.make(
                directory.resolve("vms"),
                new VmRecord(
                        new ContainerId(id),
                        "",
                        state,
                        new VmSummary("dkvm/6.12", Accelerator.TCG, 1, MemorySize.ofMib(64)),
                        new Creation(1, Instant.now(), 2),
                        List.of()),
                new JsonObject(),
                new LogLimits(5, MemorySize.ofMib(1)),
                "",
                pod ? List.of("pod") : List.of());
    }

    /** A pod "p1" whose pause container has that first process. */
    private Path pod(long process) throws IOException, DkvmException {
        Path state = Files.createDirectories(directory.resolve("p1"));
        long began = Long.parseLong(Files.readString(Path.of("/proc/self/stat"))
                .replaceFirst("^.*\\) ", "")
                .split(" ", -1)[19]);
        Files.writeString(
                state.resolve("state.json"),
                "{\"init_process_pid\": %d, \"init_process_start\": %d}".formatted(process, began));
        place("p1", state, true);
        Path pod = directory.resolve("vms/p1/pod");
        for (String part : List.of("share", "plans", "numbers", "memory", "socket")) {
            Files.createDirectories(pod.resolve(part));
        }
        return pod;
    }

    /** Without options, which are the pod's, and mounts of what is not here. */
    private void plain() throws IOException, DkvmException {
        JsonObject spec = Json.readObject(config);
        spec.remove("mounts");
        JsonObject process = Json.objectOrNew(spec, "process");
        process.add("env", Json.arrayOf(Options.without(Json.strings(process, "env"))));
        Files.writeString(config, Json.write(spec));
    }

    private void joins(long process) throws IOException, DkvmException {
        joins("ipc", process);
    }

    private void joins(String type, long process) throws IOException, DkvmException {
        JsonObject spec = Json.readObject(config);
        String path = "/proc/" + process + "/ns/" + ("network".equals(type) ? "net" : type);
        for (JsonObject namespace : Json.objects(Json.objectOrNew(spec, "linux"), "namespaces")) {
            if (type.equals(Json.string(namespace, "type").orElse(""))) {
                namespace.addProperty("path", path);
            }
        }
        Files.writeString(config, Json.write(spec));
    }

    @Test
    void aPodsSecondContainerIsRefusedWhileTheFirstIsThere() throws IOException, DkvmException {
        annotate("container");
        Path state = directory.resolve("id0");
        place("id0", state, false);
        Path other = Files.createDirectories(directory.resolve("other"));
        Files.copy(config, other.resolve(SandboxSpec.ORIGINAL_FILE));
        Files.createDirectories(state);
        Files.writeString(state.resolve("state.json"), "{\"config\": {\"labels\": [\"bundle=" + other + "\"]}}");
        assertThatThrownBy(this::create)
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("one container of this pod can be a VM, and \"id0\" is");
        Files.delete(state.resolve("state.json"));
        Files.delete(state);
        create();
        assertThat(SandboxSpec.isSandbox(Json.readObject(config))).isTrue();
    }

    private void annotate(String role) throws IOException, DkvmException {
        annotation("io.kubernetes.cri.container-type", role);
        annotation("io.kubernetes.cri.sandbox-id", "p1");
    }

    private void annotation(String name, String value) throws IOException, DkvmException {
        JsonObject spec = Json.readObject(config);
        JsonObject annotations = Json.objectOrNew(spec, "annotations");
        annotations.addProperty(name, value);
        spec.add("annotations", annotations);
        Files.writeString(config, Json.write(spec));
    }

    @Test
    void aSecondCreateStartsFromTheOriginal() throws IOException, DkvmException {
        create();
        String first = Files.readString(config);
        String plan = Files.readString(bundle.resolve(SandboxSpec.PLAN_FILE));
        create();
        assertThat(config).content().isEqualTo(first);
        assertThat(bundle.resolve(SandboxSpec.PLAN_FILE)).content().isEqualTo(plan);
    }

    @Test
    void anEnginesNewSpecWinsOverAnOldOriginal() throws IOException, DkvmException {
        create();
        JsonObject spec = Json.readObject(bundle.resolve("dkvm-config.json"));
        spec.getAsJsonObject("process").getAsJsonArray("args").add("again");
        Files.writeString(config, Json.write(spec));
        create();
        assertThat(plan().container().process().command().args()).containsExactly("echo", "hi", "again");
    }

    @Test
    void aMissingProgramLeavesTheBundleAsItWas() throws IOException {
        Files.delete(bundle.resolve("rootfs/bin/echo"));
        String original = Files.readString(config);
        assertThatThrownBy(this::create)
                .hasMessage("runc create failed: unable to start container process: exec: \"echo\":"
                        + " executable file not found in $PATH");
        assertThat(config).content().isEqualTo(original);
        assertThat(bundle.resolve("dkvm-config.json")).doesNotExist();
    }

    private List<String> targets() throws DkvmException {
        List<String> targets = new ArrayList<>();
        plan().container().root().mounts().forEach(mount -> targets.add(mount.target()));
        return targets;
    }

    @Test
    void modulesComeToAnImageThatCanLoadThem() throws IOException, DkvmException {
        Path modules = Files.createDirectories(directory.resolve("home/kernels/dkvm/6.12/modules"));
        create();
        assertThat(targets()).noneMatch(target -> target.contains("modules"));
        Files.createDirectories(bundle.resolve("rootfs/usr/bin"));
        Files.createDirectories(bundle.resolve("rootfs/usr/lib"));
        Files.createSymbolicLink(bundle.resolve("rootfs/lib"), Path.of("usr/lib"));
        Files.writeString(bundle.resolve("rootfs/usr/bin/kmod"), "");
        create();
        assertThat(plan().container().root().mounts())
                .filteredOn(mount -> mount.target().equals("/lib/modules/6.12"))
                .allMatch(mount -> mount.kind() == GuestMount.Kind.SLOT && mount.flags() == 7)
                .hasSize(1);
        assertThat(config).content().contains(modules.toString());
    }

    @Test
    void modulesCoverTheWholeDirectoryWhereAskedTo() throws IOException, DkvmException {
        Files.createDirectories(directory.resolve("home/kernels/dkvm/6.12/modules"));
        option("DKVM_KERNEL_MOUNT_LIB_MODULES=1");
        create();
        assertThat(targets()).containsSubsequence("/lib/modules", "/lib/modules/6.12");
    }

    @Test
    void whatTheUserMountsOverModulesStays() throws IOException, DkvmException {
        Files.createDirectories(directory.resolve("home/kernels/dkvm/6.12/modules"));
        Files.createDirectories(bundle.resolve("rootfs/lib/modules"));
        JsonObject spec = Json.readObject(config);
        spec.getAsJsonArray("mounts")
                .add(Json.parseObject(
                        "{\"destination\":\"/lib/modules\",\"type\":\"bind\",\"source\":\"/lib\",\"options\":[\"ro\"]}",
                        "mount"));
        Files.writeString(config, Json.write(spec));
        create();
        assertThat(targets()).contains("/lib/modules").doesNotContain("/lib/modules/6.12");
    }

    @Test
    void aForeignProgramGetsAVmOfItsArchitectureThatIsTranslated() throws IOException, DkvmException {
        programFor(ElfFile.AARCH64);
        PackageLayout layout = new PackageLayout(directory.resolve("home"));
        AcceleratorChoice never = _ -> {
            throw new AssertionError("KVM is looked for");
        };
        new Create(new Jobs(layout, "/no/runc"), HostConfig.defaults(), never, clock(), state())
                .run(
                        new ContainerId("id1"),
                        bundle,
                        Path.of("/run/runc/id1"),
                        RuncMessages.Action.CREATE,
                        warnings::add);
        assertThat(plan().vm().shape().processor().accelerator()).isEqualTo(Accelerator.TCG);
        assertThat(plan().vm().shape().kernel())
                .isEqualTo(new GuestKernel("debian-arm64/6.12", Architecture.ARM64, "vmlinuz", "", false));
    }

    @Test
    void aNativeProgramAndOneThatSaysNothingGetTheHostsArchitecture() throws IOException, DkvmException {
        create();
        assertThat(plan().vm().shape().kernel().architecture()).isEqualTo(Architecture.AMD64);
        programFor(ElfFile.X86_64);
        create();
        assertThat(plan().vm().shape().kernel().architecture()).isEqualTo(Architecture.AMD64);
    }

    @ParameterizedTest
    @CsvSource({"62, arm64, debian-arm64/6.12", "183, x86_64, dkvm/6.12"})
    void theOptionWinsOverTheProgram(int machine, String option, String kernel) throws IOException, DkvmException {
        programFor(machine);
        option("DKVM_ARCH=" + option);
        create();
        assertThat(plan().vm().shape().kernel().name()).isEqualTo(kernel);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DKVM_ACCEL=kvm|KVM can not run an image for arm64 on a host with amd64;"
                        + " \"DKVM_ACCEL=auto\" translates it",
                "DKVM_BIOS_DEBUG=1|option \"DKVM_BIOS_DEBUG\" does not fit an image for arm64: its VM has no firmware;"
                        + " run the container without it",
                "DKVM_KERNEL=dkvm|kernel \"dkvm/6.12\" is for amd64, the image for arm64;"
                        + " DKVM_KERNEL=debian boots Debian's for arm64; \"dkvm kernel ls\" lists all"
            })
    void whatAForeignVmCanNotHaveIsRefused(String option, String message) throws IOException, DkvmException {
        programFor(ElfFile.AARCH64);
        option(option);
        String original = Files.readString(config);
        assertThatThrownBy(this::create)
                .isInstanceOfSatisfying(
                        DkvmException.class, e -> assertThat(e.text()).isEqualTo(message));
        assertThat(config).content().isEqualTo(original);
    }

    @Test
    void aForeignVmWithoutItsAddOnIsRefusedWithWhatToInstall() throws IOException {
        programFor(ElfFile.AARCH64);
        Files.delete(addOn());
        assertThatThrownBy(this::create)
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("VMs for arm64 need an add-on, which is not installed;"
                                        + " install dkvm-arm64_<version>_amd64.deb,"
                                        + " or call \"docker run --rm -v /opt/dkvm:/dkvm dkvm/dkvm:arm64\","
                                        + " or \"make install ARCHES=arm64\""));
    }

    @Test
    void aForeignVmNeedsMoreMemory() throws IOException, DkvmException {
        programFor(ElfFile.AARCH64);
        JsonObject spec = Json.readObject(config);
        JsonObject memory = new JsonObject();
        memory.addProperty("limit", 64L << 20);
        spec.getAsJsonObject("linux").getAsJsonObject("resources").add("memory", memory);
        Files.writeString(config, Json.write(spec));
        assertThatThrownBy(this::create)
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("memory limit of 64 MiB is too small for a VM;"
                                        + " the smallest VM that boots has 80 MiB"));
        programFor(ElfFile.X86_64);
        create();
        assertThat(plan().vm().shape().size().memory()).isEqualTo(MemorySize.ofMib(64));
    }

    @Test
    void anArchitectureWithoutVmsIsNamed() throws IOException, DkvmException {
        programFor(243);
        assertThatThrownBy(this::create)
                .isInstanceOfSatisfying(
                        DkvmException.class,
                        e -> assertThat(e.text())
                                .isEqualTo("the image is built for riscv64: its program \"/bin/echo\" says so;"
                                        + " DKVM has VMs for amd64 and arm64; where only that program is foreign,"
                                        + " DKVM_ARCH names the image's"));
        option("DKVM_ARCH=amd64");
        create();
        assertThat(plan().vm().shape().kernel().name()).isEqualTo("dkvm/6.12");
    }

    @Test
    void aMissingBundleIsNamed() throws IOException {
        Files.delete(config);
        assertThatThrownBy(this::create).isInstanceOf(DkvmException.class).hasMessageContaining(config.toString());
    }

    @Test
    void runcIsToldToPutTheEnginesSpecBack() throws IOException, DkvmException {
        String original = Files.readString(config);
        create();
        JsonObject hook = Json.readObject(config)
                .getAsJsonObject("hooks")
                .getAsJsonArray("prestart")
                .asList()
                .getLast()
                .getAsJsonObject();
        assertThat(hook.get("path").getAsString())
                .isEqualTo(directory.resolve("home/sandbox/opt/dkvm/dkvm-keep").toString());
        assertThat(Json.strings(hook, "args")).containsExactly("dkvm-keep", "restore", bundle.toString());
        Path engines = bundle.resolve("dkvm-engine.json");
        assertThat(engines).hasContent(original);
        create();
        assertThat(engines).as("once more, where the hook has not run").hasContent(original);
        Files.move(engines, config, StandardCopyOption.REPLACE_EXISTING);
        String changed = original.replace("\"terminal\"", "\"other\"");
        Files.writeString(config, changed);
        create();
        assertThat(engines).as("once more, with what the engine has changed").hasContent(changed);
    }

    @Test
    void aCapabilityThatNobodyKnowsIsAWarning() throws IOException, DkvmException {
        Files.writeString(config, Files.readString(config).replace("\"CAP_CHOWN\"", "\"CAP_CHOWN\",\"CAP_NEW\""));
        create();
        assertThat(warnings).containsExactly("ignoring unknown or unavailable capabilities: [CAP_NEW]");
    }
}
