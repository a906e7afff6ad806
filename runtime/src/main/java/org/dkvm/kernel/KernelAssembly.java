// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.dkvm.core.Architecture;
import org.dkvm.core.DkvmException;
import org.dkvm.core.PackageLayout;
import org.dkvm.linux.FileTree;

/** Makes a kernel of the store, image, configuration, modules and initramfs, out of packages or a directory. */
public final class KernelAssembly {
    private static final String KERNEL = "kernel";
    private static final String MODULES = "modules";

    private final Path work;
    private final PackageLayout layout;
    private final Bounds bounds;
    private final Consumer<String> progress;

    /**
     * @param work an empty directory to make it in
     * @param layout the package, whose agent every initramfs begins with
     * @param progress told what is being done
     */
    public KernelAssembly(Path work, PackageLayout layout, Consumer<String> progress) {
        this(work, layout, Bounds.USUAL, progress);
    }

    KernelAssembly(Path work, PackageLayout layout, Bounds bounds, Consumer<String> progress) {
        this.work = work;
        this.layout = layout;
        this.bounds = bounds;
        this.progress = progress;
    }

    /**
     * Makes the kernel.
     *
     * @param sources packages that together have one kernel, or one directory
     * @param wanted the version that is taken where a directory has several
     */
    public KernelStore.Found make(KernelName name, List<Path> sources, String wanted) throws DkvmException {
        try {
            Budget budget = new Budget(bounds);
            Unpacker unpacker = new Unpacker(work.resolve("packages"), budget);
            KernelTree tree = tree(sources, unpacker, wanted);
            checkName(name, tree.format().architecture());
            Path kernel = Files.createDirectory(work.resolve(KERNEL));
            unpacker.copyFile(tree.image(), kernel.resolve(tree.format().fileName()));
            if (Files.isRegularFile(tree.config())) {
                unpacker.copyFile(tree.config(), kernel.resolve("config"));
            }
            Path modules = kernel.resolve(MODULES);
            unpacker.copyModules(tree.modules(), modules);
            int count = Initramfs.writeBoth(modules, layout.agent(name.architecture()), kernel, kernel, budget);
            progress.accept(
                    "initramfs: " + count + " modules, " + Files.size(kernel.resolve("initramfs")) / 1024 + " KiB");
            if (!Depmod.complete(modules, budget)) {
                progress.accept("modules: what modprobe looks up in the guest came with them");
            }
            Path image = kernel.resolve(tree.format().fileName());
            return new KernelStore.Found(
                    name.toString(), name.architecture(), kernel, tree.format().fileName(), release(name, tree, image));
        } catch (IOException e) {
            throw new DkvmException("can not make kernel \"" + name + "\": " + e, "", e);
        }
    }

    /**
     * What {@link #make} made in a directory, in another process perhaps, looked up, and what modprobe looks up in the guest made by this host's own program where that is
     * missing.
     *
     * @param work where it was made
     * @param indexer by which that program runs
     */
    public static KernelStore.Found made(KernelName name, Path work, Depmod.Indexer indexer, Consumer<String> progress)
            throws DkvmException {
        Path kernel = work.resolve(KERNEL);
        Path modules = kernel.resolve(MODULES);
        try {
            // Nobody is who tries it.
            FileTree.makeReadable(kernel);
        } catch (IOException e) {
            throw new DkvmException("can not make kernel \"" + name + "\": " + e, "", e);
        }
        if (!Files.isRegularFile(modules.resolve(Depmod.INDEX), LinkOption.NOFOLLOW_LINKS)) {
            progress.accept(
                    Depmod.runByTheHost(modules, indexer)
                            ? "modules: what modprobe looks up in the guest made by this host's depmod"
                            : "modules: what modprobe looks up in the guest made as text, as this host has no depmod that"
                                    + " reads them");
        }
        boolean elf = Files.isRegularFile(kernel.resolve(KernelImage.ELF.fileName()), LinkOption.NOFOLLOW_LINKS);
        KernelImage format = elf ? KernelImage.ELF : KernelImage.BZIMAGE;
        return new KernelStore.Found(name.toString(), name.architecture(), kernel, format.fileName(), name.version());
    }

    /** A kernel is found by its name for images of its architecture. */
    private static void checkName(KernelName name, Architecture architecture) throws DkvmException {
        if (name.architecture() == architecture) {
            return;
        }
        throw new DkvmException(
                "the kernel for \"" + name + "\" is built for " + architecture.label(),
                architecture.isForeign()
                        ? "name it " + name.dist() + architecture.kernelSuffix() + "/" + name.version()
                        : "names in \"" + name.architecture().kernelSuffix()
                                + "\" are for kernels of that architecture");
    }

    /** Guests look for modules by the release, which need not be the version that the kernel is kept by. */
    private static String release(KernelName name, KernelTree tree, Path image) throws DkvmException, IOException {
        String release = tree.format() == KernelImage.BZIMAGE
                ? KernelImage.release(image)
                : tree.release().isEmpty() ? name.version() : tree.release();
        if (!release.equals(name.version())) {
            Files.writeString(image.resolveSibling(KernelStore.RELEASE_FILE), release + "\n");
        }
        return release;
    }

    private KernelTree tree(List<Path> sources, Unpacker unpacker, String wanted) throws DkvmException, IOException {
        Path root = sources.getFirst();
        if (Files.isDirectory(root)) {
            if (sources.size() > 1) {
                throw new DkvmException("a directory has to have all of a kernel", "give it alone, or only packages");
            }
        } else {
            root = Files.createDirectory(work.resolve("packages"));
            for (Path source : sources) {
                if (!Files.isRegularFile(source)) {
                    throw new DkvmException("\"" + source + "\" is no package and no directory", "");
                }
                progress.accept("reading " + source);
                KernelPackage.unpack(source, unpacker);
            }
        }
        try {
            return KernelTree.find(root, wanted);
        } catch (DkvmException e) {
            String from =
                    String.join("\", \"", sources.stream().map(Path::toString).toList());
            throw new DkvmException("no kernel in \"" + from + "\": " + e.getMessage(), e.advice(), e);
        }
    }
}
