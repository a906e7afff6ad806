// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** The system around the workload: names, kernel settings, temporary filesystems, a read-only root, /dev. */
@EndToEnd
class SystemTest {
    @Test
    void theHostNameIsTheGivenOne() throws Exception {
        assertSame(docker -> docker.run(
                "-h", "whale", BUSYBOX, "sh", "-c", "hostname; uname -n; cat /etc/hostname; echo $HOSTNAME"));
    }

    @Test
    void theHostNameIsTheShortIdByDefault() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(BUSYBOX, "sh", "-c", "hostname; cat /etc/hostname; echo $HOSTNAME");
            container.finish();
        });
    }

    @Test
    void theDomainNameIsTheGivenOne() throws Exception {
        assertSame(docker -> docker.run(
                "-h",
                "whale",
                "--domainname",
                "sea.test",
                BUSYBOX,
                "sh",
                "-c",
                "hostname; cat /proc/sys/kernel/domainname /etc/hostname"));
    }

    @Test
    void aLongHostName() throws Exception {
        assertSame(docker -> docker.run("-h", "a".repeat(60) + ".b", BUSYBOX, "hostname"));
    }

    @Test
    void theHostsFileIsDockers() throws Exception {
        assertSame(docker -> docker.run(
                "-h",
                "whale",
                "--add-host",
                "peer.test:10.9.8.7",
                "--add-host",
                "six:fd00::7",
                BUSYBOX,
                "sed",
                "s/^172.*\\t/{ip}\\t/; s/^10.20.*\\t/{ip}\\t/",
                "/etc/hosts"));
    }

    @Test
    void theHostsFileCanBeWritten() throws Exception {
        assertSame(
                docker -> docker.run(BUSYBOX, "sh", "-c", "echo 10.1.1.1 mine >>/etc/hosts && tail -n 1 /etc/hosts"));
    }

    @Test
    void aReadOnlyRootRefusesWrites() throws Exception {
        assertSame(docker -> docker.run(
                "--read-only",
                BUSYBOX,
                "sh",
                "-c",
                "echo x >/file; mkdir /d; rm /etc/passwd; chmod 777 /etc; touch /tmp/f; true"));
    }

    @Test
    void aReadOnlyRootLeavesVolumesAndTmpfsWritable() throws Exception {
        assertSame(
                docker -> docker.run(
                        "--read-only",
                        "-v",
                        docker.volume() + ":/v",
                        "--tmpfs",
                        "/t",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "stat -c %a /t; echo v >/v/f; echo t >/t/f; cat /v/f /t/f; echo s >/dev/shm/s && cat /dev/shm/s; echo >/dev/null; echo >/etc/hosts; true"));
    }

    @Test
    void aReadOnlyRootStillGetsItsWorkingDirectory() throws Exception {
        assertSame(docker -> docker.run("--read-only", "-w", "/missing/dir", BUSYBOX, "pwd"));
    }

    @Test
    void networkSettingsAreTheGivenOnes() throws Exception {
        assertSame(
                docker -> docker.run(
                        "--sysctl",
                        "net.ipv4.ip_forward=0",
                        "--sysctl",
                        "net.core.somaxconn=1234",
                        "--sysctl",
                        "net.ipv4.ip_unprivileged_port_start=700",
                        "--sysctl",
                        "net.ipv4.tcp_keepalive_time=99",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "cd /proc/sys/net; cat ipv4/ip_forward core/somaxconn ipv4/ip_unprivileged_port_start ipv4/tcp_keepalive_time"));
    }

    @Test
    void messageQueueSettingsAreTheGivenOnes() throws Exception {
        assertSame(docker -> docker.run(
                "--sysctl",
                "kernel.msgmax=12000",
                "--sysctl",
                "kernel.shmmni=321",
                BUSYBOX,
                "cat",
                "/proc/sys/kernel/msgmax",
                "/proc/sys/kernel/shmmni"));
    }

    @Test
    void limitsOfTheKernelAndForwardingAreTheHosts() throws Exception {
        assertSame(
                docker -> docker.run(
                        BUSYBOX,
                        "sh",
                        "-c",
                        "cd /proc/sys; cat kernel/threads-max fs/file-max fs/inotify/max_user_instances fs/inotify/max_user_watches net/ipv4/ip_forward"));
    }

    @Test
    void aForeignSettingIsRefused() throws Exception {
        assertSame(docker -> docker.fails().run("--sysctl", "vm.swappiness=5", BUSYBOX, "true"));
    }

    @Test
    void sharedMemoryHas64MegabytesByDefault() throws Exception {
        assertSame(docker -> docker.run(
                BUSYBOX, "sh", "-c", "df -k /dev/shm | tail -n 1; stat -c '%a %u:%g' /dev/shm; " + mounts("/dev/shm")));
    }

    @Test
    void sharedMemoryHasTheGivenSize() throws Exception {
        assertSame(docker -> docker.run(
                "--shm-size",
                "3m",
                BUSYBOX,
                "sh",
                "-c",
                "df -k /dev/shm | tail -n 1; head -c 4000000 /dev/zero >/dev/shm/f; stat -c %s /dev/shm/f"));
    }

    @Test
    void aTmpfsIsMountedWithItsOptions() throws Exception {
        assertSame(docker -> docker.run(
                "--tmpfs",
                "/t:size=2m,mode=1770,uid=5,gid=6,exec",
                BUSYBOX,
                "sh",
                "-c",
                "stat -c '%a %u:%g' /t; df -k /t | tail -n 1; " + mounts("/t")
                        + "; cp /bin/busybox /t/echo; /t/echo ran"));
    }

    @Test
    void aTmpfsIsNotExecutableByDefault() throws Exception {
        assertSame(docker -> docker.fails()
                .run(
                        "--tmpfs",
                        "/t",
                        BUSYBOX,
                        "sh",
                        "-c",
                        mounts("/t") + "; stat -c %a /t; cp /bin/busybox /t/echo; /t/echo ran"));
    }

    @Test
    void aTmpfsMayBeReadOnly() throws Exception {
        assertSame(
                docker -> docker.fails().run("--tmpfs", "/t:ro", BUSYBOX, "sh", "-c", mounts("/t") + "; echo x >/t/f"));
    }

    @Test
    void aTmpfsByMountOption() throws Exception {
        assertSame(docker -> docker.run(
                "--mount",
                "type=tmpfs,destination=/a,tmpfs-size=1m,tmpfs-mode=0700",
                "--mount",
                "type=tmpfs,destination=/b/c",
                BUSYBOX,
                "sh",
                "-c",
                "stat -c '%n %a' /a /b/c; " + mounts("/a") + "; " + mounts("/b/c")));
    }

    @Test
    void aTmpfsOverAnImagesDirectoryIsEmpty() throws Exception {
        assertSame(docker -> docker.run(
                "--tmpfs",
                "/etc/sub:size=1m",
                "--tmpfs",
                "/root",
                BUSYBOX,
                "sh",
                "-c",
                "ls -A /root /etc/sub; echo x >/root/f; cat /root/f"));
    }

    @Test
    void aFullTmpfsSaysSo() throws Exception {
        assertSame(docker ->
                docker.fails().run("--tmpfs", "/t:size=1m", BUSYBOX, "sh", "-c", "head -c 2000000 /dev/zero >/t/f"));
    }

    @Test
    void manyTmpfs() throws Exception {
        String[] words = new String[24];
        for (int i = 0; i < 10; i++) {
            words[2 * i] = "--tmpfs";
            words[2 * i + 1] = "/many/t" + i + ":size=" + (i + 1) + "m";
        }
        words[20] = BUSYBOX;
        words[21] = "sh";
        words[22] = "-c";
        words[23] = "df -k /many/* | awk '{print $2, $6}'";
        assertSame(docker -> docker.run(words));
    }

    @Test
    void theDevicesOfEveryContainerAreThere() throws Exception {
        Transcript seen = assertSame(
                docker -> docker.run(
                        TOOLS,
                        "sh",
                        "-c",
                        "cd /dev; stat -c '%n %F %a %u:%g %t:%T' null zero full random urandom tty; readlink fd stdin stdout stderr ptmx; stat -c '%n %F %a' pts shm mqueue"));
        assertThat(seen.first().text()).contains("null character special file 666 0:0 1:3");
    }

    @Test
    void devicesDoWhatTheyAreNamedFor() throws Exception {
        assertSame(
                docker -> docker.run(
                        "-u",
                        "1000",
                        BUSYBOX,
                        "sh",
                        "-c",
                        "echo gone >/dev/null; head -c 3 /dev/zero | od -An -tx1; head -c 5 /dev/urandom | wc -c; echo x >/dev/full; head -c 5 /dev/random | wc -c"));
    }

    @Test
    void newTerminalsCanBeMade() throws Exception {
        assertSame(docker -> docker.run("-u", "1000", TOOLS, "python3", "-c", """
                import os
                master, slave = os.openpty()
                os.write(slave, b"line\\n")
                print(os.ttyname(slave), os.read(master, 100))
                """));
    }

    @Test
    void timeAndZoneAreTheHosts() throws Exception {
        assertSame(docker -> docker.run(
                TOOLS,
                "python3",
                "-c",
                "import time; print(time.tzname, time.time() > 1_700_000_000, time.strftime('%Y-%m-%d'))"));
    }

    @Test
    void labelsAndAnnotationsDoNotDisturb() throws Exception {
        assertSame(docker ->
                docker.run("--label", "a=b c", "--label", "org.example.x={\"json\": true}", BUSYBOX, "echo", "fine"));
    }

    /** Shows how a directory is mounted. The kernels of host and guest may differ in {@code inode64}. */
    private static String mounts(String directory) {
        return "awk '$2 == \"" + directory + "\"' /proc/mounts | sed 's/,inode64//'";
    }
}
