/* SPDX-License-Identifier: Apache-2.0 */
/* The heads of what is answered, and of what QEMU is asked. */
#ifndef DKVM_WEB_ANSWER_H
#define DKVM_WEB_ANSWER_H

#include "sandbox/web/http_request.h"
#include "sandbox/web/web_pages.h"

#include <stddef.h>

enum { ANSWER_MOST = 2048 }; /* bytes */

/* The head of a page. Its size. */
size_t answer_page(char to[static ANSWER_MOST], const struct page *page);

/* A refusal, with a line of text that says which; a request by HEAD gets no text. Its size. */
size_t answer_refusal(char to[static ANSWER_MOST], enum http_status status, bool head);

/* What QEMU is asked for a websocket: nothing of the browser's words but its key. Its size. */
size_t answer_upgrade(char to[static ANSWER_MOST], const struct http_request *request);

#endif
