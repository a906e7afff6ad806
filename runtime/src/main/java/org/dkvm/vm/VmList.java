// SPDX-License-Identifier: Apache-2.0
package org.dkvm.vm;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.DkvmException;
import org.dkvm.linux.StatePlaces;

/**
 * The VMs that are there, and those that are gone and of which something was kept.
 *
 * @param entries those that are there first, the newest first
 * @param unreadable what is wrong with the records of others
 */
public record VmList(List<Entry> entries, List<String> unreadable) {
    /** Where dkvm-keep keeps logs. */
    public static final Path KEPT = StatePlaces.logs();

    /**
     * A VM.
     *
     * @param vm the host's word on it
     * @param kept what was kept of it; empty for one that is there
     */
    public record Entry(VmRecord vm, Optional<Path> kept) {
        /** Whether the runtime has the container. */
        public boolean isThere() {
            return kept.isEmpty() && Files.exists(vm.state());
        }
    }

    public VmList {
        entries = List.copyOf(entries);
        unreadable = List.copyOf(unreadable);
    }

    /** Looks at the VMs that have a directory; in no order. */
    public static VmList present(Path vms) throws DkvmException {
        List<String> unreadable = new ArrayList<>();
        return new VmList(entries(vms, false, unreadable), unreadable);
    }

    /** The VMs whose containers the runtime has. */
    public List<VmRecord> there() {
        return entries.stream().filter(Entry::isThere).map(Entry::vm).toList();
    }

    /** Looks at the host's directories. */
    public static VmList read(Path vms, Path kept) throws DkvmException {
        List<String> unreadable = new ArrayList<>();
        List<Entry> entries = entries(vms, false, unreadable);
        List<Entry> gone = entries(kept, true, unreadable);
        entries.sort(
                Comparator.comparing((Entry entry) -> entry.vm.created().at()).reversed());
        gone.sort(Comparator.comparing((Entry entry) -> String.valueOf(entry.kept.orElseThrow()))
                .reversed());
        entries.addAll(gone);
        return new VmList(entries, unreadable);
    }

    private static List<Entry> entries(Path place, boolean gone, List<String> unreadable) throws DkvmException {
        List<Entry> entries = new ArrayList<>();
        for (Path directory : directories(place)) {
            Path record = directory.resolve(VmRecord.FILE);
            try {
                entries.add(new Entry(VmRecord.read(record), gone ? Optional.of(directory) : Optional.empty()));
            } catch (DkvmException e) {
                // Without a record it is just being made or taken away. Of one whose record is damaged the others do
                // not suffer.
                if (Files.exists(record)) {
                    unreadable.add(e.text());
                }
            }
        }
        return entries;
    }

    private static List<Path> directories(Path place) throws DkvmException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(place, Files::isDirectory)) {
            entries.forEach(found::add);
        } catch (NoSuchFileException e) {
            return found;
        } catch (IOException e) {
            throw new DkvmException("can not read \"" + place + "\": " + e, "run it as root", e);
        }
        return found;
    }

    /**
     * The VMs of a container, the newest first.
     *
     * @param word its id, what an id begins with, or a name
     * @param engineId what an engine says is the id of the container of that name; empty where it does not know
     */
    public List<Entry> find(String word, String engineId) throws DkvmException {
        List<Entry> found = byId(engineId.isEmpty() ? word : engineId);
        if (found.isEmpty() && engineId.isEmpty()) {
            found = byName(word);
        }
        if (found.isEmpty() && engineId.isEmpty()) {
            found = byPrefix(word);
        }
        if (found.isEmpty()) {
            throw new DkvmException(
                    "there is no VM \"" + word + "\", and no log of one",
                    "\"dkvm ps --all\" lists them; a container has one after its first start");
        }
        return found;
    }

    private List<Entry> byId(String id) {
        return entries.stream()
                .filter(entry -> entry.vm.id().value().equals(id))
                .toList();
    }

    /** Of several that had the name, one after the other, the last. */
    private List<Entry> byName(String name) {
        return entries.stream()
                .filter(entry -> entry.vm.name().equals(name))
                .findFirst()
                .map(entry -> byId(entry.vm.id().value()))
                .orElse(List.of());
    }

    private List<Entry> byPrefix(String prefix) throws DkvmException {
        List<String> ids = entries.stream()
                .map(entry -> entry.vm.id().value())
                .filter(id -> id.startsWith(prefix))
                .distinct()
                .toList();
        if (ids.size() > 1) {
            throw new DkvmException("several VMs have ids that begin with \"" + prefix + "\"", "give more of it");
        }
        return ids.isEmpty() ? List.of() : byId(ids.getFirst());
    }
}
