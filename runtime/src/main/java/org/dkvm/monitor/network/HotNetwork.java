// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.network;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.dkvm.agent.MachineRecords;
import org.dkvm.agent.ProtocolException;
import org.dkvm.bundle.plan.SandboxPlan;
import org.dkvm.core.DkvmException;
import org.dkvm.core.machine.Board;
import org.dkvm.monitor.link.AgentLink;
import org.dkvm.monitor.link.QemuControl;
import org.dkvm.monitor.loop.EventLoop;
import org.dkvm.monitor.loop.MonitorLog;
import org.dkvm.monitor.program.Programs;
import org.dkvm.monitor.start.GuestSetup;
import org.dkvm.monitor.start.NetworkRecords;
import org.dkvm.network.NetworkDevice;
import org.dkvm.network.NetworkReader;
import org.dkvm.network.Takeover;
import org.jspecify.annotations.Nullable;

/**
 * Networks that come, change and go while the VM runs. Whatever it is told of, it compares the sandbox's network with what the guest has and takes one step towards it:
 * cards that lost their device are drawn, then one is plugged in for a device that has none, then addresses and routes follow. There is nothing of this before the first
 * change.
 */
public final class HotNetwork {
    /** The engine sets an interface up in several steps: it is looked at when nothing has happened for this long, */
    private static final Duration QUIET = Duration.ofMillis(50);
    /** or when this long has passed. */
    private static final Duration LONGEST = Duration.ofSeconds(1);
    /** A device that went while it was read: what happened is told once more, as a rule. */
    private static final Duration AGAIN = Duration.ofMillis(500);

    private static final String LOOPBACK = "lo";
    private static final String DEFAULT = "default";

    private final EventLoop loop;
    private final MonitorLog log;
    private final NetworkReader reader;
    private final SandboxPlan plan;
    private final CardSlots slots;
    private final NetworkOrders orders;
    private final Consumer<String> say;
    private final List<Card> cards = new ArrayList<>();
    /** The numbers of devices for which there is no card to be had. */
    private final Set<Integer> refused = new HashSet<>();
    /** Every tap that was made: what is not the engine's among the sandbox's devices. */
    private final Set<String> taps = new HashSet<>();
    /** Whether the guest has IPv6 off, by interface. */
    private final Map<String, Boolean> ipv6Off = new HashMap<>();

    private int nextNumber;
    private boolean portsReserved;
    private boolean busy;
    private boolean over;
    private EventLoop.@Nullable Timer timer;
    private long firstNanos;

    /**
     * The network of a guest that was set up with that.
     *
     * @param setup what the guest was told
     * @param takeover the devices and taps of that time
     * @param say tells the container's user, and the log
     */
    public HotNetwork(
            EventLoop loop,
            MonitorLog log,
            Programs programs,
            QemuControl control,
            NetworkReader reader,
            GuestSetup setup,
            Takeover takeover,
            AgentLink agent,
            Consumer<String> say) {
        log.line("the sandbox's network has changed");
        this.loop = loop;
        this.log = log;
        this.reader = reader;
        this.plan = setup.plan();
        this.say = say;
        orders = new NetworkOrders(loop, agent);
        Board board = plan.vm().shape().hardware().board();
        slots = new CardSlots(
                loop, log, programs, control, board, plan.vm().shape().display().port(), this::portIsFree);
        for (Takeover.Tap tap : takeover.taps()) {
            cards.add(new Card(tap.device(), tap.name(), nextNumber++, Card.FIXED));
            taps.add(tap.name());
        }
        portsReserved = !cards.isEmpty();
        List<String> off = setup.network().withoutIpv6();
        boolean every = off.contains(DEFAULT);
        ipv6Off.put(DEFAULT, every);
        ipv6Off.put(LOOPBACK, every || off.contains(LOOPBACK));
        for (Card card : cards) {
            ipv6Off.put(
                    card.device().name(), every || off.contains(card.device().name()));
        }
    }

    /** Something has changed in the sandbox's network. */
    public void changed() {
        if (over) {
            return;
        }
        long now = System.nanoTime();
        EventLoop.Timer pending = timer;
        if (pending == null) {
            firstNanos = now;
        } else {
            pending.cancel();
        }
        long left = LONGEST.toNanos() - (now - firstNanos);
        lookAfter(left < QUIET.toNanos() ? Duration.ofNanos(Math.max(left, 0)) : QUIET);
    }

    /** The agent answers a change. */
    public void set(int number, boolean done, String text) throws ProtocolException {
        orders.answered(number, done, text);
    }

    /** The guest is of no more use. */
    public void end() {
        over = true;
        orders.end();
    }

    private void lookAfter(Duration delay) {
        timer = loop.after(delay, () -> {
            timer = null;
            look();
        });
    }

    private void portIsFree() {
        refused.clear();
        changed();
    }

    /** Takes one step, and others after it, until the guest's network is the sandbox's. */
    private void look() {
        if (busy || over) {
            // When the step ends, it is looked again.
            return;
        }
        try {
            step(read());
        } catch (DkvmException e) {
            log.line(e.text());
            lookAfter(AGAIN);
        }
    }

    private void step(List<NetworkDevice> now) throws DkvmException {
        List<Card> gone = new ArrayList<>();
        for (Card card : cards) {
            if (NetworkRecords.same(card.device(), now).isEmpty()) {
                gone.add(card);
            }
        }
        if (!gone.isEmpty()) {
            draw(gone, now);
            return;
        }
        Optional<NetworkDevice> fresh = firstWithoutCard(now);
        if (fresh.isPresent() && slots.free() < 0 && slots.oneIsLeaving()) {
            // Soon there is room; until then the others are kept up to date.
            fresh = Optional.empty();
        }
        if (fresh.isPresent()) {
            plug(fresh.get(), now);
            return;
        }
        MachineRecords to = new MachineRecords();
        if (follow(to, now)) {
            busy = true;
            orders.give(to.toBytes(), this::followed);
        }
    }

    private void stepDone() {
        busy = false;
        look();
    }

    private void followed(String failure) {
        if (!failure.isEmpty()) {
            say.accept("the guest's network can not follow the container's: " + failure);
        }
        stepDone();
    }

    private void draw(List<Card> gone, List<NetworkDevice> now) throws DkvmException {
        busy = true;
        MachineRecords to = new MachineRecords();
        for (Card card : gone) {
            log.line("network " + card.described() + " goes");
            NetworkRecords.gone(to, card.device());
            ipv6Off.remove(card.device().name());
        }
        cards.removeAll(gone);
        follow(to, now);
        orders.give(to.toBytes(), failure -> {
            if (!failure.isEmpty()) {
                log.line("the guest does not let go of a network: " + failure);
            }
            drawNext(gone, 0);
        });
    }

    private void drawNext(List<Card> gone, int from) {
        if (from == gone.size()) {
            stepDone();
        } else {
            slots.draw(gone.get(from), () -> drawNext(gone, from + 1));
        }
    }

    private void plug(NetworkDevice device, List<NetworkDevice> now) {
        int port = slots.free();
        Card card = new Card(device, tapName(now), nextNumber++, port);
        String problem = port >= 0 ? unfit(device) : noRoom();
        if (!problem.isEmpty()) {
            refuse(card, problem);
            look();
            return;
        }
        busy = true;
        taps.add(card.tap());
        log.line("network " + card.described() + " comes");
        slots.plug(card, () -> plugged(card), reason -> notPlugged(card, reason));
    }

    private void notPlugged(Card card, String reason) {
        if (isThere(card.device())) {
            refuse(card, reason);
        } else {
            log.line("network " + card.described() + " went as it came: " + reason);
        }
        stepDone();
    }

    private boolean isThere(NetworkDevice device) {
        try {
            return NetworkRecords.same(device, read()).isPresent();
        } catch (DkvmException e) {
            // A device went while it was read: this one, or it will be tried again.
            return false;
        }
    }

    /** What else has changed meanwhile is told by a step of its own. */
    private void plugged(Card card) {
        cards.add(card);
        try {
            MachineRecords to = new MachineRecords();
            ipv6(to, List.of(card.device()));
            if (!portsReserved) {
                portsReserved = true;
                to.sysctl(GuestSetup.RESERVED_PORTS, GuestSetup.reservedPorts(plan, true));
            }
            NetworkRecords.device(to, card.device());
            orders.give(to.toBytes(), failure -> {
                if (failure.isEmpty()) {
                    log.line("network " + card.described() + " is connected");
                } else {
                    say.accept("network " + card.described() + " can not be used: " + failure);
                }
                stepDone();
            });
        } catch (DkvmException e) {
            log.line(e.text());
            stepDone();
        }
    }

    private void refuse(Card card, String reason) {
        refused.add(card.device().index());
        say.accept("network " + card.described() + " can not be connected to the running VM: " + reason);
    }

    private String noRoom() {
        return slots.count() == 0
                ? "the board \"" + plan.vm().shape().hardware().board().label()
                        + "\" takes no devices later; connect it before the start, or use DKVM_MACHINE=q35"
                : "there is room for " + slots.count()
                        + " that were not there at the start; disconnect another one, or start the container anew";
    }

    /** Why no VM, or not this one, can have it; empty when it can. The agent finds a device by its address. */
    private String unfit(NetworkDevice device) {
        if (!device.arp()) {
            return "it " + NetworkReader.NO_ARP;
        }
        for (Card card : cards) {
            if (card.device().mac().bits() == device.mac().bits()) {
                return "it has the hardware address of " + card.described();
            }
        }
        return "";
    }

    private Optional<NetworkDevice> firstWithoutCard(List<NetworkDevice> now) {
        List<NetworkDevice> known = new ArrayList<>();
        for (Card card : cards) {
            known.add(card.device());
        }
        for (NetworkDevice device : now) {
            if (NetworkRecords.same(device, known).isEmpty() && !refused.contains(device.index())) {
                return Optional.of(device);
            }
        }
        return Optional.empty();
    }

    /** What the guest lacks of devices that it has; false when that is nothing. */
    private boolean follow(MachineRecords to, List<NetworkDevice> now) throws DkvmException {
        boolean differs = false;
        List<NetworkDevice> kept = new ArrayList<>();
        for (int i = 0; i < cards.size(); i++) {
            Card card = cards.get(i);
            Optional<NetworkDevice> later = NetworkRecords.same(card.device(), now);
            if (later.isPresent()) {
                kept.add(later.get());
                differs |= NetworkRecords.difference(to, card.device(), later.get());
                cards.set(i, card.of(later.get()));
                if (!later.get().addresses().equals(card.device().addresses())) {
                    slots.identify(cards.get(i));
                }
            }
        }
        return ipv6(to, kept) || differs;
    }

    /** The engine has IPv6 on where a network has it, and then on the loopback, too. */
    private boolean ipv6(MachineRecords to, List<NetworkDevice> devices) throws DkvmException {
        boolean differs = ipv6(to, LOOPBACK);
        for (NetworkDevice device : devices) {
            differs |= ipv6(to, device.name());
        }
        return differs;
    }

    private boolean ipv6(MachineRecords to, String name) throws DkvmException {
        boolean off = reader.isWithoutIpv6(name);
        boolean was = ipv6Off.getOrDefault(name, ipv6Off.getOrDefault(DEFAULT, false));
        ipv6Off.put(name, off);
        if (off != was) {
            to.sysctl("net/ipv6/conf/" + name + "/disable_ipv6", off ? "1" : "0");
        }
        return off != was;
    }

    private List<NetworkDevice> read() throws DkvmException {
        List<NetworkDevice> devices = new ArrayList<>();
        for (NetworkDevice device : reader.readAll()) {
            if (!taps.contains(device.name())) {
                devices.add(device);
            }
        }
        Set<Integer> there = new HashSet<>();
        for (NetworkDevice device : devices) {
            there.add(device.index());
        }
        refused.retainAll(there);
        return devices;
    }

    private String tapName(List<NetworkDevice> now) {
        String name = "tap" + nextNumber;
        for (NetworkDevice device : now) {
            if (device.name().equals(name)) {
                nextNumber++;
                return tapName(now);
            }
        }
        return name;
    }
}
