// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** protocol/vectors/takeover: the bytes that dkvm-network reads. */
class NetworkRequestTest {
    private static byte[] vector(String name) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String line : Files.readAllLines(Path.of("protocol/vectors/takeover/" + name + ".hex"))) {
            if (!line.startsWith("#")) {
                bytes.writeBytes(HexFormat.ofDelimiter(" ").parseHex(line.strip()));
            }
        }
        return bytes.toByteArray();
    }

    private static Takeover.Tap tap(String name, String... addresses) throws Exception {
        List<DeviceAddress> list = new ArrayList<>();
        for (String address : addresses) {
            list.add(new DeviceAddress(InetAddress.getByName(address), 16, Optional.empty()));
        }
        return new Takeover.Tap(
                new NetworkDevice("eth0", 2, MacAddress.parse("02:42:ac:11:00:02"), 1500, true, list, List.of()), name);
    }

    @Test
    void aDeviceIsTakenAsTheVector() throws Exception {
        assertThat(new NetworkRequest.Take(tap("tap0", "fd00::2", "172.17.0.2"), 5901).toBytes())
                .isEqualTo(vector("take"));
    }

    @Test
    void aTapIsRemovedAsTheVector() throws Exception {
        assertThat(new NetworkRequest.Remove("tap4").toBytes()).isEqualTo(vector("remove"));
    }

    @Test
    void aDeviceIsGivenBackAsTheVector() throws Exception {
        assertThat(new NetworkRequest.Release(new Takeover.Left("tap0", "eth0")).toBytes())
                .isEqualTo(vector("release"));
    }

    @Test
    void otherAddressesAreToldAsTheVector() throws Exception {
        assertThat(new NetworkRequest.Identify(tap("tap0", "172.17.0.9")).toBytes())
                .isEqualTo(vector("guard"));
    }

    @Test
    void moreAddressesThanTheProgramTakesAreLeftOut() throws Exception {
        String[] addresses = new String[70];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = "10.0.0." + i;
        }
        byte[] bytes = new NetworkRequest.Identify(tap("tap0", addresses)).toBytes();
        assertThat(bytes).hasSize(2 + 1 + 16 + 6 + 2 + 64 * 4);
    }

    @Test
    void aNameThatNoKernelTakesIsRefused() {
        assertThatThrownBy(() -> new NetworkRequest.Remove("a/b").toBytes())
                .isInstanceOf(IllegalArgumentException.class);
    }
}
