// SPDX-License-Identifier: Apache-2.0
package org.dkvm.create;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.dkvm.bundle.sandbox.Templates;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.core.SandboxPaths;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.MachineShape;
import org.dkvm.machine.Birth;
import org.dkvm.machine.BootFiles;
import org.dkvm.machine.Machine;
import org.dkvm.machine.QemuCommand;
import org.dkvm.machine.TemplateMachine;
import org.dkvm.template.Template;
import org.dkvm.template.TemplateKey;
import org.dkvm.template.TemplateMisses;
import org.dkvm.template.TemplateStore;

/** Which template a VM can be restored from. */
final class TemplateChoice implements Templates {
    private static final String INITRAMFS = "initramfs";
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    /** Of a host's first processor. */
    private static final List<String> PROCESSOR = List.of("model name", "microcode", "flags", "vmx flags");

    private static final Path VERSION = Path.of("/proc/version");

    private static final List<Path> KVM_MODULES = List.of(
            Path.of("/sys/module/kvm/parameters"),
            Path.of("/sys/module/kvm_amd/parameters"),
            Path.of("/sys/module/kvm_intel/parameters"));

    /** How the host waits for a processor of a VM: nothing that this one sees. */
    private static final String POLLING = "halt_poll";

    private final PackageLayout layout;
    private final Path kernel;
    private final TemplateStore store;
    private final TemplateMisses misses;

    /**
     * @param kernel the kernel's directory
     */
    TemplateChoice(PackageLayout layout, Path kernel, TemplateStore store, TemplateMisses misses) {
        this.layout = layout;
        this.kernel = kernel;
        this.store = store;
        this.misses = misses;
    }

    /** The machine that is saved as a template of this shape. */
    static Machine machine(MachineShape shape) {
        return new Machine(
                shape,
                new BootFiles(Path.of(SandboxPaths.KERNEL), INITRAMFS),
                List.of(),
                List.of(),
                TemplateSaver.SOCKETS,
                Birth.TEMPLATE);
    }

    @Override
    public String directoryFor(MachineShape shape) {
        if (!TemplateMachine.fits(shape)) {
            return "";
        }
        try {
            TemplateKey key = key(shape);
            Optional<Template> template = store.find(key);
            if (template.isEmpty()) {
                misses.missed(key, shape.size());
            }
            return template.map(found -> found.directory().toString()).orElse("");
        } catch (DkvmException e) {
            // A VM boots where there is anything wrong with templates.
            return "";
        }
    }

    TemplateKey key(MachineShape shape) throws DkvmException {
        return TemplateKey.of(
                QemuCommand.argv(machine(shape)),
                processor(shape.processor().accelerator()),
                List.of(
                        layout.home().resolve("BUILD"),
                        kernel.resolve(shape.kernel().image()),
                        kernel.resolve(INITRAMFS)));
    }

    /** What an emulator, and the guest's kernel, see of the host's processor. With KVM the host's kernel decides on it, too. */
    private static String processor(Accelerator accelerator) throws DkvmException {
        try (BufferedReader lines = Files.newBufferedReader(CPUINFO)) {
            StringBuilder text = new StringBuilder();
            for (String line = lines.readLine(); line != null && !line.isEmpty(); line = lines.readLine()) {
                if (PROCESSOR.stream().anyMatch(line::startsWith)) {
                    text.append(line).append('\n');
                }
            }
            if (accelerator == Accelerator.KVM) {
                addKvm(text);
            }
            return text.toString();
        } catch (IOException e) {
            throw new DkvmException("can not read what the host's processor is: " + e, "", e);
        }
    }

    /** The host's kernel as it was built, and how its modules for VMs are set. */
    private static void addKvm(StringBuilder text) throws IOException {
        text.append(Files.readString(VERSION));
        for (Path module : KVM_MODULES) {
            try (DirectoryStream<Path> parameters = Files.newDirectoryStream(
                    module,
                    file -> Files.isReadable(file)
                            && !file.getFileName().toString().startsWith(POLLING))) {
                List<String> values = new ArrayList<>();
                for (Path parameter : parameters) {
                    values.add(parameter.getFileName() + "=" + Files.readString(parameter));
                }
                values.sort(null);
                values.forEach(text::append);
            } catch (NoSuchFileException e) {
                // The other maker's, or part of the kernel without parameters.
                text.append(module).append('\n');
            }
        }
    }
}
