/*
 * push.c - kind push: something outside says how it is, and its silence is a failure.
 *
 * A beat is due `every` after the last one, and late when `grace` has passed as well; from then on
 * each period without one is a failure of its own. After a start the first period begins anew:
 * until it ends without a beat nothing is known, and nothing is said.
 *
 * Tokens are found by their SHA-256, so that the time of a search says nothing about them.
 */

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/secret.h"
#include "base/units.h"
#include "observe/probe/inside.h"

#define DETAIL_MAX 200 /* code points of a text from outside are cut there; bytes */

struct push_spec {
	const struct yaml *token; /* while it is read */
	int64_t grace_ns;
	struct secret *secret;
};

struct push {
	struct timer due;
	int64_t heard_ns; /* the last beat, or the start */
	bool heard;       /* it was a beat */
	uint8_t hash[SHA256_BYTES];
	char key[2 * SHA256_BYTES + 1];
};

/* --- the kind --------------------------------------------------------------------------------- */

static const struct key keys[] = {
	{"token", KEY_NODE, offsetof(struct push_spec, token), .required = true,
		.help = "file:PATH or env:NAME"},
	{"grace", KEY_TIME, offsetof(struct push_spec, grace_ns), .min = NS_PER_MS,
		.max = 7 * 24 * 3600 * NS_PER_S},
};

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct push_spec *s = spec;
	const int64_t every_ns = r->config->about.every_ns;
	if (!s->grace_ns)
		s->grace_ns = every_ns / 10;
	r->config->about.timeout_ns = s->grace_ns;
	r->key = "token";
	buf_add_str(out, "push");
	return probe_take_secret(r, s->token, true, &s->secret, NULL);
}

static const char *const measurements[] = {"DETAIL", NULL};

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	*ret = a->data && slice_is(name, "DETAIL") ? value_str(a->data) : VALUE_NOTHING;
	return ret->type != VALUE_NULL;
}

static void release(struct attempt *a)
{
	free(a->data);
}

/* One run, now: there is nobody to ask. */
static void start(struct attempt *a)
{
	attempt_end_soon(a, FAULT_CONFIGURATION, "a probe of kind push is told, it cannot ask");
}

static void cancel(struct attempt *a)
{
}

const struct probe_kind probe_kind_push = {
	.name = "push",
	.help = "a heartbeat: told from outside, silence fails",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct push_spec),
	.finish = finish,
	.measurements = measurements,
	.start = start,
	.cancel = cancel,
	.measure = measure,
	.release = release,
	.silent = true,
};

/* --- what came, or did not -------------------------------------------------------------------- */

static void on_ended(struct run *r, const struct outcome *o)
{
	probe_tell(r->arg, &r->attempt, r->tries, r->at_ms, o);
	run_done(r);
}

/* Conditions are held against it as against any answer. */
static void tell(struct probe *p, enum fault fault, const char *detail, int64_t took_us)
{
	const struct loop *l = p->tools->loop;
	struct run *r = mem_new(struct run);
	char text[DETAIL_MAX] = "";
	if (detail)
		snprintf(text, sizeof(text), "%s", detail);
	r->config = p->config;
	r->ended = on_ended;
	r->arg = p;
	r->tries = 1;
	r->at_ms = clock_unix_us(loop_clock(l)) / 1000;
	r->began_ns = r->attempt_ns = loop_now_ns(l);
	r->attempt = (struct attempt){.tools = p->tools,
		.kind = p->config->kind,
		.spec = p->config->spec,
		.connected = true,
		.data = detail ? mem_strdup(text) : NULL,
		.phases = {.total_ns = took_us * NS_PER_US}};
	if (fault == FAULT_NONE)
		attempt_end(&r->attempt, fault, NULL);
	else
		attempt_end(&r->attempt, fault, "%s", *text ? text : fault_text(fault));
}

static void on_due(struct timer *t)
{
	struct probe *p = t->arg;
	struct push *u = p->push;
	char silent[UNITS_TEXT], text[120];
	const int64_t now = loop_now_ns(p->tools->loop);
	snprintf(text, sizeof(text), "no beat for %s%s", units_time_text(now - u->heard_ns, silent),
		u->heard ? "" : ", since our start");
	timer_start(p->tools->loop, &u->due, p->config->about.every_ns, on_due, p);
	tell(p, FAULT_TIMEOUT, text, 0);
}

static void wait_for_next(struct probe *p)
{
	const struct probe_about *a = &p->config->about;
	p->push->heard_ns = loop_now_ns(p->tools->loop);
	timer_start(p->tools->loop, &p->push->due, a->every_ns + a->timeout_ns, on_due, p);
}

static void take(struct probe *p, enum fault fault, const char *detail, int64_t took_us)
{
	p->push->heard = true;
	wait_for_next(p);
	tell(p, fault, detail, took_us > 0 ? took_us : 0);
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void hash_of(struct slice token, uint8_t *hash, char *key)
{
	digest_sha256(token.p, token.n, hash);
	hex_write(hash, SHA256_BYTES, key);
}

bool probe_pushed(struct probes *all, struct slice token, enum fault fault, const char *detail,
	int64_t took_us)
{
	uint8_t hash[SHA256_BYTES];
	char key[2 * SHA256_BYTES + 1];
	hash_of(token, hash, key);
	struct probe *p = probes_by_token(all, key);
	if (p)
		take(p, fault, detail, took_us);
	return p != NULL;
}

int probe_pushed_by_name(struct probes *all, const char *name, struct slice token, enum fault fault,
	const char *detail, int64_t took_us)
{
	uint8_t hash[SHA256_BYTES];
	char key[2 * SHA256_BYTES + 1];
	struct probe *p = probes_find(all, name);
	if (!p || !p->push)
		return 404;
	hash_of(token, hash, key);
	if (sodium_memcmp(hash, p->push->hash, sizeof(hash)) != 0)
		return 401;
	take(p, fault, detail, took_us);
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

bool push_open(struct probe *p, struct error *err)
{
	const struct push_spec *s = p->config->spec;
	struct push *u = mem_new(struct push);
	hash_of(slice_from(secret_reveal(s->secret), secret_length(s->secret)), u->hash, u->key);
	if (!probes_add_token(p->tools->probes, u->key, p)) {
		error_at(err, p->config->file, p->config->about.line, p->config->about.col,
			"probe %s: another probe has the same token", p->config->about.name);
		free(u);
		return false;
	}
	p->push = u;
	wait_for_next(p);
	return true;
}

void push_close(struct probe *p)
{
	timer_cancel(&p->push->due);
	probes_remove_token(p->tools->probes, p->push->key);
	free(p->push);
}

int64_t push_due_ns(const struct probe *p)
{
	return timer_left_ns(&p->push->due);
}
