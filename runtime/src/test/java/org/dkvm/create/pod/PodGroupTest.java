// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import org.dkvm.bundle.host.FakeHost;
import org.dkvm.bundle.host.HostView;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;

class PodGroupTest {
    private static final String MEBI_512 = String.valueOf(512L << 20);
    private static final PodGroup NONE = new PodGroup(0, 0, 0);

    @Test
    void podmansGroupIsFoundInBothVersionsOfControlGroups() {
        PodGroup held = new PodGroup(512L << 20, 150_000, 100_000);
        HostView first = new FakeHost()
                .withLine("/sys/fs/cgroup/memory/libpod_parent/p/memory.limit_in_bytes", MEBI_512)
                .withLine("/sys/fs/cgroup/cpu/libpod_parent/p/cpu.cfs_quota_us", "150000")
                .withLine("/sys/fs/cgroup/cpu/libpod_parent/p/cpu.cfs_period_us", "100000");
        assertThat(PodGroup.of(spec("/libpod_parent/p/libpod-c"), first)).isEqualTo(held);
        HostView second = new FakeHost()
                .withLine("/sys/fs/cgroup/machine.slice/machine-libpod_pod_p.slice/memory.max", MEBI_512)
                .withLine("/sys/fs/cgroup/machine.slice/machine-libpod_pod_p.slice/cpu.max", "150000 100000");
        assertThat(PodGroup.of(spec("machine-libpod_pod_p.slice:libpod:c"), second))
                .isEqualTo(held);
    }

    @Test
    void aGroupWithoutALimitHasNone() {
        HostView host = new FakeHost()
                .withLine("/sys/fs/cgroup/memory/a/p/memory.limit_in_bytes", "9223372036854771712")
                .withLine("/sys/fs/cgroup/cpu/a/p/cpu.cfs_quota_us", "-1")
                .withLine("/sys/fs/cgroup/b/p/memory.max", "max")
                .withLine("/sys/fs/cgroup/b/p/cpu.max", "max 100000");
        assertThat(PodGroup.of(spec("/a/p/c"), host)).isEqualTo(NONE);
        assertThat(PodGroup.of(spec("/b/p/c"), host).memory()).isZero();
        assertThat(PodGroup.of(spec("/b/p/c"), host).cpuQuota()).isZero();
        assertThat(PodGroup.of(spec(""), host)).isEqualTo(NONE);
        assertThat(PodGroup.of(spec("c"), host)).isEqualTo(NONE);
        assertThat(PodGroup.of(new JsonObject(), host)).isEqualTo(NONE);
    }

    @Test
    void whatRunsTheVmIsPartOfThePodsMemory() throws Exception {
        MemorySize overhead = MemorySize.ofMib(192);
        MemorySize hosts = MemorySize.ofMib(8192);
        JsonObject spec = spec("/a/p/c");
        assertThat(new PodGroup(512L << 20, 150_000, 100_000).give(spec, overhead, hosts))
                .isEqualTo(MemorySize.ofMib(320));
        assertThat(Json.write(Json.objectOrNew(Json.objectOrNew(spec, "linux"), "resources")))
                .contains("\"quota\":150000", "\"period\":100000", "\"limit\":" + (320L << 20));
        JsonObject free = spec("/a/p/c");
        assertThat(NONE.give(free, overhead, hosts)).isEqualTo(hosts);
        assertThat(Json.write(free)).doesNotContain("limit", "quota");
        assertThatThrownBy(() -> new PodGroup(200L << 20, 0, 0).give(free, overhead, hosts))
                .isInstanceOf(DkvmException.class)
                .hasMessage("the pod's memory limit of 200 MiB is too small for a VM")
                .satisfies(thrown -> assertThat(((DkvmException) thrown).text()).contains("256 MiB"));
    }

    private static JsonObject spec(String path) {
        JsonObject linux = Json.objectOf("cgroupsPath", path);
        JsonObject spec = new JsonObject();
        spec.add("linux", linux);
        return spec;
    }
}
