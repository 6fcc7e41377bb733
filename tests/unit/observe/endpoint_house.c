#include "endpoint_house.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "observe/endpoint_inside.h"

#define STEP_NS (100 * NS_PER_MS)
#define REAL_NS (60 * NS_PER_S) /* longer than anything here may take on a loaded machine */

/* --- what is told ------------------------------------------------------------------------------
 */

#define copy(field) snprintf(t->field, sizeof(t->field), "%s", o->field ? o->field : "")

static void on_seen(void *arg, const struct observation *o)
{
	struct house *h = arg;
	struct told *t = vec_add(&h->told);

	copy(cloud);
	copy(probe);
	copy(component);
	copy(detail);
	copy(request);
	copy(request_id);
	copy(service_request_id);
	copy(series);
	assert_null(o->step);
	assert_null(o->run);
	assert_int_equal(o->severity, SEVERITY_OUTAGE);
	t->at_ms = o->at_ms;
	t->total_us = o->total_us;
	t->fault = o->fault;
	t->warned = o->warned;
	t->tries = o->tries;
	t->status = o->status;
}

static void on_changed(void *arg)
{
	struct house *h = arg;

	h->changes++;
}

void house_forget(struct house *h)
{
	h->told.n = 0;
}

size_t house_count(const struct house *h, const char *probe)
{
	size_t n = 0;

	for (size_t i = 0; i < h->told.n; i++)
		n += !strcmp(h->told.p[i].probe, probe);
	return n;
}

size_t house_faults(const struct house *h, const char *probe, enum fault fault)
{
	size_t n = 0;

	for (size_t i = 0; i < h->told.n; i++)
		n += !strcmp(h->told.p[i].probe, probe) && h->told.p[i].fault == fault;
	return n;
}

const struct told *house_last(const struct house *h, const char *probe)
{
	for (size_t i = h->told.n; i > 0; i--)
		if (!strcmp(h->told.p[i - 1].probe, probe))
			return &h->told.p[i - 1];
	fail_msg("nothing was told of %s", probe);
	return NULL;
}

const struct endpoint_probe *house_probe(const struct house *h, const char *name)
{
	const struct endpoint_probe *p;
	const size_t n = endpoints_list(h->endpoints, &p);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].name, name))
			return &p[i];
	return NULL;
}

size_t house_waiting(const struct house *h)
{
	return h->endpoints->waiting.n;
}

/* --- time --------------------------------------------------------------------------------------
 */

/* What the cloud keeps unanswered is not waited for. */
static bool hangs(const struct house *h, const char *url)
{
	const size_t n = strcspn(url, "?"), base = strlen(h->fake->base);

	VEC_EACH (&h->fake->answers, struct fake_answer, a) {
		const char *path = strchr(a->request, '/');

		if (a->status == FAKE_KEEP && path && strlen(path) == n - base &&
			!strncmp(url + base, path, n - base))
			return true;
	}
	return false;
}

static bool quiet(const struct house *h)
{
	const struct endpoints *e = h->endpoints;
	size_t open = 0;

	if (!e)
		return true;
	const bool keystone_hangs = hangs(h, house_probe(h, "token")->url);
	for (size_t i = 0; i < e->probes.n; i++)
		open += hangs(h, e->probes.p[i]->view.url) ? 0 : e->probes.p[i]->runs.n;
	if (keystone_hangs)
		open -= e->waiting.n;
	return (!e->connecting || keystone_hangs) && !timer_running(&e->tell) && !open;
}

static void settle(struct house *h)
{
	const int64_t began = clock_mono_ns(&clock_system);

	do {
		loop_advance(h->fake->loop, 0);
		if (clock_mono_ns(&clock_system) - began > REAL_NS)
			fail_msg("something does not end");
	} while (!quiet(h));
}

void house_pass(struct house *h, int64_t ns)
{
	settle(h);
	for (; ns > 0; ns -= STEP_NS) {
		loop_advance(h->fake->loop, ns < STEP_NS ? ns : STEP_NS);
		settle(h);
	}
}

/* --- the cloud ---------------------------------------------------------------------------------
 */

void house_says(
	struct house *h, const char *request, int status, const char *header, const char *body)
{
	for (size_t i = 0; i < h->fake->answers.n; i++)
		if (!strcmp(h->fake->answers.p[i].request, request))
			mem_replace(&h->fake->answers.p[i].request, "not any more");
	fake_says(h->fake, request, status, header, body);
}

void house_keystone(struct house *h, int status)
{
	house_says(h, "POST /identity/v3/auth/tokens", status, "X-Openstack-Request-Id: req-k",
		"{\"error\":{\"code\":503,\"title\":\"t\",\"message\":\"keystone is out\"}}");
	if (!status)
		mem_replace(&h->fake->answers.p[h->fake->answers.n - 1].request, "not any more");
}

void house_catalog(struct house *h, const char *json)
{
	mem_replace(&h->fake->catalog, json);
}

/* --- its life ----------------------------------------------------------------------------------
 */

void house_write(struct house *h, const char *file, const char *text)
{
	char *path = mem_printf("%s/%s", h->dir, file);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

int house_setup(void **state)
{
	static const char *const good[] = {"GET /compute/", "GET /compute/v2.1/servers",
		"GET /net/", "GET /net/v2.0/networks", "GET /volume/", "GET /volume/v3/p1/volumes",
		"GET /image/", "GET /image/v2/images"};
	struct house *h = mem_new(struct house);
	const struct http_client_options fresh = {.fresh = true};
	struct error err = {0};
	void *fake = NULL;

	if (fake_set_up(&fake))
		return -1;
	h->fake = fake;
	snprintf(h->dir, sizeof(h->dir), "/tmp/endpoints-XXXXXX");
	if (!mkdtemp(h->dir))
		return -1;
	setenv("GLASSHOUSE_ENDPOINTS", h->dir, 1);
	h->schedule = schedule_new(h->fake->loop);
	h->probes = http_client_new(h->fake->loop, &fresh, &err);
	h->options = (struct endpoint_options){
		.location = "here", .component_prefix = "", .slow_ns = REAL_NS};
	for (size_t i = 0; i < array_len(good); i++)
		house_says(h, good[i], i % 2 ? 200 : 300, "X-Openstack-Request-Id: req-s", "{}");
	*state = h;
	return h->probes ? 0 : -1;
}

void house_begin(struct house *h)
{
	struct error err = {0};

	h->endpoints = endpoints_new(h->schedule, h->fake->cloud, h->probes, h->series, &h->options,
		on_seen, on_changed, h, &err);
	if (!h->endpoints)
		fail_msg("%s", err.msg);
}

static int unlink_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

int house_teardown(void **state)
{
	struct house *h = *state;
	void *fake = h->fake;

	endpoints_free(h->endpoints);
	if (h->series)
		series_close(h->series);
	schedule_free(h->schedule);
	http_client_free(h->probes);
	unsetenv("GLASSHOUSE_ENDPOINTS");
	nftw(h->dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
	vec_fini(&h->told);
	free(h);
	return fake_tear_down(&fake);
}
