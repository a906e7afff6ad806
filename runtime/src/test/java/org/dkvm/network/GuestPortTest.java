// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class GuestPortTest {
    @Test
    void aListIsTakenApart() {
        byte[] list = {6, 0, (byte) 0x90, 0x1f, 17, 1, 53, 0, 6, 0, (byte) 0x90, 0x1f};
        assertThat(GuestPort.list(ByteBuffer.wrap(list).order(ByteOrder.LITTLE_ENDIAN)))
                .containsExactly(new GuestPort(false, false, 8080), new GuestPort(true, true, 53));
    }

    @Test
    void everyAddressIsEveryAddress() {
        GuestPort port = new GuestPort(false, false, 80);
        assertThat(port.forward()).isEqualTo("tcp:0.0.0.0:80-192.0.0.4:80");
        assertThat(port.outside()).isEqualTo("tcp:0.0.0.0:80");
        assertThat(port).hasToString("80/tcp");
    }

    @Test
    void theLoopbackIsTheLoopback() {
        GuestPort port = new GuestPort(true, true, 53);
        assertThat(port.forward()).isEqualTo("udp:127.0.0.1:53-127.0.0.1:53");
        assertThat(port).hasToString("53/udp");
    }
}
