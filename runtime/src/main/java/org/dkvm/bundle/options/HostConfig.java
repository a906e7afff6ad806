// SPDX-License-Identifier: Apache-2.0
package org.dkvm.bundle.options;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dkvm.core.DkvmException;
import org.dkvm.core.LogLimits;
import org.dkvm.core.MemorySize;
import org.dkvm.core.machine.Accelerator;
import org.dkvm.core.machine.Display;
import org.dkvm.json.Json;
import org.dkvm.json.PrettyJson;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.HostProcessors;

/**
 * The administrator's settings for this host, /etc/dkvm/dkvm.json; docs/options.md describes each.
 *
 * @param vms what VMs are where their containers do not say
 * @param allow what options of its kind a container may use
 * @param overhead what a sandbox needs beyond its VM's memory
 * @param vhostNet whether vhost-net is used where it is there: auto or off
 * @param logs what is kept of VMs that are gone
 * @param patience how long things may take
 * @param confinement how VMs are confined
 */
public record HostConfig(
        VmDefaults vms,
        List<String> allow,
        Overhead overhead,
        VhostNet vhostNet,
        LogLimits logs,
        Patience patience,
        Confinement confinement) {
    /** The same for VMs of which something else holds where their containers do not say. */
    public HostConfig with(VmDefaults others) {
        return new HostConfig(others, allow, overhead, vhostNet, logs, patience, confinement);
    }

    /** Where it is; a missing file means all defaults. */
    public static final Path FILE = Path.of("/etc/dkvm/dkvm.json");

    /** Allows the option DKVM_SYS_ADMIN. */
    public static final String ALLOW_SYS_ADMIN = "sys-admin";

    /** Allows the option DKVM_NESTED. */
    public static final String ALLOW_NESTED = "nested";

    /** Allows the option DKVM_BREAK; it stands in the default. */
    public static final String ALLOW_BREAK = "break";

    /** The smallest VM that boots. */
    public static final MemorySize SMALLEST_MEMORY = MemorySize.ofMib(64);

    private static final MemorySize DEFAULT_MEMORY = MemorySize.ofMib(512);
    private static final String DEFAULT_KERNEL = "dkvm";
    private static final String ALLOWABLE = "a list of \"break\", \"nested\", \"sys-admin\"";
    private static final int MAX_CPUS = HostProcessors.MOST;

    /** A log takes 300 KiB at most, and 5 by custom. */
    private static final LogLimits DEFAULT_LOGS = new LogLimits(50, MemorySize.ofMib(20));

    private static final int MAX_LOGS = 10_000;

    private static final int MOST_PROBE_SECONDS = 600;

    private static final int LEAST_START_SECONDS = 10;
    private static final int MOST_START_SECONDS = 3600;

    /** JVM, virtiofsd and QEMU itself; measured 110 MiB for a busy VM, and page tables and its stacks grow with use. */
    private static final MemorySize KVM_OVERHEAD = MemorySize.ofMib(192);

    /** The same and QEMU's buffer of 128 MiB for translated code. */
    private static final MemorySize TCG_OVERHEAD = MemorySize.ofMib(320);

    public HostConfig {
        allow = List.copyOf(allow);
    }

    /** What holds where there is no file. */
    public static HostConfig defaults() {
        return new HostConfig(
                new VmDefaults(Acceleration.AUTO, DEFAULT_KERNEL, DEFAULT_MEMORY, 0, TemplateUse.AUTO),
                List.of(ALLOW_BREAK),
                new Overhead(KVM_OVERHEAD, TCG_OVERHEAD),
                VhostNet.AUTO,
                DEFAULT_LOGS,
                Patience.DEFAULT,
                Confinement.DEFAULT);
    }

    /** The settings in a file. */
    public static HostConfig read(Path file) throws DkvmException {
        return Files.exists(file) ? parse(Json.readObject(file), file) : defaults();
    }

    /** Sets the kernel in a file, which is made where there is none; all else in it stays. */
    public static void setKernel(Path file, String kernel) throws DkvmException {
        JsonObject json = Files.exists(file) ? Json.readObject(file) : new JsonObject();
        json.addProperty("kernel", kernel);
        // Nothing is written that would keep containers from starting.
        parse(json, file);
        try {
            String before = Files.exists(file) ? Files.readString(file) : "";
            Files.createDirectories(file.toAbsolutePath().resolveSibling("."));
            // Where the file is a link, the link stays.
            Path real = Files.exists(file) ? file.toRealPath() : file;
            AtomicFile.replaceReadable(real, PrettyJson.write(json, before));
        } catch (IOException e) {
            throw new DkvmException("can not write \"" + file + "\": " + e, "run it as root", e);
        }
    }

    static HostConfig parse(JsonObject json, Path file) throws DkvmException {
        HostConfig defaults = defaults();
        Acceleration acceleration = defaults.vms.acceleration();
        String kernel = defaults.vms.kernel();
        MemorySize memory = defaults.vms.memory();
        int cpus = defaults.vms.cpus();
        List<String> allow = defaults.allow;
        Overhead overhead = defaults.overhead;
        VhostNet vhostNet = defaults.vhostNet;
        LogLimits logs = defaults.logs;
        Patience patience = defaults.patience;
        Confinement confinement = defaults.confinement;
        TemplateUse template = defaults.vms.template();
        for (String key : json.keySet()) {
            JsonElement value = json.get(key);
            switch (key) {
                case "accel" -> acceleration = acceleration(text(file, key, value), file);
                case "kernel" -> kernel = text(file, key, value);
                case "memory" -> memory = memory(file, key, value, SMALLEST_MEMORY);
                case "cpus" -> cpus = (int) number(file, json, key, value, 1, MAX_CPUS);
                case "allow" -> allow = allow(file, value);
                case "overhead" -> {
                    MemorySize both = memory(file, key, value, MemorySize.ofMib(0));
                    overhead = new Overhead(both, both);
                }
                case "antispoof" ->
                    confinement = new Confinement(
                            confinement.uid(), antispoof(text(file, key, value), file), confinement.sharedVolumes());
                case "uid" ->
                    confinement = new Confinement(
                            number(file, json, key, value, Confinement.SMALLEST_UID, Confinement.LARGEST_UID),
                            confinement.antispoof(),
                            confinement.sharedVolumes());
                case "shared-volumes" ->
                    confinement = new Confinement(
                            confinement.uid(), confinement.antispoof(), sharedVolumes(text(file, key, value), file));
                case "template" -> template = template(text(file, key, value), file);
                case "vhost-net" -> vhostNet = vhostNet(text(file, key, value), file);
                case "logs" -> logs = new LogLimits((int) number(file, json, key, value, 0, MAX_LOGS), logs.size());
                case "logs-size" -> logs = new LogLimits(logs.vms(), memory(file, key, value, MemorySize.ofMib(0)));
                case "kvm-probe-seconds" ->
                    patience = new Patience(
                            Duration.ofSeconds(number(file, json, key, value, 1, MOST_PROBE_SECONDS)),
                            patience.start());
                case "start-seconds" ->
                    patience = new Patience(
                            patience.kvmProbe(),
                            Duration.ofSeconds(
                                    number(file, json, key, value, LEAST_START_SECONDS, MOST_START_SECONDS)));
                // The launcher's own: it reads it before there is a JVM.
                case "runc" -> text(file, key, value);
                default ->
                    throw new DkvmException(
                            place(file, key) + ": key \"" + key + "\" is not known",
                            "known are accel, allow, antispoof, cpus, kernel, kvm-probe-seconds, logs, logs-size, memory, overhead, runc, shared-volumes, start-seconds, template, uid, vhost-net");
            }
        }
        return new HostConfig(
                new VmDefaults(acceleration, kernel, memory, cpus, template),
                allow,
                overhead,
                vhostNet,
                logs,
                patience,
                confinement);
    }

    /** What a sandbox needs beyond its VM's memory, its screen included. */
    public MemorySize overhead(Accelerator accelerator, Display display) {
        return overhead.with(accelerator).plus(display.overhead());
    }

    private static Acceleration acceleration(String value, Path file) throws DkvmException {
        return switch (value) {
            case "auto" -> Acceleration.AUTO;
            case "kvm" -> Acceleration.KVM;
            case "tcg" -> Acceleration.TCG;
            default -> throw bad(file, "accel", value, "auto, kvm or tcg");
        };
    }

    private static Antispoof antispoof(String value, Path file) throws DkvmException {
        return switch (value) {
            case "auto" -> Antispoof.AUTO;
            case "always" -> Antispoof.ALWAYS;
            case "off" -> Antispoof.OFF;
            default -> throw bad(file, "antispoof", value, "auto, always or off");
        };
    }

    private static SharedVolumes sharedVolumes(String value, Path file) throws DkvmException {
        return switch (value) {
            case "warn" -> SharedVolumes.WARN;
            case "refuse" -> SharedVolumes.REFUSE;
            case "allow" -> SharedVolumes.ALLOW;
            default -> throw bad(file, "shared-volumes", value, "warn, refuse or allow");
        };
    }

    private static TemplateUse template(String value, Path file) throws DkvmException {
        return switch (value) {
            case "auto" -> TemplateUse.AUTO;
            case "off" -> TemplateUse.OFF;
            default -> throw bad(file, "template", value, "auto or off");
        };
    }

    private static VhostNet vhostNet(String value, Path file) throws DkvmException {
        return switch (value) {
            case "auto" -> VhostNet.AUTO;
            case "off" -> VhostNet.OFF;
            default -> throw bad(file, "vhost-net", value, "auto or off");
        };
    }

    private static String text(Path file, String key, JsonElement value) throws DkvmException {
        if (value instanceof JsonPrimitive primitive
                && primitive.isString()
                && !primitive.getAsString().isEmpty()) {
            return primitive.getAsString();
        }
        throw bad(file, key, value.toString(), "a string");
    }

    private static long number(Path file, JsonObject json, String key, JsonElement value, long least, long most)
            throws DkvmException {
        long number = Json.number(json, key).orElse(-1L);
        if (number < least || number > most) {
            throw bad(file, key, value.toString(), "a whole number from " + least + " to " + most);
        }
        return number;
    }

    private static List<String> allow(Path file, JsonElement value) throws DkvmException {
        List<String> allowed = new ArrayList<>();
        if (!value.isJsonArray()) {
            throw bad(file, "allow", value.toString(), ALLOWABLE);
        }
        for (JsonElement item : value.getAsJsonArray()) {
            String option = text(file, "allow", item);
            if (!option.equals(ALLOW_SYS_ADMIN) && !option.equals(ALLOW_NESTED) && !option.equals(ALLOW_BREAK)) {
                throw bad(file, "allow", item.toString(), ALLOWABLE);
            }
            allowed.add(option);
        }
        return allowed;
    }

    /** As Docker's sizes: a number of bytes, or one with k, m or g. */
    private static MemorySize memory(Path file, String key, JsonElement value, MemorySize least) throws DkvmException {
        String text = value instanceof JsonPrimitive primitive ? primitive.getAsString() : "";
        int end = text.length();
        int shift = switch (end == 0 ? ' ' : Character.toLowerCase(text.charAt(end - 1))) {
            case 'k' -> 10;
            case 'm' -> 20;
            case 'g' -> 30;
            default -> 0;
        };
        try {
            long number = Long.parseLong(shift == 0 ? text : text.substring(0, end - 1));
            MemorySize size = new MemorySize(Math.multiplyExact(number, 1L << shift));
            if (size.compareTo(least) >= 0) {
                return size;
            }
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw bad(file, key, value.toString(), "a size such as \"512m\"");
        }
        throw bad(file, key, value.toString(), "at least " + least);
    }

    /** The file, and the line of a key where it can be told. */
    private static String place(Path file, String key) {
        if (Files.isReadable(file)) {
            try {
                List<String> lines = Files.readAllLines(file);
                for (int i = 0; i < lines.size(); i++) {
                    if (lines.get(i).contains("\"" + key + "\"")) {
                        return "\"" + file + "\", line " + (i + 1);
                    }
                }
            } catch (IOException e) {
                // Then without.
                return "\"" + file + "\"";
            }
        }
        return "\"" + file + "\"";
    }

    private static DkvmException bad(Path file, String key, String value, String allowed) {
        return new DkvmException(place(file, key) + ": key \"" + key + "\" has the value " + value, "give " + allowed);
    }
}
