// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.util.ArrayList;
import java.util.List;

/** Writes down what a router tells of the main session. */
final class NoMain implements MainSession {
    final List<String> told = new ArrayList<>();

    @Override
    public void attached(Client client) {
        told.add("attached");
    }

    @Override
    public void resumed() {
        told.add("resumed");
    }

    @Override
    public void signalled(int number) {
        told.add("signalled " + number);
    }

    @Override
    public void opened() {
        told.add("opened");
    }

    @Override
    public void refused(int exitCode, byte[] payload) {
        told.add("refused " + exitCode);
    }

    @Override
    public void exited(int exitCode) {
        told.add("exited " + exitCode);
    }

    @Override
    public void resized() {
        told.add("resized");
    }

    @Override
    public void networkChanged() {
        told.add("network changed");
    }

    @Override
    public void updated(Client client, VmLimits limits) {
        told.add("updated " + limits);
        Replies.updateDone(client);
    }

    @Override
    public void usageAsked(Client client) {
        told.add("usage asked");
        Replies.usage(client, new byte[] {1, 2, 3});
    }

    @Override
    public void memberAttached(Client client) {
        told.add("member " + client.container());
    }

    @Override
    public void memberOpened(int container) {
        told.add("member " + container + " opened");
    }

    @Override
    public void memberEnded(int container) {
        told.add("member " + container + " ended");
    }

    @Override
    public void memberUpdated(Client client) {
        told.add("member " + client.container() + " updated");
        Replies.updateDone(client);
    }

    @Override
    public void lost() {
        told.add("lost");
    }
}
