// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The example of docs/examples/compose, as a user would run it: a web server, three applications, a database. */
@EndToEnd
class ComposeTest {
    private static final String FILE = "docs/examples/compose/docker-compose.yml";
    private static final int APPLICATIONS = 3;
    private static final Pattern ANSWER =
            Pattern.compile("\\{\"host\": \"(.+)\", \"kernel\": \".+\", \"visits\": (\\d+)}");

    @Test
    void threeServicesWorkTogetherScaleAndLeaveNothing() throws Exception {
        Transcript seen = assertSame(docker -> {
            Project project = new Project(docker, docker.name());
            try {
                project.compose("build");
                project.compose("up", "-d", "--scale", "app=" + APPLICATIONS);
                docker.note("runtimes", project.runtimes());
                docker.note("visits are counted by all applications", project.visitAll() >= APPLICATIONS);
                List<Sandbox> sandboxes = project.sandboxes();
                List<String> ids = project.containers();
                docker.note("containers", ids.size());
                project.compose("down");
                docker.note("left by down", project.left());
                for (Sandbox sandbox : sandboxes) {
                    sandbox.assertEnded();
                }
                for (String id : ids) {
                    Sandbox.assertNothingLeft(id);
                }
            } finally {
                project.compose("down", "-v", "--rmi", "local");
            }
            docker.note("left by down -v", project.left());
        });
        assertThat(seen.fact("containers")).isEqualTo("5");
        assertThat(seen.fact("left by down")).isEqualTo("[volume]");
        assertThat(seen.fact("left by down -v")).isEqualTo("[]");
    }

    /** The example's services under one name and one runtime. */
    private static final class Project {
        private final Docker docker;
        private final String name;

        Project(Docker docker, String name) {
            this.docker = docker;
            this.name = name;
        }

        /** {@code docker-compose} with these arguments: must end with 0. Returns its standard output. */
        String compose(String... arguments) throws Exception {
            List<String> command = new ArrayList<>(List.of(
                    "env",
                    "RUNTIME=" + docker.runtime(),
                    "NGINX_IMAGE=" + Images.NGINX,
                    "PYTHON_IMAGE=" + Images.PYTHON,
                    "MARIADB_IMAGE=" + Images.MARIADB,
                    // A port of the engine's choice.
                    "PORT=127.0.0.1:",
                    "docker-compose",
                    "-p",
                    name,
                    "-f",
                    FILE));
            command.addAll(List.of(arguments));
            return Host.run(command.toArray(String[]::new));
        }

        List<String> containers() throws Exception {
            return list("ps", "-aq", "--no-trunc");
        }

        /** The runtimes of all containers, each once. */
        Set<String> runtimes() throws Exception {
            Set<String> runtimes = new HashSet<>();
            for (String id : containers()) {
                String runtime = docker.quietly("inspect", "-f", "{{.HostConfig.Runtime}}", id);
                runtimes.add(runtime.equals(docker.runtime()) ? "as the file says" : runtime);
            }
            return runtimes;
        }

        List<Sandbox> sandboxes() throws Exception {
            List<Sandbox> sandboxes = new ArrayList<>();
            for (String id : containers()) {
                Optional<Sandbox> sandbox = Sandbox.of(new Container(docker, id, id));
                sandbox.orElseThrow(() -> new AssertionError("container " + id + " has ended"))
                        .look();
                sandboxes.add(sandbox.get());
            }
            return sandboxes;
        }

        /** What there is of it: containers, networks, volumes. */
        List<String> left() throws Exception {
            List<String> left = new ArrayList<>();
            list("ps", "-aq").forEach(id -> left.add("container"));
            list("network", "ls", "-q").forEach(id -> left.add("network"));
            list("volume", "ls", "-q").forEach(id -> left.add("volume"));
            return left;
        }

        private List<String> list(String... command) throws Exception {
            List<String> arguments = new ArrayList<>(List.of(command));
            arguments.addAll(List.of("--filter", "label=com.docker.compose.project=" + name));
            return docker.quietly(arguments.toArray(String[]::new)).lines().toList();
        }

        /** Asks the web server until each application has answered; returns how many visits that took. Each visit must count one more. */
        int visitAll() throws Exception {
            URI page = URI.create("http://127.0.0.1:" + Host.port(compose("port", "web", "80")) + "/");
            Set<String> hosts = new HashSet<>();
            int[] visits = {0};
            Deadline.await("an answer of each application", () -> {
                String answer = get(page);
                Matcher matcher = ANSWER.matcher(answer);
                if (matcher.matches()) {
                    visits[0]++;
                    assertThat(Integer.parseInt(matcher.group(2))).isEqualTo(visits[0]);
                    hosts.add(matcher.group(1));
                }
                return hosts.size() == APPLICATIONS;
            });
            return visits[0];
        }

        /** Empty when nobody answers yet. */
        private static String get(URI page) {
            try {
                URLConnection connection = page.toURL().openConnection();
                connection.setReadTimeout((int) Settings.DEADLINE.toMillis());
                try (InputStream body = connection.getInputStream()) {
                    return Bytes.of(body.readAllBytes()).utf8().strip();
                }
            } catch (IOException e) {
                return "";
            }
        }
    }
}
