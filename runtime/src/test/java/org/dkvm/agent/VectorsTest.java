// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.CgroupMode;
import org.dkvm.core.container.Command;
import org.dkvm.core.container.DeviceNumber;
import org.dkvm.core.container.GuestDevice;
import org.dkvm.core.container.GuestMount;
import org.dkvm.core.container.NodeAccess;
import org.dkvm.core.container.ProcessRights;
import org.dkvm.core.container.ProcessUser;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.TerminalDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** protocol/vectors, which the C tests decode, too. */
class VectorsTest {
    static List<Vector> vectors() throws IOException {
        return Vector.all();
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void frameIsWhatTheVectorSays(Vector vector) throws Exception {
        List<String> frames = new ArrayList<>();
        FrameReceiver receiver = frame -> frames.add(frame.type().code() + " " + frame.stream() + " " + frame.length());
        switch (vector.text("expect")) {
            case "frame" -> {
                read(vector, receiver);
                assertThat(frames.get(0))
                        .isEqualTo(
                                vector.number("type") + " " + vector.number("stream") + " " + vector.number("length"));
            }
            case "more" -> {
                read(vector, receiver);
                assertThat(frames).isEmpty();
            }
            case "error" -> assertThatThrownBy(() -> read(vector, receiver)).isInstanceOf(ProtocolException.class);
            default -> throw new AssertionError(vector.text("expect"));
        }
    }

    @Test
    void helloIsTakenApart() throws Exception {
        Events events = new Events();
        AgentControl control = new AgentControl(events, events, new SessionRouter(new NoMain()));
        read(Vector.named("hello"), control);
        read(Vector.named("ready"), control);
        read(Vector.named("log"), control);
        read(Vector.named("dns-query"), control);
        assertThat(events.told.get(0)).isEqualTo("hello 1500000000 6.12.0-dkvm");
        assertThat(events.told.get(1)).isEqualTo("ready root mounts network ready");
        assertThat(events.told.get(3)).isEqualTo("dns 515 true 12");
        read(Vector.named("network-set"), control);
        assertThat(events.told.get(4)).isEqualTo("network set 7 false no room");
    }

    @Test
    void whatASharedNetworkNeedsIsTakenApart() throws Exception {
        Events events = new Events();
        AgentControl control = new AgentControl(events, events, new SessionRouter(new NoMain()));
        read(Vector.named("hello"), control);
        read(Vector.named("resolver"), control);
        read(Vector.named("ready"), control);
        read(Vector.named("listening"), control);
        assertThat(events.told.get(1)).isEqualTo("resolver 7f000035");
        assertThat(events.told.get(3)).isEqualTo("listening 8");
        for (String bad : List.of("listening-protocol", "listening-port", "listening-cut", "resolver-elsewhere")) {
            assertThatThrownBy(() -> read(Vector.named(bad), control)).as(bad).isInstanceOf(ProtocolException.class);
        }
    }

    @Test
    void aSharedNetworkIsEncodedAsTheVector() throws Exception {
        MachineRecords to = new MachineRecords();
        to.sharedNetwork(new byte[] {(byte) 192, 0, 0, 2});
        assertThat(to.toBytes())
                .isEqualTo(Vector.named("machine-shared-network").payload());
    }

    @Test
    void processIsEncodedAsTheVector() throws Exception {
        assertThat(process(TerminalDevice.NONE)).isEqualTo(openPayload(Vector.named("java-open")));
    }

    @Test
    void processOnADeviceIsEncodedAsTheVector() throws Exception {
        assertThat(process(new TerminalDevice("tty1", true))).isEqualTo(openPayload(Vector.named("java-open-device")));
    }

    private static byte[] process(TerminalDevice device) throws ProtocolException {
        WorkloadProcess process = new WorkloadProcess(
                new Command(
                        List.of("/bin/sh", "-c", "echo \u00e9"),
                        "/work",
                        List.of("PATH=/bin", "EMPTY=", "A=b=c"),
                        true),
                true,
                new ProcessUser(1000, 100, List.of(5L, 4294967294L), 19),
                new ProcessRights(
                        new CapabilitySets(0xa80425fbL, 0xa80425fbL, 0xa80425fbL, 0, 0x400),
                        true,
                        List.of(new ResourceLimit(7, 1024, 4096), new ResourceLimit(8, -1, -1)),
                        -500));
        Client client = new Client(new FrameOutput(Channels.newChannel(new ByteArrayOutputStream())));
        byte[] attach = {3, 0, 3, 0, 24, 0, 80, 0, 1, 0, 0, (byte) 0x80, 0, 0, 0, 0, 1, 0, 0, 0};
        ByteBuffer bytes = Frame.make(FrameType.ATTACH, 1, attach);
        Frame frame = new Frame(bytes);
        frame.set(FrameType.ATTACH, 0, bytes.limit());
        client.attach(frame);
        return ProcessRecords.encode(process, true, device, client);
    }

    @Test
    void machineIsEncodedAsTheVector() throws Exception {
        assertThat(machine()).isEqualTo(Vector.named("java-machine").payload());
    }

    @Test
    void containerIsEncodedAsTheVector() throws Exception {
        ContainerRecords to = new ContainerRecords();
        to.rootReadOnly();
        to.cgroups(CgroupMode.HYBRID);
        to.pidsLimit(30);
        to.mount(new GuestMount(GuestMount.Kind.FILESYSTEM, "/run", "tmpfs", "tmpfs", 14, "mode=755,size=64k"));
        to.mount(new GuestMount(GuestMount.Kind.SLOT, "/data", "", "", 1, ""));
        assertThat(to.toBytes()).isEqualTo(ofContainer(Vector.named("java-container")));
    }

    @Test
    void devicesAreEncodedAsTheVector() throws Exception {
        ContainerRecords to = new ContainerRecords();
        to.device(
                new GuestDevice("/dev/sdz", new DeviceNumber(true, 7, 5), true, new NodeAccess(0660, 0, 6)), "device0");
        to.device(
                new GuestDevice("/dev/fuse", new DeviceNumber(false, 10, 229), false, new NodeAccess(0666, 0, 0)),
                "device1");
        assertThat(to.toBytes()).isEqualTo(ofContainer(Vector.named("java-container-devices")));
    }

    @Test
    void hiddenPathsAreEncodedAsTheVector() throws Exception {
        ContainerRecords to = new ContainerRecords();
        to.maskedPath("/etc/shadow");
        to.readOnlyPath("/srv");
        assertThat(to.toBytes()).isEqualTo(ofContainer(Vector.named("java-container-hidden")));
    }

    @Test
    void aMembersOwnNamespacesAreEncodedAsTheVector() throws Exception {
        ContainerRecords to = new ContainerRecords();
        to.rootSlot("pod/2/root");
        to.ownIpcNamespace();
        to.ownHostName("named");
        byte[] payload = Vector.named("container-member-own").payload();
        byte[] records = java.util.Arrays.copyOfRange(payload, Integer.BYTES, payload.length);
        assertThat(to.toBytes()).isEqualTo(records);
        to.ownHostName("");
        assertThat(to.toBytes()).isEqualTo(records);
    }

    static byte[] machine() {
        byte[] mac = {2, 0x42, (byte) 0xac, 0x11, 0, 2};
        byte[] ipv6 = new byte[16];
        ipv6[0] = (byte) 0xfd;
        ipv6[15] = 2;
        byte[] gateway = ipv6.clone();
        gateway[15] = 1;
        MachineRecords to = new MachineRecords();
        to.clock(1_700_000_000_000_000_000L);
        to.hostname("web-1");
        to.domainname("example.org");
        to.onlineCpus();
        to.nic(mac, 1500, "eth0");
        to.address(mac, new byte[] {(byte) 172, 17, 0, 2}, 16, new byte[] {(byte) 172, 17, (byte) 255, (byte) 255});
        to.address(mac, ipv6, 64, new byte[0]);
        to.route(mac, new byte[4], 0, new byte[] {(byte) 172, 17, 0, 1}, 0, 0);
        to.route(mac, new byte[16], 0, gateway, 1024, 0);
        for (Map.Entry<String, String> sysctl :
                Map.of("net.ipv4.ip_forward", "1").entrySet()) {
            to.sysctl(sysctl.getKey(), sysctl.getValue());
        }
        to.modules("graphics");
        return to.toBytes();
    }

    @Test
    void changeOfTheNetworkIsEncodedAsTheVector() throws Exception {
        byte[] mac = {2, 0x42, (byte) 0xac, 0x11, 0, 2};
        byte[] other = {2, 0x42, (byte) 0xac, 0x12, 0, 3};
        byte[] gone = {2, 0x42, (byte) 0xac, 0x13, 0, 4};
        byte[] anywhere = new byte[4];
        MachineRecords to = new MachineRecords();
        to.nicGone(gone);
        to.routeGone(mac, anywhere, 0, new byte[] {(byte) 172, 17, 0, 1}, 0, 0);
        to.addressGone(mac, new byte[] {(byte) 172, 17, 0, 2}, 16, new byte[] {(byte) 172, 17, -1, -1});
        to.nic(other, 1400, "eth1");
        to.address(other, new byte[] {(byte) 172, 18, 0, 3}, 16, new byte[] {(byte) 172, 18, -1, -1});
        to.route(other, anywhere, 0, new byte[] {(byte) 172, 18, 0, 1}, 0, 0);
        to.sysctl("net/ipv6/conf/eth1/disable_ipv6", "1");
        byte[] payload = Vector.named("network").payload();
        assertThat(to.toBytes()).isEqualTo(java.util.Arrays.copyOfRange(payload, 4, payload.length));
    }

    /** The payload behind the container's number. */
    private static byte[] ofContainer(Vector vector) {
        byte[] payload = vector.payload();
        assertThat(payload).startsWith(1, 0, 0, 0);
        return java.util.Arrays.copyOfRange(payload, 4, payload.length);
    }

    private static byte[] openPayload(Vector vector) {
        byte[] payload = vector.payload();
        assertThat(payload[0]).isEqualTo((byte) 1);
        return java.util.Arrays.copyOfRange(payload, 1, payload.length);
    }

    private static void read(Vector vector, FrameReceiver receiver) throws IOException, ProtocolException {
        Sender sender = Sender.MONITOR;
        try {
            FrameType type = FrameType.of(Byte.toUnsignedInt(vector.bytes()[4]));
            if (!type.sentBy(sender)) {
                sender = type.sentBy(Sender.AGENT) ? Sender.AGENT : Sender.CLIENT;
            }
        } catch (ArrayIndexOutOfBoundsException e) {
            assertThat(vector.text("expect")).isEqualTo("more");
        }
        FrameReader reader = new FrameReader(sender, ByteBuffer.allocate(FrameReader.MIN_BUFFER), false);
        reader.read(Channels.newChannel(new ByteArrayInputStream(vector.bytes())), Integer.MAX_VALUE, receiver);
    }

    private static final class Events implements AgentEvents, AgentServices {
        private final List<String> told = new ArrayList<>();

        @Override
        public void hello(Hello hello) {
            told.add("hello " + hello.bootNanos() + " " + hello.release());
        }

        @Override
        public void ready(List<ReadyStep> steps) {
            StringBuilder text = new StringBuilder("ready");
            steps.forEach(step -> text.append(' ').append(step.label()));
            told.add(text.toString());
        }

        @Override
        public void failed(int step, String text) {
            told.add("failed");
        }

        @Override
        public void log(int level, String text) {
            told.add("log");
        }

        @Override
        public void containerLimitsDone(int container, int result) {
            told.add("limits of " + container + " " + result);
        }

        @Override
        public void finished(Finished finished) {
            told.add("finished");
        }

        @Override
        public void resolver(byte[] address) {
            told.add("resolver " + java.util.HexFormat.of().formatHex(address));
        }

        @Override
        public void listening(ByteBuffer ports) {
            told.add("listening " + ports.remaining());
        }

        @Override
        public void limitsDone(int result) {
            told.add("limits " + result);
        }

        @Override
        public void usage(ByteBuffer report) {
            told.add("usage " + report.remaining());
        }

        @Override
        public void shedDone() {
            told.add("shed");
        }

        @Override
        public void clockAsked(long number) {
            told.add("clock " + number);
        }

        @Override
        public void dnsQuery(int id, boolean tcp, ByteBuffer message) {
            told.add("dns " + id + " " + tcp + " " + message.remaining());
        }

        @Override
        public void networkSet(int number, boolean done, String text) {
            told.add("network set " + number + " " + done + " " + text);
        }

        @Override
        public void socketFrame(Frame frame) {
            told.add(frame.type() + " " + frame.stream() + " " + frame.length());
        }

        @Override
        public void lockFrame(Frame frame) {
            told.add(frame.type() + " " + frame.length());
        }

        @Override
        public void fileFrame(Frame frame) {
            told.add(frame.type() + " " + frame.stream() + " " + frame.length());
        }
    }
}
