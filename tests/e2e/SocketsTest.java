// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Sockets of the host, or of other containers, that are mounted into a container. */
@EndToEnd
class SocketsTest {
    /** Names of Python's, for both sides. */
    private static final String COMMON = """
            import socket, os, sys, threading, hashlib, struct
            TYPES = {'stream': socket.SOCK_STREAM, 'seqpacket': socket.SOCK_SEQPACKET, 'dgram': socket.SOCK_DGRAM}
            def pour(s, data):
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            def drain(s):
                got = b''
                while True:
                    piece = s.recv(1 << 20)
                    if not piece:
                        return got
                    got += piece
            """;

    /** Listens at /s/sock with a mode, in /s, and answers each connection with who is there, then with what came, turned round. */
    private static final String SERVER = COMMON + """
            kind, mode = sys.argv[1:]
            s = socket.socket(socket.AF_UNIX, TYPES[kind])
            s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            s.bind('/s/new')
            os.chmod('/s/new', int(mode, 8))
            def who(credentials):
                return ('uid %d gid %d' % struct.unpack('3i', credentials)[1:]).encode()
            def serve(c):
                try:
                    peer = who(c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                    if kind == 'stream':
                        got = drain(c)
                        c.sendall(peer + b' ' + got[::-1])
                    else:
                        while True:
                            message = c.recv(1 << 20)
                            if not message:
                                break
                            c.send(peer + b' ' + message)
                    c.close()
                except OSError as e:
                    print(e, flush=True)
            if kind != 'dgram':
                s.listen(100)
            os.rename('/s/new', '/s/sock')
            print('ready', flush=True)
            while kind == 'dgram':
                message, control, flags, address = s.recvmsg(1 << 20, 100)
                print('got', len(message), hashlib.md5(message).hexdigest(), who(control[0][2]).decode(), flush=True)
            while True:
                threading.Thread(target=serve, args=(s.accept()[0],)).start()
            """;

    private static Container server(Docker docker, Path directory, String kind, String mode) throws Exception {
        Container server = docker.peer("-v", directory + ":/s", TOOLS, "python3", "-c", SERVER, kind, mode);
        server.awaitLog("ready");
        return server;
    }

    private static String mount(Path directory, String target) {
        return directory.resolve("sock") + ":" + target;
    }

    @Test
    void aStreamGoesBothWaysAndEndsBothWays() throws Exception {
        Transcript seen = assertSame(docker -> {
            Path directory = docker.directory();
            server(docker, directory, "stream", "666");
            docker.run("-u", "1000:1001", "-v", mount(directory, "/x/y.sock"), TOOLS, "python3", "-c", COMMON + """
                    print(oct(os.stat('/x/y.sock').st_mode), os.stat('/x/y.sock').st_uid)
                    def ask(data):
                        s = socket.socket(socket.AF_UNIX)
                        s.connect('/x/y.sock')
                        threading.Thread(target=pour, args=(s, data)).start()
                        return drain(s)
                    print(ask(b'abc'))
                    print(ask(b''))
                    large = os.urandom(1 << 20) * 24
                    print(ask(large) == b'uid 1000 gid 1001 ' + large[::-1])
                    good = []
                    def one(i):
                        data = os.urandom(50000 + i)
                        good.append(ask(data) == b'uid 1000 gid 1001 ' + data[::-1])
                    # More than are relayed at one time.
                    threads = [threading.Thread(target=one, args=(i,)) for i in range(300)]
                    [t.start() for t in threads]
                    [t.join() for t in threads]
                    print(len(good), all(good))
                    """);
        });
        assertThat(seen.toString()).contains("b'uid 1000 gid 1001 cba'", "300 True");
    }

    @Test
    void messagesKeepTheirBounds() throws Exception {
        Transcript seen = assertSame(docker -> {
            Path directory = docker.directory();
            server(docker, directory, "seqpacket", "666");
            docker.run("-v", mount(directory, "/y.sock"), TOOLS, "python3", "-c", COMMON + """
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                    s.connect('/y.sock')
                    for message in (b'a', b'bcd', bytes(100000), b'end'):
                        s.send(message)
                        print(len(s.recv(1 << 20)))
                    s.shutdown(socket.SHUT_WR)
                    print(s.recv(10))
                    """);
        });
        assertThat(seen.toString()).contains("100012");
    }

    @Test
    void datagramsArriveWithTheirSender() throws Exception {
        Transcript seen = assertSame(docker -> {
            Path directory = docker.directory();
            Container server = server(docker, directory, "dgram", "666");
            // In a filesystem that only the VM has, where no image can have a mount point.
            docker.run("-u", "7:8", "-v", mount(directory, "/dev/log"), TOOLS, "python3", "-c", COMMON + """
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    s.connect('/dev/log')
                    for i in range(100):
                        s.send(b'%d' % i)
                    s.send(bytes(100000))
                    s.send(b'last')
                    """);
            server.awaitLog("got 4 ");
            docker.note("server", server.log());
        });
        assertThat(seen.fact("server")).contains("uid 7 gid 8");
    }

    @Test
    void whatIsSentLastArrivesThoughTheProgramEnds() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            Container server = docker.peer("-v", directory + ":/s", TOOLS, "python3", "-c", COMMON + """
                    s = socket.socket(socket.AF_UNIX)
                    s.bind('/s/sock')
                    s.listen()
                    print('ready', flush=True)
                    got = drain(s.accept()[0])
                    print('got', len(got), hashlib.md5(got).hexdigest(), flush=True)
                    """);
            server.awaitLog("ready");
            docker.run("-v", mount(directory, "/y.sock"), TOOLS, "python3", "-c", COMMON + """
                    s = socket.socket(socket.AF_UNIX)
                    s.connect('/y.sock')
                    s.sendall(bytes(150000))
                    os._exit(0)
                    """);
            server.awaitLog("got");
            docker.note("server", server.log());
        });
    }

    @Test
    void whoMayConnectTheModeSays() throws Exception {
        assertSame(docker -> {
            Path directory = docker.directory();
            server(docker, directory, "stream", "660");
            Host.run("chown", "5:900", directory.resolve("sock").toString());
            String connect = COMMON + """
                    s = socket.socket(socket.AF_UNIX)
                    print(s.connect_ex('/y.sock'), os.stat('/y.sock').st_uid, os.stat('/y.sock').st_gid)
                    """;
            docker.run("-u", "1000:1000", "-v", mount(directory, "/y.sock"), TOOLS, "python3", "-c", connect);
            docker.run(
                    "-u",
                    "1000:1000",
                    "--group-add=900",
                    "--read-only",
                    "-v",
                    mount(directory, "/y.sock:ro"),
                    TOOLS,
                    "python3",
                    "-c",
                    connect);
        });
    }

    @Test
    void theEnginesOwnSocket() throws Exception {
        Transcript seen = assertSame(docker -> {
            Container container = docker.start(
                    "-v",
                    "/var/run/docker.sock:/var/run/docker.sock",
                    TOOLS,
                    "curl",
                    "-sS",
                    "--unix-socket",
                    "/var/run/docker.sock",
                    "http://docker/_ping");
            container.finish();
            docker.note("left in the image", docker.quietly("diff", container.name()));
        });
        assertThat(seen.toString()).contains("OK");
    }

    @Test
    void aServerThatIsGoneRefusesAndANewOneIsNotSeen() throws Exception {
        Transcript seen = assertSame(docker -> {
            Path directory = docker.directory();
            Container first = server(docker, directory, "stream", "666");
            Container client = docker.start(
                    "--tmpfs", "/run", "-v", mount(directory, "/run/y.sock"), TOOLS, "python3", "-c", COMMON + """
                    def connection():
                        s = socket.socket(socket.AF_UNIX)
                        return s, s.connect_ex('/run/y.sock')
                    s, error = connection()
                    print('connected', error, flush=True)
                    print('end', drain(s), flush=True)
                    # Who dies closes one after the other: the socket may be there for a moment longer.
                    while connection()[1] == 0:
                        pass
                    print('then', connection()[1], flush=True)
                    threading.Event().wait()
                    """);
            client.awaitLog("connected 0");
            docker.quietly("kill", first.name());
            client.awaitLog("then 111");
            server(docker, directory, "stream", "666");
            client.exec("python3", "-c", COMMON + """
                    print('still', socket.socket(socket.AF_UNIX).connect_ex('/run/y.sock'))
                    """);
            docker.note("client", client.log());
            // Nobody listens from the start.
            Path dead = docker.directory();
            Host.run("python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('" + dead + "/sock')");
            docker.run("-v", mount(dead, "/y.sock"), TOOLS, "python3", "-c", COMMON + """
                    print(socket.socket(socket.AF_UNIX).connect_ex('/y.sock'))
                    """);
        });
        assertThat(seen.toString()).contains("still 111");
    }

    @Test
    void descriptorsDoNotCrossAndADirectorysSocketsDoNot() throws Exception {
        Transcript seen = onVm(docker -> {
            Path directory = docker.directory();
            Container server = server(docker, directory, "stream", "666");
            docker.run(
                    "-v", mount(directory, "/y.sock"), "-v", directory + ":/d", TOOLS, "python3", "-c", COMMON + """
                    s = socket.socket(socket.AF_UNIX)
                    s.connect('/y.sock')
                    socket.send_fds(s, [b'bytes'], [0])
                    s.shutdown(socket.SHUT_WR)
                    print(drain(s))
                    print('in a directory:', socket.socket(socket.AF_UNIX).connect_ex('/d/sock'))
                    """);
            docker.quietly("kill", server.name());
        });
        assertThat(seen.toString()).contains("b'uid 0 gid 0 setyb'", "in a directory: 111");
    }

    @Test
    void moreSocketsThanThereIsRoomForAreRefused() throws Exception {
        onVm(docker -> {
            int count = 65;
            Path directory = docker.directory();
            Host.run("python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('" + directory + "/sock')");
            String[] arguments = new String[2 * count + 2];
            for (int i = 0; i < count; i++) {
                arguments[2 * i] = "-v";
                arguments[2 * i + 1] = mount(directory, "/s" + i);
            }
            arguments[2 * count] = TOOLS;
            arguments[2 * count + 1] = "true";
            String name = docker.name();
            Outcome refused = Running.complete(docker.runCommand(name, arguments), Bytes.of(""));
            assertThat(refused.exitCode()).isEqualTo(125);
            assertThat(refused.errors()).contains("a VM takes 64 sockets at most");
            assertThat(Files.exists(directory.resolve("sock"))).isTrue();
        });
    }
}
