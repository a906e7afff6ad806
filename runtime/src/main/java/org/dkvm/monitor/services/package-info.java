// SPDX-License-Identifier: Apache-2.0
/** What a running guest is served, and what is changed in it: DNS, sockets of the host, memory. */
@NullMarked
package org.dkvm.monitor.services;

import org.jspecify.annotations.NullMarked;
