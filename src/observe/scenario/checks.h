/*
 * checks.h - the inside of check.c: what the files that measure share.
 */
#ifndef OBSERVE_SCENARIO_CHECKS_H
#define OBSERVE_SCENARIO_CHECKS_H

#include "observe/scenario/check.h"

#define CHECK_ANSWER_MAX (1u << 20)

struct check_call {
	struct check_tools tools;
	struct world *world;
	struct element *element;
	const struct step *step;
	const struct value *body; /* borrowed */
	int64_t deadline_ns, began_ns;
	check_done *done;
	void *arg;
	struct timer later; /* for results that are there at once */
	json_t *measured;
	enum fault fault;
	char detail[256];
	struct phases phases;
	unsigned requests;
	bool unasked;

	/* whichever of these is under way */
	struct tcp_call *tcp;
	struct ping_call *ping;
	struct resolve_call *resolve;
	struct ssh_call *ssh;
	struct http_call *http;
	struct cloud_call *cloud;
	struct dns_call *dns;
	struct cloud_login *log_in;
	struct login *login;
	struct sockaddr_storage address;
	void (*cancel)(
		struct check_call *c); /* instead of all that; NULL: none of the verb's own */
	void (*cleanup)(struct check_call *c);
	void *data; /* of the verb's own */
};

/* Ends the check; the callback runs in here. */
void check_finish(struct check_call *c, enum fault fault, const char *fmt, ...) like_printf(3, 4);
/* Ends it on the next turn, for what is known before anything was started. */
void check_finish_later(struct check_call *c, enum fault fault, const char *fmt, ...)
	like_printf(3, 4);
void check_measure_time(struct check_call *c, const char *name, int64_t ns);
void check_measure_int(struct check_call *c, const char *name, int64_t n);
void check_measure_size(struct check_call *c, const char *name, int64_t bytes);
void check_measure_share(struct check_call *c, const char *name, double share); /* 0.5: "50%" */
void check_measure_text(struct check_call *c, const char *name, struct slice text);

/* A field of the body; the body itself stands for `first` when it is no map ("list: ${it}"). */
const struct value *check_field(const struct check_call *c, const char *name, const char *first);
/* The field as text, a ref turned into its id; owned, NULL if absent. */
char *check_text(struct check_call *c, const char *name, const char *first);

void check_ping(struct check_call *c);
void check_tcp(struct check_call *c);
void check_http(struct check_call *c);
void check_ssh(struct check_call *c);
void check_dns(struct check_call *c);
void check_download(struct check_call *c);
void check_list(struct check_call *c);
void check_token(struct check_call *c);
void check_value(struct check_call *c);
/* "192.0.2.1, 192.0.2.2": what [LAST] says of an answer. Appends. */
void check_dns_text(struct buf *out, const struct dns_said *said);
void check_guest(struct check_call *c);
void check_mesh(struct check_call *c);
void check_throughput(struct check_call *c);
void check_bench(struct check_call *c);
/* Runs a command in a guest (`from`), with `input` on its standard input; ends in `then` with the
 * result. Copies. */
bool check_in_guest(struct check_call *c, const struct value *guest, struct slice command,
	struct slice input, ssh_done *then);
/* The first thing in `then`. False: the command did not even run, and the check has ended so. */
bool check_was_in_guest(struct check_call *c, const struct ssh_result *r);
/* A whole number of the body, as one or as text; *ret stays when the key is absent. False: it is
 * neither or out of range, and the check ends with that. */
bool check_number(struct check_call *c, const char *name, int64_t min, int64_t max, int64_t *ret);
/* A time of whole seconds, at least one and at most max; *ret stays when it is absent. */
bool check_seconds(const struct value *v, unsigned max, unsigned *ret);
/* As check_text() for a host: a guest's is the one of its log-in, and *ret_port its port (for
 * others it stays). Owned; NULL if it is absent or, with the error, cannot be told. */
char *check_host(struct check_call *c, const char *name, const char *first, unsigned *ret_port,
	struct error *err);
/* "host:port" or "[v6]:port"; host is owned. */
bool check_split(const char *text, char **ret_host, unsigned *ret_port);

#endif
