// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.List;

/** The images the cases run; tests/images/build.sh makes them. */
final class Images {
    /** Nothing but one static binary, which is the command and greets. */
    static final String HELLO = "dkvm-test/hello";

    static final String BUSYBOX = "dkvm-test/busybox";

    /** The same for arm64. */
    static final String BUSYBOX_ARM64 = "dkvm-test/busybox-arm64";

    /** A minimal Debian with bash. */
    static final String DEBIAN = "dkvm-test/debian";

    static final String NGINX = "dkvm-test/nginx";

    static final String MARIADB = "dkvm-test/mariadb";

    /** Debian with python3 and a client of MariaDB. */
    static final String PYTHON = "dkvm-test/python";

    /** Debian with python3, iproute2, procps, util-linux, acl, attr, libcap2-bin, dnsutils, netcat-openbsd, curl, socat. */
    static final String TOOLS = "dkvm-test/tools";

    /** Debian with a kernel of its own at Debian's place, its modules, and kmod. */
    static final String KERNEL = "dkvm-test/kernel";

    /** Debian with systemd as its first process, and a Docker engine among its services. */
    static final String SYSTEMD = "dkvm-test/systemd";

    /** Debian with what people run: PostgreSQL, Redis, Java, Node, Python, gcc, git, sshd, and what a machine is administrated with. */
    static final String WORKLOADS = "dkvm-test/workloads";

    static final List<String> ALL =
            List.of(HELLO, BUSYBOX, BUSYBOX_ARM64, DEBIAN, NGINX, MARIADB, PYTHON, TOOLS, KERNEL, SYSTEMD, WORKLOADS);

    private Images() {}
}
