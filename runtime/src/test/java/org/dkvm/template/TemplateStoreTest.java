// SPDX-License-Identifier: Apache-2.0
package org.dkvm.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.dkvm.core.DkvmException;
import org.dkvm.core.MemorySize;
import org.dkvm.linux.OwnedDirectory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateStoreTest {
    private static final TemplateKey KEY = key('a');
    private static final TemplateStore.Bounds BOUNDS =
            new TemplateStore.Bounds(2, MemorySize.ofMib(1), Duration.ofMinutes(1));

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path temporary;

    private Path directory = Path.of("");
    private Path checked = Path.of("");

    @BeforeEach
    void places() {
        directory = temporary.resolve("cache/templates");
        checked = temporary.resolve("run/templates");
    }

    private static TemplateKey key(char digit) {
        return new TemplateKey(String.valueOf(digit).repeat(64));
    }

    private TemplateStore store() {
        return new TemplateStore(directory, checked, BOUNDS);
    }

    private Template keep(TemplateKey key, int bytes) throws DkvmException, IOException {
        TemplateStore store = store();
        try (OwnedDirectory making = store.begin()) {
            Path made = Files.createDirectory(making.path().resolve("template"));
            Files.write(made.resolve(Template.MEMORY), new byte[bytes]);
            Files.writeString(made.resolve(Template.STATE), "state");
            return store.keep(made, key, MemorySize.ofMib(512), 2);
        }
    }

    private void idle(TemplateKey key, Duration since) throws IOException {
        for (Path place : places(key)) {
            Files.setLastModifiedTime(place, FileTime.from(Instant.now().minus(since)));
        }
    }

    private List<Path> places(TemplateKey key) throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.filter(path -> path.getFileName().toString().startsWith(key.text()))
                    .sorted()
                    .toList();
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> !name.equals(".lock") && !name.equals(".turn"))
                    .map(name -> name.replaceAll("\\..*", ""))
                    .sorted()
                    .toList();
        }
    }

    /** As after a start of the host: what was found good is not known any more. */
    private void forget() throws IOException {
        for (Path place : places(KEY)) {
            Files.deleteIfExists(checked.resolve(place.getFileName().toString()));
        }
    }

    @Test
    void whatIsKeptIsFound() throws Exception {
        Template made = keep(KEY, 100);
        assertThat(store().find(KEY)).get().extracting(Template::directory).isEqualTo(made.directory());
        assertThat(store().list()).extracting(Template::cpus).containsExactly(2);
        forget();
        assertThat(store().find(KEY)).isPresent();
        assertThat(checked.resolve(made.directory().getFileName().toString())).exists();
    }

    @Test
    void anotherKeyIsNotFound() throws Exception {
        keep(KEY, 100);
        assertThat(store().find(key('b'))).isEmpty();
    }

    @Test
    void onlyItsOwnerMayReadIt() throws Exception {
        Template made = keep(KEY, 100);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made.directory())))
                .isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(made.directory().resolve(Template.MEMORY))))
                .isEqualTo("rw-------");
    }

    @ParameterizedTest
    @ValueSource(strings = {Template.MEMORY, Template.STATE, Template.RECORD})
    void oneWithATruncatedFileIsRemoved(String name) throws Exception {
        Path file = keep(KEY, 100).directory().resolve(name);
        Files.write(file, new byte[0]);
        assertThat(store().find(KEY)).isEmpty();
        assertOnlyItsNameIsLeft();
    }

    @ParameterizedTest
    @ValueSource(strings = {Template.MEMORY, Template.STATE})
    void oneWithAChangedByteIsRemoved(String name) throws Exception {
        Path file = keep(KEY, 100).directory().resolve(name);
        byte[] bytes = Files.readAllBytes(file);
        bytes[1] ^= 1;
        Files.write(file, bytes, StandardOpenOption.WRITE);
        assertThat(store().find(KEY)).isEmpty();
        assertOnlyItsNameIsLeft();
    }

    /** A VM that found it may be about to mount it. */
    private void assertOnlyItsNameIsLeft() throws Exception {
        assertThat(names()).hasSize(1);
        assertThat(directory.resolve(places(KEY).getFirst())).isEmptyDirectory();
        store().begin().close();
        assertThat(names()).hasSize(1);
        idle(KEY, Duration.ofMinutes(2));
        store().begin().close();
        assertThat(names()).isEmpty();
    }

    @Test
    void oneWithAReplacedFileIsRemoved() throws Exception {
        Path file = keep(KEY, 100).directory().resolve(Template.MEMORY);
        Path other = temporary.resolve("other");
        Files.write(other, "x".repeat(100).getBytes(StandardCharsets.UTF_8));
        Files.delete(file);
        Files.createSymbolicLink(file, other);
        assertThat(store().find(KEY)).isEmpty();
        assertThat(other).exists();
    }

    @Test
    void oneUnderAnothersNameIsRemoved() throws Exception {
        Path made = keep(KEY, 100).directory();
        Path other = directory.resolve(key('b').text() + ".00000000");
        Files.move(made, other);
        assertThat(store().find(key('b'))).isEmpty();
        assertThat(other).isEmptyDirectory();
    }

    @Test
    void oneThatOthersMayWriteToIsRemoved() throws Exception {
        Path made = keep(KEY, 100).directory();
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxrwx---"));
        assertThat(store().find(KEY)).isEmpty();
    }

    @Test
    void whatWasNotMadeIsNotKept() throws Exception {
        TemplateStore store = store();
        try (OwnedDirectory making = store.begin()) {
            Path made = Files.createDirectory(making.path().resolve("template"));
            Files.writeString(made.resolve(Template.STATE), "state");
            assertThatThrownBy(() -> store.keep(made, KEY, MemorySize.ofMib(1), 1))
                    .isInstanceOf(DkvmException.class)
                    .hasMessageContaining("\"memory\" was not made");
        }
        assertThat(names()).isEmpty();
    }

    @Test
    void twoMakersDoNotTouchEachOthers() throws Exception {
        Path first = keep(KEY, 100).directory();
        Path second = keep(KEY, 200).directory();
        assertThat(first).isNotEqualTo(second);
        assertThat(store().find(KEY)).isPresent();
        Files.delete(second.resolve(Template.RECORD));
        assertThat(store().find(KEY)).get().extracting(Template::directory).isEqualTo(first);
    }

    @Test
    void oneThatWasTakenOutOfUseIsNotFoundAndItsNameStaysForAWhile() throws Exception {
        Path made = keep(KEY, 100).directory();
        Files.delete(made.resolve(Template.RECORD));
        assertThat(store().find(KEY)).isEmpty();
        keep(key('b'), 100);
        assertThat(made).exists();
        idle(KEY, Duration.ofMinutes(2));
        keep(key('c'), 100);
        assertThat(made).doesNotExist();
    }

    @Test
    void whatCanNotBeRememberedIsFoundAllTheSame() throws Exception {
        Files.createDirectories(checked.getParent());
        Files.writeString(checked, "no directory");
        keep(KEY, 100);
        assertThat(store().find(KEY)).isPresent();
    }

    @Test
    void whatAKilledMakerLeftBehindIsRemoved() throws Exception {
        keep(KEY, 100);
        Path left = Files.createDirectory(directory.resolve("making-1"));
        Files.write(left.resolve(Template.MEMORY), new byte[10]);
        store().begin().close();
        assertThat(names()).containsExactly(KEY.text());
    }

    @Test
    void whatAnotherIsMakingStays() throws Exception {
        try (OwnedDirectory first = store().begin();
                OwnedDirectory second = store().begin()) {
            assertThat(first.path()).exists();
            assertThat(second.path()).exists();
        }
    }

    @Test
    void theOneNotUsedForTheLongestTimeMakesRoom() throws Exception {
        keep(key('b'), 100);
        keep(key('c'), 100);
        idle(key('b'), Duration.ofMinutes(3));
        idle(key('c'), Duration.ofMinutes(4));
        assertThat(store().find(key('c'))).isPresent();
        keep(KEY, 100);
        assertThat(store().list()).extracting(Template::key).containsExactly(KEY, key('c'));
    }

    @Test
    void theyAreBoundedInBytes() throws Exception {
        keep(key('b'), 800 * 1024);
        idle(key('b'), Duration.ofMinutes(3));
        keep(KEY, 800 * 1024);
        assertThat(store().list()).extracting(Template::key).containsExactly(KEY);
    }

    @Test
    void oneThatWasJustUsedStays() throws Exception {
        keep(key('b'), 100);
        keep(key('c'), 100);
        keep(KEY, 100);
        assertThat(names()).hasSize(3);
    }

    @Test
    void oneIsRemoved() throws Exception {
        Template made = keep(KEY, 100);
        store().remove(made);
        assertThat(store().find(KEY)).isEmpty();
        assertThat(store().list()).isEmpty();
        assertThat(checked.resolve(made.directory().getFileName().toString())).doesNotExist();
        assertOnlyItsNameIsLeft();
    }
}
