/*
 * doctor_cloud.c - one cloud after the other question, all clouds at once: is it configured, does
 * its name resolve, does the log-in work, do the clocks agree, what is in the catalog, what quota
 * is left.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/doctor.h"
#include "net/url.h"

#define RESOLVE_SLOW (NS_PER_S)
#define OFFSET_WARN  (2 * 1000000ll)  /* us */
#define OFFSET_BAD   (30 * 1000000ll) /* us: tokens seem to end early or late */

struct doctor_cloud {
	struct doctor *doctor;
	char *of; /* "cloud prod" */
	unsigned group;
	struct cloud_config *config;
	struct cloud *cloud;
	struct doctor_check *login, *clock, *quota;
};

struct lookup {
	struct doctor_check *check;
	char *servers;
};

/* --- DNS -------------------------------------------------------------------------------------- */

/* As resolv.conf(5) lists them. Owned. */
static char *name_servers(void)
{
	struct buf all = BUF(BUF_LINE);
	char line[256], server[128];
	FILE *f = fopen("/etc/resolv.conf", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " nameserver %127s", server) == 1)
			buf_printf(&all, "%s%s", all.n ? ", " : "", server);
	if (f)
		fclose(f);
	if (!all.n)
		buf_add_str(&all, "none in /etc/resolv.conf");
	return buf_take(&all);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct lookup *l = arg;
	char took[UNITS_TEXT];
	units_time_text(r->took_ns, took);
	if (r->fault != FAULT_NONE)
		doctor_end(l->check, DOCTOR_BAD,
			"see to the name, to /etc/resolv.conf and to its servers", "%s: %s (%s)",
			fault_text(r->fault), r->detail, l->servers);
	else if (!r->queried)
		doctor_end(l->check, DOCTOR_OK, NULL, "an address, or in /etc/hosts");
	else if (r->took_ns > RESOLVE_SLOW)
		doctor_end(l->check, DOCTOR_WARN, "ask a nearer name server, or one that answers",
			"%zu addresses after %s (%s)", r->n, took, l->servers);
	else
		doctor_end(l->check, DOCTOR_OK, NULL, "%zu %s in %s (%s)", r->n,
			r->n == 1 ? "address" : "addresses", took, l->servers);
	free(l->servers);
	free(l);
}

static void check_name(struct doctor *d, const char *auth_url)
{
	struct url u;
	if (!url_parse(slice_of(auth_url), &u, NULL))
		return;
	char *host = slice_dup(u.host);
	if (!map_put(&d->hosts, host, d)) {
		struct lookup *l = mem_new(struct lookup);
		l->check = doctor_begin(d, 0, "DNS", host);
		l->servers = name_servers();
		resolve(d->resolver, host, u.port, AF_UNSPEC, DOCTOR_DEADLINE_NS * 9 / 10,
			on_resolved, l);
	}
	free(host);
}

/* --- clocks ----------------------------------------------------------------------------------- */

void doctor_clock_offset(int64_t date_unix_us, int64_t before_unix_us, int64_t after_unix_us,
	int64_t *ret_least_us, int64_t *ret_most_us)
{
	*ret_least_us = date_unix_us - after_unix_us;
	*ret_most_us = date_unix_us + 1000000 - before_unix_us;
}

static void judge_clock(
	struct doctor_check *c, int64_t date_us, int64_t before_us, int64_t after_us)
{
	int64_t least, most;
	char text[UNITS_TEXT];
	doctor_clock_offset(date_us, before_us, after_us, &least, &most);
	/* What it is off at least, whatever the second and the way hide. */
	const int64_t off = least > 0 ? least : most < 0 ? -most : 0;
	const enum doctor_state state = off > OFFSET_BAD    ? DOCTOR_BAD
					: off > OFFSET_WARN ? DOCTOR_WARN
							    : DOCTOR_OK;
	if (!off)
		doctor_end(c, state, NULL, "agrees with ours, as far as whole seconds tell");
	else
		doctor_end(c, state,
			state == DOCTOR_OK ? NULL
					   : "synchronise this machine; if it is, tell the cloud",
			"at least %s %s ours", units_time_text(off * NS_PER_US, text),
			least > 0 ? "ahead of" : "behind");
}

static void on_exchange(void *arg, const struct cloud_exchange *x)
{
	struct doctor_cloud *k = arg;
	int64_t date;
	for (size_t i = 0; i < x->answer_header_count; i++)
		if (slice_is_nocase(slice_of(x->answer_headers[i].name), "date") &&
			clock_parse_http_date(x->answer_headers[i].value, &date))
			judge_clock(k->clock, date, x->at_unix_us,
				x->at_unix_us + x->phases.total_ns / NS_PER_US);
}

/* --- catalog and quota ------------------------------------------------------------------------ */

static void check_catalog(struct doctor_cloud *k)
{
	json_t *services = cloud_catalog(k->cloud), *service;
	struct buf names = BUF(BUF_LINE);
	size_t i;
	json_array_foreach (services, i, service)
		buf_printf(&names, "%s%s", i ? ", " : "", json_str(service, "type"));
	struct doctor_check *c = doctor_begin(k->doctor, k->group, "catalog", k->of);
	const size_t n = json_array_size(services);
	if (n)
		doctor_end(c, DOCTOR_OK, NULL, "%zu services in region %s, %s addresses: %s", n,
			cloud_region(k->cloud), k->config->interface, buf_str(&names));
	else
		doctor_end(c, DOCTOR_BAD, "ask the operator of the cloud",
			"no service in region %s", cloud_region(k->cloud));
	buf_fini(&names);
	json_decref(services);
}

static void on_quota(void *arg, const json_t *quota)
{
	struct doctor_cloud *k = arg;
	struct buf all = BUF(BUF_LINE), none = BUF(BUF_LINE);
	const char *name;
	json_t *row;
	json_object_foreach ((json_t *)quota, name, row) {
		const int64_t limit = json_int(row, "limit", -1), used = json_int(row, "used", 0);
		if (limit < 0)
			continue;
		buf_printf(&all, "%s%s %lld of %lld", all.n ? ", " : "", name,
			(long long)(limit > used ? limit - used : 0), (long long)limit);
		if (used >= limit)
			buf_printf(&none, "%s%s", none.n ? ", " : "", name);
	}
	if (!json_object_size(quota))
		doctor_end(k->quota, DOCTOR_WARN, "see whether the project may ask for it",
			"no service tells the quota");
	else if (none.n)
		doctor_end(k->quota, DOCTOR_WARN,
			"free some or ask for more: scenarios that need it cannot run",
			"nothing left of %s; left: %s", buf_str(&none), buf_str(&all));
	else
		doctor_end(k->quota, DOCTOR_OK, NULL, "left: %s",
			all.n ? buf_str(&all) : "there is no limit");
	buf_fini(&all);
	buf_fini(&none);
}

/* --- log-in ----------------------------------------------------------------------------------- */

static void skip_rest(void *arg)
{
	struct doctor_cloud *k = arg;
	static const char *const names[] = {"catalog", "quota"};
	doctor_end(k->clock, DOCTOR_SKIPPED, NULL, "no answer told the time");
	for (size_t i = 0; i < array_len(names); i++)
		doctor_end(doctor_begin(k->doctor, k->group, names[i], k->of), DOCTOR_SKIPPED, NULL,
			"needs the log-in");
}

static void on_connected(void *arg, const struct error *err)
{
	struct doctor_cloud *k = arg;
	char text[ERROR_TEXT + 300];
	if (k->doctor->closing || k->login->ended)
		return;
	if (err) {
		doctor_end(k->login, DOCTOR_BAD, "do what it says", "%s",
			error_text(err, text, sizeof(text)));
		skip_rest(k);
		return;
	}
	check_catalog(k);
	k->quota = doctor_begin(k->doctor, k->group, "quota", k->of);
	cloud_quota(k->cloud, on_quota, k);
	doctor_end(k->login, DOCTOR_OK, NULL, "a token of project %s",
		k->config->project_name ? k->config->project_name : cloud_project_id(k->cloud));
	doctor_end(k->clock, DOCTOR_SKIPPED, NULL, "no answer told the time");
}

/* --- all -------------------------------------------------------------------------------------- */

static void check_cloud(struct doctor *d, const char *name, unsigned group)
{
	struct error_list errors = {0};
	struct doctor_cloud *k = mem_new(struct doctor_cloud);
	char text[ERROR_TEXT + 300];
	k->doctor = d;
	k->group = group;
	k->config = cloud_config_load(name, &errors);
	k->of = mem_printf("cloud %s", k->config ? k->config->name : name ? name : "");
	vec_push(&d->clouds, k);
	for (size_t i = 0; i < errors.n; i++)
		doctor_end(doctor_begin(d, group, "configuration", k->of), DOCTOR_BAD,
			"do what it says", "%s", error_text(&errors.p[i], text, sizeof(text)));
	error_list_fini(&errors);
	if (!k->config)
		return;
	doctor_end(doctor_begin(d, group, "configuration", k->of), DOCTOR_OK, NULL, "%s, %s",
		k->config->file, k->config->auth_url);
	check_name(d, k->config->auth_url);
	k->cloud = cloud_new(d->loop, d->client, k->config, NULL);
	k->login = doctor_begin(d, group, "log-in", k->of);
	k->clock = doctor_begin(d, group, "clock", k->of);
	k->login->late = skip_rest;
	k->login->late_arg = k;
	cloud_observe(k->cloud, CLOUD_HEADERS, on_exchange, k);
	cloud_connect(k->cloud, on_connected, k);
}

/* Nothing named: the cloud that other commands would take, or what there is to choose from. */
static void check_default(struct doctor *d)
{
	char **names = cloud_config_names();
	const char *cloud = getenv("OS_CLOUD");
	const bool named = (cloud && *cloud) || getenv("OS_AUTH_URL");
	struct buf all = BUF(BUF_LINE);
	size_t n = 0;
	for (; names[n]; n++) {
		buf_printf(&all, "%s%s", n ? ", " : "", names[n]);
		free(names[n]);
	}
	free(names);
	if (named || n == 1)
		check_cloud(d, NULL, 1);
	else
		doctor_say(d, "clouds", NULL, DOCTOR_WARN,
			"name one under `clouds`, or with --cloud", "%s%s",
			n ? "none is configured; clouds.yaml has " : "there is no clouds.yaml",
			buf_str(&all));
	buf_fini(&all);
}

void doctor_clouds(struct doctor *d)
{
	for (size_t i = 0; i < d->config->cloud_count; i++)
		check_cloud(d, d->config->clouds[i].name, (unsigned)i + 1);
	if (d->config->cloud_count)
		return;
	if (d->config->probe_count) /* as `run` does it */
		doctor_say(d, "clouds", NULL, DOCTOR_SKIPPED, NULL,
			"none is watched: `clouds` is empty, and there are probes");
	else
		check_default(d);
}

void doctor_clouds_free(struct doctor *d)
{
	for (size_t i = 0; i < d->clouds.n; i++) {
		struct doctor_cloud *k = d->clouds.p[i];
		if (k->cloud)
			cloud_free(k->cloud);
		cloud_config_free(k->config);
		free(k->of);
		free(k);
	}
	vec_fini(&d->clouds);
}
