// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.dkvm.e2e.Images.TOOLS;

import java.util.ArrayList;
import java.util.List;

/**
 * A name server of the tests' own, by UDP and TCP. The first label of a name says what becomes of it: {@code missing} does not exist, {@code failing} is an error,
 * {@code silent} is never answered, {@code large} has 60 addresses and {@code huge} 4,000, which come whole by TCP only;
 * every other name has one IPv4 and one IPv6 address, every address the name {@code pointed.test}.
 */
final class NameServer {
    private static final String SERVER = """
            import socket, struct, threading
            def records(label, kind):
                many = {b"large": 60, b"huge": 4000}.get(label, 1)
                if kind == 1: return [bytes([10, 99, i >> 8, i & 255]) for i in range(1, many + 1)]
                if kind == 28: return [bytes.fromhex("fd000099") + bytes(11) + b"\\1"]
                return [b"\\7pointed\\4test\\0"] if kind == 12 else []
            def answer(q, limit):
                end = q.index(0, 12) + 5; label = q[13:13 + q[12]].lower(); kind = q[end - 3]
                if label == b"silent": return None
                if q[10:12] != b"\\0\\0" and q[end:end + 3] == b"\\0\\0\\x29": limit = max(limit, struct.unpack(">H", q[end + 3:end + 5])[0])
                code = {b"missing": 3, b"failing": 2}.get(label, 0)
                found = [] if code else [struct.pack(">HHHIH", 0xc00c, kind, 1, 60, len(r)) + r for r in records(label, kind)]
                size = end + sum(map(len, found)); cut = size > limit
                if cut: found = []
                return q[:2] + bytes([0x85 | 2 * cut, 0x80 | code]) + struct.pack(">HHHH", 1, len(found), 0, 0) + q[12:end] + b"".join(found)
            def stream(c):
                f = c.makefile("rwb")
                while size := f.read(2):
                    a = answer(f.read(struct.unpack(">H", size)[0]), 65535)
                    if a: f.write(struct.pack(">H", len(a)) + a); f.flush()
            def streams(t):
                while True: threading.Thread(target=stream, args=(t.accept()[0],), daemon=True).start()
            threading.Thread(target=streams, args=(socket.create_server(("", 53), backlog=100),), daemon=True).start()
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("", 53)); print("serving", flush=True)
            while True:
                q, peer = u.recvfrom(65535); a = answer(q, 512)
                if a: u.sendto(a, peer)
            """;

    private NameServer() {}

    /** Starts one under the reference, with these options, and waits until it serves. */
    static Container start(Docker docker, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of(TOOLS, "python3", "-c", SERVER));
        Container server = docker.peer(arguments.toArray(String[]::new));
        server.awaitLog("serving");
        return server;
    }
}
