// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
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

    private static final Takeover.Tap TAP = new Takeover.Tap(
            new NetworkDevice("eth0", 2, MacAddress.parse("02:42:ac:11:00:02"), 1500, true, List.of(), List.of()),
            "tap0");

    @Test
    void aDeviceIsTakenAsTheVector() throws Exception {
        assertThat(new NetworkRequest.Take(TAP, 5901).toBytes(0x0201)).isEqualTo(vector("take"));
    }

    @Test
    void aTapIsRemovedAsTheVector() throws Exception {
        assertThat(new NetworkRequest.Remove("tap4").toBytes(2)).isEqualTo(vector("remove"));
    }

    @Test
    void aDeviceIsGivenBackAsTheVector() throws Exception {
        assertThat(new NetworkRequest.Release(new Takeover.Left("tap0", "eth0")).toBytes(3))
                .isEqualTo(vector("release"));
    }

    @Test
    void otherAddressesAreToldAsTheVector() throws Exception {
        assertThat(new NetworkRequest.Identify("tap0").toBytes(4)).isEqualTo(vector("guard"));
    }

    @Test
    void aDeviceThatWasTakenIsGivenBack() {
        assertThat(new NetworkRequest.Take(TAP, 0).undone())
                .contains(new NetworkRequest.Release(new Takeover.Left("tap0", "eth0")));
        assertThat(new NetworkRequest.Remove("tap0").undone()).isEmpty();
    }

    @Test
    void aNameThatNoKernelTakesIsRefused() {
        assertThatThrownBy(() -> new NetworkRequest.Remove("a/b").toBytes(1))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
