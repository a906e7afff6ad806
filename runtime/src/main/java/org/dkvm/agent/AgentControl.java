// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Takes the agent's frames and holds them to their order: HELLO, READY, then sessions and questions, FINISHED, nothing. */
public final class AgentControl implements FrameReceiver {
    private static final int MAGIC = 0x4D56_4B44;
    private static final int HELLO_FIXED = 16;
    private static final int READY_STEP = 9;
    private static final int PORT = 4;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int LOOPBACK = 127;
    private static final int NETWORK_CODE = 4;
    private static final int FLAG_OVERRIDDEN = 1;
    private static final int FLAG_OUT_OF_MEMORY = 2;

    private enum State {
        SILENT,
        SETTING_UP,
        READY,
        FAILED,
        FINISHED
    }

    private final AgentEvents events;
    private final AgentServices services;
    private final SessionRouter router;
    private State state = State.SILENT;

    /** Control frames go to the events and the services, session frames to the router. */
    public AgentControl(AgentEvents events, AgentServices services, SessionRouter router) {
        this.events = events;
        this.services = services;
        this.router = router;
    }

    /** The agent of another boot is going to speak. */
    public void again() {
        state = State.SILENT;
    }

    @Override
    public void receive(Frame frame) throws ProtocolException {
        FrameType type = frame.type();
        boolean expected = switch (state) {
            case SILENT -> type == FrameType.HELLO;
            case SETTING_UP ->
                type == FrameType.READY
                        || type == FrameType.FAILED
                        || type == FrameType.LOG
                        || type == FrameType.DNS_QUERY
                        || type == FrameType.RESOLVER;
            case READY -> type != FrameType.HELLO && type != FrameType.READY && type != FrameType.FAILED;
            case FAILED, FINISHED -> type == FrameType.LOG;
        };
        if (!expected) {
            throw new ProtocolException("a frame " + type + " from a guest in state " + state);
        }
        if (type.isSession()) {
            router.fromAgent(frame);
        } else if (type.isSocket()) {
            services.socketFrame(frame);
        } else if (type.isFile()) {
            services.fileFrame(frame);
        } else if (frame.stream() != 0 && type != FrameType.DNS_QUERY) {
            throw new ProtocolException("a frame " + type + " on stream " + Integer.toUnsignedString(frame.stream()));
        } else {
            control(frame);
        }
    }

    private void control(Frame frame) throws ProtocolException {
        switch (frame.type()) {
            case HELLO -> hello(frame.payload());
            case READY -> ready(frame.payload());
            case FAILED -> {
                state = State.FAILED;
                events.failed(frame.u8(0), text(frame));
            }
            case LOG -> events.log(frame.u8(0), text(frame));
            case FINISHED -> finished(frame);
            case DNS_QUERY -> {
                if (frame.u8(0) > 1) {
                    throw new ProtocolException("a name asked for by transport " + frame.u8(0));
                }
                ByteBuffer payload = frame.payload();
                services.dnsQuery(frame.stream(), frame.u8(0) == 1, payload.slice(1, payload.limit() - 1));
            }
            case LISTENING -> listening(frame.payload());
            case RESOLVER -> resolver(frame.payload());
            case NETWORK_SET -> networkSet(frame);
            case LIMITS_DONE -> services.limitsDone(frame.u8(0));
            case CONTAINER_LIMITS_DONE -> events.containerLimitsDone(frame.i32(0), frame.u8(4));
            case SHED_DONE -> services.shedDone();
            case LOCK -> services.lockFrame(frame);
            case CLOCK_ASK -> services.clockAsked(frame.payload().getLong(0));
            case USAGE -> services.usage(frame.payload());
            case WELCOME,
                    MACHINE,
                    CONTAINER,
                    SET_UP,
                    SHUTDOWN,
                    ACK,
                    DNS_ANSWER,
                    CLOCK,
                    NETWORK_CHANGED,
                    NETWORK,
                    LIMITS,
                    UPDATE,
                    CONTAINER_LIMITS,
                    SHED,
                    USAGE_ASK,
                    ATTACH,
                    OPEN,
                    OPENED,
                    REFUSED,
                    STDIN,
                    STDOUT,
                    STDERR,
                    CREDIT,
                    SIGNAL,
                    RESIZE,
                    EXIT,
                    CLOSE,
                    NOTICE,
                    BREAK,
                    SOCKETS,
                    SOCKET_OPEN,
                    SOCKET_DATA,
                    SOCKET_CREDIT,
                    SOCKET_CLOSE,
                    SOCKET_GONE,
                    FORWARD_OPEN,
                    LOCK_ANSWER,
                    FILE_WATCH,
                    FILE_UNWATCH,
                    FILE_WATCHED,
                    FILE_EVENTS -> throw new ProtocolException("a frame " + frame.type() + " from the agent");
        }
    }

    private void networkSet(Frame frame) throws ProtocolException {
        if (frame.u8(NETWORK_CODE) > 1) {
            throw new ProtocolException("a NETWORK_SET with code " + frame.u8(NETWORK_CODE));
        }
        ByteBuffer payload = frame.payload();
        int text = NETWORK_CODE + 1;
        services.networkSet(
                frame.i32(0), frame.u8(NETWORK_CODE) == 0, GuestText.line(payload.slice(text, payload.limit() - text)));
    }

    private void hello(ByteBuffer payload) throws ProtocolException {
        int magic = payload.getInt(0);
        int version = Short.toUnsignedInt(payload.getShort(4));
        if (magic != MAGIC) {
            throw new ProtocolException("a HELLO that is not the agent's");
        }
        if (version != Frame.VERSION) {
            throw new ProtocolException("an agent of protocol version " + version + ", not " + Frame.VERSION);
        }
        state = State.SETTING_UP;
        int release = payload.limit() - HELLO_FIXED;
        events.hello(new Hello(payload.getLong(8), GuestText.line(payload.slice(HELLO_FIXED, release))));
    }

    private void ready(ByteBuffer payload) throws ProtocolException {
        if (payload.limit() % READY_STEP != 0) {
            throw new ProtocolException("a READY with " + payload.limit() + " bytes");
        }
        List<ReadyStep> steps = new ArrayList<>();
        for (int at = 0; at < payload.limit(); at += READY_STEP) {
            steps.add(new ReadyStep(Byte.toUnsignedInt(payload.get(at)), payload.getLong(at + 1)));
        }
        state = State.READY;
        events.ready(steps);
    }

    private void listening(ByteBuffer ports) throws ProtocolException {
        boolean valid = ports.limit() % PORT == 0;
        for (int at = 0; valid && at < ports.limit(); at += PORT) {
            int protocol = ports.get(at);
            int scope = ports.get(at + 1);
            valid = (protocol == TCP || protocol == UDP) && (scope == 0 || scope == 1) && ports.getShort(at + 2) != 0;
        }
        if (!valid) {
            throw new ProtocolException("a LISTENING with something that is no port");
        }
        services.listening(ports);
    }

    private void resolver(ByteBuffer payload) throws ProtocolException {
        byte[] address = new byte[payload.limit()];
        payload.get(0, address);
        if (address[0] != LOOPBACK) {
            throw new ProtocolException("a RESOLVER that is not the guest's own");
        }
        services.resolver(address);
    }

    private void finished(Frame frame) throws ProtocolException {
        Finished.Reason[] reasons = Finished.Reason.values();
        if (frame.u8(0) >= reasons.length) {
            throw new ProtocolException("a FINISHED for reason " + frame.u8(0));
        }
        int flags = frame.u8(1);
        state = State.FINISHED;
        events.finished(new Finished(
                reasons[frame.u8(0)], (flags & FLAG_OVERRIDDEN) != 0, (flags & FLAG_OUT_OF_MEMORY) != 0, frame.u8(2)));
    }

    private static String text(Frame frame) {
        ByteBuffer payload = frame.payload();
        return GuestText.line(payload.slice(1, payload.limit() - 1));
    }
}
