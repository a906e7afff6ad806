// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** VMs that are restored from a template in place of a boot. Each case has a size of its own, and so a template that no other case touches. */
@EndToEnd
class TemplateTest {
    private static final String RESTORED = "--env=DKVM_TEMPLATE=auto";
    private static final String BOOTED = "--env=DKVM_TEMPLATE=off";
    private static final Path STORE = Path.of("/var/cache/dkvm/templates");
    private static final String LOOP = "echo ready; while :; do sleep 0.1; done";

    /** A line for each thing that no two VMs may have in common. */
    private static final String IDENTITY = """
            head -c 16 /dev/urandom | hexdump -e '16/1 "%02x"'; echo
            cat /proc/sys/kernel/random/boot_id
            cat /proc/sys/kernel/random/uuid
            sed -n 's/^\\([0-9a-f]*\\)-.*vdso.*/\\1/p' /proc/self/maps
            sed -n 's/^\\([0-9a-f]*\\)-.*stack.*/\\1/p' /proc/self/maps
            hostname
            cat /sys/class/net/eth0/address
            """;

    private static final List<String> THINGS =
            List.of("random numbers", "boot_id", "UUID", "vDSO's place", "stack's place", "host name", "MAC address");

    private static final int CLONES = 20;
    private static final int AT_ONCE = 4;

    private static String template(int mib) throws Exception {
        Outcome made = Host.dkvm("template", "make", "--memory", String.valueOf(mib));
        assertThat(made.exitCode()).as(made.toString()).isZero();
        return made.text();
    }

    private static Optional<Path> directory(String template) throws Exception {
        try (Stream<Path> all = Files.list(STORE)) {
            return all.filter(path -> path.getFileName().toString().startsWith(template))
                    .filter(path -> Files.exists(path.resolve("template.json")))
                    .findFirst();
        }
    }

    private static String of(int mib) {
        return "--memory=" + mib + "m";
    }

    private static boolean isRestored(Container container) throws Exception {
        return Host.dkvm("timeline", container.id()).text().contains("restored from a template");
    }

    @Test
    void aVmOfThatSizeIsRestored() throws Exception {
        onVm(docker -> {
            String template = template(301);
            assertThat(Host.dkvm("template", "ls").text()).containsPattern(template + " +301 MiB");
            Container container = docker.start(
                    RESTORED, of(301), "-v", docker.volume() + ":/v", "-p", "127.0.0.1::80", BUSYBOX, "sh", "-c", LOOP);
            container.awaitLog("ready");
            assertThat(isRestored(container)).isTrue();
            assertThat(Host.dkvm("ps").text()).containsPattern(container.id().substring(0, 12) + ".*, restored");
            // Another network, another processor, and a file on the volume.
            docker.quietly("network", "connect", docker.network(), container.name());
            container.exec("sh", "-c", "echo x >/v/f && cat /v/f && ls /sys/class/net | grep -c eth");
            assertThat(docker.transcript().toString()).contains("x\\n2\\n");
            docker.quietly("stop", "-t", "0", container.name());
            Container booted = docker.start(BOOTED, of(301), BUSYBOX, "sh", "-c", LOOP);
            booted.awaitLog("ready");
            assertThat(isRestored(booted)).isFalse();

            String refused = refusedSysctl(docker, RESTORED);
            assertThat(refused).contains("could not be set up (sysctls)").isEqualTo(refusedSysctl(docker, BOOTED));

            assertThat(Host.dkvm("template", "rm", template).exitCode()).isZero();
            assertThat(directory(template)).isEmpty();
            assertThat(Host.dkvm("template", "rm", template).errors()).contains("there is no template");
        });
    }

    /** What DKVM says to it, without the engine's words. */
    private static String refusedSysctl(Docker docker, String option) throws Exception {
        String errors = docker.attempt(
                        "run",
                        "--rm",
                        "--runtime=dkvm",
                        "--sysctl=net.ipv4.conf.all.forwarding=maybe",
                        option,
                        of(301),
                        BUSYBOX,
                        "true")
                .errors();
        return errors.substring(Math.max(0, errors.indexOf("the guest could not")));
    }

    @Test
    void noTwoVmsAreTheSame() throws Exception {
        onVm(docker -> {
            template(302);
            List<List<String>> restored = identities(docker, RESTORED);
            List<List<String>> booted = identities(docker, BOOTED);
            for (int thing = 0; thing < THINGS.size(); thing++) {
                Set<String> seen = new HashSet<>();
                for (List<String> one : restored) {
                    seen.add(one.get(thing));
                }
                Set<String> likewise = new HashSet<>();
                for (List<String> one : booted) {
                    likewise.add(one.get(thing));
                }
                assertThat(seen).as("%s of restored VMs", THINGS.get(thing)).hasSize(CLONES);
                assertThat(likewise).as("%s of booted VMs", THINGS.get(thing)).hasSize(CLONES);
                // An address is another one's after its end.
                if (thing < THINGS.size() - 1) {
                    assertThat(seen).as(THINGS.get(thing)).doesNotContainAnyElementsOf(likewise);
                }
            }
        });
    }

    private static List<List<String>> identities(Docker docker, String option) throws Exception {
        List<List<String>> all = new ArrayList<>();
        // All live until the last has begun: their addresses differ only as long.
        List<Container> running = new ArrayList<>();
        for (int i = 0; i < CLONES; i++) {
            running.add(docker.start(option, of(302), BUSYBOX, "sh", "-c", IDENTITY + "echo ready; exec sleep 100000"));
            if (running.size() % AT_ONCE == 0) {
                for (Container one : running.subList(running.size() - AT_ONCE, running.size())) {
                    one.awaitLog("ready");
                }
            }
        }
        for (Container one : running) {
            assertThat(isRestored(one)).isEqualTo(option.equals(RESTORED));
            List<String> lines = one.log().lines().toList();
            assertThat(lines).hasSize(THINGS.size() + 1).last().isEqualTo("ready");
            all.add(lines.subList(0, THINGS.size()));
        }
        for (Container one : running) {
            docker.quietly("rm", "-f", one.name());
        }
        return all;
    }

    /** What happens to the files of a template of VMs of a size in MiB. */
    enum Damage {
        CHANGED(310) {
            @Override
            void to(Path template) throws Exception {
                try (RandomAccessFile memory =
                        new RandomAccessFile(template.resolve("memory").toFile(), "rw")) {
                    memory.seek(memory.length() / 2);
                    int before = memory.read();
                    memory.seek(memory.length() / 2);
                    memory.write(before ^ 1);
                }
            }
        },
        TRUNCATED(311) {
            @Override
            void to(Path template) throws Exception {
                try (RandomAccessFile state =
                        new RandomAccessFile(template.resolve("state").toFile(), "rw")) {
                    state.setLength(state.length() / 2);
                }
            }
        },
        WITHOUT_A_RECORD(312) {
            @Override
            void to(Path template) throws Exception {
                Files.delete(template.resolve("template.json"));
            }
        },
        ANOTHER_ONES_RECORD(313) {
            @Override
            void to(Path template) throws Exception {
                Path file = template.resolve("template.json");
                Files.writeString(file, Files.readString(file).replaceAll("\"key\":\"..", "\"key\":\"00"));
            }
        },
        FOR_ALL_TO_WRITE(314) {
            @Override
            void to(Path template) throws Exception {
                Host.run("chmod", "777", template.toString());
            }
        };

        private final int mib;

        Damage(int mib) {
            this.mib = mib;
        }

        abstract void to(Path template) throws Exception;
    }

    @ParameterizedTest
    @EnumSource(Damage.class)
    void aDamagedOneIsNotUsed(Damage damage) throws Exception {
        onVm(docker -> {
            Path template = directory(template(damage.mib)).orElseThrow();
            damage.to(template);
            Container container = docker.start(RESTORED, of(damage.mib), BUSYBOX, "sh", "-c", LOOP);
            container.awaitLog("ready");
            assertThat(isRestored(container)).isFalse();
            assertThat(template.resolve("template.json")).doesNotExist();
        });
    }

    @ParameterizedTest
    @CsvSource({"state, 330", "memory, 331"})
    void oneThatCanNotBeRestoredIsNotUsedAgain(String name, int mib) throws Exception {
        onVm(docker -> {
            Path template = directory(template(mib)).orElseThrow();
            // Its record says that it is as it should be: as if what was saved were no good.
            Path file = template.resolve(name);
            byte[] noise = new byte[4096];
            Arrays.fill(noise, (byte) 0x5a);
            Files.write(file, noise);
            String digest = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(noise));
            Path record = template.resolve("template.json");
            JsonObject json = JsonParser.parseString(Files.readString(record)).getAsJsonObject();
            json.addProperty(name, digest);
            Files.write(record, json.toString().getBytes(StandardCharsets.UTF_8));

            Container container = docker.start(RESTORED, of(mib), BUSYBOX, "sh", "-c", "echo $((6*7)); " + LOOP);
            container.awaitLog("42");
            assertThat(container.log()).isEqualTo("42\nready\n");
            assertThat(isRestored(container)).isFalse();
            assertThat(Host.dkvm("logs", container.id()).text())
                    .contains("the VM can not be restored from its template, and boots: ");
            docker.quietly("rm", "-f", container.name());
            assertThat(template.resolve("template.json")).doesNotExist();
            Sandbox.assertNothingLeft(container.id());
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"qemu-system-x86", "virtiofsd", "dkvm-monitor", "dkvm-init"})
    void aProcessThatDiesWhileTheVmIsRestoredIsNoWorseThanAtABoot(String victim) throws Exception {
        onVm(docker -> {
            template(303);
            Container container = docker.start(RESTORED, of(303), BUSYBOX, "sh", "-c", LOOP);
            Sandbox sandbox = Sandbox.of(container).orElseThrow();
            OptionalLong pid = sandbox.await(victim);
            assertThat(pid).isPresent();
            String number = String.valueOf(pid.getAsLong());
            Running.complete(List.of("/bin/kill", "-STOP", number), Bytes.of(""));
            boolean answered = Host.dkvm("logs", container.id()).text().contains(" guest kernel ");
            Running.complete(List.of("/bin/kill", "-KILL", number), Bytes.of(""));
            if (victim.equals("qemu-system-x86") && !answered) {
                container.awaitLog("ready");
                assertThat(isRestored(container)).isFalse();
                assertThat(boots(container)).isTrue();
                docker.quietly("kill", container.name());
            }
            // Where the guest had answered, and was not ready, it boots as well; virtiofsd may have been needed no more
            // by the QEMU that ended before it.
            Deadline.await(
                    "its end, or its boot",
                    () -> !container.running()
                            || ((victim.equals("virtiofsd") || boots(container))
                                    && container.log().contains("ready")));
            if (container.running()) {
                docker.quietly("kill", container.name());
            }
            sandbox.assertGone();
        });
    }

    private static boolean boots(Container container) throws Exception {
        return Host.dkvm("logs", container.id()).text().contains(", and boots: ");
    }

    @Test
    void aMakerThatIsKilledLeavesNothing() throws Exception {
        onVm(docker -> {
            Set<Path> others = beingMade();
            try (Running maker = Running.start(List.of(Settings.COMMAND, "template", "make", "--memory", "304"))) {
                Deadline.await("its sandbox", () -> !others.containsAll(beingMade()) || !maker.isAlive());
                assertThat(maker.isAlive()).isTrue();
                Set<Path> left = beingMade();
                maker.signal("KILL");
                maker.finish();
                assertThat(directory(template(304)).orElseThrow()).isDirectory();
                left.removeAll(others);
                assertThat(left).allMatch(Files::notExists);
            }
        });
    }

    private static Set<Path> beingMade() throws Exception {
        if (!Files.isDirectory(STORE)) {
            return Set.of();
        }
        try (Stream<Path> all = Files.list(STORE)) {
            return all.filter(path -> path.getFileName().toString().startsWith("making-"))
                    .collect(Collectors.toCollection(HashSet::new));
        }
    }

    @Test
    void twoMakersAtOnceMakeOne() throws Exception {
        onVm(docker -> {
            Running other = Running.start(List.of(Settings.COMMAND, "template", "make", "--memory", "305"));
            String mine = template(305);
            assertThat(other.finish().text()).isEqualTo(mine);
            assertThat(directory(mine)).isPresent();
        });
    }

    @Test
    void aFullDiskIsToldAndLeavesNothing() throws Exception {
        onVm(docker -> {
            Outcome outcome = Running.complete(
                    List.of(
                            "unshare",
                            "--mount",
                            "sh",
                            "-c",
                            "mkdir -p " + STORE + " && mount -t tmpfs -o size=4m,mode=700 none " + STORE + " && "
                                    + Settings.COMMAND + " template make --memory 306; echo $? $(ls " + STORE
                                    + " | wc -l)"),
                    Bytes.of(""));
            assertThat(outcome.text()).isEqualTo("1 0");
            assertThat(outcome.errors()).contains("template").contains("No space left on device");
        });
    }

    @Test
    void whatCanNotBeATemplateIsToldSo() throws Exception {
        onVm(docker -> {
            Outcome outcome = Host.dkvm("template", "make", "--memory", "8192");
            assertThat(outcome.exitCode()).isEqualTo(1);
            assertThat(outcome.errors())
                    .contains("no template can be made of a VM of")
                    .contains("4096 MiB");
            assertThat(docker.attempt("run", "--rm", "--runtime=dkvm", "--env=DKVM_TEMPLATE=maybe", BUSYBOX, "true")
                            .errors())
                    .contains("DKVM_TEMPLATE", "maybe", "auto or off");
        });
    }
}
