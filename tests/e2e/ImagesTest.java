// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.DEBIAN;
import static org.dkvm.e2e.Images.MARIADB;
import static org.dkvm.e2e.Images.NGINX;
import static org.dkvm.e2e.Images.TOOLS;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Real programs of real images: a web server, a database, a distribution. */
@EndToEnd
class ImagesTest {
    private static final Duration ONE_REQUEST = Duration.ofSeconds(60);

    @Test
    void nginxServesThePageOfTheImageToTheHost() throws Exception {
        Transcript seen = assertSame(docker -> {
            Container container = docker.start("-p", "127.0.0.1::80", NGINX);
            docker.note("page", get(container, "/", 200));
            docker.note("missing", get(container, "/missing", 404));
            docker.cli("stop", "-t", "60", container.name());
            docker.note("exit code", container.inspect("{{.State.ExitCode}}"));
            docker.note("logged", container.log().contains("\"GET / HTTP/1.1\" 200"));
        });
        assertThat(seen.fact("page")).contains("nginx");
    }

    @Test
    void nginxServesFilesOfAVolumeAndSeesThemChange() throws Exception {
        assertSame(docker -> {
            Path site = docker.directory();
            byte[] noise = new byte[5_000_000];
            new Random(4).nextBytes(noise);
            Files.write(site.resolve("large"), noise);
            Files.writeString(site.resolve("page"), "first\n");
            Container container = docker.start("-p", "127.0.0.1::80", "-v", site + ":/usr/share/nginx/html:ro", NGINX);
            docker.note("first", get(container, "/page", 200));
            Files.writeString(site.resolve("page"), "second version\n");
            docker.note("second", get(container, "/page", 200));
            docker.note(
                    "large",
                    Bytes.of(get(container, "/large", 200).getBytes(java.nio.charset.StandardCharsets.ISO_8859_1))
                            .sha256());
        });
    }

    @Test
    void nginxReloadsOnItsSignal() throws Exception {
        assertSame(docker -> {
            Path configuration = docker.directory();
            Files.writeString(configuration.resolve("default"), server("before"));
            Container container =
                    docker.start("-p", "127.0.0.1::80", "-v", configuration + ":/etc/nginx/sites-enabled:ro", NGINX);
            docker.note("before", get(container, "/", 200));
            Files.writeString(configuration.resolve("default"), server("after"));
            docker.cli("kill", "-s", "HUP", container.name());
            Deadline.await(
                    "the new configuration", () -> get(container, "/", 200).equals("after"));
        });
    }

    private static String server(String answer) {
        return "server { listen 80; location / { return 200 '" + answer + "'; } }\n";
    }

    /** Asks until the port answers with this status; a server needs a while. */
    private static String get(Container container, String path, int status) throws Exception {
        int port = Host.port(container.docker().quietly("port", container.name(), "80"));
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(ONE_REQUEST)
                .build();
        String[] body = new String[1];
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            Deadline.await("GET " + path + " gives " + status, () -> {
                try {
                    HttpResponse<String> response = client.send(
                            request, HttpResponse.BodyHandlers.ofString(java.nio.charset.StandardCharsets.ISO_8859_1));
                    body[0] = response.body();
                    return response.statusCode() == status;
                } catch (java.io.IOException e) {
                    return false;
                }
            });
        }
        return body[0];
    }

    // Without TLS: making its key takes the better part of a minute on an emulated processor.
    @Test
    void mariadbAnswersContainersAndTheHostAndKeepsItsData() throws Exception {
        String sql =
                "CREATE DATABASE sea; USE sea; CREATE TABLE fish (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50)) ENGINE=InnoDB;"
                        + " INSERT INTO fish (name) VALUES ('cod'), ('größe 🐟'), (REPEAT('x', 50)); SELECT * FROM fish; SELECT COUNT(*), MD5(GROUP_CONCAT(name ORDER BY id)) FROM fish";
        assertSame(docker -> {
            String network = docker.network();
            Container database = docker.start(
                    "-e",
                    "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1",
                    "-p",
                    "127.0.0.1::3306",
                    "--cpus",
                    "2",
                    "--memory",
                    "1G",
                    "--network",
                    network,
                    "--network-alias",
                    "db",
                    MARIADB,
                    "--skip-ssl");
            Container peer = docker.peer("--network", network, "--entrypoint", "sleep", MARIADB, "100000");
            awaitDatabase(docker, peer);
            peer.exec(
                    "mariadb",
                    "--skip-ssl",
                    "--default-character-set=utf8mb4",
                    "-h",
                    "db",
                    "-u",
                    "root",
                    "-t",
                    "-e",
                    sql);
            docker.note(
                    "host's port",
                    greeting(Host.port(docker.quietly("port", database.name(), "3306")))
                            .contains("MariaDB"));
            docker.cli("stop", "-t", "100", database.name());
            docker.note("exit code", database.inspect("{{.State.ExitCode}}"));
            docker.cli("start", database.name());
            awaitDatabase(docker, peer);
            peer.exec(
                    "mariadb",
                    "--skip-ssl",
                    "-h",
                    "db",
                    "-u",
                    "root",
                    "-N",
                    "-e",
                    "SELECT COUNT(*) FROM sea.fish; INSERT INTO sea.fish (name) SELECT name FROM sea.fish; SELECT COUNT(*) FROM sea.fish");
            database.exec(
                    "mariadb",
                    "--skip-ssl",
                    "-u",
                    "root",
                    "-N",
                    "-e",
                    "SELECT SUM(LENGTH(name)) FROM sea.fish; CHECK TABLE sea.fish");
        });
    }

    private static void awaitDatabase(Docker docker, Container peer) throws Exception {
        Deadline.await(
                "the database answers",
                () -> docker.attempt(peer.execArguments(
                                        "mariadb", "--skip-ssl", "-h", "db", "-u", "root", "-e", "SELECT 1"))
                                .exitCode()
                        == 0);
    }

    /** The first packet of the server, which names it. */
    private static String greeting(int port) throws Exception {
        try (java.net.Socket socket = new java.net.Socket(java.net.InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout((int) Settings.DEADLINE.toMillis());
            return new String(socket.getInputStream().readNBytes(40), java.nio.charset.StandardCharsets.ISO_8859_1);
        }
    }

    @Test
    void mariadbWithoutAPasswordOptionRefusesToStart() throws Exception {
        assertSame(docker -> docker.fails().run(MARIADB));
    }

    @Test
    void debiansOwnToolsWork() throws Exception {
        assertSame(
                docker -> docker.run(
                        DEBIAN,
                        "bash",
                        "-c",
                        "dpkg -l | wc -l; dpkg --verify 2>&1 | head -n 3; perl -e 'print join(\",\", map { $_ ** 2 } 1 .. 10), \"\\n\"'; grep -c . /etc/os-release; find /usr -xdev | wc -l; getent passwd | wc -l"));
    }

    @Test
    void aPackageIsRemovedAndTheSystemStaysSound() throws Exception {
        assertSame(docker -> {
            Container container = docker.start(
                    TOOLS,
                    "sh",
                    "-c",
                    "dpkg -P socat >/dev/null 2>&1; echo $?; dpkg -s socat >/dev/null 2>&1; echo $?; ls /usr/bin/socat 2>&1; dpkg --audit");
            container.finish();
            docker.note(
                    "changed",
                    docker.quietly("diff", container.name())
                            .lines()
                            .filter(l -> l.startsWith("D"))
                            .sorted()
                            .toList());
        });
    }

    @Test
    void pythonRunsATestOfMuch() throws Exception {
        assertSame(docker -> docker.run(TOOLS, "python3", "-c", """
                import concurrent.futures, hashlib, json, os, sqlite3, subprocess, tempfile
                with tempfile.TemporaryDirectory() as d:
                    db = sqlite3.connect(d + "/db"); db.execute("create table t (n integer)")
                    db.executemany("insert into t values (?)", [(i,) for i in range(10000)]); db.commit()
                    print(db.execute("select count(*), sum(n) from t").fetchone())
                with concurrent.futures.ProcessPoolExecutor(4) as pool:
                    print(list(pool.map(len, ["a" * n for n in range(10)])))
                print(subprocess.run(["sh", "-c", "echo $((6 * 7))"], capture_output=True).stdout)
                print(json.dumps({"π": [1.5, None]}), hashlib.sha256(b"x" * 1000000).hexdigest())
                """));
    }

    @Test
    void busyboxsDefaultCommandIsAShell() throws Exception {
        assertSame(docker -> {
            docker.stdin("echo from stdin; exit 5\n").exits(5).run("-i", BUSYBOX);
            docker.run(BUSYBOX);
        });
    }
}
