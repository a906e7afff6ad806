// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;

/** The programs that a VM consists of, QEMU and virtiofsd: none is left behind. */
public final class Children {
    private final List<Child> children = new ArrayList<>();

    /** One more that is not to be left behind. */
    public void add(Child child) {
        children.add(child);
    }

    /** One that has ended, and whose end is not the VM's. */
    public void forget(Child child) {
        children.remove(child);
    }

    /** Whether it is one of those that count. */
    public boolean has(Child child) {
        return children.contains(child);
    }

    /** Whether one of them ended by an assertion of its own. */
    public boolean anyAborted() {
        for (Child child : children) {
            if (child.hasAborted()) {
                return true;
            }
        }
        return false;
    }

    /** Whether QEMU ended by its own decision: virtiofsd follows it. */
    public boolean qemuGaveUp() {
        for (Child child : children) {
            if (child.name().equals(Child.QEMU) && child.hasGivenUp()) {
                return true;
            }
        }
        return false;
    }

    /** Whether one that failed said that. */
    public boolean anySaid(String words) {
        for (Child child : children) {
            if (child.hasFailed() && child.said(words)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the last one has ended. */
    public boolean allEnded() {
        boolean all = true;
        for (Child child : children) {
            all &= child.hasEnded();
        }
        return all;
    }

    /** Ends them. */
    public void kill() {
        for (Child child : children) {
            child.kill();
        }
    }

    /** Ends them and forgets them: others take their places. */
    public void replace() throws DkvmException {
        try {
            for (Child child : children) {
                child.killAndWait();
            }
        } catch (InterruptedException e) {
            throw new DkvmException("interrupted", "", e);
        }
        children.clear();
    }

    /** How the VM was lost: by the one that failed, not by one that followed it. */
    public String obituary() {
        Child culprit = null;
        for (Child child : children) {
            if (child.hasEnded() && (culprit == null || !culprit.hasFailed())) {
                culprit = child;
            }
        }
        return culprit == null ? "the VM is gone" : culprit.obituary();
    }
}
