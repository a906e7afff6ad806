// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.loop;

import java.io.IOException;
import java.nio.channels.Channel;

/** Small things that every connection needs. */
public final class Sockets {
    private Sockets() {}

    /** Closes a channel of which nothing more is wanted; a failure can not matter to anybody then. */
    public static boolean close(Channel channel) {
        try {
            channel.close();
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
