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
        Files.setLastModifiedTime(
                directory.resolve(key.text()), FileTime.from(Instant.now().minus(since)));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> !name.equals(".lock"))
                    .sorted()
                    .toList();
        }
    }

    /** As after a start of the host: what was found good is not known any more. */
    private void forget() throws IOException {
        Files.deleteIfExists(checked.resolve(KEY.text()));
    }

    @Test
    void whatIsKeptIsFound() throws Exception {
        Template made = keep(KEY, 100);
        assertThat(store().find(KEY)).get().extracting(Template::directory).isEqualTo(made.directory());
        assertThat(store().list()).extracting(Template::cpus).containsExactly(2);
        forget();
        assertThat(store().find(KEY)).isPresent();
        assertThat(checked.resolve(KEY.text())).exists();
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
        assertThat(names()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {Template.MEMORY, Template.STATE})
    void oneWithAChangedByteIsRemoved(String name) throws Exception {
        Path file = keep(KEY, 100).directory().resolve(name);
        byte[] bytes = Files.readAllBytes(file);
        bytes[1] ^= 1;
        Files.write(file, bytes, StandardOpenOption.WRITE);
        assertThat(store().find(KEY)).isEmpty();
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
        Files.move(made, directory.resolve(key('b').text()));
        assertThat(store().find(key('b'))).isEmpty();
        assertThat(names()).isEmpty();
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
    void theSecondOfTwoMakersTakesThePlaceOfTheFirst() throws Exception {
        keep(KEY, 100);
        keep(KEY, 200);
        assertThat(names()).containsExactly(KEY.text());
        assertThat(store().find(KEY)).isPresent();
        assertThat(Files.size(directory.resolve(KEY.text()).resolve(Template.MEMORY)))
                .isEqualTo(200);
    }

    @Test
    void whatAKilledMakerLeftBehindIsRemoved() throws Exception {
        keep(KEY, 100);
        Path left = Files.createDirectory(directory.resolve("making-1"));
        Files.write(left.resolve(Template.MEMORY), new byte[10]);
        Files.createDirectory(directory.resolve("gone-1"));
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
        assertThat(names()).containsExactly(KEY.text(), key('c').text());
    }

    @Test
    void theyAreBoundedInBytes() throws Exception {
        keep(key('b'), 800 * 1024);
        idle(key('b'), Duration.ofMinutes(3));
        keep(KEY, 800 * 1024);
        assertThat(names()).containsExactly(KEY.text());
    }

    @Test
    void oneThatWasJustUsedStays() throws Exception {
        keep(key('b'), 100);
        keep(key('c'), 100);
        keep(KEY, 100);
        assertThat(names()).hasSize(3);
    }

    @Test
    void oneIsRemovedByItsKey() throws Exception {
        keep(KEY, 100);
        assertThat(store().remove(KEY)).isTrue();
        assertThat(store().remove(KEY)).isFalse();
        assertThat(names()).isEmpty();
        assertThat(checked.resolve(KEY.text())).doesNotExist();
    }
}
