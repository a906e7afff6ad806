// SPDX-License-Identifier: Apache-2.0
/** The DKVM protocol on the monitor's side: frames, records, sessions and their credit. No sockets: see protocol/PROTOCOL.md. */
@NullMarked
package org.dkvm.agent;

import org.jspecify.annotations.NullMarked;
