/*
 * reporter.c - see reporter.h.
 *
 * Either the timer runs, or the outbox is read, or a parcel is under way.
 */

#include "observe/report/reporter.h"

#include <stdio.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/random.h"
#include "base/units.h"
#include "store/observation_code.h"
#include "store/parcel.h"

#define LOOK_NS     NS_PER_S        /* between two looks at what waits */
#define ALIVE_NS    (10 * NS_PER_S) /* between two parcels at most */
#define DEADLINE_NS (30 * NS_PER_S)
#define CONNECT_NS  (10 * NS_PER_S)
#define RETRY_MAX   (60 * NS_PER_S)
#define ANSWER_MAX  (64u << 10)
#define SAID_NS     (60 * NS_PER_S) /* between two words of what was dropped */

/* A request under way; it may outlive who sent it. */
struct posting {
	struct buf body;
	struct http_call *call;
	http_done *done; /* NULL: nobody waits any more */
	void *arg;
};

struct reporter {
	struct loop *loop;
	struct http_client *http;
	struct series_store *store;
	struct reporter_options options;
	char *url;
	struct timer timer;
	struct outbox_reading *reading;
	struct posting *posting;
	int64_t last;     /* of the parcel under way */
	uint64_t samples; /* of it */
	json_t *about;
	char about_id[2 * SHA256_BYTES + 1];
	bool about_wanted, more;
	char *blind;
	unsigned tries;
	int64_t sent_ns, said_ns;
	uint64_t too_many; /* told of */
	struct reporter_state state;
	char *why;
};

static int64_t now_ms(const struct reporter *r)
{
	return clock_unix_us(loop_clock(r->loop)) / 1000;
}

static void say(struct reporter *r, const char *fmt, ...) like_printf(2, 3);

static void say(struct reporter *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	r->options.tell(r->options.arg, text);
	free(text);
}

/* --- the head --------------------------------------------------------------------------------- */

static json_t *head_of(const struct reporter_options *o, int64_t sent_ms)
{
	return json_pack("{s:s, s:s, s:s, s:I}", "location", o->location, "instance", o->instance,
		"version", GLASSHOUSE_VERSION, "sent_ms", (json_int_t)sent_ms);
}

static char *head_text(const struct reporter *r)
{
	const struct outbox_state s = outbox_state(r->store);
	json_t *head = head_of(&r->options, now_ms(r));
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {{"items", (int64_t)s.items}, {"bytes", (int64_t)s.bytes},
		{"samples", (int64_t)s.samples}, {"oldest_ms", s.oldest_ms},
		{"too_old", (int64_t)s.too_old}, {"too_many", (int64_t)s.too_many},
		{"lost_notes", (int64_t)s.lost_notes}};
	for (size_t i = 0; i < array_len(numbers); i++)
		json_object_set_new(head, numbers[i].key, json_integer(numbers[i].value));
	json_object_set_new(head, "stream", json_string(s.stream));
	json_object_set_new(head, "blind", r->blind ? json_string(r->blind) : json_null());
	json_object_set_new(head, "about_id", json_string(r->about_id));
	if (r->about_wanted)
		json_object_set(head, "about", r->about);
	char *text = json_text(head);
	json_decref(head);
	return text;
}

/* --- how it goes ------------------------------------------------------------------------------ */

static void on_timer(struct timer *t);

static void again(struct reporter *r, int64_t delay_ns)
{
	timer_start(r->loop, &r->timer, delay_ns, on_timer, r);
}

static void failed(struct reporter *r, const char *why)
{
	int64_t wait = NS_PER_S;
	for (unsigned i = 0; i < r->tries && wait < RETRY_MAX; i++)
		wait *= 2;
	wait = wait < RETRY_MAX ? wait : RETRY_MAX;
	r->tries++;
	r->state.failures++;
	const bool begins = !r->why;
	mem_replace(&r->why, why);
	if (begins)
		say(r, "the house does not take our reports: %s", why);
	/* Outposts that lost their house together do not come back together. */
	again(r, wait / 2 + (int64_t)random_below(&random_system, (uint64_t)wait));
}

static void succeeded(struct reporter *r)
{
	const struct outbox_state s = outbox_state(r->store);
	const bool ends = r->why != NULL;
	mem_replace(&r->why, NULL);
	r->tries = 0;
	r->state.parcels++;
	r->state.taken_ms = now_ms(r);
	if (ends)
		say(r, "the house takes our reports again; %llu samples wait",
			(unsigned long long)s.samples);
}

static void tell_dropped(struct reporter *r)
{
	const uint64_t too_many = outbox_state(r->store).too_many;
	const int64_t now = loop_now_ns(r->loop);
	if (too_many <= r->too_many || (r->said_ns && now - r->said_ns < SAID_NS))
		return;
	say(r, "the spool for the house is full: the oldest %llu samples were dropped (report: spool)",
		(unsigned long long)(too_many - r->too_many));
	r->too_many = too_many;
	r->said_ns = now;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void on_posted(void *arg, const struct http_answer *a)
{
	struct posting *p = arg;
	if (p->done)
		p->done(p->arg, a);
	buf_fini(&p->body);
	free(p);
}

/* Copies the parcel. */
static struct posting *post(struct http_client *http, const char *url, const struct secret *token,
	struct slice parcel, int64_t deadline_ns, http_done *done, void *arg)
{
	struct posting *p = mem_new(struct posting);
	char *bearer = mem_printf("Bearer %s", secret_reveal(token));
	const struct http_header headers[] = {
		{"Authorization", bearer}, {"Content-Type", "application/vnd.glasshouse.parcel"}};
	buf_init(&p->body, PARCEL_BYTES);
	buf_add_slice(&p->body, parcel);
	p->done = done;
	p->arg = arg;
	const struct http_request q = {.method = "POST",
		.url = url,
		.headers = headers,
		.header_count = array_len(headers),
		.body = p->body.p,
		.body_n = p->body.n,
		.deadline_ns = deadline_ns,
		.connect_ns = CONNECT_NS < deadline_ns ? CONNECT_NS : deadline_ns,
		.answer_max = ANSWER_MAX};
	p->call = http_send(http, &q, on_posted, p);
	explicit_bzero(bearer, strlen(bearer));
	free(bearer);
	return p;
}

char *reporter_answer_text(const struct http_answer *a)
{
	struct error err = {0};
	if (a->fault)
		return mem_strdup(*a->detail ? a->detail : fault_text(a->fault));
	json_t *j = json_parse(a->body, ANSWER_MAX, &err);
	const char *said = json_str(j, "error");
	char *text = said ? mem_printf("%s (%d)", said, a->status)
			  : mem_printf("it answers %d%s", a->status,
				    a->status == 401   ? ": it does not know our token"
				    : a->status == 404 ? ": there is no house at this address"
						       : "");
	json_decref(j);
	return text;
}

static void take_answer(struct reporter *r, const json_t *answer)
{
	const int64_t accepted = json_int(answer, "accepted", 0);
	succeeded(r);
	r->about_wanted = json_flag(answer, "want_about");
	if (r->last && accepted >= r->last)
		r->state.samples += r->samples;
	if (r->last && accepted)
		outbox_taken(r->store, accepted);
	/* What it took a part of, it goes on with. */
	const bool more = r->last && (r->more || accepted < r->last);
	again(r, more || r->about_wanted ? 0 : LOOK_NS);
}

static void on_answer(void *arg, const struct http_answer *a)
{
	struct reporter *r = arg;
	struct error err = {0};
	r->posting = NULL;
	json_t *answer =
		!a->fault && a->status == 200 ? json_parse(a->body, ANSWER_MAX, &err) : NULL;
	if (json_is_integer(json_object_get(answer, "accepted"))) {
		take_answer(r, answer);
	} else {
		char *why = reporter_answer_text(a);
		failed(r, why);
		free(why);
	}
	json_decref(answer);
}

static void on_page(void *arg, const struct outbox_page *page, const struct error *err)
{
	struct reporter *r = arg;
	r->reading = NULL;
	if (err) {
		failed(r, err->msg);
		return;
	}
	r->last = page->last;
	r->samples = page->samples;
	r->more = page->more;
	r->sent_ns = loop_now_ns(r->loop);
	r->posting =
		post(r->http, r->url, r->options.token, page->parcel, DEADLINE_NS, on_answer, r);
}

static void on_timer(struct timer *t)
{
	struct reporter *r = t->arg;
	const bool quiet = r->sent_ns && loop_now_ns(r->loop) - r->sent_ns < ALIVE_NS;
	tell_dropped(r);
	if (!outbox_state(r->store).items && !r->about_wanted && quiet && !r->tries) {
		again(r, LOOK_NS);
		return;
	}
	char *head = head_text(r);
	r->reading = outbox_read(r->store, slice_of(head), on_page, r);
	free(head);
}

/* --- what goes -------------------------------------------------------------------------------- */

void reporter_seen(struct reporter *r, const struct observation *o)
{
	struct buf bytes = BUF(BUF_LINE);
	observation_write(&bytes, o);
	outbox_note(r->store, buf_slice(&bytes));
	buf_fini(&bytes);
}

void reporter_about(struct reporter *r, json_t *about)
{
	uint8_t hash[SHA256_BYTES];
	char *text = json_text(about);
	digest_sha256(text, strlen(text), hash);
	char *hex = hex_encode(hash, sizeof(hash));
	r->about_wanted |= strcmp(hex, r->about_id) != 0;
	snprintf(r->about_id, sizeof(r->about_id), "%s", hex);
	json_decref(r->about);
	r->about = about;
	free(hex);
	free(text);
}

void reporter_blind(struct reporter *r, bool blind, const char *why)
{
	mem_replace(&r->blind, blind ? why ? why : "no witness answers" : NULL);
}

/* --- life ------------------------------------------------------------------------------------- */

static char *url_of(const char *to)
{
	size_t n = strlen(to);
	while (n && to[n - 1] == '/')
		n--;
	return mem_printf("%.*s%s", (int)n, to, REPORT_PATH);
}

void reporter_set_token(struct reporter *r, const struct secret *token)
{
	struct secret *before = (struct secret *)(uintptr_t)r->options.token;
	r->options.token = secret_ref((struct secret *)(uintptr_t)token);
	secret_unref(before);
}

struct reporter *reporter_new(struct loop *l, struct http_client *http, struct series_store *store,
	const struct reporter_options *options)
{
	struct reporter *r = mem_new(struct reporter);
	r->loop = l;
	r->http = http;
	r->store = store;
	r->options = *options;
	r->options.token = NULL;
	r->options.location = mem_strdup(options->location);
	r->options.instance = mem_strdup(options->instance);
	r->too_many = outbox_state(store).too_many;
	reporter_set_token(r, options->token);
	r->url = url_of(options->to);
	again(r, LOOK_NS);
	return r;
}

void reporter_free(struct reporter *r)
{
	if (!r)
		return;
	timer_cancel(&r->timer);
	outbox_cancel(r->reading);
	if (r->posting) {
		r->posting->done = NULL;
		http_cancel(r->posting->call);
	}
	secret_unref((struct secret *)(uintptr_t)r->options.token);
	free((char *)(uintptr_t)r->options.location);
	free((char *)(uintptr_t)r->options.instance);
	json_decref(r->about);
	free(r->blind);
	free(r->why);
	free(r->url);
	free(r);
}

struct reporter_state reporter_state(const struct reporter *r)
{
	struct reporter_state s = r->state;
	s.why = r->why;
	return s;
}

/* --- asking once ------------------------------------------------------------------------------ */

static bool no_name(void *arg, uint32_t id, struct buf *out, struct error *err)
{
	return false; /* there are no items */
}

void reporter_ask(struct http_client *http, const struct reporter_options *options,
	int64_t deadline_ns, http_done *done, void *arg)
{
	struct parcel_writer w;
	struct error err = {0};
	struct buf plain = BUF(PARCEL_BYTES), packed = BUF(PARCEL_BYTES);
	json_t *head = head_of(options, clock_unix_us(&clock_system) / 1000);
	json_object_set_new(head, "check", json_true());
	char *text = json_text(head), *url = url_of(options->to);
	parcel_writer_init(&w);
	if (parcel_writer_finish(&w, slice_of(text), no_name, NULL, &plain, &err))
		parcel_pack(buf_slice(&plain), &packed);
	(void)post(http, url, options->token, buf_slice(&packed), deadline_ns, done, arg);
	parcel_writer_fini(&w);
	buf_fini(&plain);
	buf_fini(&packed);
	json_decref(head);
	free(text);
	free(url);
}
