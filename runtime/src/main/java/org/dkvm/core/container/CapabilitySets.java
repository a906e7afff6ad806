// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.container;

/** The five capability sets of a process as bit masks; bit n is capability n of capabilities(7). */
public record CapabilitySets(long bounding, long effective, long permitted, long inheritable, long ambient) {}
