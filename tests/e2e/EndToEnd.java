// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Marks a class of end-to-end cases: they need a Docker engine and the test images, and several run at the same time. */
@Tag("e2e")
@Execution(ExecutionMode.CONCURRENT)
@ExtendWith(EngineReady.class)
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface EndToEnd {}
