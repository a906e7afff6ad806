// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

/** What comes of a volume or directory that another VM which runs may write to as well: see docs/comparison.md. */
public enum SharedVolumes {
    /** It is told. */
    WARN,
    /** The container is refused. */
    REFUSE,
    /** Nothing. */
    ALLOW
}
