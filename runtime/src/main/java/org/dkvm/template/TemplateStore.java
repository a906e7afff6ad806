// SPDX-License-Identifier: Apache-2.0
package org.dkvm.template;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.FileTree;
import org.dkvm.linux.OwnedDirectory;
import org.dkvm.linux.StatePlaces;

/**
 * The templates of a host: a directory each, root's only, with a name that is used once. One that has no record is no template. Who takes one out of use removes its record,
 * and the directory stays for a while: a VM may be starting that mounts it by its name.
 */
public final class TemplateStore {
    /** Where they are. */
    public static final Path DIRECTORY = StatePlaces.cache().resolve("templates");

    /** Which of them have been read whole and found good since the host was started. */
    private static final Path CHECKED = StatePlaces.run().resolve("templates");

    /** Of one that is being made. */
    private static final String MAKING = "making-";

    private static final String TURN = ".turn";
    private static final String PRIVATE = "rwx------";
    private static final int BUFFER_BYTES = 256 * 1024;
    private static final int SUFFIX_BYTES = 4;

    /**
     * What all of them together may have; the one that was used last stays in any case.
     *
     * @param count how many
     * @param size their files
     * @param unused for how long one must not have been used before it makes room, or its directory is removed: a sandbox is being made of it meanwhile
     */
    record Bounds(int count, MemorySize size, Duration unused) {
        static final Bounds USUAL = new Bounds(16, MemorySize.ofMib(1024), Duration.ofMinutes(5));
    }

    private final Path directory;
    private final Path checked;
    private final Bounds bounds;

    public TemplateStore() {
        this(DIRECTORY, CHECKED, Bounds.USUAL);
    }

    /** Another place than this host's: the templates, and what is known of them. */
    public static TemplateStore in(Path directory, Path checked) {
        return new TemplateStore(directory, checked, Bounds.USUAL);
    }

    TemplateStore(Path directory, Path checked, Bounds bounds) {
        this.directory = directory;
        this.checked = checked;
        this.bounds = bounds;
    }

    /** A template of that key, whole and unchanged; one that is damaged is taken out of use. */
    public Optional<Template> find(TemplateKey key) throws DkvmException {
        try {
            for (Path place : places()) {
                if (!isOf(place, key) || !hasRecord(place)) {
                    continue;
                }
                Optional<Template> whole = whole(place, key);
                if (whole.isPresent()) {
                    used(place);
                    return whole;
                }
                retire(place);
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new DkvmException("the templates in \"" + directory + "\" can not be read: " + e, "", e);
        }
    }

    /** A directory to make one in, which goes when it is closed; what makers that were killed left behind goes now. */
    public OwnedDirectory begin() throws DkvmException {
        try {
            StatePlaces.makePrivate(directory);
            OwnedDirectory.sweep(directory, MAKING, left -> {});
            sweep();
            return OwnedDirectory.make(directory, MAKING);
        } catch (IOException e) {
            throw cannotMake(e);
        }
    }

    /** Whose lock one holds while it makes one: a machine that boots takes a processor. */
    public FileChannel turn() throws DkvmException {
        try {
            StatePlaces.makePrivate(directory);
            return FileChannel.open(directory.resolve(TURN), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw cannotMake(e);
        }
    }

    private DkvmException cannotMake(IOException e) {
        return new DkvmException("can not make a template in \"" + directory + "\": " + e, "", e);
    }

    /**
     * Takes what was made.
     *
     * @param made a directory of {@link #begin}'s filesystem with {@link Template#MEMORY} and {@link Template#STATE}
     */
    public Template keep(Path made, TemplateKey key, MemorySize memory, int cpus) throws DkvmException {
        byte[] suffix = new byte[SUFFIX_BYTES];
        ThreadLocalRandom.current().nextBytes(suffix);
        Path place = directory.resolve(key.text() + "." + HexFormat.of().formatHex(suffix));
        try {
            for (String name : List.of(Template.MEMORY, Template.STATE)) {
                Path file = made.resolve(name);
                if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) == 0) {
                    throw new DkvmException("\"" + name + "\" was not made", "");
                }
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            }
            Template template = new Template(
                    key,
                    place,
                    memory,
                    cpus,
                    Instant.now(),
                    new Template.Digests(digest(made.resolve(Template.MEMORY)), digest(made.resolve(Template.STATE))));
            AtomicFile.replacePrivate(made.resolve(Template.RECORD), Json.write(template.toJson()));
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString(PRIVATE));
            Files.move(made, place, StandardCopyOption.ATOMIC_MOVE);
            remember(place);
            prune(place);
            return template;
        } catch (IOException e) {
            throw new DkvmException("can not keep the template in \"" + directory + "\": " + e, "", e);
        }
    }

    /** All that have a record, the one used last first. */
    public List<Template> list() throws DkvmException {
        List<Template> list = new ArrayList<>();
        try {
            for (Path place : places()) {
                Optional<Template> template = record(place);
                template.ifPresent(list::add);
            }
        } catch (IOException e) {
            throw new DkvmException("can not read \"" + directory + "\": " + e, "run it as root", e);
        }
        return list;
    }

    /** How much its files take on the disk. */
    public static MemorySize size(Template template) throws DkvmException {
        try {
            return new MemorySize(FileTree.size(template.directory()));
        } catch (IOException e) {
            throw new DkvmException("can not read \"" + template.directory() + "\": " + e, "", e);
        }
    }

    /** Takes one away. */
    public void remove(Template template) throws DkvmException {
        try {
            retire(template.directory());
        } catch (IOException e) {
            throw new DkvmException("can not remove \"" + template.directory() + "\": " + e, "", e);
        }
    }

    private Optional<Template> whole(Path place, TemplateKey key) throws IOException {
        Optional<Template> template = record(place);
        if (template.isEmpty() || !template.get().key().text().equals(key.text()) || !isPrivate(place)) {
            return Optional.empty();
        }
        Path verdict = verdict(place);
        if (Files.exists(verdict) && Files.readString(verdict).equals(identity(place))) {
            return template;
        }
        Template.Digests digests = template.get().digests();
        if (!digest(place.resolve(Template.MEMORY)).equals(digests.ofMemory())
                || !digest(place.resolve(Template.STATE)).equals(digests.ofState())) {
            return Optional.empty();
        }
        remember(place);
        return template;
    }

    private static boolean isOf(Path place, TemplateKey key) {
        return place.getFileName().toString().startsWith(key.text() + ".");
    }

    private static boolean hasRecord(Path place) {
        return Files.exists(place.resolve(Template.RECORD), LinkOption.NOFOLLOW_LINKS);
    }

    /** Who may write to a template may write to a machine. */
    private static boolean isPrivate(Path place) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(place, LinkOption.NOFOLLOW_LINKS))
                        .equals(PRIVATE)
                && Files.getAttribute(place, "unix:uid", LinkOption.NOFOLLOW_LINKS)
                        .equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
    }

    private static Optional<Template> record(Path place) {
        for (String name : List.of(Template.RECORD, Template.MEMORY, Template.STATE)) {
            if (!Files.isRegularFile(place.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
                return Optional.empty();
            }
        }
        try {
            return Optional.of(Template.read(place));
        } catch (DkvmException e) {
            // Damaged, or of another version.
            return Optional.empty();
        }
    }

    /** Its files have not changed since they were read: the kernel's word, which a change of any of them changes. */
    private static String identity(Path place) throws IOException {
        return TemplateKey.identity(place.resolve(Template.MEMORY)) + "\n"
                + TemplateKey.identity(place.resolve(Template.STATE)) + "\n"
                + TemplateKey.identity(place.resolve(Template.RECORD)) + "\n";
    }

    private Path verdict(Path place) {
        return checked.resolve(place.getFileName().toString());
    }

    private void remember(Path place) {
        try {
            Files.createDirectories(checked);
            AtomicFile.replacePrivate(verdict(place), identity(place));
        } catch (IOException | DkvmException e) {
            // It is read whole again the next time.
            return;
        }
    }

    private static void used(Path place) {
        try {
            Files.setLastModifiedTime(place, FileTime.from(Instant.now()));
        } catch (IOException e) {
            // A cache that is read-only serves, too.
            return;
        }
    }

    private static String digest(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
    }

    /** Makes room. */
    private void prune(Path kept) throws IOException {
        long bytes = 0;
        int count = 0;
        for (Path place : places()) {
            bytes += sizeOf(place);
            count += hasRecord(place) ? 1 : 0;
            boolean surplus = count > bounds.count() || bytes > bounds.size().bytes();
            if (!place.equals(kept) && surplus && isIdle(place)) {
                retire(place);
            }
        }
        sweep();
    }

    private static long sizeOf(Path place) throws IOException {
        try {
            return FileTree.size(place);
        } catch (NoSuchFileException e) {
            // It is just being taken away.
            return 0;
        }
    }

    /** No VM is starting that may have found it. A time that is to come is none. */
    private boolean isIdle(Path place) throws IOException {
        Instant now = Instant.now();
        Instant used =
                Files.getLastModifiedTime(place, LinkOption.NOFOLLOW_LINKS).toInstant();
        return used.isBefore(now.minus(bounds.unused())) || used.isAfter(now.plus(bounds.unused()));
    }

    /** Nobody finds it any more. Who has found it may find no files, and boots; its directory is there for the mount. */
    private void retire(Path place) throws IOException {
        FileTime used = Files.getLastModifiedTime(place, LinkOption.NOFOLLOW_LINKS);
        Files.deleteIfExists(verdict(place));
        for (String name : List.of(Template.RECORD, Template.MEMORY, Template.STATE)) {
            Files.deleteIfExists(place.resolve(name));
        }
        Files.setLastModifiedTime(place, used);
    }

    /** Directories without a record, which no VM is starting from. */
    private void sweep() throws IOException {
        for (Path place : places()) {
            if (!hasRecord(place) && isIdle(place)) {
                Files.deleteIfExists(verdict(place));
                FileTree.delete(place);
            }
        }
    }

    /** Those that are named as templates, the one used last first. */
    private List<Path> places() throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        Map<Path, FileTime> used = new HashMap<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
            for (Path place : all) {
                String name = place.getFileName().toString();
                int dot = name.indexOf('.');
                if (dot > 0 && TemplateKey.isValid(name.substring(0, dot))) {
                    used.put(place, Files.getLastModifiedTime(place, LinkOption.NOFOLLOW_LINKS));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        } catch (NoSuchFileException e) {
            // One has just been swept away.
            return List.of();
        }
        List<Path> places = new ArrayList<>(used.keySet());
        places.sort((a, b) -> times(used, b).compareTo(times(used, a)));
        return places;
    }

    private static FileTime times(Map<Path, FileTime> used, Path place) {
        return used.getOrDefault(place, FileTime.fromMillis(0));
    }
}
