# SPDX-License-Identifier: Apache-2.0
"""What programs do with files, timed: python3 files.py DIRECTORY [OUTPUT]. A line for each, "name milliseconds"."""
import os
import shutil
import subprocess
import sys
import time

FILES = 2000
TREE = 7000
BIG = 128 << 20
LIBC = "/lib/x86_64-linux-gnu/libc.so.6"

if len(sys.argv) not in (2, 3):
    sys.exit("usage: files.py DIRECTORY [OUTPUT]")
directory = sys.argv[1]
output = open(sys.argv[2], "w") if len(sys.argv) > 2 else sys.stdout
os.makedirs(directory, exist_ok=True)
os.chdir(directory)


def timed(name, what):
    start = time.monotonic()
    what()
    print(f"{name} {1000 * (time.monotonic() - start):.1f}", file=output, flush=True)


def shell(script):
    return lambda: subprocess.run(["sh", "-c", script], stdout=subprocess.DEVNULL, check=True)


def times(count, command):
    return shell("; ".join([command] * count))


def create():
    os.mkdir("many")
    for i in range(FILES):
        with open(f"many/{i}", "wb") as f:
            f.write(b"x" * 100)


def tree():
    for i in range(TREE // 100):
        os.makedirs(f"tree/{i}")
        for j in range(100):
            with open(f"tree/{i}/{j}", "wb") as f:
                f.write(b"y" * 200)
    subprocess.run(["tar", "-cf", "tree.tar", "tree"], check=True)
    shutil.rmtree("tree")


def big_write():
    with open("big", "wb", buffering=0) as f:
        block = b"z" * (1 << 20)
        for _ in range(BIG >> 20):
            f.write(block)
        os.fsync(f.fileno())


def big_read():
    with open("big", "rb", buffering=0) as f:
        while f.read(1 << 20):
            pass


def synced():
    with open("log", "wb", buffering=0) as f:
        for _ in range(200):
            f.write(b"l" * 4096)
            os.fsync(f.fileno())


# what the first look at each program costs is not what is asked here
shell(f"/bin/true; cat {LIBC}; mkdir w; find w; cp -a w v; rm -rf w v; tar --version")()
timed("true-10", times(10, "/bin/true"))
timed("cat-libc-10", times(10, f"cat {LIBC}"))
timed("fork-10", times(10, "(:)"))
timed("mkdir-21", shell("; ".join(f"mkdir d{i}" for i in range(21))))
timed("create-2000", create)
timed("find-2000", shell("find many"))
timed("cat-2000", shell("cat many/*"))
timed("copy-2000", shell("cp -a many copy"))
timed("remove-4000", shell("rm -rf many copy"))
timed("write-128-mib", big_write)
timed("read-128-mib", big_read)
timed("read-128-mib-again", big_read)
timed("write-fsync-200", synced)
tree()
timed("untar-7000", shell("tar -xf tree.tar"))
if shutil.which("git"):
    shell("cd tree && git init -q . && git add -A")()
    timed("git-status-7000", shell("cd tree && git status --short"))
shutil.rmtree("tree")
