/*
 * balancer_misc.c - versions, providers, quotas, and what a member is not shown.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/state.h"

/* Minor versions only say what was added; the date says when. */
static const char *const versions[] = {"2016-12-11T00:00:00Z", "2018-04-20T00:00:00Z",
	"2018-07-31T00:00:00Z", "2018-12-18T00:00:00Z", "2018-12-19T00:00:00Z",
	"2019-01-21T00:00:00Z", "2019-01-25T00:00:00Z", "2018-01-25T12:00:00Z",
	"2019-02-12T00:00:00Z", "2019-03-04T00:00:00Z", "2019-03-05T00:00:00Z",
	"2019-06-24T00:00:00Z", "2019-09-11T00:00:00Z", "2019-09-13T00:00:00Z",
	"2019-11-10T00:00:00Z", "2020-03-10T00:00:00Z", "2020-03-15T00:00:00Z",
	"2020-04-29T00:00:00Z", "2020-04-29T01:00:00Z", "2020-05-12T00:00:00Z",
	"2020-08-02T00:00:00Z", "2020-09-03T00:00:00Z", "2020-09-04T00:00:00Z",
	"2020-09-07T00:00:00Z", "2020-10-15T00:00:00Z", "2021-10-02T00:00:00Z",
	"2022-08-29T00:00:00Z"};

void balancer_versions(struct call *c)
{
	json_t *list = json_array();
	char *url = mem_printf("%s/load-balancer/v2", call_url(c));

	for (size_t i = 0; i < array_len(versions); i++) {
		char id[16];
		snprintf(id, sizeof(id), "v2.%zu", i);
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}]}", "id", id, "status",
				      i + 1 < array_len(versions) ? "SUPPORTED" : "CURRENT",
				      "updated", versions[i], "links", "href", url, "rel", "self"));
	}
	free(url);
	call_json(c, 200, json_pack("{s:o}", "versions", list));
}

void balancer_version(struct call *c)
{
	call_json(c, 200, json_string("v2"));
}

/* --- providers -----------------------------------------------------------------------------------
 */

static const struct {
	const char *name, *description;
} providers[] = {
	{BALANCER_AMPHORA, "balances in the simulated cloud"},
	{BALANCER_NOOP, "accepts and does nothing"},
	{BALANCER_OVN, "OVN's load balancers"},
};

bool balancer_has_provider(const struct sim *s, const char *name)
{
	for (size_t i = 0; i < array_len(providers); i++)
		if (!strcmp(providers[i].name, name))
			return strcmp(name, BALANCER_OVN) || s->ovn;
	return false;
}

void balancer_providers(struct call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < array_len(providers); i++)
		if (balancer_has_provider(c->sim, providers[i].name))
			json_array_append_new(
				list, json_pack("{s:s, s:s}", "name", providers[i].name,
					      "description", providers[i].description));
	call_json(c, 200, json_pack("{s:o}", "providers", list));
}

/* --- what there is none of, and what is an administrator's
 * ---------------------------------------- */

void balancer_empty(struct call *c)
{
	const bool zones = strstr(c->path, "/availabilityzones");

	call_json(c, 200,
		json_pack("{s:[], s:[]}", zones ? "availability_zones" : "flavors",
			zones ? "availability_zones_links" : "flavors_links"));
}

void balancer_no_flavor(struct call *c)
{
	call_fail(c, 404, NULL, "Flavor %s not found.", c->params[1]);
}

void balancer_forbidden(struct call *c)
{
	call_fail(c, 403, NULL, "Policy does not allow this request to be performed.");
}

/* --- quotas
 * ---------------------------------------------------------------------------------------- */

void balancer_quota_show(struct call *c)
{
	const struct quota *q = &c->sim->quota;

	if (strcmp(c->params[1], c->project)) {
		balancer_forbidden(c);
		return;
	}
	call_json(c, 200,
		json_pack("{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}}", "quota", "load_balancer",
			(json_int_t)q->load_balancer, "listener", (json_int_t)q->listener, "member",
			(json_int_t)q->member, "pool", (json_int_t)q->pool, "health_monitor",
			(json_int_t)q->health_monitor, "l7policy", (json_int_t)q->l7policy,
			"l7rule", (json_int_t)q->l7rule));
}

/* Those that somebody has set; nobody has. */
void balancer_quotas(struct call *c)
{
	call_json(c, 200, json_pack("{s:[], s:[]}", "quotas", "quotas_links"));
}
