// SPDX-License-Identifier: Apache-2.0
package org.dkvm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.dkvm.core.DkvmException;

/** Makes a kernel of the store, image, configuration, modules and initramfs, out of packages or a directory. */
public final class KernelAssembly {
    private final Path work;
    private final Path agent;
    private final Bounds bounds;
    private final Consumer<String> progress;

    /**
     * @param work an empty directory to make it in
     * @param agent the agent's archive, which every initramfs begins with
     * @param progress told what is being done
     */
    public KernelAssembly(Path work, Path agent, Consumer<String> progress) {
        this(work, agent, Bounds.USUAL, progress);
    }

    KernelAssembly(Path work, Path agent, Bounds bounds, Consumer<String> progress) {
        this.work = work;
        this.agent = agent;
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
            Unpacker unpacker = new Unpacker(work.resolve("packages"), bounds);
            KernelTree tree = tree(sources, unpacker, wanted);
            Path kernel = Files.createDirectory(work.resolve("kernel"));
            unpacker.copyFile(tree.image(), kernel.resolve(tree.format().fileName()));
            if (Files.isRegularFile(tree.config())) {
                unpacker.copyFile(tree.config(), kernel.resolve("config"));
            }
            Path modules = kernel.resolve("modules");
            unpacker.copyModules(tree.modules(), modules);
            String made = switch (Depmod.complete(modules)) {
                case SHIPPED -> "came with them";
                case BY_THE_HOST -> "made by this host's depmod";
                case HERE -> "made as text, as this host has no depmod that reads them";
            };
            progress.accept("modules: taken; what modprobe looks up in the guest " + made);
            int count = Initramfs.writeBoth(modules, agent, kernel);
            progress.accept(
                    "initramfs: " + count + " modules, " + Files.size(kernel.resolve("initramfs")) / 1024 + " KiB");
            Path image = kernel.resolve(tree.format().fileName());
            return new KernelStore.Found(
                    name.toString(), kernel, tree.format().fileName(), release(name, tree.format(), image));
        } catch (IOException e) {
            throw new DkvmException("can not make kernel \"" + name + "\": " + e, "", e);
        }
    }

    /** Guests look for modules by the release, which need not be the version that the kernel is kept by. */
    private static String release(KernelName name, KernelImage format, Path image) throws DkvmException, IOException {
        String release = format == KernelImage.BZIMAGE ? KernelImage.release(image) : name.version();
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
