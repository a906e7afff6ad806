// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.api.Test;

/** What the engine's resolver answers in a container it answers in a VM: names of containers, and names of the world that it asks for itself. */
@EndToEnd
class NamesTest {
    /** A shell that has the engine's resolver, which asks a name server of ours. */
    private static void ask(Docker docker, String script) throws Exception {
        String network = docker.network();
        String server = NameServer.start(docker, "--network", network).address();
        docker.run("--network", network, "--dns", server, TOOLS, "sh", "-c", script);
    }

    @Test
    void namesOfTheWorldAreFoundByTheEnginesResolver() throws Exception {
        Transcript seen = assertSame(docker -> ask(docker, """
                grep -v '^#' /etc/resolv.conf
                for t in A AAAA MX TXT; do dig +noall +answer +comments www.example.test $t | grep -E 'status|IN' | sed 's/, id.*//'; done
                dig +short -x 10.99.0.1
                dig missing.test | grep -o 'status: [A-Z]*'; getent hosts missing.test; echo $?
                dig failing.test | grep -o 'status: [A-Z]*'
                getent ahosts www.example.test | awk '{print $1, $2}'"""));
        assertThat(seen.first().text()).contains("10.99.0.1").contains("NXDOMAIN");
    }

    @Test
    void aLargeAnswerComesWhole() throws Exception {
        Transcript seen = assertSame(docker -> ask(docker, """
                dig +short large.test | wc -l; dig +short +noedns large.test | wc -l; dig +short +bufsize=4096 large.test | wc -l
                dig +noedns +ignore large.test | grep -o 'flags: [a-z ]*'
                dig +short +tcp huge.test | sort | md5sum; dig +short huge.test | wc -l
                getent ahostsv4 large.test | wc -l; RES_OPTIONS=use-vc getent ahostsv4 www.test | head -n 1
                dig +tcp +keepopen +short one.test two.test three.test"""));
        assertThat(seen.first().text()).startsWith("60\n60\n60").contains("4000");
    }

    @Test
    void aServerThatIsSilentIsNotWaitedForForever() throws Exception {
        assertSame(docker -> ask(
                docker,
                "dig +time=1 +tries=1 silent.test >/dev/null; echo $?; RES_OPTIONS='timeout:1 attempts:1' getent hosts silent.test; echo $?;"
                        + " dig +time=1 +tries=1 +tcp silent.test >/dev/null; echo $?; dig +short www.test"));
    }

    @Test
    void twoHundredQuestionsAtOnce() throws Exception {
        assertSame(docker -> ask(docker, """
                cat >/tmp/ask.py <<'END'
                import socket, threading
                found = []
                def ask(name): found.append(socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
                threads = [threading.Thread(target=ask, args=(f"n{i}.example.test",)) for i in range(200)]
                for t in threads: t.start()
                for t in threads: t.join()
                print(len(found), set(found))
                END
                exec python3 /tmp/ask.py"""));
    }

    @Test
    void namesAliasesAndAddressesOfContainers() throws Exception {
        assertSame(docker -> {
            String subnet = Subnets.ipv4(docker);
            String network = docker.network("--subnet", subnet + ".0/24");
            for (String last : new String[] {".21", ".22"}) {
                docker.peer(
                        "--network",
                        network,
                        "--ip",
                        subnet + last,
                        "--network-alias",
                        "many.alias",
                        "--network-alias",
                        "a" + last,
                        TOOLS,
                        "sleep",
                        "1000");
            }
            docker.run(
                    "--network",
                    network,
                    "--ip",
                    subnet + ".30",
                    "--network-alias",
                    "me",
                    "--link",
                    docker.peer("--network", network, "--ip", subnet + ".23", TOOLS, "sleep", "1000")
                                    .name()
                            + ":linked",
                    TOOLS,
                    "sh",
                    "-c",
                    "dig +short many.alias | sort; dig +tcp +short MANY.alias | sort; dig +short a.22 me linked; for a in 21 23; do dig +short -x "
                            + subnet
                            + ".$a; done; dig many.alias AAAA | grep -oE 'status: [A-Z]*|ANSWER: [0-9]*'; getent hosts linked | tr -s ' ';"
                            + " dig -x " + subnet + ".99 +time=1 +tries=1 >/dev/null; echo $?");
        });
    }

    @Test
    void withoutTheEnginesResolverTheServersAreAskedByTheWorkload() throws Exception {
        assertSame(docker -> {
            String server = NameServer.start(docker).address();
            docker.run(
                    "--dns",
                    server,
                    "--dns-search",
                    "example.test",
                    TOOLS,
                    "sh",
                    "-c",
                    "cat /etc/resolv.conf; dig +short www.test; dig +short large.test | wc -l; dig +short huge.test | wc -l; getent ahostsv4 short | head -n 1; RES_OPTIONS=use-vc getent ahostsv4 short | head -n 1");
        });
    }
}
