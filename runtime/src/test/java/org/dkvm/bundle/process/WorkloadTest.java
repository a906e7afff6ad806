// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.Collections;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.container.WorkloadProcess;
import org.junit.jupiter.api.Test;

class WorkloadTest {
    private static final int KIB = 1024;

    private static WorkloadProcess workload(String process, List<String> args) throws DkvmException {
        JsonObject parsed = JsonParser.parseString(process).getAsJsonObject();
        return Workload.of(parsed, args, EngineDefaults.of(new JsonObject()), List.of());
    }

    @Test
    void aGroupThatIsGivenTwiceIsThereOnce() throws DkvmException {
        String process = "{\"user\": {\"uid\": 0, \"gid\": 0, \"additionalGids\": [0, 2003, 0, 2001, 2003]}}";
        assertThat(workload(process, List.of("id")).user().groups()).containsExactly(0L, 2003L, 2001L);
    }

    @Test
    void argumentsAreCountedInTheBytesThatTheyHave() throws DkvmException {
        List<String> most = Collections.nCopies(4031, "x".repeat(KIB - 64));
        assertThat(workload("{}", most).command().args()).hasSize(4031);
        List<String> more = Collections.nCopies(4033, "x".repeat(KIB - 64));
        assertThatThrownBy(() -> workload("{}", more))
                .isInstanceOf(DkvmException.class)
                .hasMessageStartingWith("arguments and environment have more than 4128768 bytes");
        List<String> wide = Collections.nCopies(1345, "日".repeat(KIB - 21));
        assertThatThrownBy(() -> workload("{}", wide)).isInstanceOf(DkvmException.class);
    }
}
