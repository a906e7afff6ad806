// SPDX-License-Identifier: Apache-2.0
package org.dkvm.network;

import java.nio.ByteBuffer;

/** Takes the answers to the guest's questions for names. */
@FunctionalInterface
public interface DnsAnswers {
    /** The answer to question {@code id}, valid during the call only; empty when there is none. */
    void answer(int id, ByteBuffer message);
}
