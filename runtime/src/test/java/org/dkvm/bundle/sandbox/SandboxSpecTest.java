// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.bundle.host.HostView;
import org.dkvm.bundle.options.HostConfig;
import org.dkvm.bundle.options.Patience;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.bundle.plan.SandboxPlanJson;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.HiddenPaths;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.NetworkMode;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SandboxSpecTest {
    private static final long ALL = (1L << 41) - 1;

    private JsonObject spec;

    @BeforeEach
    void readAPlainSpec() throws DkvmException {
        spec = Json.readObject(Path.of("runtime/src/test/resources/specs/docker-28.5/plain.json"));
    }

    private JsonObject linux() {
        return spec.getAsJsonObject("linux");
    }

    private JsonObject process() {
        return spec.getAsJsonObject("process");
    }

    private void addMount(String json) throws DkvmException {
        spec.getAsJsonArray("mounts").add(Json.parseObject(json, "mount"));
    }

    private JsonObject namespace(String type) {
        for (JsonObject namespace : Json.objects(linux(), "namespaces")) {
            if (type.equals(namespace.get("type").getAsString())) {
                return namespace;
            }
        }
        throw new IllegalStateException(type);
    }

    private static List<String> destinations(SandboxSpec sandbox) {
        List<String> destinations = new ArrayList<>();
        for (JsonObject mount : Json.objects(sandbox.spec(), "mounts")) {
            destinations.add(mount.get("destination").getAsString());
        }
        return destinations;
    }

    @ParameterizedTest
    @ValueSource(strings = {"pid", "ipc", "mount"})
    void aNamespaceOfTheHostIsRefused(String type) {
        linux().getAsJsonArray("namespaces").remove(namespace(type));
        assertThatThrownBy(() -> Rewrites.rewrite(spec))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("the host's");
    }

    @Test
    void theHostsUtsNamespaceMeansItsNameAndTheSandboxHasOneOfItsOwn() throws DkvmException {
        linux().getAsJsonArray("namespaces").remove(namespace("uts"));
        SandboxSpec sandbox = Rewrites.rewrite(spec);
        assertThat(sandbox.plan().vm().names().host()).isEqualTo("the-host");
        assertThat(sandbox.spec().getAsJsonObject("linux").get("namespaces").toString())
                .contains("{\"type\":\"uts\"}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pid", "ipc", "uts"})
    void anotherContainersNamespaceIsRefused(String type) {
        namespace(type).addProperty("path", "/proc/77/ns/x");
        assertThatThrownBy(() -> Rewrites.rewrite(spec))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("another container's");
    }

    @Test
    void theHostsNetworkIsShared() throws DkvmException {
        linux().getAsJsonArray("namespaces").remove(namespace("network"));
        assertThat(Rewrites.rewrite(spec).plan().vm().network()).isEqualTo(NetworkMode.SHARED);
    }

    @Test
    void anotherContainersNetworkIsShared() throws DkvmException {
        namespace("network").addProperty("path", "/proc/77/ns/net");
        assertThat(Rewrites.rewrite(spec).plan().vm().network()).isEqualTo(NetworkMode.SHARED);
    }

    @Test
    void aNetworkByNameIsSharedWithWhoeverLivesThere() throws DkvmException {
        String path = "/var/run/netns/cni-1";
        namespace("network").addProperty("path", path);
        for (FakeHost host : List.of(new FakeHost().withHostNetwork(path), new FakeHost().withProcessesIn(path))) {
            assertThat(Rewrites.rewrite(spec, Accelerator.TCG, host).plan().vm().network())
                    .isEqualTo(NetworkMode.SHARED);
        }
        assertThat(Rewrites.rewrite(spec).plan().vm().network()).isEqualTo(NetworkMode.OWN);
    }

    @Test
    void inASharedNetworkTheSandboxCanChangeNothing() throws DkvmException {
        namespace("network").addProperty("path", "/proc/77/ns/net");
        JsonObject rewritten = Rewrites.rewrite(spec).spec();
        assertThat(rewritten.getAsJsonObject("linux").getAsJsonObject("sysctl").keySet())
                .isEmpty();
        assertThat(rewritten.getAsJsonObject("linux").toString()).doesNotContain("/dev/net/tun");
        String capabilities =
                rewritten.getAsJsonObject("process").get("capabilities").toString();
        assertThat(capabilities).doesNotContain("CAP_NET_ADMIN").contains("CAP_NET_BIND_SERVICE");
    }

    @Test
    void aContainerWithoutTheRightToLowPortsHasNoneInASharedNetwork() throws DkvmException {
        namespace("network").addProperty("path", "/proc/77/ns/net");
        JsonObject sets = process().getAsJsonObject("capabilities");
        for (String set : List.of("bounding", "effective", "permitted")) {
            sets.getAsJsonArray(set).remove(new JsonPrimitive("CAP_NET_BIND_SERVICE"));
        }
        assertThat(Rewrites.rewrite(spec).spec().getAsJsonObject("process").toString())
                .doesNotContain("CAP_NET_BIND_SERVICE");
    }

    @Test
    void anOptionLeavesANetworkOfItsOwnAsItIs() throws DkvmException {
        process().getAsJsonArray("env").add("DKVM_NETWORK=shared");
        assertThat(Rewrites.rewrite(spec).plan().vm().network()).isEqualTo(NetworkMode.SHARED);
    }

    @Test
    void anEnginesOwnNetworkNamespaceIsTakenAsItIs() throws DkvmException {
        namespace("network").addProperty("path", "/run/netns/netns-1");
        JsonArray before = linux().getAsJsonArray("namespaces").deepCopy();
        JsonObject rewritten = Rewrites.rewrite(spec).spec();
        assertThat(rewritten.getAsJsonObject("linux").get("namespaces")).isEqualTo(before);
    }

    @Test
    void aUserNamespaceIsRefused() {
        JsonObject user = new JsonObject();
        user.addProperty("type", "user");
        linux().getAsJsonArray("namespaces").add(user);
        assertThatThrownBy(() -> Rewrites.rewrite(spec)).hasMessage("a user namespace for a VM is not supported yet");
    }

    @Test
    void onlyKvmOpensItsDevice() throws DkvmException {
        JsonObject kvm =
                Rewrites.rewrite(spec, Accelerator.KVM, new FakeHost()).spec().getAsJsonObject("linux");
        JsonObject tcg = Rewrites.rewrite(spec).spec().getAsJsonObject("linux");
        assertThat(kvm.get("devices").toString()).contains("/dev/kvm");
        assertThat(kvm.getAsJsonObject("resources").get("devices").toString()).contains("\"minor\":232");
        assertThat(tcg.get("devices").toString()).doesNotContain("/dev/kvm");
        assertThat(tcg.getAsJsonObject("resources").get("devices").toString()).doesNotContain("232");
    }

    @Test
    void vhostNetIsInTheSandboxWhereItIsUsed() throws DkvmException {
        JsonObject used = Rewrites.rewrite(spec, Accelerator.KVM, new FakeHost(), true)
                .spec()
                .getAsJsonObject("linux");
        assertThat(used.get("devices").toString())
                .contains("{\"path\":\"/dev/vhost-net\",\"type\":\"c\",\"major\":10,\"minor\":238,");
        assertThat(used.getAsJsonObject("resources").get("devices").toString())
                .contains("{\"allow\":true,\"access\":\"rwm\",\"type\":\"c\",\"major\":10,\"minor\":238}");
    }

    @Test
    void everythingButTheDevicesOfTheSandboxIsDenied() throws DkvmException {
        List<JsonElement> rules = Json.array(
                Rewrites.rewrite(spec).spec().getAsJsonObject("linux").getAsJsonObject("resources"), "devices");
        assertThat(rules.getFirst()).isEqualTo(Json.parseObject("{\"allow\":false,\"access\":\"rwm\"}", "rule"));
        assertThat(rules).hasSize(2);
    }

    @Test
    void aDeviceAsAVolumeIsRefused() throws DkvmException {
        addMount("{\"destination\":\"/x\",\"type\":\"bind\",\"source\":\"/srv/x\",\"options\":[\"rbind\"]}");
        assertThatThrownBy(() -> Rewrites.rewrite(
                        spec, Accelerator.TCG, new FakeHost().with("/srv/x", HostView.SourceKind.DEVICE)))
                .hasMessage("mounting the device \"/srv/x\" into a VM is not supported yet");
    }

    @Test
    void aMountInsideProcIsRefusedAsByRunc() throws DkvmException {
        addMount("{\"destination\":\"/proc/x\",\"type\":\"bind\",\"source\":\"/srv/x\",\"options\":[\"rbind\"]}");
        assertThatThrownBy(() -> Rewrites.rewrite(spec))
                .hasMessage("\"/proc/x\" cannot be mounted because it is inside /proc");
    }

    @Test
    void runcMountsNothingAtANameThatSomebodyElseChose() throws DkvmException {
        addMount("{\"destination\":\"/../../etc/x\",\"type\":\"bind\",\"source\":\"/srv/x\",\"options\":[]}");
        addMount("{\"destination\":\"/dev/x\",\"type\":\"bind\",\"source\":\"/srv/y\",\"options\":[]}");
        addMount("{\"destination\":\"/disks/../opt/dkvm\",\"type\":\"bind\",\"source\":\"/srv/z\",\"options\":[]}");
        addMount("{\"destination\":\"/disks/opt\",\"type\":\"bind\",\"source\":\"/srv/d\",\"options\":[]}");
        addMount("{\"destination\":\"/ov\",\"type\":\"overlay\",\"source\":\"overlay\",\"options\":[]}");
        SandboxSpec sandbox = Rewrites.rewrite(spec);
        assertThat(destinations(sandbox))
                .allMatch(point -> point.matches(
                        "/proc|/dev|/dev/pts|/sys|/run|/tmp|/run/dkvm/sandbox.json|/run/dkvm/log|/opt/dkvm/kernel|/disks"
                                + "|/disks/1|/share|/share/root|/share/f?[0-9]+"));
        assertThat(sandbox.plan().container().root().mounts())
                .extracting(GuestMount::target)
                .contains("/etc/x", "/dev/x", "/opt/dkvm", "/ov")
                .doesNotContain("/disks/opt");
        assertThat(sandbox.plan().mounts().points()).containsAll(destinations(sandbox));
    }

    @Test
    void nothingIsMountedOverTheImagesRoot() throws DkvmException {
        addMount("{\"destination\":\"/x/..\",\"type\":\"bind\",\"source\":\"/srv/x\",\"options\":[]}");
        assertThatThrownBy(() -> Rewrites.rewrite(spec)).hasMessageContaining("mounting \"/srv/x\" at \"/\"");
    }

    @Test
    void whatSomebodyPutsAtAPlaceOfTheKernelsIsHis() throws DkvmException {
        addMount("{\"destination\":\"/dev/shm\",\"type\":\"bind\",\"source\":\"/srv/x\",\"options\":[\"ro\"]}");
        addMount("{\"destination\":\"/sys/fs/cgroup\",\"type\":\"bind\",\"source\":\"/srv/y\",\"options\":[]}");
        addMount("{\"destination\":\"/sys/fs/cgroup\",\"type\":\"bind\",\"source\":\"/sys/fs/cgroup\",\"options\":[]}");
        List<GuestMount> mounts =
                Rewrites.rewrite(spec).plan().container().root().mounts();
        assertThat(mounts)
                .filteredOn(mount ->
                        mount.kind() == GuestMount.Kind.SLOT && mount.target().equals("/dev/shm"))
                .extracting(GuestMount::flags)
                .containsExactly(1L);
        assertThat(mounts)
                .filteredOn(mount -> mount.target().equals("/sys/fs/cgroup"))
                .hasSize(1);
    }

    @Test
    void pathsThatAreHiddenBesideTheUsualOnesAreTheGuests() throws DkvmException {
        linux().getAsJsonArray("maskedPaths").add("/etc/shadow");
        linux().getAsJsonArray("readonlyPaths").add("srv");
        SandboxSpec sandbox = Rewrites.rewrite(spec);
        assertThat(sandbox.plan().container().root().hidden())
                .isEqualTo(new HiddenPaths(List.of("/etc/shadow"), List.of("/srv")));
        assertThat(Json.write(sandbox.spec())).doesNotContain("/etc/shadow", "\"srv\"");
        assertThat(SandboxPlanJson.fromJson(SandboxPlanJson.toJson(sandbox.plan())))
                .isEqualTo(sandbox.plan());
    }

    @Test
    void theHostsLimitOfAStartIsInThePlan() throws DkvmException {
        assertThat(Rewrites.rewrite(spec).plan().rights().startSeconds()).isEqualTo(60);
        HostConfig usual = HostConfig.defaults();
        HostConfig patient = new HostConfig(
                usual.vms(),
                usual.allow(),
                usual.overhead(),
                usual.vhostNet(),
                usual.logs(),
                new Patience(usual.patience().kvmProbe(), Duration.ofMinutes(10)),
                usual.confinement());
        readAPlainSpec();
        SandboxPlan slow = Rewrites.rewrite(spec, patient).plan();
        assertThat(slow.rights().startSeconds()).isEqualTo(600);
        assertThat(SandboxPlanJson.fromJson(SandboxPlanJson.toJson(slow))).isEqualTo(slow);
    }

    @Test
    void aFileIsMountedByTheAgentInTheEnginesOrder() throws DkvmException {
        addMount("{\"destination\":\"/run\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[]}");
        addMount(
                "{\"destination\":\"/run/secrets/file\",\"type\":\"bind\",\"source\":\"/srv/file\",\"options\":[\"ro\"]}");
        List<GuestMount> mounts =
                Rewrites.rewrite(spec).plan().container().root().mounts();
        assertThat(mounts.getLast().target()).isEqualTo("/run/secrets/file");
        assertThat(mounts.getLast().source()).matches("f[0-9]+");
        assertThat(mounts.get(mounts.size() - 2).target()).isEqualTo("/run");
    }

    @Test
    void anOverlayVolumeIsMountedInTheSandbox() throws DkvmException {
        addMount(
                "{\"destination\":\"/ov\",\"type\":\"overlay\",\"source\":\"overlay\",\"options\":[\"lowerdir=/a\",\"private\"]}");
        SandboxSpec sandbox = Rewrites.rewrite(spec);
        GuestMount mount = sandbox.plan().container().root().mounts().getLast();
        assertThat(mount.target()).isEqualTo("/ov");
        assertThat(destinations(sandbox)).contains("/share/" + mount.source());
    }

    @Test
    void aReadOnlyRootIsReadOnlyInTheSandboxAndTheSlotsAlwaysAre() throws DkvmException {
        spec.getAsJsonObject("root").addProperty("readonly", true);
        List<JsonObject> mounts = Json.objects(Rewrites.rewrite(spec).spec(), "mounts");
        for (JsonObject mount : mounts) {
            if ("/share/root".equals(mount.get("destination").getAsString())) {
                assertThat(Json.strings(mount, "options")).contains("ro");
            }
        }
        assertThat(mounts.getLast().get("destination").getAsString()).isEqualTo("/share");
        assertThat(Json.strings(mounts.getLast(), "options")).contains("remount", "ro");
    }

    @Test
    void theWholeDefaultSetOfCapabilitiesGivesAllOfThem() throws DkvmException {
        assertThat(Rewrites.rewrite(spec).plan().container().process().rights().capabilities())
                .isEqualTo(new CapabilitySets(ALL, ALL, ALL, 0, 0));
    }

    @Test
    void aDroppedCapabilityLeavesWhatTheUserChose() throws DkvmException {
        JsonObject sets = process().getAsJsonObject("capabilities");
        for (String set : List.of("bounding", "effective", "permitted")) {
            JsonArray names = new JsonArray();
            names.add("CAP_CHOWN");
            names.add("CAP_SYS_TIME");
            sets.add(set, names);
        }
        long chosen = 1L | 1L << 25;
        assertThat(Rewrites.rewrite(spec).plan().container().process().rights().capabilities())
                .isEqualTo(new CapabilitySets(chosen, chosen, chosen, 0, 0));
    }

    @Test
    void aProcessWithoutCapabilitiesHasNone() throws DkvmException {
        process().remove("capabilities");
        assertThat(Rewrites.rewrite(spec).plan().container().process().rights().capabilities())
                .isEqualTo(new CapabilitySets(0, 0, 0, 0, 0));
    }

    @Test
    void namedLimitsWinAndOthersAreInherited() throws DkvmException {
        JsonArray rlimits = new JsonArray();
        rlimits.add(
                Json.parseObject("{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":18446744073709551615}", "rlimit"));
        process().add("rlimits", rlimits);
        assertThat(Rewrites.rewrite(spec).plan().container().process().rights().limits())
                .containsExactly(new ResourceLimit(7, 1, -1), new ResourceLimit(4, 0, -1));
    }

    @ParameterizedTest
    @CsvSource({"0,512", "-1,512", "67108864,64", "268435456,256", "268435999,256"})
    void theMemoryLimitIsTheVmsMemory(long limit, long mib) throws DkvmException {
        JsonObject memory = new JsonObject();
        memory.addProperty("limit", limit);
        memory.addProperty("swap", -1);
        linux().getAsJsonObject("resources").add("memory", memory);
        SandboxSpec sandbox = Rewrites.rewrite(spec);
        assertThat(sandbox.plan().vm().shape().size().memory()).isEqualTo(MemorySize.ofMib(mib));
        JsonObject raised = sandbox.spec()
                .getAsJsonObject("linux")
                .getAsJsonObject("resources")
                .getAsJsonObject("memory");
        assertThat(raised.get("limit").getAsLong()).isEqualTo(limit > 0 ? limit + (320L << 20) : limit);
        assertThat(raised.get("swap").getAsLong()).isEqualTo(-1);
    }

    @Test
    void aMemoryLimitThatBootsNothingIsRefused() {
        JsonObject memory = new JsonObject();
        memory.addProperty("limit", 63L << 20);
        linux().getAsJsonObject("resources").add("memory", memory);
        assertThatThrownBy(() -> Rewrites.rewrite(spec)).hasMessage("memory limit of 63 MiB is too small for a VM");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{\"quota\":150000,\"period\":100000};2",
                "{\"quota\":1000,\"period\":100000};1",
                "{\"quota\":900000,\"period\":100000};4",
                "{\"quota\":100000};1",
                "{\"quota\":-1,\"cpus\":\"0-1\"};2",
                "{\"cpus\":\"0,2,3\"};3",
                "{\"cpus\":\"x\"};4",
                "{};4"
            })
    void theCpuLimitIsTheNumberOfCpus(String cpu, int cpus) throws DkvmException {
        linux().getAsJsonObject("resources").add("cpu", Json.parseObject(cpu, "cpu"));
        assertThat(Rewrites.rewrite(spec).plan().vm().shape().size().cpus()).isEqualTo(cpus);
    }

    @Test
    void unknownMembersAndLargeNumbersAreKept() throws DkvmException {
        spec.add("x-future", Json.parseObject("{\"n\":12345678901234567890,\"f\":1.50,\"e\":null}", "x"));
        assertThat(Json.write(Rewrites.rewrite(spec).spec()))
                .contains("\"x-future\":{\"n\":12345678901234567890,\"f\":1.50,\"e\":null}");
    }

    @Test
    void aTerminalThatQemuTakesIsLeftAlone() throws DkvmException {
        process().getAsJsonArray("env").add("DKVM_DISPLAY_MODE=serial");
        process().addProperty("terminal", true);
        JsonObject rewritten = Rewrites.rewrite(spec).spec();
        assertThat(Json.strings(rewritten.getAsJsonObject("process"), "args")).containsSequence("--terminal", "qemu");
        assertThat(SandboxSpec.isSandbox(rewritten)).isTrue();
    }

    @Test
    void aScreenIsInThePlanAndItsMemoryBesideTheVms() throws DkvmException {
        spec = Json.readObject(Path.of("runtime/src/test/resources/specs/docker-20.10/limits.json"));
        long before = memoryLimit(Rewrites.rewrite(spec).spec());
        process().getAsJsonArray("env").add("DKVM_DISPLAY_MODE=vnc");
        process().getAsJsonArray("env").add("DKVM_QEMU_VNC_PASSWORD=sesame");
        SandboxSpec sandbox = Rewrites.rewrite(spec);
        assertThat(memoryLimit(sandbox.spec()) - before)
                .isEqualTo(sandbox.plan().vm().shape().display().overhead().bytes())
                .isPositive();
        assertThat(Json.write(sandbox.spec())).doesNotContain("sesame");
        assertThat(SandboxPlanJson.fromJson(SandboxPlanJson.toJson(sandbox.plan())))
                .isEqualTo(sandbox.plan());
    }

    @Test
    void aScreenInABrowserHasAPlaceForTwoSocketsOnly() throws DkvmException {
        process().getAsJsonArray("env").add("DKVM_DISPLAY_MODE=web");
        process().getAsJsonArray("env").add("DKVM_QEMU_VNC_PASSWORD=sesame");
        SandboxSpec sandbox = Rewrites.rewrite(spec);
        assertThat(Json.write(sandbox.spec().get("mounts")))
                .contains("\"/run/dkvm/screen\"")
                .contains("\"mode=2710\"", "\"uid=2130000000\"", "\"gid=2130000003\"", "\"nr_inodes=4\"");
        assertThat(sandbox.plan().mounts().points()).contains("/run/dkvm/screen");
        assertThat(sandbox.plan().vm().restored()).isFalse();
    }

    private static long memoryLimit(JsonObject spec) {
        return spec.getAsJsonObject("linux")
                .getAsJsonObject("resources")
                .getAsJsonObject("memory")
                .get("limit")
                .getAsLong();
    }

    @Test
    void optionsAreNotTheWorkloadsToSee() throws DkvmException {
        JsonArray env = process().getAsJsonArray("env");
        env.add("DKVM_KERNEL_DEBUG=1");
        env.add("HOME=/h");
        assertThat(Rewrites.rewrite(spec).plan().container().process().command().env())
                .noneMatch(entry -> entry.startsWith("DKVM_"))
                .contains("HOME=/h");
        assertThat(Rewrites.rewrite(spec).plan().container().process().command().setHome())
                .isFalse();
    }
}
