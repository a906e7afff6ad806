// SPDX-License-Identifier: Apache-2.0
package org.dkvm.machine;

/** How a machine comes to life. */
public enum Birth {
    /** It boots. */
    BOOT,
    /** It boots as {@link #RESTORE}'s twin, and is saved before anybody speaks to it: see {@link TemplateMachine}. */
    TEMPLATE,
    /** It goes on from where its template was saved. */
    RESTORE;

    /** Whether it is made so that it can be saved and restored. */
    boolean isSaved() {
        return this != BOOT;
    }
}
