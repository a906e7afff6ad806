// SPDX-License-Identifier: Apache-2.0
package org.dkvm.e2e;

import java.awt.image.BufferedImage;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.function.Predicate;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;
import javax.imageio.ImageIO;

/** A VNC client that looks at the screen and presses keys. See RFC 6143. */
final class Vnc implements Closeable {
    private static final String VERSION = "RFB 003.008\n";
    private static final int SECURITY_PASSWORD = 2;
    private static final int KEY_BYTES = 8;
    private static final int CHALLENGE_BYTES = 16;
    private static final int FRAMEBUFFER_UPDATE = 0;
    private static final int BELL = 2;
    private static final int ENCODING_RAW = 0;
    private static final int ENCODING_DESKTOP_SIZE = -223;
    private static final int KEY_RETURN = 0xff0d;
    private static final int PATIENCE_MILLIS = 20_000;

    private final Closeable connection;
    private final DataInputStream in;
    private final DataOutputStream out;
    private BufferedImage picture = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);

    /** The server does not let us in. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;

        Refused(String reason) {
            super(reason);
        }
    }

    private Vnc(Closeable connection, InputStream in, OutputStream out) {
        this.connection = connection;
        this.in = new DataInputStream(in);
        this.out = new DataOutputStream(new BufferedOutputStream(out));
    }

    /** The kinds of security that the server at a port of this host offers. */
    static byte[] offered(int port) throws IOException {
        try (Vnc vnc = to(open(port))) {
            return vnc.greet();
        }
    }

    /** Connects to a port of this host. */
    static Vnc connect(int port, String password) throws IOException {
        return loggedIn(to(open(port)), password);
    }

    /** Connects over the websocket that a port of this host serves. */
    static Vnc overWeb(int port, String password) throws IOException {
        WebScreen screen = WebScreen.connect(port, "");
        return loggedIn(new Vnc(screen, screen.in(), screen.out()), password);
    }

    private static Vnc to(Socket socket) throws IOException {
        return new Vnc(socket, socket.getInputStream(), socket.getOutputStream());
    }

    private static Vnc loggedIn(Vnc vnc, String password) throws IOException {
        try {
            vnc.logIn(password);
            vnc.begin();
            return vnc;
        } catch (IOException e) {
            vnc.close();
            throw e;
        }
    }

    private static Socket open(int port) throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MILLIS);
        socket.setSoTimeout(PATIENCE_MILLIS);
        return socket;
    }

    /** Looks at the screen until it is as wanted. */
    BufferedImage await(String what, Predicate<BufferedImage> wanted) throws Exception {
        Deadline.await(what + " on the screen", () -> wanted.test(look()));
        return picture;
    }

    /** What the screen shows now. */
    BufferedImage look() throws IOException {
        while (true) {
            int width = picture.getWidth();
            int height = picture.getHeight();
            out.write(new byte[] {3, 0});
            for (int value : new int[] {0, 0, width, height}) {
                out.writeShort(value);
            }
            out.flush();
            int kind = in.readUnsignedByte();
            while (kind == BELL) {
                kind = in.readUnsignedByte();
            }
            if (kind != FRAMEBUFFER_UPDATE) {
                throw new IOException("a message of kind " + kind);
            }
            takeUpdate();
            if (picture.getWidth() == width && picture.getHeight() == height) {
                return picture;
            }
        }
    }

    /** Presses keys and lets them go. */
    void type(String keys) throws IOException {
        for (int i = 0; i < keys.length(); i++) {
            char key = keys.charAt(i);
            int symbol = key == '\n' ? KEY_RETURN : key;
            press(symbol, true);
            press(symbol, false);
        }
    }

    /** Moves the pointer. */
    void point(int x, int y) throws IOException {
        out.write(new byte[] {5, 0});
        out.writeShort(x);
        out.writeShort(y);
        out.flush();
    }

    void save(Path file) throws IOException {
        ImageIO.write(picture, "png", file.toFile());
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }

    private void press(int symbol, boolean down) throws IOException {
        out.write(new byte[] {4, (byte) (down ? 1 : 0), 0, 0});
        out.writeInt(symbol);
        out.flush();
    }

    private byte[] greet() throws IOException {
        String version = new String(bytes(VERSION.length()), StandardCharsets.US_ASCII);
        if (!VERSION.equals(version)) {
            throw new IOException("a server of version " + version);
        }
        out.write(VERSION.getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return bytes(in.readUnsignedByte());
    }

    private void logIn(String password) throws IOException {
        byte[] kinds = greet();
        if (!Arrays.equals(kinds, new byte[] {SECURITY_PASSWORD})) {
            throw new IOException("the server offers security " + Arrays.toString(kinds));
        }
        out.write(SECURITY_PASSWORD);
        out.flush();
        out.write(answer(bytes(CHALLENGE_BYTES), password));
        out.flush();
        if (in.readInt() != 0) {
            throw new Refused(new String(bytes(in.readInt()), StandardCharsets.ISO_8859_1));
        }
    }

    /** The challenge encrypted by the password, whose bytes have their bits the other way round. */
    private static byte[] answer(byte[] challenge, String password) throws IOException {
        byte[] key = Arrays.copyOf(password.getBytes(StandardCharsets.ISO_8859_1), KEY_BYTES);
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) (Integer.reverse(key[i]) >>> 24);
        }
        try {
            Cipher cipher = Cipher.getInstance("DES/ECB/NoPadding");
            cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "DES"));
            return cipher.doFinal(challenge);
        } catch (GeneralSecurityException e) {
            throw new IOException("no DES", e);
        }
    }

    private void begin() throws IOException {
        out.write(1);
        out.flush();
        resize(in.readUnsignedShort(), in.readUnsignedShort());
        bytes(16);
        bytes(in.readInt());
        ByteArrayOutputStream words = new ByteArrayOutputStream();
        DataOutputStream message = new DataOutputStream(words);
        // Pixels as Java has them: 32 bits, little-endian, of which 24 count; red 16, green 8, blue 0.
        message.write(
                new byte[] {0, 0, 0, 0, 32, 24, 0, 1, 0, (byte) 255, 0, (byte) 255, 0, (byte) 255, 16, 8, 0, 0, 0, 0});
        message.write(new byte[] {2, 0, 0, 2});
        message.writeInt(ENCODING_RAW);
        message.writeInt(ENCODING_DESKTOP_SIZE);
        words.writeTo(out);
        out.flush();
    }

    private void resize(int width, int height) {
        picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    }

    private void takeUpdate() throws IOException {
        in.readUnsignedByte();
        int count = in.readUnsignedShort();
        for (int i = 0; i < count; i++) {
            int x = in.readUnsignedShort();
            int y = in.readUnsignedShort();
            int width = in.readUnsignedShort();
            int height = in.readUnsignedShort();
            int encoding = in.readInt();
            if (encoding == ENCODING_DESKTOP_SIZE) {
                resize(width, height);
            } else if (encoding == ENCODING_RAW) {
                for (int row = 0; row < height; row++) {
                    takeRow(bytes(width * 4), x, y + row);
                }
            } else {
                throw new IOException("an encoding nobody asked for: " + encoding);
            }
        }
    }

    private void takeRow(byte[] pixels, int x, int y) {
        for (int i = 0; i < pixels.length; i += 4) {
            int rgb = (pixels[i] & 0xff) | (pixels[i + 1] & 0xff) << 8 | (pixels[i + 2] & 0xff) << 16;
            picture.setRGB(x + i / 4, y, rgb);
        }
    }

    private byte[] bytes(int count) throws IOException {
        byte[] bytes = new byte[count];
        in.readFully(bytes);
        return bytes;
    }
}
