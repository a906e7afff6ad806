// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

/**
 * The agent's first words.
 *
 * @param bootNanos how long the guest's kernel has been running, in ns
 * @param release the guest's kernel release, made fit for a log
 */
public record Hello(long bootNanos, String release) {}
