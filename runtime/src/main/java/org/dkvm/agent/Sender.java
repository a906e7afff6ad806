// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/** Who is at the sending end of a connection. */
public enum Sender {
    /** The agent in the guest: hostile until proven otherwise, and it never is. */
    AGENT,
    /** A client in the sandbox: dkvm-init or dkvm-exec. */
    CLIENT,
    /** The monitor itself, as its peers see it. */
    MONITOR
}
