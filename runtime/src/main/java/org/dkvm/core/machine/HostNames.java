// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

/**
 * What a machine is called. See sethostname(2), setdomainname(2).
 *
 * @param host the host name; empty: the kernel's default
 * @param domain the NIS domain name; empty for none
 */
public record HostNames(String host, String domain) {}
