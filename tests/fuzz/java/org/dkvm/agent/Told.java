// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.fuzz.Bounded;

/** Writes down what the monitor would be told, and checks of each text that it is harmless and bounded. */
final class Told implements AgentEvents, AgentServices, MainSession {
    /** The longest text of a frame, each byte of it escaped. */
    private static final int MOST_CHARS = 1024 * 6;

    private final List<String> lines = new ArrayList<>();

    void add(String line) {
        lines.add(line);
    }

    List<String> lines() {
        return lines;
    }

    private void text(String what, String text) {
        boolean harmless = text.length() <= MOST_CHARS
                && text.chars()
                        .allMatch(c ->
                                c == '\t' || (!Character.isISOControl(c) && Character.getType(c) != Character.FORMAT));
        Bounded.check(harmless, "the text of a " + what + " is not fit for a log");
        add(what + " " + text);
    }

    @Override
    public void hello(Hello hello) {
        text("hello " + hello.bootNanos(), hello.release());
    }

    @Override
    public void ready(List<ReadyStep> steps) {
        add("ready " + steps);
    }

    @Override
    public void failed(int step, String text) {
        text("failed " + step, text);
    }

    @Override
    public void log(int level, String text) {
        text("log " + level, text);
    }

    @Override
    public void finished(Finished finished) {
        add("finished " + finished);
    }

    @Override
    public void dnsQuery(int id, boolean tcp, ByteBuffer message) {
        Bounded.check(message.remaining() >= 12, "a question of " + message.remaining() + " bytes");
        add("dns " + id + tcp + message.hashCode());
    }

    @Override
    public void resolver(byte[] address) {
        Bounded.check(address.length == 4 && address[0] == 127, "a resolver elsewhere");
        add("resolver");
    }

    @Override
    public void listening(ByteBuffer ports) {
        add("listening " + ports.hashCode());
    }

    @Override
    public void networkSet(int number, boolean done, String text) {
        text("network " + number + done, text);
    }

    @Override
    public void socketFrame(Frame frame) {
        add("socket " + frame.type() + frame.stream());
    }

    @Override
    public void lockFrame(Frame frame) {
        add("lock " + frame.type() + frame.length());
    }

    @Override
    public void fileFrame(Frame frame) {
        add("file " + frame.type() + frame.stream());
    }

    @Override
    public void limitsDone(int result) {
        add("limits " + result);
    }

    @Override
    public void usage(ByteBuffer report) {
        add("usage " + report.remaining());
    }

    @Override
    public void shedDone() {
        add("shed");
    }

    @Override
    public void clockAsked(long number) {
        add("clock " + number);
    }

    @Override
    public void attached(Client client) {
        add("attached");
    }

    @Override
    public void resumed() {
        add("resumed");
    }

    @Override
    public void signalled(int number) {
        Bounded.check(number >= 1 && number <= 64, "signal " + number);
        add("signalled " + number);
    }

    @Override
    public void opened() {
        add("opened");
    }

    @Override
    public void refused(int exitCode, byte[] payload) {
        add("refused " + exitCode);
    }

    @Override
    public void exited(int exitCode) {
        Bounded.check(exitCode >= 0 && exitCode <= 255, "exit code " + exitCode);
        add("exited " + exitCode);
    }

    @Override
    public void resized() {
        add("resized");
    }

    @Override
    public void networkChanged() {
        add("network changed");
    }

    @Override
    public void updated(Client client, VmLimits limits) {
        add("updated " + limits);
        Replies.updateDone(client);
    }

    @Override
    public void usageAsked(Client client) {
        add("usage asked");
        Replies.usage(client, new byte[] {1, 2, 3});
    }

    @Override
    public void memberAttached(Client client) {
        add("member " + client.container());
    }

    @Override
    public void memberOpened(int container) {
        add("member " + container + " opened");
    }

    @Override
    public void memberEnded(int container) {
        add("member " + container + " ended");
    }

    @Override
    public void memberUpdated(Client client) {
        add("member " + client.container() + " updated");
        Replies.updateDone(client);
    }

    @Override
    public void containerLimitsDone(int container, int result) {
        add("limits of " + container + " " + result);
    }

    @Override
    public void lost() {
        add("lost");
    }
}
