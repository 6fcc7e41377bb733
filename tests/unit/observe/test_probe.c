/* The user's probes in virtual time: rate, tries, conditions, what follows from another,
 * heartbeats. Their kind is http with another way of asking: it answers as the test says, when it
 * says. */
#include "../check.h"

#include <stdlib.h>

#include "base/secret.h"
#include "observe/probe/inside.h"

#define START_US (1790000000LL * 1000000)
#define SECOND   NS_PER_S
#define MINUTE   (60 * SECOND)

/* --- a kind that is told what to say -----------------------------------------------------------
 */

struct answer {
	int64_t after_ns; /* < 0: never */
	enum fault fault;
	int status;
};

static struct answer answers[16]; /* of the attempts to come; the last one stays */
static size_t answer_count, asked, cancelled;

struct fake {
	struct attempt *attempt;
	struct timer timer;
	struct answer answer;
};

static void on_answer(struct timer *t)
{
	struct fake *f = t->arg;
	f->attempt->status = f->answer.status;
	f->attempt->connected = f->answer.fault == FAULT_NONE;
	if (f->answer.fault == FAULT_NONE)
		attempt_end(f->attempt, FAULT_NONE, NULL);
	else
		attempt_end(f->attempt, f->answer.fault, "as it was told");
}

static void fake_start(struct attempt *a)
{
	struct fake *f = mem_new(struct fake);
	f->attempt = a;
	f->answer = answers[asked < answer_count ? asked : answer_count - 1];
	asked++;
	a->data = f;
	if (f->answer.after_ns >= 0)
		timer_start(a->tools->loop, &f->timer, f->answer.after_ns, on_answer, f);
}

static void fake_cancel(struct attempt *a)
{
	struct fake *f = a->data;
	cancelled++;
	timer_cancel(&f->timer);
}

static void fake_release(struct attempt *a)
{
	struct fake *f = a->data;
	timer_cancel(&f->timer);
	free(f);
}

static bool fake_measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const bool known = slice_is(name, "STATUS") && a->status;
	if (known)
		*ret = value_int(a->status);
	return known;
}

static void says(const struct answer *list, size_t n)
{
	memcpy(answers, list, n * sizeof(*list));
	answer_count = n;
	asked = 0;
}
#define SAYS(...)                                                                                  \
	says((const struct answer[]){__VA_ARGS__},                                                 \
		array_len(((const struct answer[]){__VA_ARGS__})))

/* --- a place -----------------------------------------------------------------------------------
 */

struct told {
	char probe[80], detail[400];
	int64_t at_ns;
	enum fault fault;
	bool warned;
	unsigned tries;
	enum severity severity;
};

struct place {
	struct clock clock;
	struct loop *loop;
	struct probe_tools tools;
	struct probe_kind kind;
	VEC(struct told) told;
	VEC(struct probe_config *) configs;
	VEC(struct probe *) probes;
	size_t measured;
};

static void on_seen(void *arg, const struct observation *o)
{
	struct place *p = arg;
	struct told t = {.at_ns = o->at_ms * 1000000 - START_US * 1000,
		.fault = o->fault,
		.warned = o->warned,
		.tries = o->tries,
		.severity = o->severity};
	snprintf(t.probe, sizeof(t.probe), "%s", o->probe);
	snprintf(t.detail, sizeof(t.detail), "%s", o->detail ? o->detail : "");
	vec_push(&p->told, t);
}

static void on_measured(void *arg, const struct measure *m)
{
	struct place *p = arg;
	assert_int_equal(m->what, MEASURE_PROBE);
	p->measured++;
}

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	struct error err = {0};
	clock_init_virtual(&p->clock, START_US);
	p->loop = loop_new(&p->clock, &err);
	p->kind = probe_kind_http;
	p->kind.start = fake_start;
	p->kind.cancel = fake_cancel;
	p->kind.release = fake_release;
	p->kind.measure = fake_measure;
	p->kind.written = NULL;
	p->tools = (struct probe_tools){.loop = p->loop,
		.schedule = schedule_new(p->loop),
		.probes = probes_new(),
		.location = "",
		.seen = on_seen,
		.seen_arg = p,
		.measured = on_measured,
		.measured_arg = p};
	cancelled = 0;
	*state = p;
	return 0;
}

static void close_all(struct place *p)
{
	while (p->probes.n)
		probe_close(vec_pop(&p->probes));
	while (p->configs.n)
		probe_config_free(vec_pop(&p->configs));
}

static int teardown(void **state)
{
	struct place *p = *state;
	close_all(p);
	vec_fini(&p->probes);
	vec_fini(&p->configs);
	vec_fini(&p->told);
	probes_free(p->tools.probes);
	schedule_free(p->tools.schedule);
	loop_free(p->loop);
	free(p);
	return 0;
}

static struct secret *give_secret(
	void *arg, const char *from, const char *file, unsigned line, unsigned col)
{
	return secret_new(slice_of(from + 4));
}

static struct probe_config *read_one(struct place *p, const char *text, struct error_list *errors)
{
	struct yaml_file *f = yaml_parse(slice_of(text), "probes.yaml", errors);
	assert_non_null(f);
	struct probe_config *c = probe_config_read(yaml_root(f, 0), "probes.yaml", errors);
	yaml_free(f);
	if (c)
		vec_push(&p->configs, c);
	return c;
}

static struct probe *add(struct place *p, const char *text)
{
	struct error_list errors = {0};
	struct error err = {0};
	struct probe_config *c = read_one(p, text, &errors);
	if (!c)
		fail_msg("%s", errors.p[0].msg);
	if (c->kind == &probe_kind_http)
		c->kind = &p->kind;
	assert_true(probe_config_secrets(c, give_secret, NULL));
	struct probe *probe = probe_open(&p->tools, c, "", AF_UNSPEC, &err);
	if (!probe)
		fail_msg("%s", err.msg);
	vec_push(&p->probes, probe);
	return probe;
}

static const struct told *last(const struct place *p)
{
	assert_true(p->told.n > 0);
	return &p->told.p[p->told.n - 1];
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" has no \"%s\"", text, part);
}

/* --- rate ---------------------------------------------------------------------------------------
 */

/* Every period one result, whatever the target does: an answer, silence up to the deadline. */
static void keeps_its_rate(struct place *p, const char *text, enum fault fault)
{
	add(p, text);
	loop_advance(p->loop, 60 * MINUTE);
	assert_in_range(p->told.n, 359, 361);
	for (size_t i = 2; i < p->told.n; i++) { /* the first one is soon */
		assert_int_equal(p->told.p[i].at_ns - p->told.p[i - 1].at_ns, 10 * SECOND);
		assert_int_equal(p->told.p[i].fault, fault);
	}
	assert_int_equal(p->measured, p->told.n);
	assert_int_equal(probe_job(p->probes.p[0]).skips, 0);
}

static void test_rate(void **state)
{
	SAYS({.after_ns = 30 * NS_PER_MS, .status = 200});
	keeps_its_rate(*state, "{name: a, http: \"http://x/\", every: 10s}", FAULT_NONE);
}

/* A kind that does not keep its deadline is stopped, and the rate stays although it is the
 * deadline. */
static void test_rate_of_one_that_hangs(void **state)
{
	SAYS({.after_ns = -1});
	keeps_its_rate(
		*state, "{name: a, http: \"http://x/\", every: 10s, timeout: 10s}", FAULT_TIMEOUT);
	assert_in_range(cancelled, 359, 361);
}

static void test_closing_tells_nothing(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = -1});
	add(p, "{name: a, http: \"http://x/\", every: 10s}");
	loop_advance(p->loop, 3 * SECOND);
	assert_int_equal(asked, 1);
	close_all(p);
	loop_advance(p->loop, MINUTE);
	assert_int_equal(p->told.n, 0);
	assert_int_equal(cancelled, 1);
	assert_int_equal(probes_count(p->tools.probes), 0);
}

/* --- tries --------------------------------------------------------------------------------------
 */

static void test_a_pass_after_retries(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = 0, .fault = FAULT_REFUSED}, {.after_ns = 0, .fault = FAULT_TIMEOUT},
		{.after_ns = 0, .status = 200});
	add(p, "{name: a, http: \"http://x/\", every: 1m, tries: 3, pause: 2s}");
	loop_advance(p->loop, 3 * SECOND);
	assert_int_equal(p->told.n, 0);
	loop_advance(p->loop, 5 * SECOND);
	assert_int_equal(p->told.n, 1);
	assert_int_equal(last(p)->fault, FAULT_NONE);
	assert_int_equal(last(p)->tries, 3);
	assert_false(last(p)->warned);
	has(last(p)->detail, "passed at try 3 of 3; before that: no answer within the time");
}

static void test_all_tries_fail(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = 0, .fault = FAULT_REFUSED});
	add(p, "{name: a, http: \"http://x/\", every: 1m, tries: 3, pause: 1s}");
	loop_advance(p->loop, 10 * SECOND);
	assert_int_equal(p->told.n, 1);
	assert_int_equal(last(p)->tries, 3);
	assert_int_equal(last(p)->fault, FAULT_REFUSED);
	assert_string_equal(last(p)->detail, "as it was told");
}

/* Tries never push the next run away: what is left of the period bounds them. */
static void test_tries_within_the_rate(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = -1});
	add(p, "{name: a, http: \"http://x/\", every: 10s, timeout: 4s, tries: 10, pause: 1s}");
	loop_advance(p->loop, 10 * MINUTE);
	assert_in_range(p->told.n, 59, 61);
	for (size_t i = 2; i < p->told.n; i++)
		assert_int_equal(p->told.p[i].at_ns - p->told.p[i - 1].at_ns, 10 * SECOND);
	assert_int_equal(last(p)->tries, 2);
	assert_int_equal(probe_job(p->probes.p[0]).skips, 0);
}

/* --- conditions ---------------------------------------------------------------------------------
 */

static void test_an_expectation_fails(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = 0, .status = 503});
	add(p, "{name: a, http: \"http://x/\", expect: [\"[CONNECTED] == true\", \"[STATUS] == 200\"]}");
	loop_advance(p->loop, 3 * SECOND);
	assert_int_equal(last(p)->fault, FAULT_EXPECTATION);
	assert_string_equal(last(p)->detail, "expected [STATUS] == 200; [STATUS] = 503");
}

static void test_a_warning(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = 700 * NS_PER_MS, .status = 200});
	add(p, "{name: a, http: \"http://x/\", warn: \"[STATUS] == any(201, 202)\"}");
	add(p, "{name: b, http: \"http://x/\", slow: 600ms}");
	loop_advance(p->loop, 4 * SECOND);
	assert_int_equal(p->told.n, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct told *t = &p->told.p[i];
		assert_int_equal(t->fault, FAULT_NONE);
		assert_true(t->warned);
		has(t->detail, t->probe[0] == 'a' ? "[STATUS] = 200" : "after 0.7 s, limit 0.6 s");
	}
}

/* A port that must be closed: the fault is what is expected. */
static void test_expected_not_to_connect(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = 0, .fault = FAULT_REFUSED});
	add(p, "{name: a, http: \"http://x/\", expect: \"[CONNECTED] == false\"}");
	loop_advance(p->loop, 3 * SECOND);
	assert_int_equal(last(p)->fault, FAULT_NONE);
}

/* But a condition that null happens to meet does not make a dead target good. */
static void test_null_does_not_save(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = 0, .fault = FAULT_REFUSED});
	add(p, "{name: a, http: \"http://x/\", expect: \"[STATUS] != 500\"}");
	loop_advance(p->loop, 3 * SECOND);
	assert_int_equal(last(p)->fault, FAULT_REFUSED);
}

/* --- what follows -------------------------------------------------------------------------------
 */

static void test_follows(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = 0, .fault = FAULT_REFUSED});
	add(p, "{name: gate, http: \"http://x/\", every: 10s}");
	loop_advance(p->loop, 3 * SECOND);
	assert_int_equal(last(p)->fault, FAULT_REFUSED);
	add(p, "{name: inner, http: \"http://x/\", every: 10s, after: gate}");
	loop_advance(p->loop, 3 * SECOND);
	assert_string_equal(last(p)->probe, "inner");
	assert_int_equal(last(p)->fault, FAULT_FOLLOWS);
	assert_string_equal(last(p)->detail, "follows from gate, which fails: as it was told");
	/* the gate is good again: what still fails is its own */
	SAYS({.after_ns = 0, .status = 200});
	loop_advance(p->loop, 20 * SECOND);
	SAYS({.after_ns = 0, .status = 200});
	assert_int_equal(last(p)->fault, FAULT_NONE);
}

static void test_fails_by_itself(void **state)
{
	struct place *p = *state;
	SAYS({.after_ns = 0, .status = 200});
	add(p, "{name: gate, http: \"http://x/\", every: 7d}");
	loop_advance(p->loop, 3 * SECOND);
	SAYS({.after_ns = 0, .fault = FAULT_REFUSED});
	add(p, "{name: inner, http: \"http://x/\", every: 10s, after: [gate]}");
	loop_advance(p->loop, 3 * SECOND);
	assert_int_equal(last(p)->fault, FAULT_REFUSED);
	assert_string_equal(last(p)->detail, "as it was told");
}

/* --- heartbeats ---------------------------------------------------------------------------------
 */

#define BEAT "{name: job, push: {token: \"env:s3cret-token\", grace: 5s}, every: 1m}"

static bool push(struct place *p, const char *token, enum fault fault, const char *detail)
{
	return probe_pushed(p->tools.probes, slice_of(token), fault, detail, 1500);
}

static void test_beats(void **state)
{
	struct place *p = *state;
	add(p, BEAT);
	loop_advance(p->loop, 64 * SECOND);
	assert_int_equal(p->told.n, 0); /* nothing is known yet, and nothing is said */
	assert_false(push(p, "another", FAULT_NONE, NULL));
	assert_int_equal(p->told.n, 0);
	assert_true(push(p, "s3cret-token", FAULT_NONE, "3 files"));
	assert_int_equal(p->told.n, 1);
	assert_int_equal(last(p)->fault, FAULT_NONE);
	for (int i = 0; i < 100; i++) {
		loop_advance(p->loop, 64 * SECOND);
		push(p, "s3cret-token", FAULT_NONE, NULL);
	}
	assert_int_equal(p->told.n, 101);
	assert_int_equal(last(p)->fault, FAULT_NONE);
}

static void test_silence(void **state)
{
	struct place *p = *state;
	add(p, BEAT);
	loop_advance(p->loop, 66 * SECOND);
	assert_int_equal(p->told.n, 1);
	assert_int_equal(last(p)->fault, FAULT_TIMEOUT);
	assert_string_equal(last(p)->detail, "no beat for 1m05s, since our start");
	push(p, "s3cret-token", FAULT_NONE, NULL);
	loop_advance(p->loop, 5 * MINUTE);
	assert_int_equal(p->told.n, 2 + 4); /* each period without one */
	assert_int_equal(last(p)->fault, FAULT_TIMEOUT);
	has(last(p)->detail, "no beat for 4m05s");
}

static void test_a_bad_beat(void **state)
{
	struct place *p = *state;
	add(p, "{name: job, push: {token: \"env:s3cret-token\"}, every: 1m, expect: \"[DETAIL] == pat(ok*)\"}");
	push(p, "s3cret-token", FAULT_EXIT_STATUS, "rsync: 12");
	assert_int_equal(last(p)->fault, FAULT_EXIT_STATUS);
	assert_string_equal(last(p)->detail, "rsync: 12");
	push(p, "s3cret-token", FAULT_NONE, "ok, 3 files");
	assert_int_equal(last(p)->fault, FAULT_NONE);
	push(p, "s3cret-token", FAULT_NONE, "odd");
	assert_int_equal(last(p)->fault, FAULT_EXPECTATION);
}

static void test_pushed_by_name(void **state)
{
	struct place *p = *state;
	struct probes *all = p->tools.probes;
	SAYS({.after_ns = -1});
	add(p, BEAT);
	add(p, "{name: a, http: \"http://x/\"}");
	const struct slice token = SLICE("s3cret-token");
	assert_int_equal(probe_pushed_by_name(all, "jobb", token, FAULT_NONE, NULL, 0), 404);
	assert_int_equal(probe_pushed_by_name(all, "a", token, FAULT_NONE, NULL, 0), 404);
	assert_int_equal(
		probe_pushed_by_name(all, "job", SLICE("s3cret-tokem"), FAULT_NONE, NULL, 0), 401);
	assert_int_equal(p->told.n, 0);
	assert_int_equal(probe_pushed_by_name(all, "job", token, FAULT_NONE, NULL, 0), 0);
	assert_int_equal(p->told.n, 1);
}

static void test_two_of_one_token(void **state)
{
	struct place *p = *state;
	struct error_list errors = {0};
	struct error err = {0};
	add(p, BEAT);
	struct probe_config *c =
		read_one(p, "{name: b, push: {token: \"env:s3cret-token\"}, every: 1m}", &errors);
	assert_null(probe_open(&p->tools, c, "", AF_UNSPEC, &err)); /* its secret was not read */
	has(err.msg, "env:s3cret-token was not read");
	assert_true(probe_config_secrets(c, give_secret, NULL));
	assert_null(probe_open(&p->tools, c, "", AF_UNSPEC, &err));
	has(err.msg, "the same token");
}

/* --- one run ------------------------------------------------------------------------------------
 */

struct once {
	int n;
	enum fault fault;
	char conditions[500], measured[500];
};

static void on_once(void *arg, const struct probe_report *r)
{
	struct once *o = arg;
	o->n++;
	o->fault = r->fault;
	char *text = json_dumps(r->conditions, JSON_COMPACT);
	snprintf(o->conditions, sizeof(o->conditions), "%s", text ? text : "");
	free(text);
	text = json_dumps(r->measured, JSON_COMPACT);
	snprintf(o->measured, sizeof(o->measured), "%s", text ? text : "");
	free(text);
}

static void test_once(void **state)
{
	struct place *p = *state;
	struct error_list errors = {0};
	struct once o = {0};
	SAYS({.after_ns = NS_PER_MS, .status = 200});
	struct probe_config *c = read_one(p,
		"{name: a, http: \"http://x/\", expect: \"[STATUS] < 300\", warn: \"[STATUS] == 201\"}",
		&errors);
	c->kind = &p->kind;
	probe_run_once(&p->tools, c, AF_UNSPEC, SECOND, on_once, &o);
	assert_int_equal(o.n, 0);
	loop_advance(p->loop, SECOND);
	assert_int_equal(o.n, 1);
	assert_int_equal(o.fault, FAULT_NONE);
	assert_string_equal(o.conditions,
		"[{\"of\":\"expect\",\"text\":\"[STATUS] < 300\",\"ok\":true,\"saw\":\"[STATUS] = 200\"},"
		"{\"of\":\"warn\",\"text\":\"[STATUS] == 201\",\"ok\":false,\"saw\":\"[STATUS] = 200\"}]");
	has(o.measured, "\"RESPONSE_TIME\":\"1ms\"");
	has(o.measured, "\"STATUS\":200");
	assert_int_equal(p->told.n, 0);
	assert_int_equal(p->measured, 0);
}

static void test_once_is_cancelled(void **state)
{
	struct place *p = *state;
	struct error_list errors = {0};
	struct once o = {0};
	SAYS({.after_ns = -1});
	struct probe_config *c = read_one(p, "{name: a, http: \"http://x/\"}", &errors);
	c->kind = &p->kind;
	struct probe_call *call = probe_run_once(&p->tools, c, AF_UNSPEC, SECOND, on_once, &o);
	probe_run_cancel(call);
	assert_int_equal(o.n, 0);
	loop_advance(p->loop, 10 * SECOND);
	assert_int_equal(o.n, 1);
	assert_int_equal(o.fault, FAULT_CANCELLED);
	assert_int_equal(cancelled, 1);
}

/* --- over one another ---------------------------------------------------------------------------
 */

static void test_merge(void **state)
{
	struct place *p = *state;
	struct error_list errors = {0};
	const struct probe_config *c = read_one(p,
		"{name: a, http: \"http://x/\", every: 20s, expect: \"[STATUS] == 200\"}", &errors);
	struct yaml_file *f = yaml_parse(
		SLICE("\n\n- {name: a, every: 5s, component: Web}"), "later.yaml", &errors);
	const struct yaml *item = yaml_root(f, 0)->items[0];
	struct probe_config *merged = probe_config_merge(c, item, "later.yaml", NULL, &errors);
	assert_non_null(merged);
	const struct probe_about *about = probe_config_about(merged);
	assert_int_equal(about->every_ns, 5 * SECOND);
	assert_int_equal(about->timeout_ns, 5 * SECOND); /* the default follows */
	assert_string_equal(about->component, "Web");
	assert_int_equal(merged->expect.n, 1);
	probe_config_free(merged);
	yaml_free(f);
}

/* What two files make wrong together is told at the one that came later. */
static void test_merge_is_wrong(void **state)
{
	struct place *p = *state;
	struct error_list errors = {0};
	const struct probe_config *c =
		read_one(p, "{name: a, http: \"http://x/\", every: 20s, timeout: 15s}", &errors);
	struct yaml_file *f =
		yaml_parse(SLICE("\n\n- {name: a, every: 5s}"), "later.yaml", &errors);
	const struct yaml *item = yaml_root(f, 0)->items[0];
	assert_null(probe_config_merge(c, item, "later.yaml", NULL, &errors));
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.p[0].file, "later.yaml");
	assert_int_equal(errors.p[0].line, 3);
	has(errors.p[0].msg, "timeout is longer than every (5s)");
	yaml_free(f);
	error_list_fini(&errors);
}

int test_probe(void)
{
#define place_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		place_test(test_rate),
		place_test(test_rate_of_one_that_hangs),
		place_test(test_closing_tells_nothing),
		place_test(test_a_pass_after_retries),
		place_test(test_all_tries_fail),
		place_test(test_tries_within_the_rate),
		place_test(test_an_expectation_fails),
		place_test(test_a_warning),
		place_test(test_expected_not_to_connect),
		place_test(test_null_does_not_save),
		place_test(test_follows),
		place_test(test_fails_by_itself),
		place_test(test_beats),
		place_test(test_silence),
		place_test(test_a_bad_beat),
		place_test(test_pushed_by_name),
		place_test(test_two_of_one_token),
		place_test(test_once),
		place_test(test_once_is_cancelled),
		place_test(test_merge),
		place_test(test_merge_is_wrong),
	};
	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
