// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import org.dkvm.bundle.sandbox.Rewrites;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.DeviceNumber;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.NodeAccess;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceRequestsTest {
    private static final Path SPECS = Path.of("runtime/src/test/resources/specs/docker-20.10");

    private JsonObject spec;

    @BeforeEach
    void read() throws DkvmException {
        spec = Json.readObject(SPECS.resolve("plain.json"));
    }

    private void device(String path, String type, int major, int minor, String access) throws DkvmException {
        JsonObject linux = spec.getAsJsonObject("linux");
        if (!linux.has("devices")) {
            linux.add("devices", new JsonArray());
        }
        String number = "\"type\":\"" + type + "\",\"major\":" + major + ",\"minor\":" + minor;
        linux.getAsJsonArray("devices")
                .add(Json.parseObject(
                        "{\"path\":\"" + path + "\"," + number + ",\"fileMode\":432,\"uid\":0,\"gid\":6}", "device"));
        linux.getAsJsonObject("resources")
                .getAsJsonArray("devices")
                .add(Json.parseObject("{\"allow\":true," + number + ",\"access\":\"" + access + "\"}", "rule"));
    }

    private String sandboxs(String member) throws DkvmException {
        JsonObject linux = Rewrites.rewrite(spec).spec().getAsJsonObject("linux");
        return (member.equals("rules") ? linux.getAsJsonObject("resources") : linux)
                .get("devices")
                .toString();
    }

    @Test
    void aBlockDeviceBecomesADiskAndTheSandboxMayUseItAndNoOther() throws DkvmException {
        device("/dev/sdz", "b", 7, 5, "rwm");
        device("/dev/sdy", "b", 7, 6, "rm");
        assertThat(Rewrites.rewrite(spec).plan().container().devices())
                .containsExactly(
                        new GuestDevice("/dev/sdz", new DeviceNumber(true, 7, 5), true, new NodeAccess(0660, 0, 6)),
                        new GuestDevice("/dev/sdy", new DeviceNumber(true, 7, 6), false, new NodeAccess(0660, 0, 6)));
        assertThat(sandboxs("devices"))
                .contains("{\"path\":\"/dev/dkvm-disk0\",\"type\":\"b\",\"major\":7,\"minor\":5,\"fileMode\":384")
                .contains("\"/dev/dkvm-disk1\"")
                .doesNotContain("/dev/sd");
        assertThat(sandboxs("rules"))
                .contains("{\"allow\":true,\"access\":\"rw\",\"type\":\"b\",\"major\":7,\"minor\":5}")
                .contains("{\"allow\":true,\"access\":\"r\",\"type\":\"b\",\"major\":7,\"minor\":6}");
    }

    @ParameterizedTest
    @CsvSource({"/dev/fuse,10,229", "/dev/net/tun,10,200", "/dev/null,1,3", "/dev/mine/tun,10,200"})
    void oneThatGuestsHaveIsTheirs(String path, int major, int minor) throws DkvmException {
        String before = sandboxs("devices");
        device(path, "c", major, minor, "rwm");
        assertThat(Rewrites.rewrite(spec).plan().container().devices())
                .containsExactly(new GuestDevice(
                        path, new DeviceNumber(false, major, minor), false, new NodeAccess(0660, 0, 6)));
        assertThat(sandboxs("devices")).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource({
        "/dev/snd/timer, c, 116, 33, is a character device of the host",
        "/dev/null, c, 1, 1, is a character device of the host",
        "/dev/pipe, p, 0, 0, is a character device of the host",
        "/dev/vfio/12, c, 240, 0, giving PCI devices to a VM (VFIO) is not supported yet",
        "/dev/dri/card0, c, 226, 0, graphics processors in a VM are not supported yet",
        "/dev/nvidia0, c, 195, 0, graphics processors in a VM are not supported yet",
        "/mnt/disk, b, 8, 0, would not be in /dev/",
        "/dev/../disk, b, 8, 0, would not be in /dev/",
    })
    void whatCanNotBePassedIsRefusedByItsName(String path, String type, int major, int minor, String why)
            throws DkvmException {
        device(path, type, major, minor, "rwm");
        assertThatThrownBy(() -> Rewrites.rewrite(spec))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("device \"" + path + "\"")
                .hasMessageContaining(why);
    }

    @ParameterizedTest
    @ValueSource(strings = {"w", "m", "wm"})
    void aDiskThatCanNotBeReadIsRefused(String access) throws DkvmException {
        device("/dev/sdz", "b", 7, 5, access);
        assertThatThrownBy(() -> Rewrites.rewrite(spec)).hasMessageContaining("can not be read");
    }

    @Test
    void moreThanAMachineTakesAreRefused() throws DkvmException {
        for (int i = 0; i < 17; i++) {
            device("/dev/sd" + i, "b", 8, i, "rwm");
        }
        assertThatThrownBy(() -> Rewrites.rewrite(spec)).hasMessageContaining("at most 16 devices, not 17");
    }

    @Test
    void privilegedBringsNoneButWhatWasAskedForBeside() throws DkvmException {
        spec = Json.readObject(SPECS.resolve("privileged.json"));
        device("/dev/sda", "b", 8, 0, "rwm");
        device("/dev/snd/timer", "c", 116, 33, "rwm");
        assertThat(Rewrites.rewrite(spec).plan().container().devices()).isEmpty();
        device("/dev/sdz", "b", 8, 0, "rwm");
        assertThat(Rewrites.rewrite(spec).plan().container().devices())
                .containsExactly(
                        new GuestDevice("/dev/sdz", new DeviceNumber(true, 8, 0), true, new NodeAccess(0660, 0, 6)));
    }

    @Test
    void graphicsByAHookAreRefused() throws DkvmException {
        spec.add(
                "hooks",
                Json.parseObject("{\"prestart\":[{\"path\":\"/usr/bin/nvidia-container-runtime-hook\"}]}", "hooks"));
        assertThatThrownBy(() -> Rewrites.rewrite(spec))
                .hasMessage("--gpus: graphics processors in a VM are not supported yet");
    }

    @Test
    void aRuleWithoutADeviceGivesTheSandboxNothing() throws DkvmException {
        String before = sandboxs("rules");
        spec.getAsJsonObject("linux")
                .getAsJsonObject("resources")
                .getAsJsonArray("devices")
                .add(Json.parseObject("{\"allow\":true,\"type\":\"b\",\"major\":7,\"access\":\"rwm\"}", "rule"));
        assertThat(sandboxs("rules")).isEqualTo(before);
    }
}
