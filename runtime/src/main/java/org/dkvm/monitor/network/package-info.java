// SPDX-License-Identifier: Apache-2.0
/** The network while a VM runs: cards that come and go, ports that are opened. */
@NullMarked
package org.dkvm.monitor.network;

import org.jspecify.annotations.NullMarked;
