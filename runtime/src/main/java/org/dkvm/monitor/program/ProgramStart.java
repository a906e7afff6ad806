// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dkvm.core.machine.Descriptor;

/**
 * A program to start, which dkvm-init does (native/sandbox/init/starter_request.h): the monitor itself may give nobody the rights that are theirs.
 *
 * @param kind which of the sandbox's programs it is
 * @param argv its command line
 * @param descriptors what it is to have open
 * @param terminal whether its standard input and output are the container's terminal; else there is nothing to read
 * @param environment variables beside the sandbox's own
 */
public record ProgramStart(
        Kind kind, List<String> argv, List<Descriptor> descriptors, boolean terminal, Map<String, String> environment) {
    /** The sandbox's programs, each of which has rights of its own. */
    public enum Kind {
        VIRTIOFSD(0),
        QEMU(1),
        DISKS(2),
        SOCKETS(3),
        EXHAUST(4),
        LOCKS(5),
        EVENTS(6),
        WEB(7);

        private final int number;

        Kind(int number) {
            this.number = number;
        }
    }

    private static final int CONNECT = 1;
    private static final int READ = 2;
    private static final int WRITE = 3;
    private static final int DISK = 4;
    private static final int MEMORY = 5;
    private static final int STATE = 6;

    public ProgramStart {
        argv = List.copyOf(argv);
        descriptors = List.copyOf(descriptors);
        environment = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    }

    /** A program without a terminal, with nothing open. */
    public static ProgramStart of(Kind kind, List<String> argv) {
        return new ProgramStart(kind, argv, List.of(), false, Map.of());
    }

    /** It as dkvm-init reads it. */
    public byte[] toBytes() {
        ByteArrayOutputStream texts = new ByteArrayOutputStream();
        for (Descriptor descriptor : descriptors) {
            switch (descriptor) {
                case Descriptor.Connection it ->
                    add(texts, CONNECT, it.number(), it.socket().toString());
                case Descriptor.Reading it ->
                    add(texts, READ, it.number(), it.file().toString());
                case Descriptor.Writing it ->
                    add(texts, WRITE, it.number(), it.file().toString());
                case Descriptor.DiskFile it -> {
                    add(texts, DISK, it.number(), it.root());
                    add(texts, it.path());
                }
                case Descriptor.TemplateMemory it -> add(texts, MEMORY, it.number(), "/");
                case Descriptor.TemplateState it -> add(texts, STATE, it.number(), "/");
            }
        }
        for (String argument : argv) {
            add(texts, argument);
        }
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            add(texts, variable.getKey() + "=" + variable.getValue());
        }
        int header = 2 * Byte.BYTES + Byte.BYTES + 2 * Short.BYTES;
        ByteBuffer bytes =
                ByteBuffer.allocate(Integer.BYTES + header + texts.size()).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(header + texts.size()).put((byte) kind.number).put((byte) (terminal ? 1 : 0));
        bytes.put((byte) descriptors.size()).putShort((short) argv.size()).putShort((short) environment.size());
        bytes.put(texts.toByteArray());
        return bytes.array();
    }

    private static void add(ByteArrayOutputStream to, int how, int number, String path) {
        to.write(how);
        to.write(number);
        add(to, path);
    }

    private static void add(ByteArrayOutputStream to, String text) {
        to.writeBytes(text.getBytes(StandardCharsets.UTF_8));
        to.write(0);
    }
}
