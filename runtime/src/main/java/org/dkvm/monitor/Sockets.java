// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor;

import java.io.IOException;
import java.nio.channels.Channel;

/** Small things that every connection needs. */
final class Sockets {
    private Sockets() {}

    /** Closes a channel of which nothing more is wanted; a failure can not matter to anybody then. */
    static boolean close(Channel channel) {
        try {
            channel.close();
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
