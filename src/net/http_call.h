/*
 * http_call.h - the inside of the HTTP client, shared by its files and by nobody else.
 *
 *	http_client.c    clients and the life of a call: start, resolve, deadline, cancel, deliver
 *	http_request.c   a request as options of a curl handle, and its body while it is sent
 *	http_answer.c    what came back: headers, body, phases, and curl's errors as faults
 *	http_sockets.c   curl's sockets and time-outs on our loop
 *	http_hosts.c     addresses of hosts, and the proxy to take
 *
 * curl must not be called from inside its own callbacks, and callers' functions (source, sink) run
 * there. So a callback never ends a call; it notes why, and the call's timer ends it.
 */
#ifndef NET_HTTP_CALL_H
#define NET_HTTP_CALL_H

#include <curl/curl.h>

#include "base/map.h"
#include "base/vec.h"
#include "net/http_headers.h"
#include "net/resolver.h"

struct http_socket;

struct http_host {             /* a host and port we connect to; lives as long as its client */
	char *addresses;       /* "192.0.2.1,[2001:db8::1]", NULL: not resolved yet */
	int64_t good_until_ns; /* real time */
	unsigned open, active; /* connections; calls past resolving */
	unsigned calls;        /* all calls that point here */
	bool multiplexes;      /* its last answer was HTTP/2 */
};

struct http_proxies { /* from the environment, NULL: none */
	char *http, *https, *no_proxy;
};

struct http_client {
	struct loop *loop;
	bool fresh;
	unsigned connections;
	char *user_agent;
	CURLM *multi;
	uv_timer_t timer; /* curl's own time-outs, real time */
	struct resolver *resolver;
	struct map hosts; /* "host:port" -> struct http_host */
	struct http_proxies proxies;
	struct http_call *calls;
	VEC(CURL *) spare;                 /* handles ready for reuse */
	VEC(struct http_socket *) sockets; /* by descriptor */
	VEC(struct http_socket *) connecting;
	bool in_curl, freeing;
	http_dated *dated; /* NULL: nobody listens */
	void *dated_arg;
};

enum http_state {
	HTTP_STARTING,  /* waits for a turn outside curl */
	HTTP_RESOLVING, /* the resolver keeps the deadline */
	HTTP_RUNNING,   /* in curl */
	HTTP_ENDED,     /* the answer is ready; waits for its delivery */
};

struct http_call {
	struct http_client *client;
	struct http_call *next, **link;
	enum http_state state;
	struct timer timer;             /* start, deadlines, delivery: one at a time */
	int64_t end_ns, connect_end_ns; /* deadlines on the loop's clock */
	int64_t budget_ns, connect_budget_ns;
	http_done *done;
	void *arg;

	CURL *easy;
	bool in_multi;
	struct curl_slist *sent_headers, *resolve, *connect_to;
	struct resolve_call *lookup;
	struct http_host *host;
	char *host_name; /* of whom we connect to, without [] */
	bool proxied;    /* that is a proxy */
	unsigned host_port;
	char *host_key;
	bool needs_lookup, counted, wants_certificate;
	int family;

	/* the request */
	bool safe; /* sending it twice changes nothing: RFC 9110 section 9.2.1 */
	size_t (*source)(void *arg, void *p, size_t n);
	int64_t source_left;
	bool (*sink)(void *arg, const void *p, size_t n);
	void *stream_arg;

	/* how far it came */
	int64_t began_ns, uploaded_ns; /* real time */
	int64_t stood_ns;              /* when its TCP connection stood */
	bool opened, tls; /* a socket for it was opened; TLS to the one we connect to */
	int fd;           /* the last one opened; curl closes it */
	unsigned readied; /* times a connection was ready for it */
	int open_errno;
	char tried[64];  /* the address last tried */
	enum fault stop; /* why a callback of ours stopped curl; NONE: it did not */
	char stop_detail[128];
	char curl_error[CURL_ERROR_SIZE];

	/* the answer */
	struct buf body;
	struct http_headers headers;
	struct tls_facts *facts; /* NULL: not wanted, or none were shown */
	struct http_answer answer;
};

/* --- http_client.c */
void http_call_stop(struct http_call *call, enum fault fault, const char *fmt, ...)
	like_printf(3, 4);                       /* from a callback inside curl */
void http_call_ready(struct http_call *call);    /* its connection is there: the deadline changes */
void http_client_harvest(struct http_client *c); /* after curl worked */

/* --- http_request.c */
/* Makes the handle, headers and limits. False with the answer's fault set. */
bool http_call_prepare(struct http_call *call, const struct http_request *request);

/* --- http_answer.c */
void http_call_receive(struct http_call *call); /* sets the callbacks */
/* Fills the answer from the handle, which has ended so or was stopped with `fault`. */
void http_call_conclude(struct http_call *call, CURLcode code, enum fault fault);
void http_call_date(struct http_call *call); /* tells who listens */

/* --- http_sockets.c */
bool http_sockets_init(struct http_client *c, struct error *err);
void http_sockets_fini(struct http_client *c);  /* frees c itself, a turn later */
void http_call_sockets(struct http_call *call); /* sets the callbacks */
void http_call_connected(struct http_call *call);
void http_call_remove(struct http_call *call); /* from curl's multi handle */

/* --- http_hosts.c */
void http_proxies_read(struct http_proxies *p);
void http_proxies_fini(struct http_proxies *p);
/* Borrows; NULL: connect directly. */
const char *http_proxy_for(const struct http_proxies *p, bool tls, struct slice host);
/* Counts the caller in; give it back with h->calls--. */
struct http_host *http_host_get(struct http_client *c, const char *key);
/* Whether a request can go without asking the resolver. */
bool http_host_known(const struct http_client *c, const struct http_host *h);
void http_host_learn(struct http_host *h, const struct resolved *r);
void http_hosts_fini(struct http_client *c);

#endif
