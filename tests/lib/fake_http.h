/* fake_http.h - a transport without a network: who names it in a test gets it instead of ship/http.c. */
#ifndef EVMEND_TESTS_LIB_FAKE_HTTP_H
#define EVMEND_TESTS_LIB_FAKE_HTTP_H

#include "ship/http.h"

/* What a receiver does with a request: fills in status, body and so on; body and why live until the next request. headers are one text, a line
 * each, with those of every request in front. false: no answer yet, it is called again at the next drive. */
typedef bool fake_http_receiver(void *arg, const struct http_request *r, const char *headers, struct http_answer *a);

void fake_http_receive(fake_http_receiver *f, void *arg); /* for all that is begun from now on */
size_t fake_http_open(void); /* calls that were begun and not ended; 0 after a test */

#endif
