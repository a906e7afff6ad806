// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core;

/** Where things are inside a sandbox: the one place where the rewriter and the monitor agree on paths. */
public final class SandboxPaths {
    /** What virtiofsd shares: a directory of slots, one for the image's root and one for each mount of the container. */
    public static final String SHARE = "/share";
    /** The slot of the image's root. */
    public static final String ROOT = SHARE + "/root";
    /** Where a container's volumes are only for the backing files of disks: seen by the sandbox, in slots, and not by the guest. */
    public static final String DISKS = "/disks";
    /** A tmpfs of the sandbox: sockets, logs. */
    public static final String RUN = "/run/dkvm";
    /** Sockets of the host that the guest's programs may connect to, by number (bind mounts). */
    public static final String SOCKETS = RUN + "/sockets";
    /** The sandbox's plan, written by create, read by the monitor (bind mount, read-only). */
    public static final String PLAN = RUN + "/sandbox.json";
    /** The session socket; dkvm-init makes it and hands it to the monitor as file descriptor 0. */
    public static final String SESSION_SOCKET = RUN + "/monitor.sock";
    /** Where dkvm-init takes from the monitor what is to be started. */
    public static final String STARTER_SOCKET = RUN + "/start.sock";
    /** Where dkvm-network takes from the monitor what is to be changed. */
    public static final String NETWORK_SOCKET = RUN + "/network.sock";
    /** Where dkvm-forward takes to the monitor what connects to a pod's localhost from outside. */
    public static final String FORWARD_SOCKET = RUN + "/forward.sock";
    /** A small filesystem of the host's for what is to be read about this VM, also when it is gone. */
    public static final String LOG = RUN + "/log";
    /** The monitor's log (and the place where QEMU's and virtiofsd's messages go). */
    public static final String MONITOR_LOG = LOG + "/monitor.log";
    /** The template that the VM is restored from, where it is (bind mount, read-only). */
    public static final String TEMPLATE = RUN + "/template";
    /** Where QEMU makes the sockets of a screen that a browser shows: a filesystem with no room for more. */
    public static final String SCREEN = RUN + "/screen";
    /** In a pod's VM, a directory of the host with its session socket, which the pod's other containers have, too. */
    public static final String POD = RUN + "/pod";

    /** The session socket of a pod's VM. */
    public static final String POD_SOCKET = POD + "/monitor.sock";
    /** What virtiofsd shares of a pod's containers: the host's side mounts in it while the VM runs. */
    public static final String POD_SHARE = SHARE + "/pod";
    /** The plans of a pod's containers, each written by its create (bind mount, read-only). */
    public static final String PLANS = RUN + "/plans";
    /** QEMU's websockets. */
    public static final String SCREEN_SOCKET = SCREEN + "/websocket";
    /** The pages that a browser is sent. */
    public static final String PAGES = "/usr/share/novnc";
    /** The chosen kernel's directory (bind mount, read-only): vmlinux or vmlinuz, initramfs. */
    public static final String KERNEL = "/opt/dkvm/kernel";
    /** The host's, as on the host: in the sandbox where the VM's packets are to go by it, and only there. */
    public static final String VHOST_NET = "/dev/vhost-net";
    /** DKVM's own programs and its Java runtime. */
    public static final String PACKAGE = "/opt/dkvm";

    private SandboxPaths() {}
}
