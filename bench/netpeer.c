/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench's other end, in the VM or container: netpeer PORT. One connection at a time, whose first byte says what it is for: 'S' it takes all, and answers with a
 * byte when the other side has ended; 'G' it gives until the other side is gone; 'C' it answers with a byte; 'E' it answers each byte; 'Q' the program ends.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, BACKLOG = 16 };

static char buffer[CHUNK];

static void serve(int peer, char purpose)
{
    ssize_t n = 0;
    switch (purpose) {
    case 'S':
        do {
            n = read(peer, buffer, sizeof buffer);
        } while (n > 0);
        n = write(peer, "k", 1);
        break;
    case 'G':
        do {
            n = write(peer, buffer, sizeof buffer);
        } while (n > 0);
        break;
    case 'C':
        n = write(peer, "k", 1);
        break;
    case 'E':
        do {
            n = read(peer, buffer, 1);
        } while (n == 1 && write(peer, buffer, 1) == 1);
        break;
    default:
        break;
    }
    (void)n;
}

int main(int argc, char **argv)
{
    int on = 1;
    char *end = NULL;
    unsigned long port = argc == 2 ? strtoul(argv[1], &end, 10) : 0;

    if (port == 0 || port > UINT16_MAX || *end != '\0') {
        fprintf(stderr, "usage: netpeer PORT, from 1 to 65535\n");
        return 2;
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, BACKLOG) != 0) {
        perror("netpeer");
        return 1;
    }
    for (char purpose = 0; purpose != 'Q';) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) {
            continue;
        }
        (void)setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        purpose = 0;
        if (read(peer, &purpose, 1) == 1) {
            serve(peer, purpose);
        }
        (void)close(peer);
    }
    return 0;
}
