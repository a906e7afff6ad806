// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.dkvm.e2e.Differential.onVm;
import static org.dkvm.e2e.Images.BUSYBOX;
import static org.dkvm.e2e.Images.TOOLS;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocketHandshakeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a VM shows, and where: by VNC, in a browser, as a text screen or as a serial port on the container's terminal. */
@EndToEnd
class DisplaysTest {
    private static final int NOT_STARTED = 125;
    private static final Path PICTURES = Path.of("target/pictures");

    /** The console's blue and green, which nothing else on a text screen is full of. */
    private static final int BLUE = 0x0000a8;

    private static final int GREEN = 0x00a800;

    /** That of its letters. */
    private static final int GREY = 0xa8a8a8;

    /** Points of a line of letters. */
    private static final int LINE_HEIGHT = 16;

    /** Paints the screen's halves by DRM, and the left one anew when a key is pressed. See the kernel's drm_mode.h and input.h. */
    private static final String PAINTER = """
            import ctypes, fcntl, glob, mmap, os, struct
            card = os.open('/dev/dri/card0', os.O_RDWR)
            def call(number, form, *values):
                data = bytearray(struct.pack(form, *values))
                fcntl.ioctl(card, 3 << 30 | len(data) << 16 | 0x64 << 8 | number, data)
                return struct.unpack(form, data)
            crtcs, connectors = (ctypes.c_uint32 * 4)(), (ctypes.c_uint32 * 4)()
            call(0xa0, '4Q8I', 0, ctypes.addressof(crtcs), ctypes.addressof(connectors), 0, 0, 4, 4, 0, 0, 0, 0, 0)
            modes = ctypes.create_string_buffer(68 * 64)
            for n in range(2):
                count = call(0xa7, '4Q12I', 0, ctypes.addressof(modes), 0, 0, n and count, 0, 0, 0, connectors[0], *[0] * 7)[4]
            mode = modes.raw[:68]
            width, height = struct.unpack_from('4xH8xH', mode)
            _, _, _, _, handle, pitch, size = call(0xb2, '6IQ', height, width, 32, 0, 0, 0, 0)
            fb = call(0xae, '7I', 0, width, height, pitch, 32, 24, handle)[0]
            screen = mmap.mmap(card, size, offset=call(0xb3, '2IQ', handle, 0, 0)[2])
            def paint(left, right):
                line = struct.pack('<I', left) * (width // 2) + struct.pack('<I', right) * (width - width // 2)
                screen[:] = line.ljust(pitch, b'\\0') * height
            paint(0x336699, 0xcc8800)
            one = (ctypes.c_uint32 * 1)(connectors[0])
            call(0xa2, 'Q7I68s', ctypes.addressof(one), 1, crtcs[0], fb, 0, 0, 0, 1, mode)
            def device(kind):
                for name in glob.glob('/sys/class/input/event*/device/name'):
                    if kind in open(name).read():
                        return open('/dev/input/' + name.split('/')[4], 'rb')
            keys, tablet = device('Keyboard'), device('Tablet')
            def events(source):
                while True:
                    yield struct.unpack('2q2Hi', source.read(24))[2:]
            print('painted', width, height, flush=True)
            next(event for event in events(keys) if event == (1, 30, 1))
            paint(0x993366, 0xcc8800)
            call(0xb1, '4IQ', fb, 0, 0, 0, 0)
            print('the key A', flush=True)
            place = {}
            for kind, code, value in events(tablet):
                place[kind, code] = value
                if kind == 0 and (3, 0) in place and (3, 1) in place:
                    break
            print('the pointer at %d/4, %d/4' % tuple(round(place[3, axis] / 8192) for axis in (0, 1)), flush=True)
            keys.read()
            """;

    private static int share(BufferedImage picture, int colour) {
        int count = 0;
        for (int y = 0; y < picture.getHeight(); y++) {
            for (int x = 0; x < picture.getWidth(); x++) {
                count += (picture.getRGB(x, y) & 0xffffff) == colour ? 1 : 0;
            }
        }
        return 100 * count / (picture.getWidth() * picture.getHeight());
    }

    private static int colourAt(BufferedImage picture, int x, int y) {
        return picture.getRGB(x, y) & 0xffffff;
    }

    private static void keep(Vnc vnc, String name) throws Exception {
        vnc.save(Files.createDirectories(PICTURES).resolve(name + ".png"));
    }

    @Test
    void aConsoleIsSeenAndTypedToByVnc() throws Exception {
        onVm(docker -> {
            Path secret = Files.writeString(docker.directory().resolve("password"), "open it\nand more\n");
            // Another user's, for whom alone it is.
            Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
            Files.setAttribute(secret, "unix:uid", 12_345);
            Container container = docker.start(
                    "-p127.0.0.1::5900",
                    "-v" + secret + ":/disks/password:ro",
                    "--env=DKVM_DISPLAY_MODE=vnc",
                    "--env=DKVM_QEMU_VNC_PASSWORD_FILE=/disks/password",
                    "--env=DKVM_KERNEL=debian",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "printf '\\033[44m\\033[2J\\033[HDKVM on VNC\\n' >/dev/tty1; echo on the stdio; env | grep -c DKVM;"
                            + " ls /disks; setsid -c sh </dev/tty1 >/dev/tty1 2>&1; true");
            container.awaitLog("No such file");
            assertThat(container.log()).startsWith("on the stdio\n0\n");
            int port = Host.port(docker.quietly("port", container.name(), "5900"));
            assertThat(Vnc.offered(port)).containsExactly(2);
            assertThatThrownBy(() -> Vnc.connect(port, "open")).isInstanceOf(Vnc.Refused.class);
            assertThatThrownBy(() -> Vnc.connect(port, "")).isInstanceOf(Vnc.Refused.class);
            try (Vnc vnc = Vnc.connect(port, "open it")) {
                vnc.await("a blue console", picture -> share(picture, BLUE) > 80);
                keep(vnc, "console");
                vnc.type("printf '\\033[42m\\033[2J'\n");
                vnc.await("a green console", picture -> share(picture, GREEN) > 80);
                vnc.type("exit\n");
            }
            container.awaitEnd();
        });
    }

    @Test
    void aProgramDrawsWithDkvmsOwnKernel() throws Exception {
        onVm(docker -> {
            Container container = docker.start(
                    "-p127.0.0.1::5901",
                    "--env=DKVM_DISPLAY_MODE=vnc",
                    "--env=DKVM_QEMU_VNC_DISPLAY=1",
                    "--env=DKVM_QEMU_VNC_PASSWORD=12345678",
                    "--env=DKVM_KERNEL=dkvm",
                    TOOLS,
                    "python3",
                    "-c",
                    PAINTER);
            container.awaitLog("painted 1280 800");
            int port = Host.port(docker.quietly("port", container.name(), "5901"));
            try (Vnc vnc = Vnc.connect(port, "12345678")) {
                vnc.await(
                        "two halves",
                        picture -> picture.getWidth() == 1280
                                && picture.getHeight() == 800
                                && colourAt(picture, 100, 100) == 0x336699
                                && colourAt(picture, 1200, 700) == 0xcc8800);
                keep(vnc, "drawn");
                vnc.type("a");
                container.awaitLog("the key A");
                vnc.await("another left half", picture -> colourAt(picture, 100, 100) == 0x993366);
                vnc.point(640, 200);
                container.awaitLog("the pointer at 2/4, 1/4");
            }
        });
    }

    private static int greyInFirstLine(BufferedImage picture) {
        int count = 0;
        for (int y = 0; y < Math.min(LINE_HEIGHT, picture.getHeight()); y++) {
            for (int x = 0; x < picture.getWidth(); x++) {
                count += colourAt(picture, x, y) == GREY ? 1 : 0;
            }
        }
        return count;
    }

    private static HttpResponse<String> get(HttpClient client, int port, String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** What anybody gets who reaches the port, and that it is not the guest who answers. */
    private static void thePagesAreServed(int port) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> page = get(client, port, "/");
            assertThat(page.statusCode()).isEqualTo(200);
            assertThat(page.body()).contains("<title>noVNC</title>");
            assertThat(page.headers().firstValue("Content-Security-Policy"))
                    .hasValueSatisfying(
                            policy -> assertThat(policy).contains("default-src 'self'", "frame-ancestors 'none'"));
            assertThat(get(client, port, "/core/rfb.js").body()).contains("class RFB");
            for (String other : List.of("/../../../etc/passwd", "/run/dkvm/sandbox.json", "/.script", "/index.html")) {
                assertThat(get(client, port, other).statusCode()).as(other).isEqualTo(404);
            }
        }
    }

    private static void theScreenIsTypedToInABrowser(Path program, Path profile, int port) throws Exception {
        // The page goes nowhere else, whatever its address says.
        String address = "http://127.0.0.1:" + port + "/?host=192.0.2.1&port=1&path=elsewhere";
        try (Browser browser = Browser.show(program, profile, address)) {
            Deadline.await(
                    "the page asks for the password",
                    () -> browser.evaluate(
                                    "document.getElementById('noVNC_credentials_dlg').classList.contains('noVNC_open')"
                                            + " && document.getElementById('noVNC_password_block').classList.contains('noVNC_hidden') == false")
                            .equals("true"));
            // It appears little by little, and takes no focus before it is to be seen.
            Deadline.await(
                    "a field for the password",
                    () -> browser.evaluate(
                                    "(document.getElementById('noVNC_password_input').focus(), document.activeElement.id)")
                            .equals("noVNC_password_input"));
            browser.save(Files.createDirectories(PICTURES).resolve("browser-password.png"));
            browser.insert("open it");
            browser.evaluate("document.getElementById('noVNC_credentials_button').click()");
            Deadline.await("the guest's text in the browser", () -> {
                BufferedImage picture = browser.canvas();
                return share(picture, BLUE) > 80 && greyInFirstLine(picture) > 200;
            });
            browser.save(PICTURES.resolve("browser.png"));
            browser.type("printf '\\033[42m'; clear\n");
            Deadline.await("a green console in the browser", () -> share(browser.canvas(), GREEN) > 80);
        }
    }

    @Test
    void aConsoleIsSeenAndTypedToInABrowser() throws Exception {
        Optional<Path> browser = Browser.installed();
        onVm(docker -> {
            Container container = docker.start(
                    "-p127.0.0.1::6080",
                    "--env=DKVM_DISPLAY_MODE=web",
                    "--env=DKVM_QEMU_VNC_PASSWORD=open it",
                    "--env=DKVM_KERNEL=debian",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "nc -ll -p 6080 -e echo THE GUEST & printf '\\033[44m\\033[2J\\033[HDKVM in a browser\\n' >/dev/tty1;"
                            + " echo ready; setsid -c sh </dev/tty1 >/dev/tty1 2>&1; true");
            container.awaitLog("ready");
            int port = Host.port(docker.quietly("port", container.name(), "6080"));
            thePagesAreServed(port);
            assertThatThrownBy(() -> WebScreen.connect(port, "http://evil.example"))
                    .isInstanceOfSatisfying(
                            WebSocketHandshakeException.class,
                            e -> assertThat(e.getResponse().statusCode()).isEqualTo(403));
            assertThatThrownBy(() -> Vnc.overWeb(port, "open")).isInstanceOf(Vnc.Refused.class);
            try (Vnc vnc = Vnc.overWeb(port, "open it")) {
                vnc.await("a blue console", picture -> share(picture, BLUE) > 80 && greyInFirstLine(picture) > 200);
                if (browser.isPresent()) {
                    theScreenIsTypedToInABrowser(browser.get(), docker.directory(), port);
                }
                vnc.type("exit\n");
            }
            container.awaitEnd();
        });
        assumeTrue(
                browser.isPresent(),
                "all was well without a browser; for the rest install chromium-headless-shell or chromium");
    }

    @Test
    void aPageWhosePortIsTakenEndsTheStart() throws Exception {
        onVm(docker -> {
            Container owner = docker.peer(
                    BUSYBOX,
                    "sh",
                    "-c",
                    "nc -ll -p 6080 -e true & until cat /proc/net/tcp* | grep -q ':17C0 '; do sleep 0.1; done; echo it listens; wait");
            owner.awaitLog("it listens");
            Outcome outcome = docker.exits(NOT_STARTED)
                    .run(
                            "--network=container:" + owner.name(),
                            "--env=DKVM_DISPLAY_MODE=web",
                            "--env=DKVM_QEMU_VNC_PASSWORD=open it",
                            BUSYBOX,
                            "echo",
                            "started");
            assertThat(outcome.text()).isEmpty();
            assertThat(outcome.errors()).contains("can not listen at TCP port 6080: Address already in use");
        });
    }

    @Test
    void aTextScreenIsDrawnOnTheTerminal() throws Exception {
        onVm(docker -> {
            Terminal terminal = docker.terminal(
                    30,
                    100,
                    "-it",
                    "--env=DKVM_QEMU_DISPLAY=curses",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "trap 'echo caught; read x; exit 3' INT; tty; echo \"$TERM: $(stty size)\"; while true; do read x; echo =$x=; done");
            terminal.await("/dev/tty1");
            terminal.await("linux: 25 80");
            terminal.enter("abc");
            terminal.await("=abc=");
            // QEMU draws it in the middle of the terminal: from column 27 on.
            terminal.resizeUntil(50, 132, ";27H/dev/tty1");
            terminal.control('C');
            terminal.await("caught");
            terminal.enter("");
            Outcome outcome = terminal.finish();
            assertThat(outcome.exitCode()).isEqualTo(3);
            assertThat(outcome.text()).contains("\033[?1049h").contains("\033[?1049l");
        });
    }

    @Test
    void theSerialPortIsTheTerminal() throws Exception {
        onVm(docker -> {
            Terminal terminal = docker.terminal(
                    24,
                    80,
                    "-it",
                    "--env=DKVM_DISPLAY_MODE=serial",
                    "--env=DKVM_KERNEL_DEBUG=1",
                    BUSYBOX,
                    "sh",
                    "-c",
                    "trap 'seq 1 4000; exit 4' INT; trap 'echo =$(stty size)=' WINCH; echo ready; while true; do read x; echo =$x=; done");
            terminal.await("Linux version");
            terminal.await("ready");
            terminal.enter("abc");
            terminal.await("=abc=");
            terminal.resizeUntil(50, 132, "=50 132=");
            terminal.control('C');
            Outcome outcome = terminal.finish();
            assertThat(outcome.exitCode()).isEqualTo(4);
            assertThat(outcome.text()).contains("\n3999\r\n4000\r\n");
        });
    }

    @Test
    void vncThatNobodyCouldReachIsAnErrorBeforeTheVmStarts() throws Exception {
        onVm(docker -> {
            Outcome outcome = docker.exits(NOT_STARTED)
                    .run(
                            "--network=none",
                            "--env=DKVM_DISPLAY_MODE=vnc",
                            "--env=DKVM_QEMU_VNC_PASSWORD=open it",
                            BUSYBOX,
                            "echo",
                            "started");
            assertThat(outcome.exitCode()).isEqualTo(NOT_STARTED);
            assertThat(outcome.text()).isEmpty();
            assertThat(outcome.errors()).contains("the container has no network: nobody could connect");
        });
    }
}
