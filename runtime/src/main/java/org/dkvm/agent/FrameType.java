// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import org.jspecify.annotations.Nullable;

/** The protocol's frame types with the sides that may send them and the size of their payload (protocol/PROTOCOL.md). */
public enum FrameType {
    HELLO(0x01, FrameType.BY_AGENT, 16, 144),
    WELCOME(0x02, FrameType.BY_MONITOR, 4, 4),
    MACHINE(0x03, FrameType.BY_MONITOR, 0, Frame.MAX_PAYLOAD),
    SET_UP(0x04, FrameType.BY_MONITOR, 0, 0),
    READY(0x05, FrameType.BY_AGENT, 0, 64 * 9),
    FAILED(0x06, FrameType.BY_AGENT, 1, 1025),
    LOG(0x07, FrameType.BY_AGENT, 1, 1025),
    SHUTDOWN(0x08, FrameType.BY_MONITOR, 0, 0),
    FINISHED(0x09, FrameType.BY_AGENT, 4, 4),
    ACK(0x0A, FrameType.BY_MONITOR, 0, 0),
    DNS_QUERY(0x0B, FrameType.BY_AGENT, 1 + 12, 1 + 65_535),
    DNS_ANSWER(0x0C, FrameType.BY_MONITOR, 0, 65_535),
    CLOCK(0x0D, FrameType.BY_MONITOR, 16, 16),
    NETWORK_CHANGED(0x0E, FrameType.BY_CLIENT, 0, 0),
    NETWORK(0x0F, FrameType.BY_MONITOR, 4, Frame.MAX_PAYLOAD),
    NETWORK_SET(0x10, FrameType.BY_AGENT, 5, 5 + 1024),
    LISTENING(0x12, FrameType.BY_AGENT, 0, 1024 * 4),
    RESOLVER(0x13, FrameType.BY_AGENT, 4, 4),
    LIMITS(0x14, FrameType.BY_MONITOR, 21, 21),
    LIMITS_DONE(0x15, FrameType.BY_AGENT, 1, 1),
    UPDATE(0x16, FrameType.BY_CLIENT, 20, 20),
    CONTAINER(0x17, FrameType.BY_MONITOR, 4, Frame.MAX_PAYLOAD),
    CONTAINER_LIMITS(0x18, FrameType.BY_MONITOR, 40, 40),
    CONTAINER_LIMITS_DONE(0x19, FrameType.BY_AGENT, 5, 5),
    SHED(0x1A, FrameType.BY_MONITOR, 0, 0),
    SHED_DONE(0x1B, FrameType.BY_AGENT, 0, 0),
    CLOCK_ASK(0x1C, FrameType.BY_AGENT, 8, 8),
    USAGE_ASK(0x1D, FrameType.BY_MONITOR, 0, 0),
    USAGE(0x1E, FrameType.BY_AGENT, 0, 65_536),

    ATTACH(0x20, FrameType.BY_CLIENT, 20, 20),
    OPEN(0x21, FrameType.BY_CLIENT | FrameType.BY_MONITOR, 1, Frame.MAX_PAYLOAD),
    OPENED(0x22, FrameType.BY_AGENT | FrameType.BY_MONITOR, 4, 4),
    REFUSED(0x23, FrameType.BY_AGENT | FrameType.BY_MONITOR, 1, 1025),
    STDIN(0x24, FrameType.BY_CLIENT | FrameType.BY_MONITOR, 0, Frame.MAX_PAYLOAD),
    STDOUT(0x25, FrameType.BY_AGENT | FrameType.BY_MONITOR, 0, Frame.MAX_PAYLOAD),
    STDERR(0x26, FrameType.BY_AGENT | FrameType.BY_MONITOR, 0, Frame.MAX_PAYLOAD),
    CREDIT(0x27, FrameType.BY_AGENT | FrameType.BY_CLIENT | FrameType.BY_MONITOR, 5, 5),
    SIGNAL(0x28, FrameType.BY_CLIENT | FrameType.BY_MONITOR, 4, 4),
    RESIZE(0x29, FrameType.BY_CLIENT | FrameType.BY_MONITOR, 4, 4),
    EXIT(0x2A, FrameType.BY_AGENT | FrameType.BY_MONITOR, 2, 2),
    CLOSE(0x2B, FrameType.BY_MONITOR, 0, 0),
    NOTICE(0x2C, FrameType.BY_MONITOR, 0, 4096),
    BREAK(0x2D, FrameType.BY_CLIENT | FrameType.BY_MONITOR, 0, 16),

    SOCKETS(0x30, FrameType.BY_MONITOR, 0, 64 * 26),
    SOCKET_OPEN(0x31, FrameType.BY_AGENT | FrameType.BY_MONITOR, 12, 12 + 4 * 256),
    SOCKET_DATA(0x32, FrameType.BY_AGENT | FrameType.BY_MONITOR, 0, Frame.MAX_PAYLOAD),
    SOCKET_CREDIT(0x33, FrameType.BY_AGENT | FrameType.BY_MONITOR, 4, 4),
    SOCKET_CLOSE(0x34, FrameType.BY_AGENT | FrameType.BY_MONITOR, 4, 4),
    SOCKET_GONE(0x35, FrameType.BY_MONITOR, 4, 4),
    FORWARD_OPEN(0x36, FrameType.BY_MONITOR, 20, 20),

    FILE_WATCH(0x40, FrameType.BY_AGENT | FrameType.BY_MONITOR, 1, 4095),
    FILE_UNWATCH(0x41, FrameType.BY_AGENT | FrameType.BY_MONITOR, 0, 0),
    FILE_WATCHED(0x42, FrameType.BY_MONITOR, 4, 4),
    FILE_EVENTS(0x43, FrameType.BY_MONITOR, 0, Frame.DATA_PAYLOAD),

    LOCK(0x50, FrameType.BY_AGENT | FrameType.BY_MONITOR, 48, 48 + 8190),
    LOCK_ANSWER(0x51, FrameType.BY_MONITOR, 32, 32);

    private static final int BY_AGENT = 1;
    private static final int BY_CLIENT = 2;
    private static final int BY_MONITOR = 4;
    private static final int FIRST_SESSION_CODE = 0x20;
    private static final int FIRST_SOCKET_CODE = 0x30;
    private static final int LAST_SOCKET_CODE = 0x3F;
    private static final int FIRST_FILE_CODE = 0x40;
    private static final int LAST_FILE_CODE = 0x4F;
    private static final @Nullable FrameType[] BY_CODE = new @Nullable FrameType[0x52];

    static {
        for (FrameType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final int code;
    private final int senders;
    private final int minPayload;
    private final int maxPayload;

    FrameType(int code, int senders, int minPayload, int maxPayload) {
        this.code = code;
        this.senders = senders;
        this.minPayload = minPayload;
        this.maxPayload = maxPayload;
    }

    /** The type's number on the wire. */
    public int code() {
        return code;
    }

    /** Whether it belongs to a session (and not to the machine). */
    public boolean isSession() {
        return code >= FIRST_SESSION_CODE && code < FIRST_SOCKET_CODE;
    }

    /** Whether it belongs to a connection to one of the host's sockets, or from the host to one of the guest's. */
    public boolean isSocket() {
        return code >= FIRST_SOCKET_CODE && code <= LAST_SOCKET_CODE;
    }

    /** Whether it is about changes of files from outside. */
    public boolean isFile() {
        return code >= FIRST_FILE_CODE && code <= LAST_FILE_CODE;
    }

    /** Whether a payload of so many bytes fits this type. */
    public boolean fits(int payload) {
        return payload >= minPayload && payload <= maxPayload;
    }

    /** Whether that side may send it. */
    public boolean sentBy(Sender sender) {
        int bit = switch (sender) {
            case AGENT -> BY_AGENT;
            case CLIENT -> BY_CLIENT;
            case MONITOR -> BY_MONITOR;
        };
        return (senders & bit) != 0;
    }

    /** The type with that number. */
    static FrameType of(int code) throws ProtocolException {
        FrameType type = code < BY_CODE.length ? BY_CODE[code] : null;
        if (type == null) {
            throw new ProtocolException("unknown frame type " + code);
        }
        return type;
    }
}
