// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.LogLimits;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.json.Json;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VmListTest {
    @TempDir
    Path directory;

    private Path vms;
    private Path kept;

    @BeforeEach
    void makeSome() throws IOException, DkvmException {
        vms = directory.resolve("vms");
        kept = directory.resolve("kept");
        make("aa11", "web", 3000);
        make("aa22", "", 4000);
        keep("20260101T000000.000Z-aa11", "aa11", "web");
        keep("20260102T000000.000Z-aa11", "aa11", "web");
        keep("20250101T000000.000Z-bb33", "bb33", "web");
        Files.createDirectories(kept.resolve("20250101T000000.000Z-unfinished"));
    }

    private VmRecord record(String id, String name, long created) {
        return new VmRecord(
                new ContainerId(id),
                name,
                directory.resolve(id),
                new VmSummary("dkvm/6.12", Accelerator.KVM, 1, MemorySize.ofMib(64)),
                new Creation(1, Instant.ofEpochMilli(created), 2),
                List.of("/srv/" + id));
    }

    private void make(String id, String name, long created) throws DkvmException {
        VmPlace.make(
                vms, record(id, name, created), new JsonObject(), new LogLimits(5, MemorySize.ofMib(1)), "", List.of());
    }

    private void keep(String entry, String id, String name) throws IOException {
        Path made = Files.createDirectories(kept.resolve(entry));
        Files.writeString(
                made.resolve(VmRecord.FILE), Json.write(record(id, name, 1000).toJson()));
    }

    private List<String> find(String word, String engine) throws DkvmException {
        return VmList.read(vms, kept).find(word, engine).stream()
                .map(entry ->
                        entry.kept().map(path -> path.getFileName().toString()).orElse("there"))
                .toList();
    }

    @Test
    void aRecordSurvivesItsTextForm() throws DkvmException {
        assertThat(VmRecord.read(vms.resolve("aa11").resolve(VmRecord.FILE))).isEqualTo(record("aa11", "web", 3000));
    }

    @Test
    void theNewestComeFirst() throws DkvmException {
        assertThat(VmList.read(vms, kept).entries().stream()
                        .map(entry -> entry.vm().id().value()))
                .containsExactly("aa22", "aa11", "aa11", "aa11", "bb33");
        assertThat(find("aa11", "")).containsExactly("there", "20260102T000000.000Z-aa11", "20260101T000000.000Z-aa11");
    }

    @Test
    void theEnginesWordOnANameIsTheFirst() throws DkvmException {
        assertThat(find("web", "bb33")).containsExactly("20250101T000000.000Z-bb33");
        assertThat(find("web", "")).startsWith("there").hasSize(3);
        assertThatThrownBy(() -> find("web", "cc44")).hasMessageContaining("there is no VM \"web\"");
    }

    @Test
    void theBeginningOfAnIdIsEnoughWhereItIsOnes() throws DkvmException {
        assertThat(find("b", "")).containsExactly("20250101T000000.000Z-bb33");
        assertThatThrownBy(() -> find("aa", "")).hasMessageContaining("several VMs");
        assertThatThrownBy(() -> find("zz", "")).hasMessageContaining("no log of one");
    }

    @Test
    void oneWithoutAContainerIsNotThere() throws IOException, DkvmException {
        Files.createDirectory(directory.resolve("aa22"));
        assertThat(VmList.read(vms, kept).entries().stream()
                        .filter(VmList.Entry::isThere)
                        .map(entry -> entry.vm().id().value()))
                .containsExactly("aa22");
    }

    @Test
    void withoutDirectoriesThereIsNone() throws DkvmException {
        assertThat(VmList.read(directory.resolve("none"), directory.resolve("none"))
                        .entries())
                .isEmpty();
    }

    @Test
    void dkvmKeepIsToldTheBoundsAndTheFilesystemsOptions() throws IOException, DkvmException {
        assertThat(vms.resolve("aa11/keep")).hasContent("5 1048576\nsize=2m,nr_inodes=32,mode=700\n");
        JsonObject linux = new JsonObject();
        linux.addProperty("mountLabel", "system_u:object_r:container_file_t:s0:c1,c2");
        VmPlace.make(vms, record("cc", "", 1), linux, new LogLimits(0, MemorySize.ofMib(0)), "", List.of());
        assertThat(vms.resolve("cc/keep"))
                .hasContent(
                        "0 0\nsize=2m,nr_inodes=32,mode=700,context=\"system_u:object_r:container_file_t:s0:c1,c2\"\n");
    }

    @Test
    void dockersNameIsReadWhereItKeepsTheHostsName() throws IOException {
        Path docker = Files.createDirectories(directory.resolve("containers/aa11"));
        JsonObject spec = new JsonObject();
        JsonObject mount = new JsonObject();
        mount.addProperty("source", docker.resolve("hostname").toString());
        spec.add("mounts", new com.google.gson.JsonArray());
        spec.getAsJsonArray("mounts").add(mount);
        assertThat(VmPlace.name(spec, new ContainerId("aa11"))).isEmpty();
        Files.writeString(docker.resolve("config.v2.json"), "{\"Name\":\"/web\"}");
        assertThat(VmPlace.name(spec, new ContainerId("aa11"))).isEqualTo("web");
        assertThat(VmPlace.name(spec, new ContainerId("bb33"))).isEmpty();
        Files.writeString(docker.resolve("config.v2.json"), "no json");
        assertThat(VmPlace.name(spec, new ContainerId("aa11"))).isEmpty();
    }

    @Test
    void aDamagedRecordIsToldAndTheOthersAreThere() throws IOException, DkvmException {
        Files.writeString(vms.resolve("aa11").resolve(VmRecord.FILE), "{\"id\":\"aa1");
        VmList list = VmList.read(vms, kept);
        assertThat(list.entries()).hasSize(4);
        assertThat(list.unreadable()).singleElement().asString().contains("aa11/vm.json");
    }

    @Test
    void oneThatNoRuntimeHasIsStaleAfterAWhile() throws IOException, DkvmException {
        Files.createDirectory(directory.resolve("aa22"));
        List<VmList.Entry> entries = VmList.read(vms, kept).entries();
        assertThat(StaleVms.of(entries, Instant.ofEpochMilli(3000 + 121_000)))
                .extracting(vm -> vm.id().value())
                .containsExactly("aa11");
        assertThat(StaleVms.of(entries, Instant.ofEpochMilli(4000))).isEmpty();
    }

    @Test
    void whatTwoMayWriteToIsShared() {
        VmRecord one = sharing("one", "/srv/a", "/srv/data/x");
        VmRecord two = sharing("two", "/srv/data", "/srv/ab");
        assertThat(SharedPlaces.among(List.of(one, two, sharing("three", "/srv/aa"))))
                .containsExactly(new SharedPlaces.Shared("/srv/data/x", one, two));
        assertThat(SharedPlaces.common(sharing("all", "/"), two)).isEqualTo("/srv/data");
        assertThat(SharedPlaces.common(one, sharing("four", "/srv/a"))).isEqualTo("/srv/a");
    }

    private VmRecord sharing(String id, String... writable) {
        VmRecord plain = record(id, "", 1);
        return new VmRecord(
                plain.id(), plain.name(), plain.state(), plain.machine(), plain.created(), List.of(writable));
    }
}
