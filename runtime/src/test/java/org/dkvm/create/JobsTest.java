// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.core.PackageLayout;
import org.dkvm.json.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobsTest {
    private static final Job.Limits LIMITS =
            new Job.Limits(Duration.ofSeconds(7), MemorySize.ofMib(300), MemorySize.ofMib(20));

    @TempDir
    Path directory;

    private static Job job(Job.Rights rights, boolean kvm, Duration time) {
        return new Job(
                List.of("/bin/program", "-x"),
                Job.Programs.SANDBOX,
                List.of(
                        new Job.Mount(Path.of("/in"), "/run/job/in", false),
                        new Job.Mount(Path.of("/out"), "/run/job/out", true)),
                new Job.Limits(time, LIMITS.memory(), LIMITS.fileSize()),
                rights,
                kvm);
    }

    private static JsonObject spec(Job.Rights rights, boolean kvm) {
        return JobSpec.of(
                new PackageLayout(Path.of("/opt/dkvm")),
                job(rights, kvm, LIMITS.time()),
                "id",
                List.of("memory", "pids", "cpu"));
    }

    private Jobs jobs(String program) throws IOException {
        return new Jobs(
                new PackageLayout(directory),
                PlayedRunc.write(directory, program).toString(),
                directory.resolve("jobs"));
    }

    @Test
    void aJobHasASandboxWithNextToNothing() {
        JsonObject spec = spec(Job.Rights.NOBODYS, false);
        JsonObject process = spec.getAsJsonObject("process");
        assertThat(process.getAsJsonObject("user").get("uid").getAsInt()).isEqualTo(65534);
        assertThat(process.get("noNewPrivileges").getAsBoolean()).isTrue();
        for (String set : List.of("bounding", "effective", "permitted")) {
            assertThat(process.getAsJsonObject("capabilities").getAsJsonArray(set))
                    .isEmpty();
        }
        assertThat(process.getAsJsonArray("rlimits").toString())
                .contains("{\"type\":\"RLIMIT_FSIZE\",\"soft\":20971520,\"hard\":20971520}")
                .contains("{\"type\":\"RLIMIT_CPU\",\"soft\":7,\"hard\":7}");
        assertThat(Json.strings(process, "args"))
                .containsExactly(
                        "/usr/bin/busybox",
                        "sh",
                        "-c",
                        "/usr/bin/busybox timeout -s KILL \"$0\" \"$@\"; exit $?",
                        "7",
                        "/bin/program",
                        "-x");
        assertThat(spec.getAsJsonObject("root").toString())
                .isEqualTo("{\"path\":\"/opt/dkvm/sandbox\",\"readonly\":true}");
        JsonObject linux = spec.getAsJsonObject("linux");
        assertThat(Json.objects(linux, "namespaces"))
                .extracting(namespace -> namespace.get("type").getAsString())
                .containsExactlyInAnyOrder("pid", "network", "ipc", "uts", "mount");
        assertThat(linux.getAsJsonObject("resources").toString())
                .isEqualTo("{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],\"memory\":{\"limit\":314572800},"
                        + "\"pids\":{\"limit\":128}}");
        assertThat(linux.getAsJsonArray("devices")).isEmpty();
        assertThat(linux.has("seccomp")).isTrue();
    }

    @Test
    void aJobThatNobodyWaitsForComesAfterAllOthers() {
        Job last = new Job(
                List.of("/bin/program"),
                Job.Programs.SANDBOX,
                List.of(),
                new Job.Limits(LIMITS.time(), LIMITS.memory(), LIMITS.fileSize(), true),
                Job.Rights.NOBODYS,
                false);
        PackageLayout layout = new PackageLayout(Path.of("/opt/dkvm"));
        assertThat(JobSpec.of(layout, last, "id", List.of("memory", "cpu"))
                        .getAsJsonObject("linux")
                        .getAsJsonObject("resources")
                        .getAsJsonObject("cpu")
                        .get("shares")
                        .getAsInt())
                .isEqualTo(2);
        assertThat(JobSpec.of(layout, last, "id", List.of("memory"))
                        .getAsJsonObject("linux")
                        .getAsJsonObject("resources")
                        .has("cpu"))
                .isFalse();
    }

    @Test
    void onlyWhatItIsGivenIsWritable() {
        JsonArray mounts = spec(Job.Rights.ALL_FILES, false).getAsJsonArray("mounts");
        List<String> writable = new ArrayList<>();
        for (var mount : mounts) {
            JsonObject one = mount.getAsJsonObject();
            if ("bind".equals(one.get("type").getAsString())) {
                assertThat(Json.strings(one, "options")).contains("nosuid", "nodev", "noexec");
                if (!Json.strings(one, "options").contains("ro")) {
                    writable.add(one.get("source").getAsString());
                }
            }
        }
        assertThat(writable).containsExactly("/out");
    }

    @Test
    void whoReadsAnImageMayReadAllOfItAndNothingElse() {
        JsonObject process = spec(Job.Rights.ALL_FILES, false).getAsJsonObject("process");
        assertThat(process.getAsJsonObject("user").get("uid").getAsInt()).isZero();
        assertThat(Json.strings(process.getAsJsonObject("capabilities"), "effective"))
                .containsExactly("CAP_DAC_OVERRIDE");
    }

    @Test
    void theHostsProgramsAreSeenAndNotChanged() {
        Job job = DepmodJob.job(Path.of("/usr/sbin/depmod"), Path.of("/made"), "6.12");
        JsonObject spec = JobSpec.of(new PackageLayout(Path.of("/opt/dkvm")), job, "id", List.of());
        assertThat(spec.getAsJsonObject("process").getAsJsonArray("args"))
                .hasToString(
                        "[\"/mnt/busybox\",\"sh\",\"-c\",\"/mnt/busybox timeout -s KILL \\\"$0\\\" \\\"$@\\\"; exit $?\","
                                + "\"120\",\"/usr/sbin/depmod\",\"-b\",\"/run/job/base\",\"6.12\"]");
        assertThat(spec.getAsJsonArray("mounts").toString())
                .contains("{\"destination\":\"/usr\",\"type\":\"bind\",\"source\":\"/usr\","
                        + "\"options\":[\"rbind\",\"rprivate\",\"ro\",\"nosuid\",\"nodev\"]}")
                .contains("{\"destination\":\"/mnt\",\"type\":\"bind\",\"source\":\"/opt/dkvm/sandbox/usr/bin\"")
                .contains(
                        "\"source\":\"/made\",\"options\":[\"rbind\",\"rprivate\",\"rw\",\"nosuid\",\"nodev\",\"noexec\"]");
    }

    @Test
    void kvmIsADeviceLikeInAVmsSandbox() {
        JsonObject linux = spec(Job.Rights.NOBODYS, true).getAsJsonObject("linux");
        assertThat(linux.getAsJsonArray("devices").toString())
                .isEqualTo("[{\"type\":\"c\",\"major\":10,\"minor\":232,\"path\":\"/dev/kvm\",\"fileMode\":438}]");
        assertThat(linux.getAsJsonObject("resources").getAsJsonArray("devices")).hasSize(2);
    }

    @Test
    void limitsAreAskedForWhereTheHostHasThem() throws IOException {
        assertThat(Jobs.groups(directory)).isEmpty();
        Files.createDirectory(directory.resolve("pids"));
        assertThat(Jobs.groups(directory)).containsExactly("pids");
        Files.writeString(directory.resolve("cgroup.controllers"), "cpuset cpu io memory hugetlb\n");
        assertThat(Jobs.groups(directory)).containsExactly("memory", "pids", "cpu");
    }

    @Test
    void aJobsLinesArePassedOnAndItsFailureTold() throws Exception {
        List<String> said = new ArrayList<>();
        JavaJob.run(jobs("echo one; echo two"), job(Job.Rights.ALL_FILES, false, LIMITS.time()), said::add);
        assertThat(said).containsExactly("one", "two");
        assertThatThrownBy(() -> JavaJob.run(
                        jobs("echo 'WARNING: x' >&2; printf 'failed: no \"k\"\\nadvice: give one\\n' >&2; exit 1"),
                        job(Job.Rights.ALL_FILES, false, LIMITS.time())))
                .isInstanceOfSatisfying(
                        DkvmException.class, e -> assertThat(e.text()).isEqualTo("no \"k\"; give one"));
        assertThatThrownBy(() -> JavaJob.run(
                        jobs("echo java.lang.OutOfMemoryError >&2; exit 3"),
                        job(Job.Rights.ALL_FILES, false, LIMITS.time())))
                .hasMessage("it ended with 3: java.lang.OutOfMemoryError");
        assertThatThrownBy(() -> JavaJob.run(jobs("exit 137"), job(Job.Rights.ALL_FILES, false, LIMITS.time())))
                .hasMessage("it takes more memory or time than it may");
        PlayedRunc.assertNothingLeft(directory);
    }

    @Test
    void aJobThatWritesWithoutEndIsListenedToWithinBounds() throws Exception {
        List<String> said = new ArrayList<>();
        JavaJob.run(
                jobs("head -c 3000000 /dev/zero | tr '\\0' x; echo; head -c 3000000 /dev/zero >&2; echo end"),
                job(Job.Rights.ALL_FILES, false, LIMITS.time()),
                said::add);
        assertThat(said).hasSize(2).endsWith("end");
        assertThat(said.getFirst()).hasSize(4096);
    }

    @Test
    void aJobThatTakesTooLongIsEnded() throws IOException {
        assertThatThrownBy(() ->
                        JavaJob.run(jobs("exec sleep 60"), job(Job.Rights.ALL_FILES, false, Duration.ofSeconds(1))))
                .hasMessage("it takes longer than 1 s");
        PlayedRunc.assertNothingLeft(directory);
    }

    @Test
    void whatAKilledStarterLeftIsRemovedByTheNext() throws Exception {
        Jobs jobs = jobs("exit 0");
        Path left = Files.createDirectories(directory.resolve("jobs/dkvm-job-1"));
        Files.writeString(left.resolve("config.json"), "{}");
        Files.writeString(left.resolve(".lock"), "");
        try (Jobs.Running running = jobs.start(job(Job.Rights.NOBODYS, false, LIMITS.time()))) {
            assertThat(left).doesNotExist();
            jobs.sweep();
            // Its starter lives.
            assertThat(directory.resolve("calls"))
                    .content()
                    .containsOnlyOnce("delete ")
                    .contains("delete dkvm-job-1");
            assertThat(running.process().waitFor()).isZero();
        }
        PlayedRunc.assertNothingLeft(directory);
    }
}
