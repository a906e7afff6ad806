// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;

/** What others change in a container's mounts is heard by inotify inside. */
@EndToEnd
class OutsideEventsTest {
    /** Watches what it is told to and prints what it hears; a name that the case makes tells it what to do. */
    private static final String WATCHER = """
            import ctypes, os, struct, sys
            libc = ctypes.CDLL(None, use_errno=True)
            NAMES = {2: 'MODIFY', 4: 'ATTRIB', 8: 'CLOSE_WRITE', 0x40: 'MOVED_FROM', 0x80: 'MOVED_TO', 0x100: 'CREATE',
                     0x200: 'DELETE', 0x400: 'DELETE_SELF', 0x800: 'MOVE_SELF', 0x4000: 'OVERFLOW', 0x8000: 'IGNORED',
                     0x40000000: 'ISDIR'}
            fd = libc.inotify_init()
            paths, heard, cookies = {-1: 'all'}, {}, {}
            def watch(path):
                wd = libc.inotify_add_watch(fd, os.fsencode(path), 0xfce)
                if wd < 0:
                    raise OSError(ctypes.get_errno(), path)
                paths[wd] = path
                print('watching', path, flush=True)
            def events():
                while True:
                    data = os.read(fd, 1 << 16)
                    while data:
                        wd, mask, cookie, length = struct.unpack('iIII', data[:16])
                        name = os.fsdecode(data[16:16 + length].rstrip(b'\\0'))
                        data = data[16 + length:]
                        path = paths[wd]
                        what = ' '.join([NAMES[bit] for bit in NAMES if mask & bit] + [name])
                        told = heard.setdefault(path, [])
                        # Writes that follow each other at once are one event or several, as it happens.
                        if not (what.startswith('MODIFY') and told and told[-1] == what):
                            told.append(what)
                        if cookie:
                            cookies.setdefault(cookie, []).append(what)
                        yield path, what, name
            def summary():
                print('summary', flush=True)
                for path in sorted(heard):
                    print(path, heard[path])
                print('moves', sorted(len(halves) for halves in cookies.values()))
            """;

    private static String heard(Container watcher) throws Exception {
        String log = watcher.finishedLog();
        assertThat(log).contains("\nsummary\n");
        return log.substring(log.indexOf("\nsummary\n"));
    }

    private static void remove(Path file) throws Exception {
        Files.delete(file);
    }

    @Test
    void whatTheHostAndOthersChangeIsHeardOnce() throws Exception {
        Transcript seen = assertSame(docker -> {
            Path directory = docker.directory();
            String volume = docker.volume();
            Files.createDirectory(directory.resolve("leaves"));
            Files.writeString(directory.resolve("single"), "x");
            Files.writeString(directory.resolve("code"), "zero");
            Container watcher =
                    docker.start("-v", directory + ":/d", "-v", volume + ":/v", TOOLS, "python3", "-c", WATCHER + """
                    for path in ('/d', '/v', '/d/leaves', '/d/single'):
                        watch(path)
                    # What is known of these has to be forgotten.
                    print(open('/d/code').read(), os.path.exists('/d/new'), os.listdir('/d/leaves'))
                    for path, what, name in events():
                        print(path, what, flush=True)
                        if what.startswith('CREATE ISDIR'):
                            watch(path + '/' + name)
                        if what == 'CLOSE_WRITE code':
                            print('loaded', open(path + '/code').read(), os.stat(path + '/code').st_size, flush=True)
                        if what == 'MOVED_TO moved':
                            print('there', os.path.exists(path + '/new'), os.path.exists(path + '/moved'), flush=True)
                        if name == 'stop':
                            break
                    summary()
                    """);
            watcher.awaitLog("watching /d/single");
            Path code = directory.resolve("code");
            Files.writeString(code, "one");
            watcher.awaitLog("loaded one 3");
            // As long as before, and perhaps in the same tick of the clock.
            Files.writeString(code, "two");
            watcher.awaitLog("loaded two 3");
            Files.writeString(directory.resolve("new"), "n");
            watcher.awaitLog("/d CLOSE_WRITE new");
            Files.setPosixFilePermissions(directory.resolve("new"), PosixFilePermissions.fromString("rw-------"));
            watcher.awaitLog("/d ATTRIB new");
            Files.move(directory.resolve("new"), directory.resolve("moved"));
            watcher.awaitLog("there False True");
            Path nested = Files.createDirectory(directory.resolve("nested"));
            watcher.awaitLog("watching /d/nested");
            Path deeper = Files.createDirectory(nested.resolve("deeper"));
            watcher.awaitLog("watching /d/nested/deeper");
            Files.writeString(deeper.resolve("code"), "deep");
            watcher.awaitLog("loaded deep 4");
            Files.move(deeper.resolve("code"), directory.resolve("code2"));
            watcher.awaitLog("/d MOVED_TO code2");
            remove(directory.resolve("code2"));
            watcher.awaitLog("/d DELETE code2");
            remove(directory.resolve("leaves"));
            watcher.awaitLog("/d/leaves IGNORED");
            remove(directory.resolve("single"));
            watcher.awaitLog("/d/single IGNORED");
            docker.run("-v", volume + ":/w", BUSYBOX, "sh", "-c", "echo three >/w/part && mv /w/part /w/mine");
            watcher.awaitLog("/v MOVED_TO mine");
            Files.writeString(directory.resolve("stop"), "");
            docker.note("heard", heard(watcher));
        });
        assertThat(seen.fact("heard")).contains("DELETE_SELF ", "/v ['CREATE part'", "moves [2, 2, 2]");
    }

    @Test
    void whatAProgramChangesItselfItHearsOnce() throws Exception {
        Transcript seen = assertSame(docker -> {
            Path directory = docker.directory();
            Container watcher = docker.start("-v", directory + ":/d", TOOLS, "python3", "-c", WATCHER + """
                    os.mkdir('/d/own')
                    os.mkdir('/d/busy')
                    watch('/d/own')
                    watch('/d/busy')
                    x, y, z = '/d/own/x', '/d/own/y', '/d/own/z'
                    f = os.open(x, os.O_CREAT | os.O_WRONLY)
                    os.write(f, b'text')
                    os.close(f)
                    os.chmod(x, 0o600)
                    os.rename(x, y)
                    os.truncate(y, 1)
                    os.utime(y, (1, 1))
                    os.mkdir(z)
                    os.rmdir(z)
                    os.symlink('nowhere', z)
                    os.unlink(z)
                    os.link(y, z)
                    os.rename(z, x)
                    open(y, 'w').close()
                    os.unlink(y)
                    for i in range(500):
                        f = '/d/busy/%d' % i
                        open(f, 'w').write('text')
                        os.unlink(f)
                    print('done', flush=True)
                    counts = {}
                    for path, what, name in events():
                        if path == '/d/busy':
                            counts[what.split()[0]] = counts.get(what.split()[0], 0) + 1
                        if name == 'stop':
                            break
                    del heard['/d/busy']
                    summary()
                    print(sorted(counts.items()))
                    """);
            watcher.awaitLog("done");
            // What is heard of this comes after whatever is heard of the rest.
            Files.writeString(directory.resolve("own/stop"), "");
            docker.note("heard", heard(watcher));
        });
        assertThat(seen.fact("heard")).contains("('CREATE', 500)", "('DELETE', 500)", "('MODIFY', 500)");
    }

    @Test
    void manyChangesAreHeardOrSaidToBeMissed() throws Exception {
        Transcript seen = assertSame(docker -> {
            Path directory = docker.directory();
            Container watcher = docker.start("-v", directory + ":/d", TOOLS, "python3", "-c", WATCHER + """
                    watch('/d')
                    found, missed = set(), False
                    for path, what, name in events():
                        found |= {name} if what.startswith('CREATE') else set()
                        missed |= what.startswith('OVERFLOW')
                        if missed or len(found) == 2000:
                            break
                    print(missed or len(found) == 2000)
                    """);
            watcher.awaitLog("watching /d");
            for (int i = 0; i < 2000; i++) {
                Files.writeString(directory.resolve("file" + i), "text");
            }
            watcher.finish();
        });
        assertThat(seen.toString()).contains("True");
    }

    @Test
    void aBootedVmHearsNamesOfAnyBytes() throws Exception {
        Transcript seen = onVm(docker -> {
            Path directory = docker.directory();
            Container watcher = docker.start(
                    "-e", "DKVM_TEMPLATE=off", "-v", directory + ":/d:ro", TOOLS, "python3", "-c", WATCHER + """
                    watch('/d')
                    for path, what, name in events():
                        print(path, what[:30].encode('utf-8', 'surrogateescape'), len(name), flush=True)
                        if name == 'stop':
                            break
                    """);
            watcher.awaitLog("watching /d");
            docker.quietly("run", "--rm", "-v", directory + ":/d", BUSYBOX, "sh", "-c", """
                    cd /d && >"$(printf 'a\\n\\377\\033[2J')" && >"$(printf %255s | tr ' ' x)" && >stop
                    """);
            docker.note("heard", watcher.finishedLog());
        });
        assertThat(seen.fact("heard")).contains("CREATE a\\n\\xff\\x1b[2J", " 255\n");
    }
}
