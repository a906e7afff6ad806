// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.link;

import com.google.gson.JsonElement;

/** What waits for a command that QEMU was given; exactly one of the two is called, in the loop's thread. */
public interface QemuAnswer {
    /** It is done, and returned this. */
    void done(JsonElement returned);

    /** It is not done: QEMU's reason, or that QEMU has gone. */
    void failed(String reason);
}
