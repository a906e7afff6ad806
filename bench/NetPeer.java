// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/** The host's side of netpeer.c: measures one peer, a piece of time for each figure. */
final class NetPeer {
    /** Where netpeer.c listens. */
    static final int PORT = 5000;

    private static final Duration TRANSFER = Duration.ofMillis(700);
    private static final Duration ROUNDS = Duration.ofMillis(400);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final double BITS = 8;
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double MEGA = 1e6;

    private final String address;
    private final byte[] buffer = new byte[256 * 1024];

    /** Megabits a second from the host to the peer. */
    final Samples in = new Samples();

    /** Megabits a second from the peer to the host. */
    final Samples out = new Samples();

    /** Connections a second, one after the other, each with a byte each way. */
    final Samples connections = new Samples();

    /** Microseconds until a byte has come back. */
    final Samples latency = new Samples();

    /** A peer at this address; waits until it listens. */
    NetPeer(String address) throws IOException, InterruptedException {
        this.address = address;
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try (Socket socket = open('C')) {
                if (socket.getInputStream().read() == 'k') {
                    return;
                }
            } catch (IOException e) {
                if (System.nanoTime() > end) {
                    throw new IOException("nobody answers at " + address + ": " + e.getMessage(), e);
                }
                Thread.sleep(50);
            }
        }
    }

    /** Measures once and remembers; the first time is to warm up. */
    void measure(boolean remember) throws IOException {
        double taken = intoThePeer();
        double given = outOfThePeer();
        double rate = connectionsASecond();
        Samples times = roundTrips();
        if (remember) {
            in.add(taken);
            out.add(given);
            connections.add(rate);
            latency.addAll(times);
        }
    }

    private double intoThePeer() throws IOException {
        try (Socket socket = open('S')) {
            OutputStream stream = socket.getOutputStream();
            long start = System.nanoTime();
            long bytes = 0;
            while (System.nanoTime() - start < TRANSFER.toNanos()) {
                stream.write(buffer);
                bytes += buffer.length;
            }
            socket.shutdownOutput();
            expect(socket.getInputStream().read());
            return bytes * BITS / MEGA * NANOS_PER_SECOND / (System.nanoTime() - start);
        }
    }

    private double outOfThePeer() throws IOException {
        try (Socket socket = open('G')) {
            InputStream stream = socket.getInputStream();
            long start = System.nanoTime();
            long bytes = 0;
            while (System.nanoTime() - start < TRANSFER.toNanos()) {
                int n = stream.read(buffer);
                if (n < 0) {
                    throw new IOException("the peer at " + address + " stopped giving");
                }
                bytes += n;
            }
            return bytes * BITS / MEGA * NANOS_PER_SECOND / (System.nanoTime() - start);
        }
    }

    private double connectionsASecond() throws IOException {
        long start = System.nanoTime();
        int count = 0;
        while (System.nanoTime() - start < ROUNDS.toNanos()) {
            try (Socket socket = open('C')) {
                expect(socket.getInputStream().read());
                // The peer ends it, so that it is the peer's port that waits.
                if (socket.getInputStream().read() >= 0) {
                    throw new IOException("the peer at " + address + " says too much");
                }
                count++;
            }
        }
        return count * NANOS_PER_SECOND / (System.nanoTime() - start);
    }

    private Samples roundTrips() throws IOException {
        Samples times = new Samples();
        try (Socket socket = open('E')) {
            long start = System.nanoTime();
            while (System.nanoTime() - start < ROUNDS.toNanos()) {
                long sent = System.nanoTime();
                socket.getOutputStream().write('k');
                expect(socket.getInputStream().read());
                times.add((System.nanoTime() - sent) / NANOS_PER_MICRO);
            }
        }
        return times;
    }

    /** Tells the peer to end. */
    void quit() throws IOException {
        open('Q').close();
    }

    private Socket open(char purpose) throws IOException {
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.connect(new InetSocketAddress(address, PORT), (int) PATIENCE.toMillis());
            socket.getOutputStream().write(purpose);
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    private void expect(int answer) throws IOException {
        if (answer != 'k') {
            throw new IOException("the peer at " + address + " answered " + answer);
        }
    }
}
