// SPDX-License-Identifier: Apache-2.0
package org.dkvm.monitor.program;

import java.io.IOException;
import java.nio.file.Path;
import org.dkvm.core.DkvmException;
import org.dkvm.network.NetworkRequest;

/** The sandbox's own programs: dkvm-init starts them, and dkvm-network has been started before. */
public final class SandboxPrograms implements Programs {
    private final Path starter;
    private final NetworkLink network;

    /**
     * By these sockets.
     *
     * @param starter dkvm-init's
     * @param network dkvm-network's
     */
    public SandboxPrograms(Path starter, Path network) {
        this.starter = starter;
        this.network = new NetworkLink(network);
    }

    @Override
    public RunningProgram start(ProgramStart start) throws IOException {
        return StartedProgram.start(starter, start);
    }

    @Override
    public void watchNetwork() throws DkvmException {
        network.open();
    }

    @Override
    public void change(NetworkRequest request) throws DkvmException {
        network.ask(request);
    }
}
