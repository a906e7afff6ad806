// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** A hundred megabytes, or ten, are the same at the other end: offloaded checksums and segments, fragments and lost datagrams included. */
@EndToEnd
class TransfersTest {
    private static final int MEGABYTES = 100;

    /** The bytes that both ends know, each megabyte another. */
    private static final String COMMON = """
            import functools, hashlib, random, select, socket, struct, sys, threading, time
            random.seed(11); BLOCK = random.randbytes(1 << 20); MEGABYTES = %d
            @functools.lru_cache(4)
            def block(i): return BLOCK[i * 997:] + BLOCK[:i * 997]
            """.formatted(MEGABYTES);

    /** Both directions at once; each end says what it received. */
    private static final String TCP = COMMON + """
            if len(sys.argv) > 1: c = socket.create_connection((sys.argv[1], 5000), 100); c.settimeout(None)
            else: s = socket.create_server(("", 5000)); print("ready", flush=True); c = s.accept()[0]
            def send():
                for i in range(MEGABYTES): c.sendall(block(i))
            t = threading.Thread(target=send); t.start(); h = hashlib.md5(); left = MEGABYTES << 20
            while left > 0 and (d := c.recv(min(left, 1 << 18))): h.update(d); left -= len(d)
            t.join(); c.sendall(b"!"); c.recv(1); print("received", h.hexdigest(), flush=True)
            """;

    /** Datagrams of up to 32,000 bytes, most of them in fragments; what is not acknowledged comes again. */
    private static final String UDP = COMMON + """
            sizes = [15996, 1396, 31996, 1468, 1469, 20001]; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22); total = MEGABYTES << 20
            pieces, at = [], 0
            while at < total: pieces.append((at, min(sizes[len(pieces) % 6], total - at))); at += pieces[-1][1]
            def piece(n): at, size = pieces[n]; i, o = divmod(at, 1 << 20); return (block(i)[o:o + size] if o + size <= 1 << 20 else block(i)[o:] + block(i + 1)[:o + size - (1 << 20)])
            if len(sys.argv) > 1:
                s.connect((sys.argv[1], 5000)); open_, next_, when = {}, 0, {}
                while next_ < len(pieces) or open_:
                    while len(open_) < 3 and next_ < len(pieces): open_[next_] = struct.pack(">I", next_) + piece(next_); when[next_] = 0; next_ += 1
                    for n, data in open_.items():
                        if time.monotonic() - when[n] > 0.5: s.send(data); when[n] = time.monotonic()
                    if select.select([s], [], [], 0.1)[0]:
                        try: open_.pop(struct.unpack(">I", s.recv(4))[0], None)
                        except ConnectionRefusedError: pass
                print("sent", flush=True); sys.exit()
            s.bind(("", 5000)); print("ready", flush=True); got, h, done = {}, hashlib.md5(), 0
            while done < len(pieces):
                data, peer = s.recvfrom(65535); n = struct.unpack(">I", data[:4])[0]; s.sendto(data[:4], peer)
                if n >= done: got.setdefault(n, data[4:])
                while done in got: h.update(got.pop(done)); done += 1
            s.settimeout(3)
            try:
                while True: data, peer = s.recvfrom(65535); s.sendto(data[:4], peer)
            except TimeoutError: print("received", h.hexdigest(), flush=True)
            """;

    private static void transfer(Docker docker, Container server, String program, boolean clientIsPeer)
            throws Exception {
        server.awaitLog("ready");
        String address = server.address();
        Container client = clientIsPeer
                ? docker.peer(TOOLS, "python3", "-c", program, address)
                : docker.start(TOOLS, "python3", "-c", program, address);
        client.awaitEnd();
        server.awaitEnd();
        docker.note("client", client.log());
        docker.note("server", server.log());
    }

    @Test
    void byTcpBetweenAContainerAndTheWorkload() throws Exception {
        Transcript seen = assertSame(docker -> transfer(docker, docker.peer(TOOLS, "python3", "-c", TCP), TCP, false));
        assertThat(seen.fact("server").replace("ready\n", "")).isEqualTo(seen.fact("client"));
    }

    @Test
    void byTcpBetweenTwoVms() throws Exception {
        Transcript seen = onVm(docker -> transfer(docker, docker.start(TOOLS, "python3", "-c", TCP), TCP, false));
        assertThat(seen.fact("server").replace("ready\n", ""))
                .isEqualTo(seen.fact("client"))
                .startsWith("received");
    }

    @Test
    void byUdpToTheWorkload() throws Exception {
        assertSame(docker -> transfer(docker, docker.start(TOOLS, "python3", "-c", UDP), UDP, true));
    }

    @Test
    void byUdpFromTheWorkload() throws Exception {
        assertSame(docker -> transfer(docker, docker.peer(TOOLS, "python3", "-c", UDP), UDP, false));
    }

    @Test
    void byUdpBetweenTwoVms() throws Exception {
        String program = UDP.replace("MEGABYTES = " + MEGABYTES, "MEGABYTES = 10");
        assertSame(docker -> transfer(docker, docker.start(TOOLS, "python3", "-c", program), program, false));
    }
}
