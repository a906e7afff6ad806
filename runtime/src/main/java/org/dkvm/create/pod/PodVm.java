// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create.pod;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.dkvm.bundle.host.ContainerState;
import org.dkvm.bundle.plan.MemberPlan;
import org.dkvm.bundle.sandbox.SandboxSpec;
import org.dkvm.bundle.spec.Pod;
import org.dkvm.bundle.spec.PodNamespaces;
import org.dkvm.core.ContainerId;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.vm.VmPlace;
import org.dkvm.vm.VmRecord;

/**
 * The VM of a pod, which its pause container is, as its other containers find it.
 *
 * @param vm its record
 * @param directory the pod's own, in the VM's
 * @param process the pid of the pause container's first process
 */
public record PodVm(VmRecord vm, Path directory, long process) {
    private static final String ADVICE = "delete the pod, and make it again";

    /** More containers than any pod starts in its life. */
    private static final int MOST = 1_000_000;

    /**
     * The VM of the pod that a container says it is of; empty where that pod's pause container is none, as it was made by another runtime, and where an image says so and nothing joins that VM.
     *
     * @param spec the container's, as the engine wrote it
     */
    public static Optional<PodVm> of(Path vms, Pod pod, JsonObject spec) throws DkvmException {
        if (!ContainerId.isValid(pod.id())) {
            return Optional.empty();
        }
        ContainerId id = new ContainerId(pod.id());
        Path directory = VmPlace.pod(vms, id);
        if (!Files.isDirectory(directory)) {
            return Optional.empty();
        }
        VmRecord vm = VmPlace.record(vms, id);
        Optional<Long> process = ContainerState.firstProcess(vm.state());
        if (pod.podmans()) {
            if (process.isEmpty() || !PodNamespaces.isAnyJoined(spec, process.get())) {
                return Optional.empty();
            }
            PodNamespaces.check(spec, process.get(), PodNamespaces.hasHosts(spec, "network") && hasHostsNetwork(vm));
            return Optional.of(new PodVm(vm, directory, process.get()));
        }
        if (process.isEmpty()) {
            throw new DkvmException("the VM of pod \"" + id + "\" has gone", ADVICE);
        }
        if (!PodNamespaces.isJoined(spec, process.get())) {
            throw new DkvmException(
                    "the container says that it is of pod \"" + id + "\", and does not join that pod's IPC namespace",
                    "take the annotations of Kubernetes out of the image");
        }
        return Optional.of(new PodVm(vm, directory, process.get()));
    }

    private static boolean hasHostsNetwork(VmRecord vm) throws DkvmException {
        Optional<ContainerState> state = ContainerState.of(vm.state());
        Path spec = state.map(known -> known.bundle().resolve(SandboxSpec.ORIGINAL_FILE))
                .orElse(Path.of(""));
        return Files.isRegularFile(spec) && PodNamespaces.hasHosts(Json.readObject(spec), "network");
    }

    /** The launcher of the version that the VM was started with, where that is another one. */
    public Optional<Path> otherLauncher(PackageLayout own) throws DkvmException {
        Optional<ContainerState> state = ContainerState.of(vm.state());
        Optional<Path> launcher = state.flatMap(known -> known.otherLauncher(own));
        if (launcher.isEmpty() && state.isPresent() && !state.get().isOf(own)) {
            throw new DkvmException(
                    "pod \"" + vm.id() + "\" was made by a version of DKVM that is not installed any more", ADVICE);
        }
        return launcher;
    }

    /**
     * A number that no container of this VM has had: larger than any that is written down, of which only the largest are kept. Who was overtaken may have written down one that had been used, and
     * takes another.
     */
    public int takeNumber() throws DkvmException {
        Path numbers = directory.resolve("numbers");
        try {
            int number = Math.max(MemberPlan.FIRST, largest(numbers) + 1);
            while (number < MOST) {
                if (isNew(numbers.resolve(String.valueOf(number)))) {
                    int largest = largest(numbers);
                    if (largest == number) {
                        forgetBefore(numbers, number);
                        return number;
                    }
                    number = largest;
                }
                number++;
            }
        } catch (IOException e) {
            throw new DkvmException("can not write \"" + numbers + "\": " + e, ADVICE, e);
        }
        throw new DkvmException("pod \"" + vm.id() + "\" has had " + MOST + " containers", ADVICE);
    }

    private static boolean isNew(Path directory) throws IOException {
        try {
            Files.createDirectory(directory);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    private static int largest(Path numbers) throws IOException {
        int largest = 0;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(numbers)) {
            for (Path entry : entries) {
                largest = Math.max(largest, number(entry));
            }
        }
        return largest;
    }

    private static void forgetBefore(Path numbers, int number) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(numbers)) {
            for (Path entry : entries) {
                if (number(entry) < number) {
                    Files.deleteIfExists(entry);
                }
            }
        }
    }

    /** Only digits are ever written there. */
    private static int number(Path entry) throws IOException {
        try {
            return Integer.parseInt(String.valueOf(entry.getFileName()));
        } catch (NumberFormatException e) {
            throw new IOException("\"" + entry + "\" is no number", e);
        }
    }

    /**
     * Writes the plan where the VM's monitor finds it when the container is started, and beside it whose the number is: a pod of Podman's that starts again has a VM that counts anew, and what is left
     * of a container of the last one is to be taken away without a look at that number's (native/host/keep/podshare.c).
     */
    public void write(MemberPlan plan) throws DkvmException {
        Path file = VmPlace.plan(directory, plan.number());
        Path owner = file.resolveSibling(plan.number() + ".of");
        try {
            Files.deleteIfExists(owner);
            Files.createSymbolicLink(owner, Path.of(plan.container().id()));
        } catch (IOException e) {
            throw new DkvmException("can not write \"" + owner + "\": " + e, ADVICE, e);
        }
        AtomicFile.replacePrivate(file, Json.write(plan.toJson()));
    }
}
