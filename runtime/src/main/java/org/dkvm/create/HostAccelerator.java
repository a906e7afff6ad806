// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.dkvm.bundle.options.Acceleration;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.json.Json;
import org.dkvm.kernel.KernelStore;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.UserNamespace;

/**
 * Decides by whether KVM works here. That /dev/kvm opens is not enough: some hosts' KVM, nested ones, open and then run no stock guest. So DKVM's kernel is booted once per
 * boot of the host, as VMs are, and the verdict kept; one that is not sure is tried again later.
 */
public final class HostAccelerator implements AcceleratorChoice {
    private static final Path DEVICE = Path.of("/dev/kvm");
    private static final String PROBE_KERNEL = "dkvm";

    /** Who waits for an answer, and has asked for it, waits this many times as long. */
    private static final int PATIENT = 8;

    private static final int MOST_DOUBLINGS = 3;

    private final Jobs jobs;
    private final PackageLayout layout;
    private final Duration limit;
    private final Path state;
    private final Path device;
    private final LongSupplier uptimeNanos;
    private final Consumer<String> warnings;
    private final boolean mapped;

    /**
     * @param limit how long the first VM may take until it answers
     * @param warnings told, once per boot of the host, that KVM does not work
     */
    public HostAccelerator(Jobs jobs, Duration limit, Consumer<String> warnings) {
        this(jobs, limit, HostState.DIRECTORY, DEVICE, System::nanoTime, warnings);
    }

    HostAccelerator(
            Jobs jobs, Duration limit, Path state, Path device, LongSupplier uptimeNanos, Consumer<String> warnings) {
        this.jobs = jobs;
        this.layout = jobs.layout();
        this.limit = limit;
        this.state = state;
        this.device = device;
        this.uptimeNanos = uptimeNanos;
        this.warnings = warnings;
        this.mapped = !UserNamespace.own().isHosts();
    }

    @Override
    public Accelerator choose(Acceleration wish) throws DkvmException {
        return switch (wish) {
            case TCG -> Accelerator.TCG;
            case KVM -> {
                KvmVerdict verdict = wanted();
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

    /** Whether KVM works, found out now when it is not known for this boot of the host, or was not sure some time ago. */
    KvmVerdict verdict() throws DkvmException {
        Optional<String> closed = whyClosed();
        if (closed.isPresent()) {
            return sure(false, closed.get());
        }
        Optional<KvmVerdict> stored = stored();
        if (stored.isEmpty()) {
            return probeOnce();
        }
        return stored.get().isDue(uptime()) ? probeAgain(stored.get()) : stored.get();
    }

    /** The same for who wants nothing else: only a good verdict is believed, a bad one looked into. */
    private KvmVerdict wanted() throws DkvmException {
        Optional<KvmVerdict> stored = stored();
        return stored.isPresent() && stored.get().works() && whyClosed().isEmpty() ? stored.get() : probe();
    }

    /** Finds out anew, whatever is stored, and takes its time. Where nothing sure comes of it, a good verdict stays. */
    public KvmVerdict probe() throws DkvmException {
        Optional<String> closed = whyClosed();
        return closed.isPresent() ? sure(false, closed.get()) : keep(boot(limit.multipliedBy(PATIENT)));
    }

    private ProbeResult boot(Duration most) throws DkvmException {
        KernelStore.Found kernel = new KernelStore(layout.kernels()).find(PROBE_KERNEL);
        return BootProbe.run(jobs, ProbeCommand.ofKvm(kernel, most), most);
    }

    private KvmVerdict keep(ProbeResult result) throws DkvmException {
        Optional<KvmVerdict> before = stored();
        KvmVerdict verdict = switch (result.kind()) {
            case WORKS -> sure(true, "");
            case FAILS -> sure(false, result.reason());
            case NOT_NOW ->
                before.isPresent() && before.get().works()
                        ? before.get()
                        : new KvmVerdict(
                                HostState.bootId(),
                                version(),
                                false,
                                result.reason(),
                                before.map(KvmVerdict::tries).orElse(0) + 1,
                                uptime());
        };
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
            try (FileChannel channel = openLock();
                    FileLock held = channel.lock()) {
                // Another create may have found out while this one waited for the lock.
                Optional<KvmVerdict> stored = held.isValid() ? stored() : Optional.empty();
                if (stored.isPresent()) {
                    return stored.get();
                }
                KvmVerdict verdict = keep(boot(limit));
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

    /** One create looks again, with more patience each time; the others go on with what is known. */
    private KvmVerdict probeAgain(KvmVerdict known) throws DkvmException {
        try (FileChannel channel = openLock()) {
            if (channel.tryLock() == null) {
                return known;
            }
            Optional<KvmVerdict> stored = stored();
            return stored.isPresent() && !stored.get().isDue(uptime())
                    ? stored.get()
                    : keep(boot(limit.multipliedBy(1L << Math.min(known.tries(), MOST_DOUBLINGS))));
        } catch (IOException e) {
            throw cannotKeep(e);
        }
    }

    private FileChannel openLock() throws IOException {
        return FileChannel.open(state.resolve("accel.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
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

    private KvmVerdict sure(boolean works, String whyNot) {
        return new KvmVerdict(HostState.bootId(), version(), works, whyNot, 0, uptime());
    }

    private Duration uptime() {
        return Duration.ofNanos(uptimeNanos.getAsLong());
    }

    private String version() {
        return HostState.firstLine(layout.home().resolve("VERSION"));
    }

    /** Why the device can not be opened; empty when it can. */
    private Optional<String> whyClosed() {
        if (!Files.exists(device)) {
            return Optional.of("there is no " + device);
        }
        if (mapped && !isOpenToAll()) {
            return Optional.of(
                    device + " is not open to all users of this host, and QEMU runs as one that is in no group");
        }
        try (FileChannel opened = FileChannel.open(device, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return opened.isOpen() ? Optional.empty() : Optional.of(device + " does not open");
        } catch (IOException e) {
            return Optional.of(device + " does not open: " + e.getMessage());
        }
    }

    /** A user of a namespace's is in none of the device's groups. */
    private boolean isOpenToAll() {
        try {
            return Files.getPosixFilePermissions(device)
                    .containsAll(List.of(PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE));
        } catch (IOException e) {
            return false;
        }
    }

    private Path file() {
        return state.resolve("accel.json");
    }
}
