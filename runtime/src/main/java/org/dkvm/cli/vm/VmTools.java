// SPDX-License-Identifier: Apache-2.0
package org.dkvm.cli.vm;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.PlainName;
import org.dkvm.json.Json;
import org.dkvm.linux.Program;
import org.dkvm.update.CurrentSize;
import org.dkvm.vm.StartTimeline;
import org.dkvm.vm.VmFiles;
import org.dkvm.vm.VmList;
import org.dkvm.vm.VmPlace;

/** What the commands about VMs have in common: which there are, and what they wrote down. */
public final class VmTools {
    /** The commands. */
    public static final List<Class<?>> COMMANDS = List.of(PsCommand.class, LogsCommand.class, TimelineCommand.class);

    /** Of a log that is too long for one look. */
    private static final int FIRST_BYTES = 128 * 1024;

    private static final int LAST_BYTES = 256 * 1024;
    private static final int MARK_BYTES = 100;

    private final PackageLayout layout;

    VmTools(PackageLayout layout) {
        this.layout = layout;
    }

    static VmList list() throws DkvmException {
        return VmList.read(VmPlace.DIRECTORY, VmList.KEPT);
    }

    /** The VMs of a container, the newest first. */
    static List<VmList.Entry> find(String container) throws DkvmException {
        if (!PlainName.isValid(container)) {
            throw new DkvmException(
                    "\"" + container + "\" is no container's id or name", "\"dkvm ps --all\" lists them");
        }
        return list().find(container, EngineNames.idOf(container));
    }

    /** Likewise; for a further container of a pod the pod's VM, which it is in. */
    static List<VmList.Entry> findVms(String container) throws DkvmException {
        List<VmList.Entry> found = find(container);
        Optional<VmPlace.Member> member = member(found.getFirst());
        if (member.isEmpty()) {
            return found;
        }
        String pod = member.get().pod().value();
        return list().find(pod, pod);
    }

    /** Which further container of which pod it is; empty for a VM. */
    static Optional<VmPlace.Member> member(VmList.Entry entry) throws DkvmException {
        return entry.kept().isPresent()
                ? Optional.empty()
                : VmPlace.member(VmPlace.DIRECTORY, entry.vm().id());
    }

    /** What a VM wrote down: of one that is there read by dkvm-keep, as its sandbox can make anything of its files. */
    VmFiles files(VmList.Entry entry) {
        return entry.kept().isPresent()
                ? VmFiles.kept(entry.kept().get())
                : files(entry.vm().id());
    }

    private VmFiles files(ContainerId vm) {
        String keep = layout.program("dkvm-keep").toString();
        return name -> {
            try {
                return Program.output(
                        List.of(
                                keep,
                                "print",
                                vm.value(),
                                name,
                                Integer.toString(FIRST_BYTES),
                                Integer.toString(LAST_BYTES)),
                        FIRST_BYTES + LAST_BYTES + MARK_BYTES);
            } catch (IOException e) {
                throw new DkvmException("can not run \"" + keep + "\": " + e.getMessage(), "install DKVM again", e);
            }
        };
    }

    /** Where the time of a start went, as far as it has come: a VM's, or that of a further container of a pod. */
    StartTimeline timeline(VmList.Entry entry) throws DkvmException {
        Optional<VmPlace.Member> member = member(entry);
        if (member.isPresent()) {
            return StartTimeline.ofMember(
                    entry.vm(),
                    member.get().number(),
                    written(files(member.get().pod()), VmFiles.MEMBERS));
        }
        return StartTimeline.of(entry.vm(), written(files(entry), VmFiles.TIMELINE));
    }

    private static JsonObject written(VmFiles files, String name) throws DkvmException {
        String text = files.text(name);
        return text.isEmpty() ? new JsonObject() : Json.parseObject(text, name);
    }

    /** What a VM has now: what an update gave it, or what it was started with. */
    static CurrentSize size(VmList.Entry entry) throws DkvmException {
        Optional<CurrentSize> updated =
                entry.isThere() ? CurrentSize.of(entry.vm().state()) : Optional.empty();
        return updated.isPresent()
                ? updated.get()
                : new CurrentSize(
                        entry.vm().machine().memory(), entry.vm().machine().cpus());
    }

    /** A VM in a line, without its state; or a further container of a pod. */
    static String title(VmList.Entry entry) throws DkvmException {
        String id = entry.vm().id().value();
        String name = entry.vm().name();
        Optional<VmPlace.Member> member = member(entry);
        return "container " + shortened(id) + (name.isEmpty() ? "" : " \"" + name + "\"")
                + (member.isPresent()
                        ? " in the VM of pod " + shortened(member.get().pod().value())
                        : ", kernel " + entry.vm().machine().kernel() + ", " + PsCommand.accelerator(entry) + ", "
                                + entry.vm().machine().memory() + ", CPUs: "
                                + entry.vm().machine().cpus())
                + ", created " + entry.vm().created().at();
    }

    /** As engines show ids. */
    static String shortened(String id) {
        return id.length() > 12 ? id.substring(0, 12) : id;
    }
}
