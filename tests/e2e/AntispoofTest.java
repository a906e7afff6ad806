// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.TOOLS;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Three containers on a bridge, one of which forges MAC, ARP, IP and neighbour discovery: where it has no NET_RAW, nobody hears of it. */
@EndToEnd
class AntispoofTest {
    /** Prints what it hears of frames with a mark in them, until a datagram comes that nobody forged. */
    private static final String LISTEN = """
            import socket, sys
            heard = set()
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            print('ready', flush=True)
            while b'honest' not in heard:
                frame = raw.recv(2000)
                for mark in (b'mac', b'arp', b'ipv4', b'ipv6', b'advertised', b'vlan', b'honest'):
                    if b'forged-' + mark in frame or b'truly-' + mark in frame:
                        heard.add(mark)
            print('heard', b' '.join(sorted(heard)).decode(), flush=True)
            """;

    /** Sends what is forged, if it may, and then a datagram of its own. */
    private static final String FORGE = """
            import socket, struct, sys
            me, other = (bytes.fromhex(a.replace(':', '')) for a in sys.argv[1:3])
            own, victim = (socket.inet_aton(a) for a in sys.argv[3:5])
            all6 = bytes.fromhex('333300000001')
            def link(mac): return bytes.fromhex('fe80000000000000') + bytes([mac[0] ^ 2]) + mac[1:3] + b'\\xff\\xfe' + mac[3:]
            def total(data):
                data += b'\\0' * (len(data) % 2)
                s = sum(struct.unpack('!%dH' % (len(data) // 2), data))
                s = (s >> 16) + (s & 0xffff)
                return ~(s + (s >> 16)) & 0xffff
            def arp(mac, ip, text): return struct.pack('!HHBBH', 1, 0x800, 6, 4, 2) + mac + ip + b'\\xff' * 6 + victim + text
            def udp(text): return struct.pack('!HHHH', 7, 7, 8 + len(text), 0) + text
            def ipv4(ip, text):
                body = udp(text)
                head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(body), 1, 0, 9, 17, 0) + ip + b'\\xff' * 4
                return head[:10] + struct.pack('!H', total(head)) + head[12:] + body
            def ipv6(source, following, body): return struct.pack('!IHBB', 6 << 28, len(body), following, 255) + source + bytes.fromhex('ff020000000000000000000000000001') + body
            def frame(mac, kind, body): return all6 + mac + struct.pack('!H', kind) + body
            try:
                raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                raw.bind(('eth0', 0))
                for i in range(3):
                    raw.send(frame(other, 0x800, ipv4(own, b'forged-mac')))
                    raw.send(frame(me, 0x806, arp(me, victim, b'forged-arp')))
                    raw.send(frame(me, 0x806, arp(other, own, b'forged-arp')))
                    raw.send(frame(me, 0x800, ipv4(victim, b'forged-ipv4')))
                    raw.send(frame(me, 0x86dd, ipv6(link(other), 17, udp(b'forged-ipv6'))))
                    advertisement = struct.pack('!BBHI', 136, 0, 0, 0x20000000) + link(other) + b'\\2\\1' + me + b'forged-advertised'
                    raw.send(frame(me, 0x86dd, ipv6(link(me), 58, advertisement)))
                    raw.send(frame(me, 0x86dd, ipv6(link(me), 60, b'\\x3a\\0\\1\\4\\0\\0\\0\\0' + advertisement)))
                    raw.send(frame(me, 0x8100, struct.pack('!HH', 5, 0x800) + ipv4(own, b'forged-vlan')))
            except PermissionError:
                pass
            own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            own.sendto(b'truly-honest', (sys.argv[5], 7))
            print('sent')
            """;

    private static String field(Container container, String name) throws Exception {
        return container.inspect("{{range .NetworkSettings.Networks}}{{." + name + "}}{{end}}");
    }

    private static String heard(Docker docker, String... options) throws Exception {
        String network = docker.network();
        Container victim = docker.peer("--network", network, TOOLS, "sleep", "1000");
        Container listener = docker.peer("--network", network, TOOLS, "python3", "-c", LISTEN);
        List<String> words = new ArrayList<>(List.of(options));
        words.addAll(List.of("--network", network, TOOLS, "sleep", "1000"));
        Container forger = docker.start(words.toArray(String[]::new));
        listener.awaitLog("ready");
        // In the VM it is the kernel's own user that forges: the container's would not get a raw socket.
        List<String> exec = new ArrayList<>(List.of("exec"));
        if (!Settings.REFERENCE.equals(docker.runtime())) {
            exec.add("--privileged");
        }
        exec.addAll(List.of(forger.name(), "python3", "-c", FORGE));
        exec.addAll(List.of(field(forger, "MacAddress"), field(victim, "MacAddress")));
        exec.addAll(List.of(field(forger, "IPAddress"), field(victim, "IPAddress"), field(listener, "IPAddress")));
        Outcome sent = docker.attempt(exec.toArray(String[]::new));
        assertThat(sent.text()).as(sent.errors()).isEqualTo("sent");
        return listener.finishedLog();
    }

    @Test
    void withoutRawSocketsNothingForgedIsHeard() throws Exception {
        assertSame(docker -> docker.note("heard", heard(docker, "--cap-drop", "NET_RAW")));
    }

    /** What the case above does not hear would be heard, were there no filter. */
    @Test
    void withRawSocketsAContainerForges() throws Exception {
        assertSame(docker -> {
            String heard = heard(docker);
            if (!Settings.REFERENCE.equals(docker.runtime())) {
                assertThat(heard).contains("advertised arp honest ipv4 ipv6 mac");
            }
        });
    }
}
