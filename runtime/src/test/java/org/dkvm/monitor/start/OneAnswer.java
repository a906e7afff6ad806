// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.start;

import java.util.ArrayList;
import java.util.List;
import org.dkvm.monitor.TestProcess;
import org.dkvm.monitor.program.ProgramStart;
import org.dkvm.monitor.program.Programs;
import org.dkvm.monitor.program.RunningProgram;
import org.dkvm.network.NetworkRequest;

/** Every program says this and ends so. */
record OneAnswer(int exitCode, String words, List<ProgramStart> started) implements Programs {
    OneAnswer(int exitCode, String words) {
        this(exitCode, words, new ArrayList<>());
    }

    @Override
    public RunningProgram start(ProgramStart start) {
        started.add(start);
        TestProcess process = new TestProcess();
        process.end(exitCode, words);
        return process;
    }

    @Override
    public void watchNetwork() {
        throw new IllegalStateException("no network for files");
    }

    @Override
    public void change(NetworkRequest request) {
        throw new IllegalStateException("no network for files");
    }
}
