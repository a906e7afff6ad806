// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.LogLimits;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Display;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostConfigTest {
    private static HostConfig parse(String json) throws DkvmException {
        return HostConfig.parse(Json.parseObject(json, "dkvm.json"), Path.of("dkvm.json"));
    }

    @Test
    void aMissingFileMeansAllDefaults(@TempDir Path directory) throws DkvmException {
        assertThat(HostConfig.read(directory.resolve("none"))).isEqualTo(HostConfig.defaults());
        assertThat(parse("{}")).isEqualTo(HostConfig.defaults());
    }

    @Test
    void eachKeyIsUnderstood() throws DkvmException {
        assertThat(parse("{\"accel\":\"tcg\",\"kernel\":\"debian/6.12\",\"memory\":\"1g\",\"cpus\":2,"
                        + "\"allow\":[\"sys-admin\"],\"runc\":\"/x\",\"overhead\":\"100M\",\"vhost-net\":\"off\","
                        + "\"logs\":0,\"logs-size\":\"1m\",\"kvm-probe-seconds\":30,\"start-seconds\":600,\"antispoof\":\"always\",\"uid\":3000000000,"
                        + "\"shared-volumes\":\"refuse\",\"template\":\"auto\"}"))
                .isEqualTo(new HostConfig(
                        new VmDefaults(Acceleration.TCG, "debian/6.12", MemorySize.ofMib(1024), 2, TemplateUse.AUTO),
                        List.of("sys-admin"),
                        new Overhead(MemorySize.ofMib(100), MemorySize.ofMib(100)),
                        VhostNet.OFF,
                        new LogLimits(0, MemorySize.ofMib(1)),
                        new Patience(Duration.ofSeconds(30), Duration.ofMinutes(10)),
                        new Confinement(3_000_000_000L, Antispoof.ALWAYS, SharedVolumes.REFUSE)));
    }

    @Test
    void theKernelIsSetAndAllElseStays(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("dkvm/dkvm.json");
        HostConfig.setKernel(file, "alpine/6.6");
        assertThat(file).hasContent("{\n  \"kernel\": \"alpine/6.6\"\n}\n");
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));
        Files.writeString(file, "{\n\t\"runc\": \"/x\",\n\t\"kernel\": \"dkvm\",\n\t\"cpus\": 2\n}\n");
        HostConfig.setKernel(file, "debian");
        assertThat(file).hasContent("{\n\t\"runc\": \"/x\",\n\t\"kernel\": \"debian\",\n\t\"cpus\": 2\n}\n");
    }

    @Test
    void aConfigurationThatIsBrokenIsLeftAsItIs(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("dkvm.json"), "{\"no such key\": 1}");
        assertThatThrownBy(() -> HostConfig.setKernel(file, "debian")).hasMessageContaining("is not known");
        assertThat(file).hasContent("{\"no such key\": 1}");
    }

    @Test
    void translatedCodeNeedsMoreRoom() {
        HostConfig config = HostConfig.defaults();
        assertThat(config.overhead(Accelerator.TCG, Display.NONE))
                .isGreaterThan(config.overhead(Accelerator.KVM, Display.NONE));
    }

    @Test
    void aBadValueIsToldByItsLine(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("dkvm.json"), "{\n  \"cpus\": 2,\n  \"accel\": \"fast\"\n}\n");
        assertThatThrownBy(() -> HostConfig.read(file))
                .hasMessage("\"" + file + "\", line 3: key \"accel\" has the value fast");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{\"accel\":\"fast\"};accel",
                "{\"accel\":1};accel",
                "{\"kernel\":\"\"};kernel",
                "{\"memory\":\"1t\"};memory",
                "{\"memory\":\"32m\"};memory",
                "{\"memory\":-1};memory",
                "{\"memory\":\"99999999999g\"};memory",
                "{\"cpus\":0};cpus",
                "{\"cpus\":\"2\"};cpus",
                "{\"logs\":-1};logs",
                "{\"logs\":10001};logs",
                "{\"logs\":\"all\"};logs",
                "{\"start-seconds\":9};start-seconds",
                "{\"start-seconds\":3601};start-seconds",
                "{\"start-seconds\":\"long\"};start-seconds",
                "{\"logs-size\":\"much\"};logs-size",
                "{\"allow\":\"sys-admin\"};allow",
                "{\"allow\":[\"all\"]};allow",
                "{\"runc\":true};runc",
                "{\"vhost-net\":\"on\"};vhost-net",
                "{\"ram\":1};ram"
            })
    void aBadValueIsRefusedByItsKey(String json, String key) {
        assertThatThrownBy(() -> parse(json))
                .isInstanceOf(DkvmException.class)
                .hasMessageContaining("\"dkvm.json\": key \"" + key + "\"");
    }
}
