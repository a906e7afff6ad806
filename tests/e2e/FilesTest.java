// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.dkvm.e2e.Differential.assertSame;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A filesystem behaves as Linux says it does: the container's root, a bind mount, and a named volume. */
@EndToEnd
class FilesTest {
    /** Where the files of a case live. */
    enum Place {
        ROOT,
        BIND,
        VOLUME;

        /** Runs a shell script in a fresh directory of this kind. */
        private void shell(Docker docker, String script) throws Exception {
            run(docker, TOOLS, "sh", "-c", script);
        }

        private void python(Docker docker, String script) throws Exception {
            run(docker, TOOLS, "python3", "-c", script);
        }

        private void run(Docker docker, String image, String program, String option, String script) throws Exception {
            switch (this) {
                case ROOT -> docker.run("-w", "/here", image, program, option, script);
                case BIND ->
                    docker.run("-v", docker.directory() + ":/here", "-w", "/here", image, program, option, script);
                case VOLUME ->
                    docker.run("-v", docker.volume() + ":/here", "-w", "/here", image, program, option, script);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void ownersAndModesAreKept(Place place) throws Exception {
        assertSame(docker -> place.shell(docker, """
                umask 027; echo x >a; mkdir d; echo y >b; chown 1000:2000 b d; chmod 6755 b; chmod 3777 d; touch c; chmod 0 c
                chown 4000000000:5 c; ln -s a l; chown -h 7:8 l; stat -c '%n %a %u:%g %h %F' a b c d l; cat c
                chown 0:0 b; stat -c '%n %a' b
                setpriv --reuid 1000 --regid 2000 --clear-groups sh -c 'echo >d/mine; stat -c "%n %a %u:%g" d/mine; cat a; rm a; true' 2>&1
                """));
    }

    @ParameterizedTest
    @EnumSource
    void linksAreLinks(Place place) throws Exception {
        assertSame(docker -> place.shell(docker, """
                echo one >a; ln a b; ln -s a s; ln -s nowhere dangling; ln -s loop loop; echo two >>b; cat a s
                stat -c '%n %h' a b; [ "$(stat -c %i a)" = "$(stat -c %i b)" ] && echo same inode; readlink s dangling loop
                cat dangling loop 2>&1; rm a; cat b; cat s 2>&1; stat -c %h b; mkdir d; ln d e 2>&1; ln -s ../x/../y d/long; readlink d/long
                """));
    }

    @ParameterizedTest
    @EnumSource
    void namesMayBeOddAndLong(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import os
                for name in [b"a b", b"new\\nline", "größe 🐳".encode(), b"\\xff\\xfe", b"-rf", b"x" * 255, b".hidden", b"tab\\t", b"back\\\\slash"]:
                    open(name, "wb").write(name)
                    assert open(name, "rb").read() == name
                print(sorted(os.listdir(b".")))
                try: open(b"y" * 256, "w")
                except OSError as e: print(e.strerror)
                deep = "/".join(["d" * 100] * 30)
                os.makedirs(deep); open(deep + "/f", "w").write("deep"); print(open(deep + "/f").read(), len(deep))
                """));
    }

    @ParameterizedTest
    @EnumSource
    void aLargeDirectoryIsWhole(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import hashlib, os
                names = [f"file-{i:05}" for i in range(2000)]
                for n in names: open(n, "w").close()
                print(len(os.listdir(".")), sorted(os.listdir(".")) == names, len(set(e.inode() for e in os.scandir("."))))
                for n in names[::2]: os.unlink(n)
                print(len(os.listdir(".")), hashlib.sha256("".join(sorted(os.listdir("."))).encode()).hexdigest())
                for e in os.scandir("."): os.unlink(e.path)
                print(os.listdir("."))
                """));
    }

    @ParameterizedTest
    @EnumSource
    void renamesReplaceAndFailAsTheyShould(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import os
                def attempt(what, f, *a):
                    try: print(what, f(*a))
                    except OSError as e: print(what, e.strerror)
                open("a", "w").write("A"); open("b", "w").write("B"); os.mkdir("d"); os.mkdir("e"); open("e/f", "w").close()
                held = open("b"); os.rename("a", "b"); print(open("b").read(), held.read())
                attempt("file over directory", os.rename, "b", "d")
                attempt("directory over file", os.rename, "d", "b")
                attempt("over a full directory", os.rename, "d", "e")
                attempt("over an empty directory", os.rename, "e", "d")
                attempt("into itself", os.rename, "d", "d/x")
                attempt("missing", os.rename, "no", "x")
                attempt("rmdir full", os.rmdir, "d")
                attempt("rmdir file", os.rmdir, "b")
                attempt("unlink directory", os.unlink, "d")
                attempt("mkdir again", os.mkdir, "d")
                attempt("below a file", os.listdir, "b/x")
                attempt("exclusive", lambda: open("b", "x"))
                print(sorted(os.listdir(".")), os.listdir("d"))
                """));
    }

    @ParameterizedTest
    @EnumSource
    void openFilesOutliveTheirNames(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import os
                f = open("gone", "w+"); f.write("still here"); f.flush(); os.unlink("gone")
                f.seek(0); print(f.read(), os.fstat(f.fileno()).st_nlink, os.path.exists("gone"))
                f.write(" and there"); f.flush(); f.seek(0); print(f.read()); os.ftruncate(f.fileno(), 5); f.seek(0); print(f.read())
                os.fchmod(f.fileno(), 0o640); print(oct(os.fstat(f.fileno()).st_mode))
                """));
    }

    @ParameterizedTest
    @EnumSource
    void sharedMappingsAreTheFile(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import mmap, os
                open("m", "wb").write(b"\\0" * 8192)
                f = open("m", "r+b"); m = mmap.mmap(f.fileno(), 8192); m[4094:4100] = b"across"
                pid = os.fork()
                if pid == 0:
                    c = mmap.mmap(open("m", "r+b").fileno(), 8192); print(c[4094:4100], flush=True); c[0:5] = b"child"; os._exit(0)
                os.waitpid(pid, 0); print(m[0:5]); m.flush(); print(open("m", "rb").read()[4094:4100])
                f.seek(100); f.write(b"written"); f.flush(); print(m[100:107])
                p = mmap.mmap(f.fileno(), 8192, flags=mmap.MAP_PRIVATE); p[0:5] = b"mine!"; print(open("m", "rb").read(5))
                """));
    }

    @ParameterizedTest
    @EnumSource
    void locksExcludeOtherProcesses(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import fcntl, os
                f = open("lock", "w+"); f.write("0123456789"); f.flush()
                def child(work):
                    pid = os.fork()
                    if pid == 0:
                        g = open("lock", "r+")
                        try: work(g); print("got it", flush=True)
                        except OSError as e: print(e.strerror, flush=True)
                        os._exit(0)
                    os.waitpid(pid, 0)
                fcntl.flock(f, fcntl.LOCK_EX); child(lambda g: fcntl.flock(g, fcntl.LOCK_EX | fcntl.LOCK_NB))
                fcntl.flock(f, fcntl.LOCK_SH); child(lambda g: fcntl.flock(g, fcntl.LOCK_SH | fcntl.LOCK_NB))
                fcntl.flock(f, fcntl.LOCK_UN); child(lambda g: fcntl.flock(g, fcntl.LOCK_EX | fcntl.LOCK_NB))
                fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 5)
                child(lambda g: fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB, 5))
                child(lambda g: fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, 5))
                fcntl.lockf(f, fcntl.LOCK_UN); child(lambda g: fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB))
                """));
    }

    @ParameterizedTest
    @EnumSource
    void sparseAppendedAndTruncatedFilesAreRight(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import hashlib, os
                f = open("sparse", "wb"); f.seek(50_000_000); f.write(b"end"); f.close()
                s = os.stat("sparse"); print(s.st_size, s.st_blocks < 100)
                r = open("sparse", "rb"); print(r.read(3), r.seek(-3, 2), r.read())
                a = open("log", "ab", 0); b = open("log", "ab", 0)
                for i in range(100): (a if i % 2 else b).write(b"line %d\\n" % i)
                print(hashlib.sha256(open("log", "rb").read()).hexdigest())
                os.truncate("log", 10); print(open("log", "rb").read()); os.truncate("log", 14); print(open("log", "rb").read())
                d = os.open("direct", os.O_CREAT | os.O_RDWR | os.O_EXCL); os.pwrite(d, b"abc", 10); print(os.pread(d, 20, 5)); os.fsync(d)
                os.posix_fallocate(d, 0, 5000); print(os.fstat(d).st_size)
                """));
    }

    @ParameterizedTest
    @EnumSource
    void timesAreKeptToTheNanosecond(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import os, time
                open("f", "w").close(); os.utime("f", ns=(1_000_000_000_123_456_789, 1_500_000_000_987_654_321))
                s = os.stat("f"); print(s.st_atime_ns, s.st_mtime_ns)
                os.symlink("f", "l"); os.utime("l", (1, 2), follow_symlinks=False); print(os.lstat("l").st_mtime, os.stat("l").st_mtime_ns)
                open("f", "w").write("new"); print(abs(os.stat("f").st_mtime - time.time()) < 60)
                """));
    }

    @ParameterizedTest
    @EnumSource
    void userAttributesAreKept(Place place) throws Exception {
        assertSame(docker -> place.shell(docker, """
                echo x >f; mkdir d; setfattr -n user.greeting -v 'hello world' f; setfattr -n user.empty f; setfattr -n user.binary -v 0x00ff10 f d
                getfattr -d f; getfattr -e hex -n user.binary d f; setfattr -x user.greeting f; getfattr -d f; getfattr -n user.none f; cp -a f g; getfattr -d g
                """));
    }

    @ParameterizedTest
    @EnumSource
    void accessControlListsAreKeptAndHold(Place place) throws Exception {
        assertSame(docker -> place.shell(docker, """
                echo secret >f; chmod 600 f; setfacl -m u:1234:r,g:77:rw f; getfacl -n f; mkdir d; setfacl -d -m u:1234:rwx d; getfacl -n d; echo x >d/f; getfacl -n d/f
                chmod 755 .; setpriv --reuid 1234 --regid 1 --clear-groups cat f; setpriv --reuid 1235 --regid 1 --clear-groups cat f; setfacl -b f; getfacl -n f; stat -c %A f d
                """));
    }

    @ParameterizedTest
    @EnumSource
    void fileCapabilitiesAreKept(Place place) throws Exception {
        assertSame(docker -> place.shell(docker, """
                cp /bin/cat c; setcap cap_net_bind_service,cap_chown+ep c; getcap c; ./c /proc/self/status | grep CapPrm >/dev/null && echo runs
                chmod 755 .; setpriv --reuid 1000 --regid 1000 --clear-groups ./c /proc/self/status | grep -E 'Cap(Prm|Eff)'
                echo >>c; getcap c; setcap cap_kill+p c; setcap -r c; getcap c
                """));
    }

    @ParameterizedTest
    @EnumSource
    void specialFilesWork(Place place) throws Exception {
        Transcript seen = assertSame(docker -> place.shell(docker, """
                mkfifo p; (echo through the pipe >p) & cat p; mknod zero c 1 5; chmod 666 zero; head -c 3 zero | od -An -tx1
                mknod blk b 7 99; stat -c '%n %F %t:%T' p zero blk
                python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.bind("sock"); s.listen(); c = socket.socket(socket.AF_UNIX); c.connect("sock"); c.send(b"by socket"); print(s.accept()[0].recv(20))'
                stat -c '%n %F' sock
                """));
        assertThat(seen.first().text()).contains("through the pipe").contains("by socket");
    }

    @ParameterizedTest
    @EnumSource
    void programsRunFromThere(Place place) throws Exception {
        assertSame(docker -> place.shell(docker, """
                cp /bin/sleep nap; ./nap 0 && echo ran; ./nap 1000 & while [ "$(readlink /proc/$!/exe)" != "$PWD/nap" ]; do :; done
                { echo x >>nap; } 2>/dev/null || echo busy; kill $!; printf '#!/bin/sh\\necho script $1\\n' >s; chmod +x s; ./s one; chmod -x s; ./s 2>/dev/null; echo $?
                """));
    }

    @ParameterizedTest
    @EnumSource
    void manyWritersKeepTheirData(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import hashlib, os, random
                for n in range(4):
                    if os.fork() == 0:
                        random.seed(n); data = random.randbytes(2_000_000)
                        with open(f"f{n}", "wb") as f:
                            for i in range(0, len(data), 77_777): f.write(data[i:i + 77_777])
                            f.flush(); os.fsync(f.fileno())
                        os._exit(0)
                for n in range(4): os.wait()
                for n in range(4): print(hashlib.sha256(open(f"f{n}", "rb").read()).hexdigest())
                """));
    }

    @ParameterizedTest
    @EnumSource
    void changesAreNotified(Place place) throws Exception {
        assertSame(docker -> place.python(docker, """
                import ctypes, os, struct
                libc = ctypes.CDLL(None); fd = libc.inotify_init(); libc.inotify_add_watch(fd, b".", 0x100 | 0x200 | 0x8)
                open("new", "w").close(); os.unlink("new")
                data = b""; seen = []
                while len(seen) < 3:
                    data += os.read(fd, 4096)
                    while len(data) >= 16:
                        wd, mask, cookie, size = struct.unpack("iIII", data[:16]); seen.append((hex(mask), data[16:16 + size].rstrip(b"\\0"))); data = data[16 + size:]
                print(seen)
                """));
    }

    @ParameterizedTest
    @EnumSource
    void aTreeIsCopiedMovedAndRemoved(Place place) throws Exception {
        assertSame(docker -> {
            String script =
                    "cp -a /etc copy; (cd copy; find . -type f | sort | xargs -d '\\n' sha256sum | grep -v -e hosts -e hostname -e resolv.conf | sha256sum);"
                            + " mv copy moved; find moved | wc -l; rm -rf moved; ls -A";
            place.shell(docker, script);
        });
    }

    @ParameterizedTest
    @EnumSource
    void aBusyboxShellWorksThereToo(Place place) throws Exception {
        assertSame(
                docker -> place.run(
                        docker,
                        BUSYBOX,
                        "sh",
                        "-c",
                        "for i in 1 2 3; do mkdir -p a/$i; echo $i >a/$i/f; done; cat a/*/f; tar -c a | tar -t; du -a a | wc -l; rm -r a; ls -A"));
    }
}
