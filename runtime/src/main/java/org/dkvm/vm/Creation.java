// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import java.time.Instant;

/**
 * When a VM's container was created.
 *
 * @param beginNanos when create's process was started, as System.nanoTime tells the time in all processes of the host
 * @param at when create was done with it
 * @param endNanos the same as System.nanoTime tells it
 */
public record Creation(long beginNanos, Instant at, long endNanos) {}
