// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/** A headless Chromium with one page, by the DevTools protocol. */
final class Browser implements Closeable {
    private static final List<String> PROGRAMS = List.of("chromium-headless-shell", "chromium");
    private static final Path PATH = Path.of("/usr/bin");
    private static final String PICTURE = "data:image/png;base64,";
    private static final int PATIENCE_SECONDS = 60;

    private final Running program;
    private final HttpClient client = HttpClient.newHttpClient();
    private final BlockingQueue<JsonObject> messages = new LinkedBlockingQueue<>();
    private final WebSocket socket;
    private String session = "";
    private int count;

    private Browser(Running program, List<String> place) {
        this.program = program;
        socket = client.newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + place.get(0) + place.get(1)), new Messages())
                .join();
    }

    /** The browser of this machine, if it has one. */
    static Optional<Path> installed() {
        return PROGRAMS.stream().map(PATH::resolve).filter(Files::exists).findFirst();
    }

    /** Shows a page; the browser has that directory for itself. */
    static Browser show(Path program, Path profile, String address) throws Exception {
        Running running = Running.start(List.of(
                program.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--mute-audio",
                "--window-size=1000,700",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile));
        Path place = profile.resolve("DevToolsActivePort");
        try {
            Deadline.await(
                    "a browser that listens",
                    () -> Files.exists(place) && Files.readAllLines(place).size() == 2);
            Browser browser = new Browser(running, Files.readAllLines(place));
            browser.open(address);
            return browser;
        } catch (Exception | AssertionError e) {
            running.close();
            throw e;
        }
    }

    private void open(String address) throws IOException, InterruptedException {
        String target =
                call("Target.createTarget", "url", address).get("targetId").getAsString();
        JsonObject attach = new JsonObject();
        attach.addProperty("targetId", target);
        attach.addProperty("flatten", true);
        session = call("Target.attachToTarget", attach).get("sessionId").getAsString();
    }

    /** What an expression of the page is, as text; empty where it throws. */
    String evaluate(String expression) throws IOException, InterruptedException {
        JsonObject result = call("Runtime.evaluate", "expression", "String(" + expression + ")")
                .getAsJsonObject("result");
        return "string".equals(result.get("type").getAsString())
                ? result.get("value").getAsString()
                : "";
    }

    /** What the page's canvas shows; one point where it has none. */
    BufferedImage canvas() throws IOException, InterruptedException {
        String url = evaluate("document.querySelector('#noVNC_container canvas').toDataURL('image/png')");
        // One without a size yet has no picture either.
        return url.startsWith(PICTURE)
                ? decode(url.substring(PICTURE.length()))
                : new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
    }

    /** The page as a person sees it. */
    void save(Path file) throws IOException, InterruptedException {
        BufferedImage page = decode(
                call("Page.captureScreenshot", new JsonObject()).get("data").getAsString());
        ImageIO.write(page, "png", file.toFile());
    }

    /** Puts text where the cursor is, as from the clipboard. */
    void insert(String text) throws IOException, InterruptedException {
        call("Input.insertText", "text", text);
    }

    /** Presses keys and lets them go; of letters only small ones, as nobody holds Shift. */
    void type(String keys) throws IOException, InterruptedException {
        for (int i = 0; i < keys.length(); i++) {
            String key = keys.charAt(i) == '\n' ? "Enter" : keys.substring(i, i + 1);
            press("keyDown", key);
            press("keyUp", key);
        }
    }

    private void press(String type, String key) throws IOException, InterruptedException {
        JsonObject event = new JsonObject();
        event.addProperty("type", type);
        event.addProperty("key", key);
        call("Input.dispatchKeyEvent", event);
    }

    private JsonObject call(String method, String name, String value) throws IOException, InterruptedException {
        JsonObject parameters = new JsonObject();
        parameters.addProperty(name, value);
        return call(method, parameters);
    }

    private JsonObject call(String method, JsonObject parameters) throws IOException, InterruptedException {
        JsonObject message = new JsonObject();
        message.addProperty("id", ++count);
        message.addProperty("method", method);
        message.add("params", parameters);
        if (!session.isEmpty()) {
            message.addProperty("sessionId", session);
        }
        socket.sendText(message.toString(), true).join();
        while (true) {
            JsonObject answer = messages.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (answer == null || (answer.has("id") && answer.get("id").getAsInt() == count && !answer.has("result"))) {
                throw new IOException(method + ": " + (answer == null ? "no answer" : answer));
            }
            if (answer.has("id") && answer.get("id").getAsInt() == count) {
                return answer.getAsJsonObject("result");
            }
        }
    }

    private static BufferedImage decode(String base64) throws IOException {
        return Objects.requireNonNull(
                ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(base64))), "no picture");
    }

    /** By its own command: the program that was started may be a script before it. */
    @Override
    public void close() throws IOException {
        session = "";
        try {
            call("Browser.close", new JsonObject());
        } catch (InterruptedException e) {
            throw new IOException(e);
        } finally {
            socket.abort();
            client.shutdownNow();
            program.close();
        }
    }

    private final class Messages implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                messages.add(JsonParser.parseString(text.toString()).getAsJsonObject());
                text.setLength(0);
            }
            from.request(1);
            return null;
        }
    }
}
