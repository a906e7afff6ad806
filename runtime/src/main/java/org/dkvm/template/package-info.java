// SPDX-License-Identifier: Apache-2.0
/** Templates: saved states of VMs that wait for their first order, kept on the host. No VM is made or started here. */
@NullMarked
package org.dkvm.template;

import org.jspecify.annotations.NullMarked;
