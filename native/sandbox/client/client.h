/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end of a session (protocol/PROTOCOL.md): between the caller's stdin, stdout, stderr,
 * terminal and signals on one side and the monitor's socket on the other. dkvm-init holds the main
 * session with it, dkvm-exec each other one.
 */
#ifndef DKVM_CLIENT_H
#define DKVM_CLIENT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "sandbox/client/endpoint.h"
#include "common/frame.h"
#include "sandbox/client/outlet.h"
#include "sandbox/client/request.h"
#include "sandbox/client/rawmode.h"

enum {
	CLIENT_MAX_NOTICE = 4096,   /* bytes */
	CLIENT_MAX_TEXT = 1024,     /* bytes: of REFUSED */
	CLIENT_MORE = 40,           /* descriptors of others that are waited for */
	CLIENT_MAX_POINT = 16,      /* bytes: of BREAK */
	CLIENT_SEND_SIZE = 73728,   /* bytes: two data frames and some control frames */
	CLIENT_NOTICE_SIZE = 16384, /* bytes of notices that wait; more are dropped */
};

enum client_end {
	CLIENT_RUNNING,
	CLIENT_EXITED,  /* EXIT came: code */
	CLIENT_REFUSED, /* REFUSED came, its text is on stderr: code */
	CLIENT_LOST,    /* the connection ended before */
	CLIENT_BROKEN,  /* the monitor broke the protocol: fault says how */
};

struct client {
	/* Set by the caller, the rest zero. */
	enum client_role role;
	uint32_t container;       /* whose session it is: a number */
	int socket;               /* non-blocking, connected */
	int signals;              /* from signals_take() */
	uint64_t ignored_signals; /* likewise */
	bool terminal;
	bool stdin_open;
	struct request *request;     /* what to OPEN; NULL for the main session */
	bool (*monitor_ended)(void); /* called on SIGCHLD: reap; true once the monitor is gone. May be NULL */
	/* Called when the launch is to wait for a person at this point; client_resume() ends it. NULL: never */
	void (*pause)(const char *point);
	/* What else to wait for, at most CLIENT_MORE, and what to do when it is ready; NULL: nothing. */
	size_t (*more_polls)(struct pollfd *polls);
	void (*more_ready)(const struct pollfd *polls, size_t count);
	int watch;                  /* readable when the network may have changed; with watched() only */
	bool (*watched)(int watch); /* whether it has. NULL: nobody wants to know */

	/* The result. */
	enum client_end end;
	uint8_t code;
	bool out_of_memory; /* EXIT says so of the container */
	const char *fault;

	/* Between. */
	struct endpoint ends[3];     /* by enum frame_channel */
	struct outlet outlets[3];    /* of output, by enum frame_channel */
	struct outlet notice_outlet; /* to stderr, too */
	struct rawmode raw_mode;
	bool opened;
	bool request_sent;
	bool send_failed;
	bool input_ended;
	bool output_ended[3];
	bool resized;
	bool paused;           /* since BREAK came */
	bool resume_due;       /* BREAK is to be sent */
	bool change_due;       /* NETWORK_CHANGED is to be sent */
	uint32_t input_credit; /* bytes of stdin that the monitor takes */
	uint32_t granted[3];   /* bytes of output that the monitor may send */
	uint32_t owed[3];      /* bytes written, not granted again yet */
	int64_t progress;      /* ms: when output last moved */
	size_t received, send_start, send_end;
	uint8_t receive[FRAME_HEADER + FRAME_MAX_PAYLOAD];
	uint8_t send[CLIENT_SEND_SIZE];
	uint8_t output[2][FRAME_CREDIT];
	uint8_t notices[CLIENT_NOTICE_SIZE];
};

/*
 * Take over stdio and say who we are: ATTACH is ready to be sent. The terminal, if there is one, is raw from
 * here on.
 */
void client_start(struct client *client);

/*
 * Relay until the session ended and its output is written, or its reader took nothing for 30 seconds. Sets the
 * result.
 */
void client_run(struct client *client);

/* What client->pause began is over: the launch goes on, with the terminal as large as it is now. */
void client_resume(struct client *client);

/* Give the terminal its mode back. */
void client_stop(struct client *client);

#endif
