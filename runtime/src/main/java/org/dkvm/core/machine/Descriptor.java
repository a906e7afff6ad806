// SPDX-License-Identifier: Apache-2.0
package org.dkvm.core.machine;

import java.nio.file.Path;

/** Something that a program has open when it starts, by its number: who starts the program opens it. */
public sealed interface Descriptor {
    /** Its number in the program. */
    int number();

    /** A connection to a listening socket. */
    record Connection(int number, Path socket) implements Descriptor {}

    /** A file to read from. */
    record Reading(int number, Path file) implements Descriptor {}

    /** A file to write to. */
    record Writing(int number, Path file) implements Descriptor {}

    /** A disk's backing file, locked: a path below a root that no link leads out of. */
    record DiskFile(int number, String root, String path) implements Descriptor {}

    /** The copy of the template's memory, which dkvm-init has made. */
    record TemplateMemory(int number) implements Descriptor {}

    /** The template's state of devices, to read from. */
    record TemplateState(int number) implements Descriptor {}
}
