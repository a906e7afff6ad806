// SPDX-License-Identifier: Apache-2.0
package org.dkvm.agent;

import org.dkvm.core.container.CapabilitySets;
import org.dkvm.core.container.ResourceLimit;
import org.dkvm.core.container.WorkloadProcess;
import org.dkvm.core.machine.TerminalDevice;

/** A process as the records of OPEN (protocol/PROTOCOL.md, "Process records"). */
public final class ProcessRecords {
    /** All of a session's OPEN payloads together, in bytes. */
    public static final int MAX_BYTES = 4 * 1024 * 1024;

    private static final int ARG = 1;
    private static final int ENV = 2;
    private static final int CWD = 3;
    private static final int USER = 4;
    private static final int GROUPS = 5;
    private static final int TERMINAL = 6;
    private static final int STDIN = 7;
    private static final int CAPABILITIES = 8;
    private static final int NO_NEW_PRIVILEGES = 9;
    private static final int RLIMIT = 10;
    private static final int OOM_SCORE_ADJ = 11;
    private static final int INIT = 12;
    private static final int SET_HOME = 13;
    private static final int UMASK = 14;
    private static final int IGNORED_SIGNALS = 15;
    private static final int TERMINAL_DEVICE = 16;
    private static final int CONTAINER = 17;
    private static final TerminalSize UNKNOWN = new TerminalSize(0, 0);

    private ProcessRecords() {}

    /**
     * The workload's records.
     *
     * @param init whether it runs under an init
     * @param device its terminal, where that is one of the guest's devices
     * @param client whose container it is the first process of, and what it inherits from: whether somebody can write to its stdin (else it reads /dev/null), the size of its
     *     terminal, where it has one, and the signals that are ignored
     */
    public static byte[] encode(WorkloadProcess process, boolean init, TerminalDevice device, Client client) {
        RecordWriter to = new RecordWriter();
        for (String arg : process.command().args()) {
            to.begin(ARG).text(arg).end();
        }
        for (String env : process.command().env()) {
            to.begin(ENV).text(env).end();
        }
        to.begin(CWD).text(process.command().cwd()).end();
        to.begin(USER).u32(process.user().uid()).u32(process.user().gid()).end();
        if (!process.user().groups().isEmpty()) {
            to.begin(GROUPS);
            for (Long group : process.user().groups()) {
                to.u32(group);
            }
            to.end();
        }
        if (process.terminal()) {
            TerminalSize size = device.direct() ? UNKNOWN : client.size();
            to.begin(TERMINAL).u16(size.rows()).u16(size.columns()).end();
            if (device.isPresent()) {
                to.begin(TERMINAL_DEVICE)
                        .u8(device.direct() ? 1 : 0)
                        .text(device.name())
                        .end();
            }
        }
        to.begin(STDIN).u8(client.stdinOpen() ? 1 : 0).end();
        CapabilitySets sets = process.rights().capabilities();
        to.begin(CAPABILITIES).u64(sets.bounding()).u64(sets.effective()).u64(sets.permitted());
        to.u64(sets.inheritable()).u64(sets.ambient()).end();
        flag(to, NO_NEW_PRIVILEGES, process.rights().noNewPrivileges());
        for (ResourceLimit limit : process.rights().limits()) {
            to.begin(RLIMIT)
                    .u32(limit.resource())
                    .u64(limit.soft())
                    .u64(limit.hard())
                    .end();
        }
        to.begin(OOM_SCORE_ADJ).u32(process.rights().oomScoreAdj()).end();
        flag(to, INIT, init);
        flag(to, SET_HOME, process.command().setHome());
        to.begin(UMASK).u32(process.user().umask()).end();
        if (client.ignoredSignals() != 0) {
            to.begin(IGNORED_SIGNALS).u64(client.ignoredSignals()).end();
        }
        if (client.container() != Client.FIRST_CONTAINER) {
            to.begin(CONTAINER).u32(client.container()).u8(1).end();
        }
        return to.toBytes();
    }

    private static void flag(RecordWriter to, int tag, boolean set) {
        if (set) {
            to.begin(tag).u8(1).end();
        }
    }
}
