// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.util.List;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Before the first case: is there an engine, does it know both runtimes, are the images made? Says what to do when not. */
final class EngineReady implements BeforeAllCallback {
    private static final Object LOCK = new Object();
    private static boolean checked;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        synchronized (LOCK) {
            if (!checked) {
                check();
                checked = true;
            }
        }
    }

    private static void check() throws Exception {
        Outcome info = docker("info", "--format", "{{json .Runtimes}} {{.ServerVersion}}");
        if (info.exitCode() != 0 || info.text().startsWith("null")) {
            throw new AssertionError(
                    "no Docker engine answers; \"package/docker-engine.sh\" starts one, DOCKER_HOST names"
                            + " another, \"-DexcludedGroups=e2e\" leaves these tests out: " + info.errors());
        }
        for (String runtime : List.of(Settings.REFERENCE, Settings.SUBJECT)) {
            if (!info.text().contains("\"" + runtime + "\":")) {
                throw new AssertionError("the engine knows no runtime \"" + runtime + "\", only " + info.text()
                        + "; \"make install\" registers dkvm");
            }
        }
        for (String image : Settings.IMAGES) {
            if (docker("image", "inspect", image).exitCode() != 0) {
                throw new AssertionError("image \"" + image + "\" is missing; \"tests/images/build.sh\" makes it");
            }
        }
    }

    private static Outcome docker(String... arguments) throws Exception {
        return Running.complete(Engine.MACHINES.command(arguments), Bytes.of(""));
    }
}
