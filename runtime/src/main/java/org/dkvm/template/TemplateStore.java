// SPDX-License-Identifier: Apache-2.0
package org.dkvm.template;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
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
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.json.Json;
import org.dkvm.linux.AtomicFile;
import org.dkvm.linux.FileTree;
import org.dkvm.linux.OwnedDirectory;

/** The templates of a host: a directory each, root's only, which is there whole or not at all. */
public final class TemplateStore {
    /** Where they are. */
    public static final Path DIRECTORY = Path.of("/var/cache/dkvm/templates");

    /** Which of them have been read whole and found good since the host was started. */
    private static final Path CHECKED = Path.of("/run/dkvm/templates");

    /** Of one that is being made. */
    private static final String MAKING = "making-";

    /** Of one that is being taken away. */
    private static final String GONE = "gone-";

    private static final String TURN = ".turn";
    private static final String PRIVATE = "rwx------";
    private static final int BUFFER_BYTES = 256 * 1024;

    /**
     * What all of them together may have; the one that was used last stays in any case.
     *
     * @param count how many
     * @param size their files
     * @param unused for how long one must not have been used before it makes room: a sandbox is being made of it meanwhile
     */
    record Bounds(int count, MemorySize size, Duration unused) {
        static final Bounds USUAL = new Bounds(16, MemorySize.ofMib(1024), Duration.ofMinutes(1));
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

    /** The template of that key, whole and unchanged; one that is damaged is removed. */
    public Optional<Template> find(TemplateKey key) throws DkvmException {
        Path place = directory.resolve(key.text());
        if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try {
            Optional<Template> whole = whole(place, key);
            if (whole.isPresent()) {
                Files.setLastModifiedTime(place, FileTime.from(Instant.now()));
            } else {
                discard(place);
            }
            return whole;
        } catch (IOException e) {
            throw new DkvmException("template \"" + place + "\" can not be read: " + e, "", e);
        }
    }

    /** A directory to make one in, which goes when it is closed; what makers that were killed left behind goes now. */
    public OwnedDirectory begin() throws DkvmException {
        try {
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                Files.createDirectories(directory.toAbsolutePath().getParent());
                Files.createDirectory(
                        directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(PRIVATE)));
            }
            OwnedDirectory.sweep(directory, MAKING, left -> {});
            for (Path gone : named(GONE)) {
                FileTree.delete(gone);
            }
            return OwnedDirectory.make(directory, MAKING);
        } catch (IOException e) {
            throw new DkvmException("can not make a template in \"" + directory + "\": " + e, "", e);
        }
    }

    /** Whose lock one holds while it makes one: a machine that boots takes a processor. */
    public FileChannel turn() throws DkvmException {
        try {
            return FileChannel.open(directory.resolve(TURN), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new DkvmException("can not make a template in \"" + directory + "\": " + e, "", e);
        }
    }

    /**
     * Takes what was made; the same that somebody else has made meanwhile gives way.
     *
     * @param made a directory of {@link #begin}'s filesystem with {@link Template#MEMORY} and {@link Template#STATE}
     */
    public Template keep(Path made, TemplateKey key, MemorySize memory, int cpus) throws DkvmException {
        Path place = directory.resolve(key.text());
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
            put(made, place);
            remember(place, key);
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

    /** Takes one away; false where there is none. */
    public boolean remove(TemplateKey key) throws DkvmException {
        Path place = directory.resolve(key.text());
        try {
            return discard(place);
        } catch (IOException e) {
            throw new DkvmException("can not remove \"" + place + "\": " + e, "", e);
        }
    }

    private void put(Path made, Path place) throws IOException {
        try {
            Files.move(made, place, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            // The same may have been made before.
            discard(place);
            Files.move(made, place, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private Optional<Template> whole(Path place, TemplateKey key) throws IOException, DkvmException {
        Optional<Template> template = record(place);
        if (template.isEmpty() || !template.get().key().text().equals(key.text()) || !isPrivate(place)) {
            return Optional.empty();
        }
        String identity = identity(place);
        Path verdict = checked.resolve(key.text());
        if (Files.exists(verdict) && Files.readString(verdict).equals(identity)) {
            return template;
        }
        Template.Digests digests = template.get().digests();
        if (!digest(place.resolve(Template.MEMORY)).equals(digests.ofMemory())
                || !digest(place.resolve(Template.STATE)).equals(digests.ofState())) {
            return Optional.empty();
        }
        remember(place, key);
        return template;
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

    private void remember(Path place, TemplateKey key) throws IOException, DkvmException {
        Files.createDirectories(checked);
        AtomicFile.replacePrivate(checked.resolve(key.text()), identity(place));
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

    /** Makes room; what can not be read makes room first. */
    private void prune(Path kept) throws IOException {
        long bytes = 0;
        int count = 0;
        Instant recently = Instant.now().minus(bounds.unused());
        for (Path place : places()) {
            bytes += FileTree.size(place);
            count++;
            boolean surplus = count > bounds.count() || bytes > bounds.size().bytes();
            boolean idle = Files.getLastModifiedTime(place).toInstant().isBefore(recently);
            if (!place.equals(kept) && (record(place).isEmpty() || (surplus && idle))) {
                discard(place);
            }
        }
    }

    /** It has no name from one moment to the next, and then goes. */
    private boolean discard(Path place) throws IOException {
        Files.deleteIfExists(checked.resolve(place.getFileName().toString()));
        if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        Path gone = Files.createTempDirectory(directory, GONE);
        Files.move(place, gone.resolve("template"), StandardCopyOption.ATOMIC_MOVE);
        FileTree.delete(gone);
        return true;
    }

    /** Those that are named as templates, the one used last first. */
    private List<Path> places() throws IOException {
        List<Path> places = new ArrayList<>();
        for (Path place : named("")) {
            if (TemplateKey.isValid(place.getFileName().toString())) {
                places.add(place);
            }
        }
        List<FileTime> times = new ArrayList<>();
        for (Path place : places) {
            times.add(Files.getLastModifiedTime(place, LinkOption.NOFOLLOW_LINKS));
        }
        List<Path> unsorted = List.copyOf(places);
        places.sort(Comparator.comparing((Path place) -> times.get(unsorted.indexOf(place)))
                .reversed());
        return places;
    }

    private List<Path> named(String prefix) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(directory)) {
            return all.filter(path -> path.getFileName().toString().startsWith(prefix))
                    .toList();
        }
    }
}
