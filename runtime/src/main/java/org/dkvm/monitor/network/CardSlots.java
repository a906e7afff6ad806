// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.network;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Board;
import org.dkvm.json.Json;
import org.dkvm.machine.MachineNic;
import org.dkvm.machine.NicCommands;
import org.dkvm.machine.QemuCommand;
import org.dkvm.machine.QmpMessage;
import org.dkvm.monitor.link.QemuAnswer;
import org.dkvm.monitor.link.QemuControl;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.program.Programs;
import org.dkvm.monitor.start.VmNetwork;
import org.dkvm.network.NetworkRequest;

/** Where network cards are plugged into a running VM, and drawn. What dkvm-network does for it is waited for in a thread of its own; what comes of it is told in the loop's. */
final class CardSlots {
    private static final String DELETED = "DEVICE_DELETED";
    private static final String NOT_FOUND = "not found";

    private enum Port {
        FREE,
        TAKEN,
        /** Its card has been drawn, and the guest has not let go of it yet. */
        LEAVING
    }

    private final EventLoop loop;
    private final MonitorLog log;
    private final Programs programs;
    private final QemuControl control;
    private final int ownPort;
    private final Port[] ports;
    private final Card[] cards;
    private final Runnable freed;
    private final ExecutorService inOrder = Executors.newSingleThreadExecutor(CardSlots::networkThread);

    /**
     * The slots of a VM that has nothing plugged in.
     *
     * @param ownPort at which the sandbox itself listens, as of {@link org.dkvm.network.Takeover}
     * @param freed what is to be done when a port is free again
     */
    CardSlots(
            EventLoop loop,
            MonitorLog log,
            Programs programs,
            QemuControl control,
            Board board,
            int ownPort,
            Runnable freed) {
        this.loop = loop;
        this.log = log;
        this.programs = programs;
        this.control = control;
        this.ownPort = ownPort;
        this.freed = freed;
        ports = new Port[board.takesDevicesLater() ? QemuCommand.SPARE_PORTS : 0];
        Arrays.fill(ports, Port.FREE);
        cards = new Card[ports.length];
        control.observe(this::happened);
    }

    /** A port with nothing in it; less than 0 when there is none. */
    int free() {
        return find(Port.FREE);
    }

    /** Whether one will be free as soon as the guest lets go of its card. */
    boolean oneIsLeaving() {
        return find(Port.LEAVING) >= 0;
    }

    /** How many cards can be plugged in at a time. */
    int count() {
        return ports.length;
    }

    /** Makes the card's tap, joins it with the device, and plugs the card in. What was begun is undone when it fails. */
    void plug(Card card, Runnable done, Consumer<String> failed) {
        ports[card.port()] = Port.TAKEN;
        cards[card.port()] = card;
        Consumer<String> undo = reason -> {
            ports[card.port()] = Port.FREE;
            failed.accept(reason);
        };
        Consumer<String> giveBack =
                reason -> change(new NetworkRequest.Release(card.left()), () -> undo.accept(reason));
        apart(
                () -> programs.change(new NetworkRequest.Take(card.joint(), ownPort)),
                () -> addNetdev(card, done, giveBack),
                undo);
    }

    private void addNetdev(Card card, Runnable done, Consumer<String> undo) {
        MachineNic nic = new MachineNic(
                card.tap(), card.device().mac().toString(), card.device().mtu(), VmNetwork.hasVhost());
        JsonObject plugged = NicCommands.card(card.id(), card.netdev(), nic, card.port());
        Consumer<String> undoNetdev = reason ->
                execute("netdev_del", NicCommands.removal(card.netdev()), () -> undo.accept(reason), ignored -> {
                    undo.accept(reason);
                });
        execute(
                "netdev_add",
                NicCommands.netdev(card.netdev(), nic),
                () -> execute("device_add", plugged, done, undoNetdev),
                undo);
    }

    /**
     * Draws the card, if it can be drawn; its port is free when the guest has let go of it. Until then QEMU holds on to the tap, and aborts when it finds it gone as the
     * guest resets the card. One that can not be drawn keeps its tap, and has no link.
     */
    void draw(Card card, Runnable done) {
        if (card.port() == Card.FIXED) {
            execute("set_link", NicCommands.linkDown(card.netdev()), done, reason -> done.run());
            return;
        }
        ports[card.port()] = Port.LEAVING;
        execute("device_del", NicCommands.removal(card.id()), done, reason -> {
            // The guest may have let go of it before: then nobody tells of it any more.
            if (reason.contains(NOT_FOUND)) {
                release(card.port());
            }
            done.run();
        });
    }

    private void release(int port) {
        Card card = cards[port];
        Runnable free = () -> {
            ports[port] = Port.FREE;
            freed.run();
        };
        execute("netdev_del", NicCommands.removal(card.netdev()), () -> removeTap(card, free), reason -> {
            removeTap(card, free);
        });
    }

    /** A tap that was never made, or went with the namespace, is no matter. */
    private void removeTap(Card card, Runnable then) {
        change(new NetworkRequest.Remove(card.tap()), then);
    }

    /** The device behind a card has other addresses. */
    void identify(Card card) {
        change(new NetworkRequest.Identify(card.tap()), () -> {});
    }

    private void change(NetworkRequest request, Runnable then) {
        apart(() -> programs.change(request), then, reason -> {
            log.line(reason);
            then.run();
        });
    }

    private void happened(QmpMessage event) {
        if (!DELETED.equals(event.text()) || !event.details().isJsonObject()) {
            return;
        }
        Optional<String> device = Json.string(event.details().getAsJsonObject(), "device");
        for (int i = 0; i < ports.length; i++) {
            if (ports[i] == Port.LEAVING && device.isPresent() && device.get().equals(cards[i].id())) {
                release(i);
            }
        }
    }

    private int find(Port wanted) {
        for (int i = 0; i < ports.length; i++) {
            if (ports[i] == wanted) {
                return i;
            }
        }
        return -1;
    }

    private interface Work {
        void run() throws DkvmException;
    }

    private void apart(Work work, Runnable done, Consumer<String> failed) {
        inOrder.execute(() -> {
            try {
                work.run();
                loop.post(done);
            } catch (DkvmException e) {
                loop.post(() -> failed.accept(e.text()));
            }
        });
    }

    private static Thread networkThread(Runnable work) {
        Thread thread = new Thread(work, "network");
        thread.setDaemon(true);
        return thread;
    }

    private void execute(String command, JsonObject arguments, Runnable done, Consumer<String> failed) {
        control.execute(command, arguments, new QemuAnswer() {
            @Override
            public void done(JsonElement returned) {
                done.run();
            }

            @Override
            public void failed(String reason) {
                failed.accept(command + ": " + reason);
            }
        });
    }
}
