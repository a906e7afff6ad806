// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.io.Closeable;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;

/**
 * The engines of a class of cases: each is started by the first case that wants it, and all end together.
 *
 * @param <K> which there are
 */
final class SharedEngines<K extends Enum<K>> implements Closeable {
    /** Starts one. */
    @FunctionalInterface
    interface Starter<K> {
        Engine start(K which) throws Exception;
    }

    private final Map<K, Engine> engines;
    private final Starter<K> starter;

    SharedEngines(Class<K> kinds, Starter<K> starter) {
        engines = new EnumMap<>(kinds);
        this.starter = starter;
    }

    synchronized Engine get(K which) throws Exception {
        Engine engine = engines.get(which);
        if (engine == null) {
            engine = starter.start(which);
            engines.put(which, engine);
        }
        return engine;
    }

    @Override
    public synchronized void close() throws IOException {
        for (Engine engine : engines.values()) {
            engine.close();
        }
        engines.clear();
    }
}
