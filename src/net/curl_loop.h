/*
 * curl_loop.h - curl's multi interface on our loop; the HTTP client and the mailer sit on it.
 *
 * A user makes a curl_loop, adds easy handles to `multi` itself and takes them off with
 * curl_loop_remove(). Whenever curl has worked, `harvest` is called outside of curl: there
 * curl_multi_info_read() tells what has ended.
 * Thread: the loop's.
 */
#ifndef NET_CURL_LOOP_H
#define NET_CURL_LOOP_H

#include <curl/curl.h>

#include "base/fault.h"
#include "base/vec.h"
#include "net/loop.h"

struct curl_socket;

struct curl_loop {
	CURLM *multi;
	bool in_curl; /* curl is working: it must not be called */
	/* inside */
	struct loop *loop;
	uv_timer_t timer; /* curl's own time-outs, real time */
	void (*harvest)(void *arg);
	void *arg;
	VEC(struct curl_socket *) sockets; /* by descriptor */
	VEC(struct curl_socket *) connecting;
};

/* How the connection of one transfer came about; lies in the owner's call and ends with it. */
struct curl_opening {
	struct curl_loop *loop;
	unsigned *open; /* counts the open connections; outlives the curl_loop. Or NULL */
	bool opened;    /* a socket for it was opened */
	int fd;         /* the last one opened; curl closes it */
	int open_errno;
	int64_t stood_ns; /* when its TCP connection stood, real time */
	char tried[64];   /* the address last tried */
};

/* Also starts the library. Returns owned. At most `connections` at once. */
struct curl_loop *curl_loop_new(struct loop *l, unsigned connections, void (*harvest)(void *arg),
	void *arg, struct error *err) must_check;
/* Closes all connections; no handle may be in `multi` any more. */
void curl_loop_free(struct curl_loop *c);

/* Its sockets are opened, watched and closed here. `open` and loop are set here, the rest empty. */
void curl_opening_init(struct curl_opening *o, struct curl_loop *c, CURL *easy);
/* Its connection stands, or is one that stood before. */
void curl_opening_connected(struct curl_opening *o);
/* Takes the handle from `multi`; no more is written into `o`. */
void curl_loop_remove(struct curl_loop *c, CURL *easy, struct curl_opening *o);

/* curl_fault.c: `sys` is the errno of a connection that never stood. */
enum fault curl_fault_of_connect(long sys);
enum fault curl_fault_of_code(CURL *easy, CURLcode code); /* all but CURLE_COULDNT_CONNECT */

#endif
