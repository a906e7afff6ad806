// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import org.dkvm.monitor.end.Verdict;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.program.SandboxPrograms;
import org.dkvm.monitor.start.Deadlines;
import org.dkvm.monitor.start.Places;
import org.dkvm.monitor.start.Timeline;
import org.dkvm.network.NetworkReader;

/** The monitor's main: {@code org.dkvm.cli.Main monitor}, started by dkvm-init in a sandbox. */
public final class MonitorMain {
    private MonitorMain() {}

    /** Runs the sandbox to its end, and this process with it. */
    public static void main(String[] args) {
        shortenStart();
        Timeline timeline = new Timeline();
        MonitorLog log = new MonitorLog(new FileOutputStream(FileDescriptor.out));
        int code = Verdict.LOST;
        try {
            code = runSandbox(log, timeline);
        } catch (IOException | RuntimeException | Error e) {
            log.line("monitor: " + e);
            for (StackTraceElement element : e.getStackTrace()) {
                log.line("  at " + element);
            }
        }
        // No shutdown hook is of use to anybody, and there is no time to lose.
        Runtime.getRuntime().halt(code);
    }

    /** Two ways of the JDK that are longer than this program needs; each is worth 10 ms. */
    public static void shortenStart() {
        // Named, so that no service file is looked for in the jars.
        System.setProperty("java.nio.channels.spi.SelectorProvider", "sun.nio.ch.EPollSelectorProvider");
        // The inherited socket is made by reflection: by the JVM's own accessor, not by method handles spun for one
        // call.
        System.setProperty("jdk.reflect.useNativeAccessorOnly", "true");
    }

    private static int runSandbox(MonitorLog log, Timeline timeline) throws IOException {
        Places places = Places.ofSandbox();
        NetworkReader network = new NetworkReader(Path.of("/sys"), Path.of("/proc"));
        timeline.mark("main");
        ServerSocketChannel sessions = sessionSocket(places);
        timeline.mark("session socket");
        Monitor monitor = new Monitor(
                places,
                new SandboxPrograms(places.starter(), places.network()),
                network,
                log,
                timeline,
                Deadlines.GENEROUS);
        return monitor.run(sessions);
    }

    /** dkvm-init hands over the listening socket as file descriptor 0; by hand, without it, one is made. */
    private static ServerSocketChannel sessionSocket(Places places) throws IOException {
        Channel inherited = System.inheritedChannel();
        if (inherited instanceof ServerSocketChannel server) {
            return server;
        }
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(places.sessionSocket()));
        return server;
    }
}
