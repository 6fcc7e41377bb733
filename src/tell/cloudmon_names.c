/*
 * cloudmon_names.c - see cloudmon_names.h.
 */

#include "tell/cloudmon_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OVER_MS    1000
#define TIMEOUT_MS 10000 /* what GlobalMon says of a request that took too long */
#define PARTS_MAX  64

/* --- openstacksdk's rule ------------------------------------------------------------------------
 */

/* What urllib makes of it: without scheme, host, query, and the parameters of the last part. */
static struct slice path_of(const char *url)
{
	const char *path = strstr(url, "://");
	path = path ? path + 3 + strcspn(path + 3, "/?#") : url;
	struct slice s = slice_from(path, strcspn(path, "?#"));
	size_t last = s.n;
	while (last && s.p[last - 1] != '/')
		last--;
	const size_t parameters = slice_find(slice_sub(s, last, s.n), ';');
	s = slice_trim(slice_sub(s, 0, last + parameters));
	if (s.n && s.p[0] == '/')
		s = slice_sub(s, 1, s.n);
	return slice_ends(s, ".json") ? slice_sub(s, 0, s.n - 5) : s;
}

static bool is_project(struct slice part, const char *project)
{
	if (!project || !*project)
		return false;
	return slice_is(part, project) ||
	       (slice_starts(part, "AUTH_") && slice_is(slice_sub(part, 5, part.n), project));
}

struct parts {
	struct slice p[PARTS_MAX];
	size_t n;
};

/* An empty path is one empty part, as Python splits. */
static bool split(struct slice path, const char *project, struct parts *ret)
{
	size_t at = 0;
	for (;;) {
		const size_t end = at + slice_find(slice_sub(path, at, path.n), '/');
		const struct slice part = slice_sub(path, at, end - at);
		if (!is_project(part, project)) {
			if (ret->n == PARTS_MAX)
				return false;
			ret->p[ret->n++] = part;
		}
		if (end >= path.n)
			return true;
		at = end + 1;
	}
}

/* `.` and `:` would end a name. */
static void add_normal(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(out, s.p[i] == '.' || s.p[i] == ':' ? '_' : s.p[i]);
}

static void add_part(struct buf *out, size_t begin, struct slice s)
{
	if (!s.n)
		return;
	if (out->n > begin)
		buf_add_char(out, '_');
	add_normal(out, s);
}

/* Every other part; one that is followed by an id loses its plural. False: there is none. */
static bool add_every_other(struct buf *out, size_t begin, const struct slice *p, size_t n)
{
	bool any = false;
	for (size_t i = 0; i < n; i += 2) {
		any = any || p[i].n;
		const bool followed = i + 1 < n && slice_ends(p[i], "s") && !slice_ends(p[i], "is");
		add_part(out, begin, followed ? slice_sub(p[i], 0, p[i].n - 1) : p[i]);
	}
	return any;
}

bool cloudmon_resource(struct buf *out, const char *url, const char *project)
{
	const struct slice path = path_of(url);
	const size_t begin = out->n;
	struct parts parts = {.n = 0};
	if (!split(path, project, &parts) || !parts.n)
		return false;
	const struct slice first = parts.p[0], last = parts.p[parts.n - 1];
	if (slice_is(last, "detail")) {
		for (size_t i = parts.n > 2 ? parts.n - 2 : 0; i < parts.n; i++)
			add_part(out, begin, parts.p[i]);
		return true;
	}
	if (slice_is(first, "v"))
		return false; /* it fails there */
	if (slice_ends(path, "tokens")) {
		buf_add_str(out, "tokens");
		return true;
	}
	const size_t from = first.n > 1 && first.p[0] == 'v' && isdigit((unsigned char)first.p[1]);
	if (!add_every_other(out, begin, parts.p + from, parts.n - from))
		buf_add_str(out, "discovery");
	return true;
}

/* --- names --------------------------------------------------------------------------------------
 */

static const char *first_of(const char *a, const char *b, const char *c)
{
	return a && *a ? a : b && *b ? b : c;
}

static void begin_name(struct buf *out, const struct cloudmon_place *place, const char *root,
	const struct measure *m)
{
	if (place->prefix && *place->prefix)
		buf_printf(out, "%s.", place->prefix);
	buf_printf(out, "%s.", root);
	add_normal(out, slice_of(first_of(place->environment, m->cloud, "")));
	buf_add_char(out, '.');
	const char *zone = first_of(place->zone, m->region, m->location);
	add_normal(out, slice_of(zone && *zone ? zone : "default"));
}

static void tell(cloudmon_signal *cb, void *arg, enum cloudmon_type type, struct buf *name,
	const char *end, double x)
{
	const size_t n = name->n;
	buf_printf(name, ".%s", end);
	/* What would end a line of StatsD or Graphite early; openstacksdk lets it. */
	for (size_t i = 0; i < name->n; i++)
		if ((unsigned char)name->p[i] <= ' ' || name->p[i] == 0x7f || name->p[i] == '|')
			name->p[i] = '_';
	cb(arg, type, buf_str(name), x);
	buf_cut(name, n);
}

/* Nothing was asked, or nobody waited for the answer. */
static bool is_ours(const struct measure *m)
{
	return m->fault == FAULT_CANCELLED || m->fault == FAULT_BUDGET ||
	       m->fault == FAULT_DEADLINE;
}

static void tell_call(
	const struct cloudmon_place *place, const struct measure *m, cloudmon_signal *cb, void *arg)
{
	struct buf name = BUF(BUF_LINE);
	char status[16];
	begin_name(&name, place, "openstack.api", m);
	buf_add_char(&name, '.');
	add_normal(&name, slice_of(m->service));
	buf_printf(&name, ".%.*s.", (int)strcspn(m->name, " "), m->name);
	if (!cloudmon_resource(&name, m->url, m->project)) {
		buf_fini(&name);
		return;
	}
	if (m->status) {
		const int64_t ms = m->total_us / 1000;
		snprintf(status, sizeof(status), "%d", m->status);
		tell(cb, arg, CLOUDMON_TIME, &name, status, (double)ms);
		tell(cb, arg, CLOUDMON_COUNT, &name, status, 1);
		if (ms > OVER_MS)
			tell(cb, arg, CLOUDMON_COUNT, &name, "over_1000", 1);
	} else {
		tell(cb, arg, CLOUDMON_COUNT, &name, "failed", 1);
	}
	tell(cb, arg, CLOUDMON_COUNT, &name, "attempted", 1);
	buf_fini(&name);
}

/* --- GlobalMon ----------------------------------------------------------------------------------
 */

/* Those of which its HTTP library says "connection". */
static const enum fault unconnected[] = {FAULT_RESOLVE, FAULT_NXDOMAIN, FAULT_NODATA,
	FAULT_SERVFAIL, FAULT_REFUSED, FAULT_UNREACHABLE, FAULT_CONNECTION_LOST, FAULT_TLS,
	FAULT_TLS_EXPIRED, FAULT_TLS_NAME, FAULT_TLS_AUTHORITY};

static const char *word_of(enum fault fault)
{
	for (size_t i = 0; i < array_len(unconnected); i++)
		if (fault == unconnected[i])
			return "connection_failed";
	return fault == FAULT_TIMEOUT ? "timeout" : "failed";
}

/* The service, and its address: host and path, without what is asked there. */
static void add_service(struct buf *out, const struct measure *m)
{
	const char *host = strstr(m->url, "://");
	host = host ? host + 3 : m->url;
	buf_add_char(out, '.');
	add_normal(out, slice_of(m->globalmon));
	buf_add_char(out, '.');
	for (const char *end = host + strcspn(host, "?#"); host < end; host++)
		buf_add_char(out, strchr("./:", *host) ? '_' : *host);
}

static void tell_globalmon(
	const struct cloudmon_place *place, const struct measure *m, cloudmon_signal *cb, void *arg)
{
	struct buf name = BUF(BUF_LINE), counter = BUF(BUF_LINE);
	char status[16];
	/* An answer cut short by the clock is none. */
	const bool answered = m->status && m->fault != FAULT_TIMEOUT;
	const char *code = answered ? status : word_of(m->fault);
	const double ms = answered                   ? (double)(m->total_us / 1000)
			  : !strcmp(code, "timeout") ? TIMEOUT_MS
						     : 0;
	snprintf(status, sizeof(status), "%d", m->status);
	begin_name(&name, place, "globalmon", m);
	begin_name(&counter, place, "counter.globalmon", m);
	add_service(&name, m);
	add_service(&counter, m);
	tell(cb, arg, CLOUDMON_TIME, &name, code, ms);
	tell(cb, arg, CLOUDMON_COUNT, &counter, code, 1);
	tell(cb, arg, CLOUDMON_COUNT, &counter, "attempted", 1);
	buf_fini(&name);
	buf_fini(&counter);
}

void cloudmon_names(
	const struct cloudmon_place *place, const struct measure *m, cloudmon_signal *cb, void *arg)
{
	const bool named = (place->environment && *place->environment) || *m->cloud;
	if (!named || !m->url || is_ours(m))
		return;
	if ((m->what == MEASURE_CALL || m->what == MEASURE_ENDPOINT) && m->service)
		tell_call(place, m, cb, arg);
	else if (m->what == MEASURE_PROBE && m->globalmon)
		tell_globalmon(place, m, cb, arg);
}
