// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.network;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import org.dkvm.agent.FrameType;
import org.dkvm.monitor.Peer;
import org.dkvm.monitor.TestSandbox;
import org.dkvm.network.NetworkRequest;
import org.dkvm.network.Takeover;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Networks that come and go: what QEMU, the agent, ip and tc are told of it. */
@Timeout(60)
class HotNetworkTest {
    private static final String MAC = "02:42:ac:12:00:0";
    private static final String ADDRESS = "fd00000000000000000000000000000";
    private static final String MAC_HEX = "0242ac12000";

    private final TestSandbox sandbox;
    private SocketChannel qemu = SocketChannel.open();
    private BufferedReader commands = new BufferedReader(Channels.newReader(qemu, StandardCharsets.UTF_8));

    HotNetworkTest(@TempDir Path directory) throws Exception {
        sandbox = new TestSandbox(directory);
    }

    @AfterEach
    void close() throws IOException {
        qemu.close();
        sandbox.close();
    }

    @Test
    void deviceThatComesIsPluggedInAndDrawnWhenItGoes() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        connectQemu();
        come(main, 1);
        JsonObject netdev = command("netdev_add");
        assertThat(netdev)
                .hasToString(
                        "{\"type\":\"tap\",\"id\":\"net0\",\"ifname\":\"tap0\",\"script\":\"no\",\"downscript\":\"no\",\"vhost\":false}");
        assertThat(command("device_add"))
                .hasToString(
                        "{\"driver\":\"virtio-net-pci\",\"id\":\"nic0\",\"netdev\":\"net0\",\"mac\":\"02:42:ac:12:00:01\",\"host_mtu\":1500,\"romfile\":\"\",\"bus\":\"spare0\"}");
        String records = change(agent, 1);
        // The ports of the sandbox's own sockets, as this guest had no network; name, address, route.
        assertThat(records)
                .contains(hex("net.ipv4.ip_local_reserved_ports=59392-60415"))
                .contains("6a0014000000" + MAC_HEX + "1dc050000" + "06000000" + hex("nobody"))
                .contains("6b0028000000" + MAC_HEX + "10640" + ADDRESS + "1")
                .contains("6c002e000000" + MAC_HEX + "10600" + "0".repeat(32) + ADDRESS + "9");
        assertThat(sandbox.changes).singleElement().isInstanceOfSatisfying(NetworkRequest.Take.class, take -> {
            assertThat(take.tap().name()).isEqualTo("tap0");
            assertThat(take.tap().device().name()).isEqualTo("nobody");
        });
        done(agent, 1);
        sandbox.deviceDown("nobody");
        main.say(FrameType.NETWORK_CHANGED, 1);
        assertThat(change(agent, 2)).isEqualTo("720006000000" + MAC_HEX + "1");
        done(agent, 2);
        assertThat(command("device_del")).hasToString("{\"id\":\"nic0\"}");
        // QEMU holds on to the tap until the guest has let go of the card.
        assertThat(sandbox.changes).hasSize(1);
        deleted("nic0");
        assertThat(command("netdev_del")).hasToString("{\"id\":\"net0\"}");
        sandbox.device("nobody", 6, MAC + 2, ADDRESS + 2, ADDRESS + 9);
        main.say(FrameType.NETWORK_CHANGED, 1);
        command("netdev_add");
        assertThat(sandbox.changes).contains(new NetworkRequest.Remove("tap0"));
    }

    @Test
    void whatChangesBeforeTheGuestIsReadyIsToldThen() throws Exception {
        sandbox.start();
        Peer main = sandbox.mainClient();
        main.say(FrameType.NETWORK_CHANGED, 1);
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        agent.skipTo(FrameType.OPEN);
        connectQemu();
        sandbox.device("nobody", 5, MAC + 1, ADDRESS + 1, ADDRESS + 9);
        agent.say(FrameType.READY, 0);
        agent.say(FrameType.OPENED, 1, 1, 0, 0, 0);
        command("netdev_add");
        command("device_add");
        change(agent, 1);
    }

    @Test
    void deviceThatGoesWhileItIsTakenOverIsNoneOfTheVms() throws Exception {
        sandbox.device("nobody", 5, MAC + 1, ADDRESS + 1, ADDRESS + 9);
        sandbox.device("other", 6, MAC + 2, ADDRESS + 2, ADDRESS + 9);
        sandbox.deviceGoesWhenTakenOver("nobody");
        sandbox.start();
        Peer main = sandbox.mainClient();
        Peer agent = sandbox.agent();
        TestSandbox.hello(agent);
        assertThat(HexFormat.of().formatHex(agent.skipTo(FrameType.MACHINE).payload()))
                .contains(MAC_HEX + "2")
                .doesNotContain(MAC_HEX + "1");
        agent.say(FrameType.READY, 0);
        agent.say(FrameType.OPENED, 1, 1, 0, 0, 0);
        main.expect(FrameType.OPENED);
        assertThat(sandbox.changes)
                .first()
                .isInstanceOfSatisfying(
                        NetworkRequest.Take.class,
                        take -> assertThat(take.tap().device().name()).isEqualTo("other"));
        // It comes back, and goes just when its card is to be plugged in: nobody needs to be told.
        connectQemu();
        sandbox.deviceGoesWhenTakenOver("nobody");
        come(main, 1);
        sandbox.awaitLog("went as it came: Cannot find device");
        come(main, 3);
        assertThat(command("netdev_add").get("ifname").getAsString()).isEqualTo("tap2");
    }

    @Test
    void whatCanNotBeTakenOverAsItIsEndsTheStart() throws Exception {
        sandbox.device("nobody", 5, MAC + 1, ADDRESS + 1, ADDRESS + 9);
        sandbox.deviceGoesWhenTakenOver("");
        sandbox.start();
        assertThat(sandbox.mainClient().lastWords()).contains("Cannot find device");
        assertThat(sandbox.changes).isEmpty();
    }

    @Test
    void addressesAndRoutesThatChangeAreTold() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        connectQemu();
        come(main, 1);
        command("netdev_add");
        command("device_add");
        change(agent, 1);
        // Its tables are files of their own: before the answer nobody reads the one without the other.
        sandbox.device("nobody", 5, MAC + 1, ADDRESS + 2, ADDRESS + 8);
        main.say(FrameType.NETWORK_CHANGED, 1);
        done(agent, 1);
        assertThat(change(agent, 2))
                .startsWith("74002e000000" + MAC_HEX + "10600" + "0".repeat(32) + ADDRESS + "9")
                .contains("730028000000" + MAC_HEX + "10640" + ADDRESS + "1")
                .contains("6b0028000000" + MAC_HEX + "10640" + ADDRESS + "2")
                .contains("6c002e000000" + MAC_HEX + "10600" + "0".repeat(32) + ADDRESS + "8");
    }

    @Test
    void whatStaysAsItIsIsNotTold() throws Exception {
        sandbox.device("nobody", 5, MAC + 1, ADDRESS + 1, ADDRESS + 9);
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        connectQemu();
        sandbox.device("other", 6, MAC + 2, ADDRESS + 2, ADDRESS + 9);
        main.say(FrameType.NETWORK_CHANGED, 1);
        // The card of the start is number 0.
        assertThat(command("netdev_add").get("id").getAsString()).isEqualTo("net1");
        command("device_add");
        assertThat(change(agent, 1)).contains(MAC_HEX + "2").doesNotContain(MAC_HEX + "1", hex("reserved_ports"));
        done(agent, 1);
        sandbox.deviceDown("nobody");
        main.say(FrameType.NETWORK_CHANGED, 1);
        assertThat(change(agent, 2)).isEqualTo("720006000000" + MAC_HEX + "1");
        done(agent, 2);
        // It has no port: only its link goes.
        assertThat(command("set_link")).hasToString("{\"name\":\"net0\",\"up\":false}");
        sandbox.deviceDown("other");
        main.say(FrameType.NETWORK_CHANGED, 1);
        change(agent, 3);
        done(agent, 3);
        assertThat(command("device_del").get("id").getAsString()).isEqualTo("nic1");
    }

    @Test
    void cardThatQemuRefusesLeavesNothingAndIsSaid() throws Exception {
        Peer main = running();
        sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        connectQemu();
        come(main, 1);
        command("netdev_add");
        refuse("device_add", "no");
        assertThat(command("netdev_del")).hasToString("{\"id\":\"net0\"}");
        assertThat(main.expect(FrameType.NOTICE).text())
                .isEqualTo(
                        "dkvm: network \"nobody\" (02:42:ac:12:00:01) can not be connected to the running VM: device_add: no\n");
        assertThat(sandbox.changes).last().isEqualTo(new NetworkRequest.Release(new Takeover.Left("tap0", "nobody")));
    }

    @Test
    void deviceThatAVmCanNotHaveIsSaidAndKeepsNoOtherWaiting() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        connectQemu();
        sandbox.device("nobody", 5, MAC + 1, ADDRESS + 1, ADDRESS + 9);
        sandbox.device("double", 6, MAC + 1, ADDRESS + 2, ADDRESS + 9);
        sandbox.device("silent", 7, MAC + 2, ADDRESS + 3, ADDRESS + 9);
        sandbox.deviceWithoutArp("silent");
        sandbox.device("other", 8, MAC + 3, ADDRESS + 4, ADDRESS + 9);
        main.say(FrameType.NETWORK_CHANGED, 1);
        for (int i = 1; i <= 2; i++) {
            command("netdev_add");
            assertThat(command("device_add").get("mac").getAsString()).isEqualTo(MAC + (2 * i - 1));
            change(agent, i);
            done(agent, i);
        }
        assertThat(main.expect(FrameType.NOTICE).text())
                .contains("\"double\"", "can not be connected", "it has the hardware address of \"nobody\"");
        assertThat(main.expect(FrameType.NOTICE).text())
                .contains("\"silent\"", "can not be connected", "it has no ARP");
    }

    @Test
    void portIsFreeWhenTheGuestHasLetGoOfIt() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        main.expect(FrameType.OPENED);
        connectQemu();
        for (int i = 1; i <= 5; i++) {
            sandbox.device("nobody" + i, 5 + i, MAC + i, ADDRESS + i, ADDRESS + 9);
        }
        main.say(FrameType.NETWORK_CHANGED, 1);
        for (int i = 1; i <= 4; i++) {
            command("netdev_add");
            assertThat(command("device_add").get("bus").getAsString()).isEqualTo("spare" + (i - 1));
            change(agent, i);
            done(agent, i);
        }
        assertThat(main.expect(FrameType.NOTICE).text()).contains("\"nobody5\"").contains("there is room for 4");
        sandbox.deviceDown("nobody2");
        main.say(FrameType.NETWORK_CHANGED, 1);
        change(agent, 5);
        done(agent, 5);
        command("device_del");
        deleted("nic1");
        command("netdev_del");
        command("netdev_add");
        assertThat(command("device_add").get("bus").getAsString()).isEqualTo("spare1");
    }

    @Test
    void portOfACardThatTheGuestEjectedItselfIsFree() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        connectQemu();
        for (int i = 1; i <= 4; i++) {
            sandbox.device("nobody" + i, 5 + i, MAC + i, ADDRESS + i, ADDRESS + 9);
        }
        main.say(FrameType.NETWORK_CHANGED, 1);
        for (int i = 1; i <= 4; i++) {
            command("netdev_add");
            command("device_add");
            change(agent, i);
            done(agent, i);
        }
        deleted("nic2");
        sandbox.deviceDown("nobody3");
        sandbox.device("nobody5", 10, MAC + 5, ADDRESS + 5, ADDRESS + 9);
        main.say(FrameType.NETWORK_CHANGED, 1);
        change(agent, 5);
        done(agent, 5);
        refuse("device_del", "Device 'nic2' not found");
        command("netdev_del");
        command("netdev_add");
        assertThat(command("device_add").get("bus").getAsString()).isEqualTo("spare2");
    }

    @Test
    void answerToALaterChangeThanWasToldEndsTheVm() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        connectQemu();
        come(main, 1);
        command("netdev_add");
        command("device_add");
        change(agent, 1);
        done(agent, 2);
        assertThat(main.lastWords()).contains("an answer to change 2 of the network, which was not told");
    }

    @Test
    void onlyTheMainClientTellsOfTheNetwork() throws Exception {
        Peer main = running();
        Peer agent = sandbox.runningAgent();
        Peer exec = sandbox.execClient();
        agent.skipTo(FrameType.OPEN);
        exec.say(FrameType.NETWORK_CHANGED, 1);
        assertThat(exec.lastWords()).isEqualTo("nothing");
        assertThat(main.expect(FrameType.OPENED).length()).isPositive();
    }

    private Peer running() {
        sandbox.start();
        return sandbox.mainClient();
    }

    private void come(Peer main, int number) throws IOException {
        sandbox.device("nobody", 4 + number, MAC + number, ADDRESS + number, ADDRESS + 9);
        main.say(FrameType.NETWORK_CHANGED, 1);
    }

    private void connectQemu() throws IOException {
        qemu.close();
        qemu = SocketChannel.open(
                UnixDomainSocketAddress.of(sandbox.places.sockets().control()));
        commands = new BufferedReader(Channels.newReader(qemu, StandardCharsets.UTF_8));
        say("{\"QMP\":{}}");
        commands.readLine();
        say("{\"return\":{}}");
    }

    private JsonObject command(String name) throws IOException {
        JsonObject command = next(name);
        say("{\"return\":{},\"id\":" + command.get("id") + "}");
        return command.getAsJsonObject("arguments");
    }

    private void deleted(String card) throws IOException {
        say("{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"" + card + "\"}}");
    }

    private void refuse(String name, String why) throws IOException {
        say("{\"error\":{\"desc\":\"" + why + "\"},\"id\":" + next(name).get("id") + "}");
    }

    private JsonObject next(String name) throws IOException {
        JsonObject command =
                JsonParser.parseString(String.valueOf(commands.readLine())).getAsJsonObject();
        assertThat(command.get("execute").getAsString()).isEqualTo(name);
        return command;
    }

    private void say(String line) throws IOException {
        qemu.write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /** The records of the next change, which has that number. */
    private static String change(Peer agent, int number) {
        Peer.Got frame = agent.skipTo(FrameType.NETWORK);
        assertThat(frame.u32(0)).isEqualTo(number);
        return HexFormat.of().formatHex(frame.payload(), 4, frame.length());
    }

    private static void done(Peer agent, int number) {
        agent.say(FrameType.NETWORK_SET, 0, number, 0, 0, 0, 0);
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
    }
}
