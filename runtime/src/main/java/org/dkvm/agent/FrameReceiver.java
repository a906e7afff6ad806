// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/** Takes the frames of a connection, in order. */
@FunctionalInterface
public interface FrameReceiver {
    /** Takes a frame, which is valid during the call only. */
    void receive(Frame frame) throws ProtocolException;
}
