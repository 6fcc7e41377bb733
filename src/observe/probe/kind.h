/*
 * kind.h - what a kind of probe is: a name, its keys, one attempt, what it can say it measured.
 *
 * The inside of observe/probe: one file a kind (http.c, tcp.c, dns.c, ...), listed in kinds.c.
 * Common things (schedule, tries, conditions, samples) are probe.c's; a kind only reads its keys
 * and makes one attempt. Thread: the loop's.
 */
#ifndef OBSERVE_PROBE_KIND_H
#define OBSERVE_PROBE_KIND_H

#include "net/phases.h"
#include "observe/probe/probe.h"
#include "text/keys.h"
#include "text/value.h"

struct attempt; /* one exchange under way */

struct probe_reader { /* while an item is read */
	const char *file;
	const char *dir;  /* where relative paths begin; NULL: where we are */
	const char *name; /* of the probe, for messages */
	const char *key;  /* what is being read, for messages of probe_take_secret(); "" */
	struct error_list *errors;
	int64_t timeout_ns; /* of an attempt */
	struct probe_config *config;
};

struct probe_kind {
	const char *name; /* its key in the item: "tcp" */
	const char *help; /* one line for `glasshouse --help` and docs */
	/* Its keys, when its value is a map; `size` of the structure they fill, `shorthand` the key
	 * that is meant when the value is a text ("to", "url"; NULL: it must be a map). */
	const struct key *keys;
	size_t key_count, size;
	const char *shorthand;
	/* The structure with defaults, before its keys are read. May be NULL: zeros. */
	void (*defaults)(void *spec);
	/* Checks what keys_read() cannot, compiles patterns, takes secrets (probe_take_secret());
	 * says what is wrong with probe_wrong() and returns false. The target, for people, is
	 * appended to out. */
	bool (*finish)(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out);
	/* What finish() made, as far as it came (it is not called when the keys have errors); the
	 * texts of the keys are released by the caller, secrets by the configuration. May be NULL.
	 */
	void (*fini)(void *spec);
	/* Looks at the files that are read only when it asks: says what is wrong with each, at its
	 * place. May be NULL: there are none, or finish() did. */
	void (*files)(const void *spec, struct probe_reader *r);
	/* "GET https://…", as who tells of a failure shows it. Appended; may be NULL: there is
	 * none. */
	void (*request)(const void *spec, struct buf *out);
	/* Measurements there are, for checking conditions when they are read: NULL-terminated.
	 * Those every kind has (CONNECTED RESPONSE_TIME IP TRIES) are not among them. */
	const char *const *measurements;
	/* Whether it can be run here: false with the reason (a helper, a right is missing). May be
	 * NULL: it can. */
	bool (*can_run)(const struct probe_tools *t, const void *spec, struct error *err);
	/* Starts. Ends in exactly one attempt_end(), never from in here. */
	void (*start)(struct attempt *a);
	/* Stops at once: whatever it started is gone or will free itself; attempt_end() is not
	 * called. */
	void (*cancel)(struct attempt *a);
	/* Evaluates [NAME] of an attempt that has ended, from what it holds: true with *ret
	 * (owned), or false: not measured this time (null in conditions). Nothing is evaluated that
	 * no condition names. May be NULL. */
	bool (*measure)(const struct attempt *a, struct slice name, struct value *ret);
	/* What [NAME] was before it was read as JSON: the bytes, borrowed from the attempt; false
	 * for what never was more than it is. May be NULL. */
	bool (*written)(const struct attempt *a, struct slice name, struct slice *ret);
	/* Frees `data` of the attempt. May be NULL. */
	void (*release)(struct attempt *a);
	bool silent; /* never starts by itself: push */
};

struct attempt {
	const struct probe_tools *tools;
	const struct probe_kind *kind;
	const void *spec; /* the kind's structure */
	int family;       /* AF_UNSPEC: any */
	bool judged;   /* there is an `expect`: the kind's own idea of a good answer is not asked */
	bool measured; /* [NAME]s will be asked: what costs to know must be kept */
	int64_t deadline_ns; /* relative, of this attempt; kept by the kind, else by cancel() */
	void *data;          /* the kind's own */
	/* What the kind fills before attempt_end(): */
	enum fault fault; /* of the exchange; expectations come after */
	char detail[200];
	struct phases phases; /* total_ns is filled by attempt_end() when 0 */
	int status;           /* HTTP, gRPC, SMTP; 0: none */
	char address[64];     /* "192.0.2.1" or "2001:db8::1" */
	bool connected;
	bool is_ours_to_warn; /* good, but the kind itself has a warning; detail says it */
	/* A distribution the round itself is made of (icmp), us; borrowed until the end. */
	const int64_t *round_us;
	size_t round_sent, round_n; /* sent; answered */
};

/* Tells what came of it; the attempt (and `data`, by release) is gone when it returns. `fmt` NULL:
 * no detail. */
void attempt_end(struct attempt *a, enum fault fault, const char *fmt, ...) like_printf(3, 4);
/* The same from inside of start() or wherever it must not end at once: on the loop's next turn,
 * once (a cancel() before that is enough: the kind has nothing to stop). */
void attempt_end_soon(struct attempt *a, enum fault fault, const char *fmt, ...) like_printf(3, 4);
/* Steady time since the attempt began. */
int64_t attempt_age_ns(const struct attempt *a);

/* An error at a node of the item, prefixed by the probe. */
void probe_wrong(struct probe_reader *r, const struct yaml *at, const char *fmt, ...)
	like_printf(3, 4);
/* Makes *path (owned; NULL is fine), a file that the kind reads itself, one that is found from
 * everywhere. */
void probe_path(const struct probe_reader *r, char **path);
/* A text that may be file:PATH or env:NAME: registered with the configuration and resolved by
 * probe_config_secrets(); a plain text is refused when `must`. Where it will stand is written
 * through `into` (owned by the configuration; NULL until then). Text that is no reference goes to
 * *ret_plain (owned) when it is not `must`. */
bool probe_take_secret(struct probe_reader *r, const struct yaml *at, bool must,
	struct secret **into, char **ret_plain);
/* Says so of a host's name that is not in ASCII: names are asked for as they are written. */
bool probe_check_ascii(struct probe_reader *r, const struct yaml *at, struct slice host);
/* "host:port", "[v6]:port"; `port` 0: must be written. Host is owned. Says what is wrong. */
bool probe_read_target(struct probe_reader *r, const struct yaml *at, const char *text,
	unsigned port, char **ret_host, unsigned *ret_port);

extern const struct probe_kind probe_kind_http, probe_kind_tcp, probe_kind_tls, probe_kind_udp,
	probe_kind_ssh, probe_kind_smtp, probe_kind_imap, probe_kind_websocket, probe_kind_grpc,
	probe_kind_dns, probe_kind_icmp, probe_kind_push, probe_kind_exec;
/* By its key; NULL: there is none. */
const struct probe_kind *probe_kind_find(struct slice name);
/* All of them, in the order of the documentation. */
const struct probe_kind *const *probe_kinds(size_t *ret_n);

#endif
