// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.SoftAssertions.assertSoftly;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.WORKLOADS;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What people run, in Debian's own versions. No case has an option of its own, of Docker's or DKVM's, but the kernel's name. */
@EndToEnd
class WorkloadsTest {
    /**
     * One of the programs that a container runs in turn.
     *
     * @param name what a failure is told by
     * @param script for bash, with -e
     * @param says what it writes, to standard output and error
     */
    private record Program(String name, String script, String says) {
        /** Its part of the container's script, which goes on whatever becomes of it. */
        String part() {
            // Left of "||" the shell would not end at the first failure.
            return "echo '## " + name + "'\n(set -e\n" + script
                    + "\n) 2>&1 </dev/null\ncode=$?\n[ $code = 0 ] || echo \"exit code $code\"\n";
        }
    }

    private static final List<Program> LANGUAGES = List.of(
            new Program("java", """
                    echo served >/srv/page
                    java -m jdk.httpserver -b 127.0.0.1 -d /srv >/tmp/java &
                    until grep -q Serving /tmp/java; do kill -0 $!; sleep 0.1; done
                    exec 3<>/dev/tcp/127.0.0.1/8000
                    printf 'GET /page HTTP/1.0\\r\\n\\r\\n' >&3
                    tail -n 1 <&3
                    kill $!""", "served"),
            new Program("node", """
                    node -e '
                        const net = require("net");
                        const server = net.createServer(socket => socket.end("over a socket")).listen(0, "127.0.0.1", () =>
                            net.connect(server.address().port, "127.0.0.1").on("data", data => console.log(`${data}`)).on("close", () => server.close()))'""", "over a socket"),
            new Program("python", """
                    python3 -c '
                    import threading
                    total, lock = [0], threading.Lock()
                    def work(n):
                        for i in range(1000):
                            with lock: total[0] += n
                    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
                    [t.start() for t in threads]; [t.join() for t in threads]
                    print("sixteen threads:", total[0])'""", "sixteen threads: 120000"),
            new Program("gcc", """
                    mkdir /tmp/project; cd /tmp/project
                    echo 'int twice(int n) { return 2 * n; }' >twice.c
                    printf '#include <stdio.h>\\nint twice(int);\\nint main(void) { printf("%%d\\\\n", twice(21)); }\\n' >main.c
                    printf 'CFLAGS = -O2 -Wall\\nprogram: main.o twice.o\\n\\tgcc -o $@ $^\\n' >Makefile
                    make -s -j2
                    ./program""", "42"),
            new Program("git", """
                    cd /tmp/project
                    git init -q -b main .
                    git add main.c twice.c Makefile
                    git -c user.name=n -c user.email=n@example.org commit -q -m first
                    git clone -q --no-local /tmp/project /tmp/clone
                    cd /tmp/clone
                    git fsck --no-progress
                    git log --format=%s --name-only""", "first\n\nMakefile\nmain.c\ntwice.c"),
            new Program("apt", """
                    mkdir -p /srv/greeting/DEBIAN /srv/greeting/usr/bin
                    printf 'Package: greeting\\nVersion: 1\\nArchitecture: all\\nMaintainer: n <n@example.org>\\nDepends: libc6\\nDescription: greets\\n' >/srv/greeting/DEBIAN/control
                    printf '#!/bin/sh\\necho greetings\\n' >/srv/greeting/usr/bin/greeting
                    chmod 755 /srv/greeting/usr/bin/greeting
                    cd /srv
                    dpkg-deb --build greeting greeting.deb >/dev/null
                    { cat greeting/DEBIAN/control; echo Filename: greeting.deb; stat -c 'Size: %s' greeting.deb; echo "SHA256: $(sha256sum <greeting.deb | cut -c1-64)"; } >Packages
                    rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
                    echo 'deb [trusted=yes] file:/srv ./' >/etc/apt/sources.list
                    export DEBIAN_FRONTEND=noninteractive
                    apt-get -qq update
                    apt-get -qq install greeting >/dev/null
                    dpkg-query -W greeting
                    greeting""", "greeting\t1\ngreetings"));

    private static final List<Program> SERVICES =
            List.of(new Program("postgresql", """
                    install -d -o postgres /run/postgresql
                    su postgres -c 'set -e
                        PATH=/usr/lib/postgresql/17/bin:$PATH
                        pg_ctl -w -s -l /tmp/postgresql -o "-c config_file=/etc/postgresql/17/main/postgresql.conf" -D /var/lib/postgresql/17/main start
                        pgbench -q -i 2>/dev/null
                        pgbench -n -c 4 -j 2 -t 25 | grep processed
                        psql -A -t -c "select count(*), sum(delta) = (select sum(abalance) from pgbench_accounts) from pgbench_history"
                        pg_ctl -s -D /var/lib/postgresql/17/main stop'""", """
                    number of transactions actually processed: 100/100
                    100|t"""), new Program("redis", """
                    redis-server --daemonize yes >/dev/null
                    until redis-cli ping >/dev/null 2>&1; do pgrep redis-server >/dev/null; sleep 0.1; done
                    redis-benchmark -q -c 20 -n 1000 -t set,get >/dev/null
                    redis-cli info commandstats | grep -o -E '^cmdstat_(set|get):calls=[0-9]+' | sort""", """
                    cmdstat_get:calls=1000
                    cmdstat_set:calls=1000"""), new Program("sshd", """
                    # Not ssh-keygen -A: an emulated processor needs a minute for a key of RSA.
                    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
                    ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
                    cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
                    service ssh start >/dev/null
                    seq 100000 >/tmp/sent
                    ssh -o StrictHostKeyChecking=no -o LogLevel=ERROR 127.0.0.1 'echo "$USER in $PWD"; cat >/tmp/received; exit 7' </tmp/sent || echo "code $?"
                    cmp /tmp/sent /tmp/received""", """
                    root in /root
                    code 7"""));

    /** What a container has no rights for, or no kernel. */
    private static final List<Program> MACHINES = List.of(
            new Program("loop", """
                    truncate -s 64M /tmp/disk
                    mkfs.ext4 -q /tmp/disk
                    mkdir /mnt/loop
                    mount -o loop /tmp/disk /mnt/loop
                    echo kept >/mnt/loop/file
                    umount /mnt/loop
                    mount -o loop,ro /tmp/disk /mnt/loop
                    cat /mnt/loop/file
                    findmnt -n -o FSTYPE,SOURCE /mnt/loop
                    umount /mnt/loop
                    losetup -a""", "kept\next4 /dev/loop0"),
            new Program("fuse", """
                    mkdir /mnt/fuse
                    fuse2fs -o ro /tmp/disk /mnt/fuse
                    cat /mnt/fuse/file
                    findmnt -n -o FSTYPE /mnt/fuse
                    umount /mnt/fuse""", "kept\nfuse.ext4"),
            new Program("mount", """
                    mkdir /mnt/tmp /mnt/bind
                    mount -t tmpfs -o size=8m none /mnt/tmp
                    cd /mnt/tmp
                    mkdir lower upper work merged
                    echo below >lower/file
                    mount -t overlay none -o lowerdir=lower,upperdir=upper,workdir=work merged
                    echo above >>merged/file
                    cat lower/file upper/file
                    mount --bind merged /mnt/bind
                    mount -o remount,ro,bind /mnt/bind
                    touch /mnt/bind/file || cd /
                    umount /mnt/bind /mnt/tmp/merged /mnt/tmp""", """
                    below
                    below
                    above
                    touch: cannot touch '/mnt/bind/file': Read-only file system"""),
            new Program("sysctl", """
                    sysctl -w vm.swappiness=7 kernel.pid_max=40000 net.ipv4.ip_forward=1
                    cat /proc/sys/vm/swappiness /proc/sys/kernel/pid_max""", """
                    vm.swappiness = 7
                    kernel.pid_max = 40000
                    net.ipv4.ip_forward = 1
                    7
                    40000"""),
            new Program("modprobe", """
                    modprobe zram
                    lsmod | grep -o '^zram'
                    cat /sys/block/zram0/disksize
                    modprobe -r zram
                    ls /sys/block/zram0 2>/dev/null || echo gone""", "zram\n0\ngone"),
            new Program("iptables", """
                    iptables -A OUTPUT -d 127.0.0.9 -p icmp -j REJECT
                    ping -c 1 127.0.0.9 2>/dev/null | grep -o Unreachable
                    iptables -S OUTPUT
                    iptables -F
                    ping -c 1 127.0.0.9 | grep -o '1 received'
                    iptables-legacy -t nat -S PREROUTING""", """
                    Unreachable
                    -P OUTPUT ACCEPT
                    -A OUTPUT -d 127.0.0.9/32 -p icmp -j REJECT --reject-with icmp-port-unreachable
                    1 received
                    -P PREROUTING ACCEPT"""),
            new Program("tcpdump", """
                    ping -i 0.2 127.0.0.1 >/dev/null &
                    tcpdump -i lo -n -c 1 icmp 2>/dev/null | grep -o '127.0.0.1 > 127.0.0.1: ICMP echo'
                    kill $!""", "127.0.0.1 > 127.0.0.1: ICMP echo"),
            new Program("tun", """
                    python3 -c '
                    import fcntl, os, struct, subprocess
                    tun = os.open("/dev/net/tun", os.O_RDWR)
                    fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x1001))
                    subprocess.run("ip address add 10.99.0.1/24 dev tun0 && ip link set tun0 up", shell=True, check=True)
                    ping = subprocess.Popen("ping -c 1 10.99.0.2 | grep -o \\"1 received\\"", shell=True)
                    while True:
                        packet = bytearray(os.read(tun, 2000))
                        if packet[0] == 0x45 and packet[9] == 1 and packet[20] == 8: break
                    packet[12:20] = packet[16:20] + packet[12:16]
                    packet[20] = 0
                    sum = struct.unpack("!H", packet[22:24])[0] + 0x800
                    packet[22:24] = struct.pack("!H", (sum & 0xffff) + (sum >> 16))
                    os.write(tun, packet)
                    ping.wait()'""", "1 received"));

    @Test
    void languagesAndBuildToolsDoTheirWork() throws Exception {
        assertSame(docker -> play(docker, LANGUAGES));
    }

    @Test
    void databasesAndSshServeTheirClients() throws Exception {
        assertSame(docker -> play(docker, SERVICES));
    }

    /** DKVM's own kernel has nearly all of that built in, a distribution's loads modules, those that nobody named too. */
    @ParameterizedTest
    @ValueSource(strings = {"dkvm", "debian"})
    void theKernelIsTheWorkloadsOwn(String kernel) throws Exception {
        onVm(docker -> play(docker, MACHINES, "-e", "DKVM_KERNEL=" + kernel));
    }

    /** Runs them in turn in one container; each is observed on its own. */
    private static void play(Docker docker, List<Program> programs, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        String script = programs.stream().map(Program::part).collect(Collectors.joining());
        arguments.addAll(List.of(WORKLOADS, "bash", "-c", script));
        Outcome outcome =
                Running.complete(docker.runCommand(docker.name(), arguments.toArray(String[]::new)), Bytes.of(""));
        List<String> parts = List.of(outcome.text().split("(?m)^## ", -1));
        assertThat(parts).as("what the container said: %s", outcome).hasSize(programs.size() + 1);
        assertSoftly(all -> {
            for (int i = 0; i < programs.size(); i++) {
                Program program = programs.get(i);
                String said =
                        parts.get(i + 1).substring(program.name().length()).strip();
                docker.note(program.name(), said);
                all.assertThat(said).as(program.name()).isEqualTo(program.says());
            }
        });
        assertThat(outcome.errors()).isEmpty();
    }
}
