// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Counts the instructions that a translated guest executes, its firmware's included, by a plugin of QEMU's: count.c. Only TCG has plugins. */
final class GuestInstructions implements AutoCloseable {
    private static final double MILLION = 1e6;

    /** This machine can not count. */
    static final class NotPossible extends Exception {
        private static final long serialVersionUID = 1L;

        NotPossible(String why) {
            super(why);
        }
    }

    private final Path directory;

    private GuestInstructions(Path directory) {
        this.directory = directory;
    }

    /** Compiles the plugin. */
    static GuestInstructions open() throws NotPossible, IOException, InterruptedException {
        Path directory = Files.createTempDirectory("dkvm-bench-count");
        try {
            Command.output("gcc", "-O2", "-shared", "-fPIC", "-o", directory.resolve("count.so").toString(), "bench/count.c");
        } catch (IOException e) {
            Command.output("rm", "-rf", directory.toString());
            throw new NotPossible("QEMU's plugin can not be compiled: " + e.getMessage());
        }
        return new GuestInstructions(directory);
    }

    /** Runs a program in the VM, alone on one CPU: others would spin while they wait. */
    double millionsOf(BareVm vm, String program) throws NotPossible, IOException, InterruptedException {
        Path out = directory.resolve("count");
        try {
            vm.run(1, List.of("-plugin", directory.resolve("count.so") + ",out=" + out), program);
        } catch (IOException e) {
            throw new NotPossible(e.getMessage());
        }
        if (!Files.exists(out)) {
            throw new NotPossible("QEMU ended without a count");
        }
        String count = Files.readString(out).strip();
        Files.delete(out);
        if (!count.matches("[0-9]{1,18}")) {
            throw new NotPossible("the plugin counted \"" + count + "\"");
        }
        return Long.parseLong(count) / MILLION;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        Command.output("rm", "-rf", directory.toString());
    }
}
