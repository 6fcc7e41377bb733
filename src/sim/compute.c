/*
 * compute.c - nova: versions, the routes, and what its parts have in common.
 * API: https://docs.openstack.org/api-ref/compute/
 */

#include "sim/compute_server.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "base/json.h"
#include "sim/route.h"
#include "sim/state.h"

/* What call_inside() speaks: the newest version in which nova still makes key pairs itself. */
#define INSIDE_VERSION 91

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	static const struct {
		int status;
		const char *key;
	} keys[] = {{400, "badRequest"}, {401, "unauthorized"}, {403, "forbidden"},
		{404, "itemNotFound"}, {405, "badMethod"}, {409, "conflictingRequest"},
		{413, "overLimit"}, {415, "badMediaType"}, {429, "overLimit"},
		{501, "notImplemented"}, {503, "serviceUnavailable"}};
	const char *key = "computeFault";

	for (size_t i = 0; i < array_len(keys); i++)
		if (keys[i].status == status)
			key = keys[i].key;
	return json_pack("{s:{s:i, s:s}}", key, "code", status, "message", message);
}

/* --- microversions --------------------------------------------------------------------------- */

/* The version asked for, as "2.53" or "latest"; empty when none is. Both headers are known:
 * "OpenStack-API-Version: compute 2.53" (several services, separated by commas) and the older
 * "X-OpenStack-Nova-API-Version: 2.53". */
static struct slice wanted_version(const struct call *c)
{
	struct slice rest = slice_of(c->wanted_version), part;

	while (slice_next(&rest, ',', &part)) {
		part = slice_trim(part);
		const size_t space = slice_find(part, ' ');
		if (slice_is(slice_sub(part, 0, space), "compute"))
			return slice_trim(slice_sub(part, space, part.n));
	}
	return slice_trim(slice_of(c->nova_version));
}

static void version_headers(struct call *c, const char *version)
{
	call_header(c, "OpenStack-API-Version", "compute %s", version);
	call_header(c, "X-OpenStack-Nova-API-Version", "%s", version);
	call_header(c, "Vary", "OpenStack-API-Version");
	call_header(c, "Vary", "X-OpenStack-Nova-API-Version");
}

/* What nova's router does not know never reaches the part that knows versions: webob answers. */
static bool unknown_path(struct call *c)
{
	if (c->route)
		return false;
	call_fail_webob(c, 404, "The resource could not be found.", "");
	return true;
}

static bool negotiate(struct call *c)
{
	const struct slice wanted = wanted_version(c);
	int major = 2, minor = c->inside ? INSIDE_VERSION : 1;
	char text[64], rest;

	if (unknown_path(c))
		return false;
	if (!c->path[0] || !c->path[1]) { /* the list of versions has none itself */
		c->version = 1;
		return true;
	}
	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(wanted));
	if (slice_is(wanted, "latest")) {
		minor = COMPUTE_MAX_VERSION;
	} else if (wanted.n && (sscanf(text, "%4d.%4d%c", &major, &minor, &rest) != 2 ||
				       major < 0 || minor < 0)) {
		call_fail(c, 400, NULL,
			"API Version String %s is of invalid format. Must be of format "
			"MajorNum.MinorNum.",
			text);
		return false;
	}
	snprintf(text, sizeof(text), "%d.%d", major, minor);
	version_headers(c, text);
	call_header(c, "x-compute-request-id", "%s", c->request_id);
	c->version = minor;
	if (major == 2 && minor >= 1 && minor <= COMPUTE_MAX_VERSION)
		return true;
	call_fail(c, 406, NULL,
		"Version %s is not supported by the API. Minimum is 2.1 and maximum is 2.%d.", text,
		COMPUTE_MAX_VERSION);
	return false;
}

static json_t *version_document(struct call *c, const char *id)
{
	const bool old = !strcmp(id, "v2.0");
	char newest[16];
	char *url = mem_printf("%s/compute/%s/", call_url(c), old ? "v2" : id);

	snprintf(newest, sizeof(newest), "2.%d", COMPUTE_MAX_VERSION);
	json_t *v = json_pack("{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s}]}", "id", id, "status",
		old ? "SUPPORTED" : "CURRENT", "version", old ? "" : newest, "min_version",
		old ? "" : "2.1", "updated", old ? "2011-01-21T11:33:21Z" : "2013-07-23T11:33:21Z",
		"links", "rel", "self", "href", url);
	free(url);
	return v;
}

static void list_versions(struct call *c)
{
	call_json(c, 200,
		json_pack("{s:[o, o]}", "versions", version_document(c, "v2.0"),
			version_document(c, "v2.1")));
}

static void show_version(struct call *c)
{
	json_t *v = version_document(c, "v2.1");

	json_array_append_new(json_object_get(v, "links"),
		json_pack("{s:s, s:s, s:s}", "rel", "describedby", "type", "text/html", "href",
			"http://docs.openstack.org/"));
	json_object_set_new(v, "media-types",
		json_pack("[{s:s, s:s}]", "base", "application/json", "type",
			"application/vnd.openstack.compute+json;version=2.1"));
	call_json(c, 200, json_pack("{s:o}", "version", v));
}

/* --- what its parts have in common ----------------------------------------------------------- */

json_t *compute_links(struct call *c, const char *collection, const char *id, bool self)
{
	char *direct = mem_printf("%s/compute/v2.1/%s/%s", call_url(c), collection, id);
	char *bookmark = mem_printf("%s/compute/%s/%s", call_url(c), collection, id);
	json_t *links = json_array();

	if (self)
		json_array_append_new(
			links, json_pack("{s:s, s:s}", "rel", "self", "href", direct));
	json_array_append_new(links, json_pack("{s:s, s:s}", "rel", "bookmark", "href", bookmark));
	free(bookmark);
	free(direct);
	return links;
}

void compute_forbid(struct call *c, const char *rule)
{
	call_fail(c, 403, NULL, "Policy doesn't allow os_compute_api:%s to be performed.", rule);
}

bool compute_among(const char *words, const char *word)
{
	struct slice rest = slice_of(words), part;

	while (slice_next(&rest, ' ', &part))
		if (slice_is(part, word))
			return true;
	return false;
}

const char *compute_time(const struct sim *s, char *text)
{
	const time_t t = (time_t)(clock_unix_us(loop_clock(s->loop)) / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%S.000000", &tm);
	return text;
}

const char *compute_host_id(const char *project, const char *host, char *text)
{
	uint8_t hash[SHA224_BYTES];

	*text = 0;
	if (!*host)
		return text;
	char *both = mem_printf("%s%s", project, host);
	digest_sha224(both, strlen(both), hash);
	hex_write(hash, sizeof(hash), text);
	free(both);
	return text;
}

/* --- routes ---------------------------------------------------------------------------------- */

static void forbid_hypervisors(struct call *c)
{
	compute_forbid(c, "os-hypervisors:list");
}

static void forbid_services(struct call *c)
{
	compute_forbid(c, "os-services:list");
}

static void forbid_aggregates(struct call *c)
{
	compute_forbid(c, "os-aggregates:index");
}

static void forbid_flavors(struct call *c)
{
	compute_forbid(c, "os-flavor-manage:create");
}

static void list_extensions(struct call *c)
{
	call_json(c, 200, json_pack("{s:[]}", "extensions"));
}

#define V21 "/v2.1"
static const struct route routes[] = {
	{"GET", "", list_versions, ROUTE_OPEN},
	{"GET", V21, show_version, ROUTE_OPEN},
	{"GET", V21 "/extensions", list_extensions},
	{"GET", V21 "/flavors", flavors_list},
	{"GET", V21 "/flavors/detail", flavors_detail},
	{"GET", V21 "/flavors/{}", flavors_show},
	{"GET", V21 "/flavors/{}/os-extra_specs", flavors_specs},
	{"POST", V21 "/flavors", forbid_flavors},
	{"GET", V21 "/limits", limits_show},
	{"GET", V21 "/os-quota-sets/{}", quotas_show},
	{"GET", V21 "/os-quota-sets/{}/detail", quotas_detail},
	{"GET", V21 "/os-quota-sets/{}/defaults", quotas_defaults},
	{"GET", V21 "/os-availability-zone", zones_list},
	{"GET", V21 "/os-availability-zone/detail", zones_detail},
	{"GET", V21 "/os-hypervisors", forbid_hypervisors},
	{"GET", V21 "/os-hypervisors/detail", forbid_hypervisors},
	{"GET", V21 "/os-services", forbid_services},
	{"GET", V21 "/os-aggregates", forbid_aggregates},
	{"GET", V21 "/os-keypairs", keypairs_list},
	{"POST", V21 "/os-keypairs", keypairs_create, ROUTE_CREATE, TIME_WRITE},
	{"GET", V21 "/os-keypairs/{}", keypairs_show},
	{"DELETE", V21 "/os-keypairs/{}", keypairs_delete, 0, TIME_WRITE},
	{"GET", V21 "/os-server-groups", groups_list},
	{"POST", V21 "/os-server-groups", groups_create, ROUTE_CREATE, TIME_WRITE},
	{"GET", V21 "/os-server-groups/{}", groups_show},
	{"DELETE", V21 "/os-server-groups/{}", groups_delete, 0, TIME_WRITE},
	{"GET", V21 "/servers", servers_list},
	{"POST", V21 "/servers", servers_create, ROUTE_CREATE, TIME_SERVER_CREATE},
	{"GET", V21 "/servers/detail", servers_detail},
	{"GET", V21 "/servers/{}", servers_show},
	{"PUT", V21 "/servers/{}", servers_update, 0, TIME_WRITE},
	{"DELETE", V21 "/servers/{}", servers_delete, 0, TIME_WRITE},
	{"POST", V21 "/servers/{}/action", servers_action, 0, TIME_WRITE},
	{"GET", V21 "/servers/{}/ips", servers_ips},
	{"GET", V21 "/servers/{}/os-security-groups", servers_security_groups},
	{"GET", V21 "/servers/{}/metadata", metadata_list},
	{"POST", V21 "/servers/{}/metadata", metadata_add, 0, TIME_WRITE},
	{"PUT", V21 "/servers/{}/metadata", metadata_replace, 0, TIME_WRITE},
	{"GET", V21 "/servers/{}/metadata/{}", metadata_show},
	{"PUT", V21 "/servers/{}/metadata/{}", metadata_set, 0, TIME_WRITE},
	{"DELETE", V21 "/servers/{}/metadata/{}", metadata_delete, 0, TIME_WRITE},
	{"GET", V21 "/servers/{}/tags", server_tags_list, .since = 26},
	{"PUT", V21 "/servers/{}/tags", server_tags_replace, 0, TIME_WRITE, 26},
	{"DELETE", V21 "/servers/{}/tags", server_tags_clear, 0, TIME_WRITE, 26},
	{"GET", V21 "/servers/{}/tags/{}", server_tags_show, .since = 26},
	{"PUT", V21 "/servers/{}/tags/{}", server_tags_add, 0, TIME_WRITE, 26},
	{"DELETE", V21 "/servers/{}/tags/{}", server_tags_delete, 0, TIME_WRITE, 26},
	{"GET", V21 "/servers/{}/os-instance-actions", events_list},
	{"GET", V21 "/servers/{}/os-instance-actions/{}", events_show},
	{"GET", V21 "/servers/{}/os-interface", interfaces_list},
	{"POST", V21 "/servers/{}/os-interface", interfaces_create, 0, TIME_INTERFACE_ATTACH},
	{"GET", V21 "/servers/{}/os-interface/{}", interfaces_show},
	{"DELETE", V21 "/servers/{}/os-interface/{}", interfaces_delete, 0, TIME_WRITE},
	{"GET", V21 "/servers/{}/os-volume_attachments", attachments_list},
	{"POST", V21 "/servers/{}/os-volume_attachments", attachments_create, 0, TIME_WRITE},
	{"GET", V21 "/servers/{}/os-volume_attachments/{}", attachments_show},
	{"DELETE", V21 "/servers/{}/os-volume_attachments/{}", attachments_delete, 0, TIME_WRITE},
};

const struct service compute_service = {
	.name = "compute",
	.prefix = "/compute",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.version = negotiate,
};
