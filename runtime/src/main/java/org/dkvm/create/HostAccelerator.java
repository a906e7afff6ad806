// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.dkvm.bundle.options.Acceleration;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.json.Json;
import org.dkvm.kernel.KernelStore;
import org.dkvm.linux.AtomicFile;

/**
 * Decides by whether KVM works here. That /dev/kvm opens is not enough: some hosts' KVM, nested ones, open and then run no stock guest. So DKVM's kernel is booted once per
 * boot of the host, and the verdict kept.
 */
public final class HostAccelerator implements AcceleratorChoice {
    private static final Path DEVICE = Path.of("/dev/kvm");
    private static final String PROBE_KERNEL = "dkvm";
    private static final Duration PROBE_LIMIT = Duration.ofSeconds(2);

    private final PackageLayout layout;
    private final Path state;
    private final Path device;
    private final Consumer<String> warnings;

    /**
     * @param warnings told, once per boot of the host, that KVM does not work
     */
    public HostAccelerator(PackageLayout layout, Consumer<String> warnings) {
        this(layout, HostState.DIRECTORY, DEVICE, warnings);
    }

    HostAccelerator(PackageLayout layout, Path state, Path device, Consumer<String> warnings) {
        this.layout = layout;
        this.state = state;
        this.device = device;
        this.warnings = warnings;
    }

    @Override
    public Accelerator choose(Acceleration wish) throws DkvmException {
        return switch (wish) {
            case TCG -> Accelerator.TCG;
            case KVM -> {
                KvmVerdict verdict = verdict();
                if (!verdict.works()) {
                    throw new DkvmException(
                            "KVM does not work on this host (" + verdict.reason() + ")",
                            "\"DKVM_ACCEL=tcg\" runs the VM without it; \"dkvm check\" tells more");
                }
                yield Accelerator.KVM;
            }
            case AUTO -> verdict().works() ? Accelerator.KVM : Accelerator.TCG;
        };
    }

    /** Whether KVM works, found out now when it is not known for this boot of the host. */
    KvmVerdict verdict() throws DkvmException {
        Optional<String> closed = whyClosed();
        if (closed.isPresent()) {
            return verdictOfNow(closed.get());
        }
        Optional<KvmVerdict> stored = stored();
        return stored.isPresent() ? stored.get() : probeOnce();
    }

    /** Finds out anew, whatever is stored. */
    public KvmVerdict probe() throws DkvmException {
        Optional<String> closed = whyClosed();
        if (closed.isPresent()) {
            return verdictOfNow(closed.get());
        }
        KernelStore.Found kernel = new KernelStore(layout.kernels()).find(PROBE_KERNEL);
        KvmVerdict verdict = verdictOfNow(
                BootProbe.run(ProbeCommand.of(layout, kernel), PROBE_LIMIT).orElse(""));
        try {
            Files.createDirectories(state);
        } catch (IOException e) {
            throw cannotKeep(e);
        }
        AtomicFile.replacePrivate(file(), Json.write(verdict.toJson()));
        return verdict;
    }

    private KvmVerdict probeOnce() throws DkvmException {
        try {
            Files.createDirectories(state);
            try (FileChannel lock = FileChannel.open(
                            state.resolve("accel.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock held = lock.lock()) {
                // Another create may have found out while this one waited for the lock.
                Optional<KvmVerdict> stored = held.isValid() ? stored() : Optional.empty();
                if (stored.isPresent()) {
                    return stored.get();
                }
                KvmVerdict verdict = probe();
                if (!verdict.works()) {
                    warnings.accept("KVM does not work on this host (" + verdict.reason()
                            + "): using TCG, which is slower; \"dkvm check\" tells more");
                }
                return verdict;
            }
        } catch (IOException e) {
            throw cannotKeep(e);
        }
    }

    private DkvmException cannotKeep(IOException cause) {
        return new DkvmException("can not keep what is known of KVM in \"" + state + "\": " + cause, "", cause);
    }

    /** The verdict kept of this boot and this package. */
    private Optional<KvmVerdict> stored() {
        if (!Files.exists(file())) {
            return Optional.empty();
        }
        try {
            Optional<KvmVerdict> kept = KvmVerdict.fromJson(Json.readObject(file()));
            return kept.isPresent()
                            && kept.get().bootId().equals(HostState.bootId())
                            && kept.get().packageVersion().equals(version())
                    ? kept
                    : Optional.empty();
        } catch (DkvmException e) {
            // Not ours or damaged: found out anew and written over.
            return Optional.empty();
        }
    }

    private KvmVerdict verdictOfNow(String whyNot) {
        return new KvmVerdict(HostState.bootId(), version(), whyNot.isEmpty(), whyNot);
    }

    private String version() {
        return HostState.firstLine(layout.home().resolve("VERSION"));
    }

    /** Why the device can not be opened; empty when it can. */
    private Optional<String> whyClosed() {
        if (!Files.exists(device)) {
            return Optional.of("there is no " + device);
        }
        try (FileChannel opened = FileChannel.open(device, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return opened.isOpen() ? Optional.empty() : Optional.of(device + " does not open");
        } catch (IOException e) {
            return Optional.of(device + " does not open: " + e.getMessage());
        }
    }

    private Path file() {
        return state.resolve("accel.json");
    }
}
