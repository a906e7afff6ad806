// SPDX-License-Identifier: Apache-2.0
package org.dkvm.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.dkvm.agent.FrameType;
import org.dkvm.core.DkvmException;
import org.dkvm.machine.Machine;
import org.dkvm.monitor.program.ProgramStart;
import org.dkvm.monitor.program.Programs;
import org.dkvm.monitor.program.RunningProgram;
import org.dkvm.monitor.program.SandboxPrograms;
import org.dkvm.monitor.start.Places;
import org.dkvm.network.NetworkRequest;

/** What is around a monitor, played: virtiofsd and QEMU with a guest in it, dkvm-init, one dkvm-exec. */
final class FakeSandbox implements Programs, AutoCloseable {
    private static final int MAIN = 1;
    private static final int EXEC = 2;
    private static final int CLIENT = 1;
    private static final long PATIENCE_MILLIS = 10_000;
    private static final int PLAYERS = 3;
    private static final String LOADED = "{\"event\":\"MIGRATION\",\"data\":{\"status\":\"completed\"}}\n";

    /** A part that somebody plays. */
    @FunctionalInterface
    private interface Part {
        void play() throws IOException;
    }

    private final Places places;
    private final boolean restored;
    private final FakeHelpers helpers;
    private final Programs real;
    private final List<Thread> players = new ArrayList<>();
    private final AtomicInteger played = new AtomicInteger();

    /**
     * @param restored whether the VM is restored from a template
     */
    FakeSandbox(Places places, boolean restored) throws IOException {
        this.places = places;
        this.restored = restored;
        helpers = new FakeHelpers(places);
        real = new SandboxPrograms(places.starter(), places.network());
    }

    void startClients() {
        play("main client", this::mainClient);
        play("exec client", this::execClient);
    }

    /** Whether every part was played to its end. */
    boolean allHeard() throws InterruptedException {
        for (Thread player : players) {
            player.join(PATIENCE_MILLIS);
        }
        return played.get() == PLAYERS;
    }

    @Override
    public RunningProgram start(ProgramStart start) throws IOException {
        Path share = places.sockets().share();
        if (Files.exists(share)) {
            play("guest", this::guest);
        } else {
            Files.createFile(share);
        }
        return real.start(start);
    }

    @Override
    public void watchNetwork() throws DkvmException {
        real.watchNetwork();
    }

    @Override
    public void change(NetworkRequest request) throws DkvmException {
        real.change(request);
    }

    @Override
    public void close() throws IOException {
        helpers.close();
        for (Thread player : players) {
            player.interrupt();
        }
    }

    private void play(String name, Part part) {
        Thread player = new Thread(
                () -> {
                    try {
                        part.play();
                        played.incrementAndGet();
                    } catch (IOException e) {
                        System.err.println("dkvm: " + name + ": " + e);
                    }
                },
                name);
        player.setDaemon(true);
        players.add(player);
        player.start();
    }

    private void guest() throws IOException {
        Machine.Sockets sockets = places.sockets();
        try (ScriptedPeer control = new ScriptedPeer(sockets.control());
                ScriptedPeer console = new ScriptedPeer(sockets.console());
                ScriptedPeer agent = new ScriptedPeer(sockets.agent())) {
            control.sayText("{\"QMP\":{}}\n{\"return\":{}}\n{\"event\":\"RESUME\",\"data\":{}}\n");
            console.sayText("booted\n");
            if (restored) {
                control.answerUpTo("remove-fd", Map.of("migrate-incoming", LOADED));
            }
            agent.say(FrameType.HELLO, 0, 'D', 'K', 'V', 'M', 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, '6');
            agent.hear(FrameType.SET_UP, 0);
            agent.say(FrameType.READY, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0);
            agent.hear(FrameType.OPEN, MAIN);
            agent.say(FrameType.OPENED, MAIN, 1, 0, 0, 0);
            agent.say(FrameType.LOG, 0, 2, 'h', 'i');
            agent.hear(FrameType.STDIN, MAIN);
            agent.say(FrameType.CREDIT, MAIN, 0, 1, 0, 0, 0);
            agent.say(FrameType.STDOUT, MAIN, 'x');
            agent.say(FrameType.STDERR, MAIN, 'x');
            agent.say(FrameType.DNS_QUERY, 7, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0);
            agent.hear(FrameType.DNS_ANSWER, 7);
            agent.hear(FrameType.OPEN, EXEC);
            agent.say(FrameType.OPENED, EXEC, 2, 0, 0, 0);
            agent.say(FrameType.STDOUT, EXEC, 'y');
            agent.say(FrameType.EXIT, EXEC, 0, 0);
            agent.hear(FrameType.SIGNAL, MAIN);
            agent.say(FrameType.EXIT, MAIN, 0, 0);
            agent.say(FrameType.FINISHED, 0, 0, 0, 0, 0);
            agent.hear(FrameType.ACK, 0);
        }
    }

    private void mainClient() throws IOException {
        try (ScriptedPeer client = new ScriptedPeer(places.sessionSocket())) {
            client.say(FrameType.ATTACH, CLIENT, 3, 0, 3, 0, 24, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
            client.hear(FrameType.OPENED, CLIENT);
            client.say(FrameType.STDIN, CLIENT, 'x');
            client.hear(FrameType.STDERR, CLIENT);
            client.say(FrameType.CREDIT, CLIENT, 1, 1, 0, 0, 0);
            client.say(FrameType.RESIZE, CLIENT, 25, 0, 80, 0);
            client.say(FrameType.SIGNAL, CLIENT, 15, 0, 0, 0);
            client.hear(FrameType.EXIT, CLIENT);
        }
    }

    private void execClient() throws IOException {
        try (ScriptedPeer client = new ScriptedPeer(places.sessionSocket())) {
            client.say(FrameType.ATTACH, CLIENT, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
            client.say(FrameType.OPEN, CLIENT, 1, 1, 0, 1, 0, 0, 0, 'a');
            client.hear(FrameType.EXIT, CLIENT);
        }
    }
}
