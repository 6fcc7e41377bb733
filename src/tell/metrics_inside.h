/*
 * metrics_inside.h - the inside of metrics, shared by their files and by nobody else.
 *
 *	metrics.c             receivers as a whole: configuration, what is taken, the end
 *	metrics_config.c      one receiver's configuration: checked, copied, compared
 *	metrics_tally.c       counts, sums and buckets by labels
 *	metrics_expose.c      the tally as Prometheus reads it
 *	metrics_point.c       a measure as a point of our own dialect
 *	metrics_oshm.c        a measure as OpenStack Health Monitor writes it
 *	metrics_probes.c      what each probe saw last
 *	metrics_waiting.c     what waits, bounded
 *	metrics_influx.c      batches of points, sent until they are taken
 *	metrics_statsd.c      CloudMon's names in packets, to StatsD and to our own series
 *	metrics_graphite.c    the same, added up, in lines over TCP
 *	metrics_otlp.c        when the tally is sent by OTLP, and what answers mean
 *	metrics_otlp_body.c   the tally in the JSON of OTLP, a piece at a time
 *	metrics_remote.c      the tally as Prometheus' remote write, a piece at a time
 */
#ifndef TELL_METRICS_INSIDE_H
#define TELL_METRICS_INSIDE_H

#include "base/map.h"
#include "base/random.h"
#include "base/vec.h"
#include "net/stream.h"
#include "net/udp_out.h"
#include "tell/cloudmon_names.h"
#include "tell/metrics.h"

#define METRICS_DEADLINE_NS (10 * NS_PER_S) /* of one attempt */
#define METRICS_BACKOFF_NS  (60 * NS_PER_S) /* at most between two */

/* --- the tally: metrics_tally.c ----------------------------------------------------------------
 */

enum tally_family {
	TALLY_CALL,
	TALLY_WAIT,
	TALLY_CHECK,
	TALLY_RUN,
	TALLY_BENCH,
	TALLY_ERROR,
	TALLY_FAMILIES
};

#define TALLY_SERIES_MAX 1000 /* of a family; what comes beyond is counted together */
#define TALLY_LABELS_MAX 8
#define TALLY_BOUNDS_MAX 16

struct tally_row {                                /* what a family is */
	const char *name, *help;                  /* Prometheus, without prefix */
	const char *otlp, *unit;                  /* name and unit in OTLP */
	const char *labels[TALLY_LABELS_MAX + 1]; /* Prometheus; cloud and region are the first */
	const char *attributes[TALLY_LABELS_MAX]; /* the same in OTLP; NULL: not told there */
	double bounds[TALLY_BOUNDS_MAX]; /* seconds, rising; 0: the end; none: no buckets */
};
extern const struct tally_row tally_rows[TALLY_FAMILIES];
size_t tally_label_count(enum tally_family f);
size_t tally_bound_count(enum tally_family f);

struct tally_series {
	char *values[TALLY_LABELS_MAX]; /* of the labels, "" where there is none */
	bool overflow;                  /* everything beyond the limit */
	uint64_t n, counts[TALLY_BOUNDS_MAX + 1];
	double sum, last; /* seconds; of BENCH the value */
};

struct tally {
	struct map series[TALLY_FAMILIES]; /* by all values -> struct tally_series * */
	uint64_t overflowed;               /* measures counted in no series of their own */
};

void tally_take(struct tally *t, const struct measure *m);
void tally_fini(struct tally *t);

/* --- receivers ---------------------------------------------------------------------------------
 */

struct sender;

struct batch {
	struct buf lines;
	VEC(int64_t) at_ns; /* of each line, where lines have no time of their own */
	size_t n;
	int64_t first_ns; /* mono, of its first line */
};

struct sending {               /* one attempt; outlives its sender: curl still has its body */
	struct sender *sender; /* NULL: it is gone */
	struct http_call *http;
	char *body;
	size_t points;
};

struct told {
	bool is;       /* and that it is over is not */
	int64_t at_ns; /* mono, the last time; 0: never */
};

struct sender {
	struct metrics *metrics;
	struct metrics_receiver config; /* owned copies */
	char *write_url;                /* influx */
	struct timer due, retry, watch;
	struct sending *sending;
	unsigned tries;
	bool draining, over;
	uint64_t sent, lost, failures;
	int64_t last_ok_ms;
	char *trouble;
	struct told told, told_full; /* that it has trouble; that too much waits */

	/* influx, statsd, graphite: */
	struct batch *open;           /* being filled; NULL: none */
	VEC(struct batch *) batches;  /* full ones, oldest first */
	size_t waiting, waiting_size; /* points and bytes of both */
	uint64_t sequence;

	/* statsd: */
	struct udp_out *udp; /* NULL: none */
	bool udp_ready;
	/* graphite: */
	struct map added; /* name with its type -> struct added */
	size_t values;    /* times that are kept until the next flush */
	struct stream *stream;

	/* otlp, remote_write: where the next piece begins; 0, 0: a new round */
	size_t family, at;
	bool last; /* of a drain: the round under way is the last */
};

struct metrics {
	struct loop *loop;
	struct http_client *client;
	struct metrics_site site; /* owned copies */
	int64_t began_unix_us;
	struct tally tally;
	struct map probes; /* name -> struct last_seen, at most TALLY_SERIES_MAX */
	VEC(struct sender *) senders;
	struct metrics_state *states;
	bool draining;
	struct timer budget;
	void (*drained)(void *arg);
	void *drained_arg;
};

int64_t metrics_now_us(const struct metrics *m); /* since 1970 */

/* --- metrics.c */
struct sender_kind {
	const char *name, *type; /* Content-Type; NULL: it speaks no HTTP */
	int64_t every_ns;        /* unless configured */
	void (*begin)(struct sender *s);
	void (*take)(struct sender *s, const struct measure *m); /* NULL: it reads the tally */
	void (*drain)(struct sender *s);
	void (*close)(struct sender *s); /* NULL: there is nothing of its own */
};
extern const struct sender_kind sender_kinds[METRICS_KINDS];

/* What both kinds do with an attempt; `body` is taken. */
void sender_post(
	struct sender *s, const char *url, char *body, size_t n, size_t points, http_done *done);
/* Ends it; NULL when its sender is gone. */
struct sender *sending_end(struct sending *a);
/* How long to wait before the next attempt: longer each time, a little by chance. `a` NULL: it was
 * none of HTTP. */
int64_t sender_backoff_ns(const struct sender *s, const struct http_answer *a);
void sender_over(struct sender *s); /* of a drain: nothing is left to do */

/* --- metrics_config.c */
bool metrics_config_check(
	const struct metrics_receiver *list, size_t n, struct error *err) must_check;
bool metrics_config_same(const struct metrics_receiver *a, const struct metrics_receiver *b);

/* --- metrics_point.c, metrics_oshm.c: append a line; false: there is nothing to say */
bool metrics_point(struct buf *out, const char *measurement, const struct measure *m, int64_t at);
bool metrics_point_open(
	struct buf *out, const char *measurement, const struct measure *wait, int64_t at);
bool metrics_point_oshm(struct buf *out, const char *measurement, const struct measure *m);

/* --- metrics_probes.c */
void probes_take(struct metrics *m, const struct measure *x); /* of any kind */
void probes_expose(struct buf *out, const struct metrics *m);
void probes_fini(struct metrics *m);

/* --- metrics_trouble.c */
void sender_note_trouble(struct sender *s, const char *why); /* NULL: none */
void sender_note_full(struct sender *s); /* points were lost because too many wait */

/* --- metrics_waiting.c */
void waiting_free(struct batch *b); /* NULL is fine */
/* The one being filled is full: what waits is bounded, so that others may be lost for it. */
void waiting_close(struct sender *s);
/* The one to append to, made when there is none. */
struct batch *waiting_open(struct sender *s, size_t max);
void waiting_added(struct sender *s, size_t bytes); /* a line, to the one being filled */
void waiting_drop_first(struct sender *s);          /* it is no longer waiting */
void waiting_forget(struct sender *s);              /* what waits is lost */

/* --- metrics_influx.c */
void influx_begin(struct sender *s);
void influx_take(struct sender *s, const struct measure *m);
void influx_drain(struct sender *s);

/* --- metrics_statsd.c */
struct cloudmon_place sender_place(const struct sender *s); /* borrows of its configuration */
void statsd_begin(struct sender *s);
void statsd_take(struct sender *s, const struct measure *m);
void statsd_drain(struct sender *s);
void statsd_close_out(struct sender *s);

/* --- metrics_graphite.c */
void graphite_begin(struct sender *s);
void graphite_take(struct sender *s, const struct measure *m);
void graphite_drain(struct sender *s);
void graphite_close_out(struct sender *s);

/* --- metrics_otlp.c, metrics_otlp_body.c */
void otlp_begin(struct sender *s); /* from now on, again and again */
void otlp_drain(struct sender *s);
/* The next piece from (*family, *at) on, which move; owned text, *ret_points 0 and (0, 0) again:
 * there is no more. */
char *otlp_body(struct metrics *m, size_t *family, size_t *at, size_t *ret_points, size_t *ret_n);

/* --- metrics_remote.c: as otlp_body() */
char *remote_body(struct metrics *m, size_t *family, size_t *at, size_t *ret_points, size_t *ret_n);

#endif
