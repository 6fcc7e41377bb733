/*
 * cloud_endpoint.c - where a service is: override, catalog, version root.
 *
 * An address in the catalog that already names a version is taken as it is; otherwise its root is
 * asked for its versions (200 or 300) and the wanted major one is chosen. The host stays that of
 * the catalog: version documents often name inner hosts.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"
#include "openstack/session.h"

static const char *const alias_rows[][5] = {
	{"block-storage", "volumev3", "block-store", "volume", NULL},
	{"compute", NULL},
	{"network", NULL},
	{"image", NULL},
	{"identity", NULL},
	{"load-balancer", NULL},
	{"shared-file-system", "sharev2", "share", NULL},
	{"container-infrastructure-management", "container-infra", NULL},
	{"clustering", NULL},
	{"alarming", "alarm", NULL},
};

const char *const *endpoint_aliases(const char *type)
{
	static const char *own[2];
	for (size_t i = 0; i < array_len(alias_rows); i++)
		if (!strcmp(alias_rows[i][0], type))
			return alias_rows[i];
	own[0] = type;
	return own;
}

/* The major version our requests are written for, and where it stands if nobody says. */
static const struct {
	const char *type;
	int major;
	const char *fallback;
	bool project; /* its id stands behind the version */
} wanted[] = {{"compute", 2, "/v2.1", false}, {"network", 2, "/v2.0", false},
	{"image", 2, "/v2", false}, {"block-storage", 3, "/v3", false},
	{"identity", 3, "/v3", false}, {"load-balancer", 2, "/v2", false}, {"dns", 2, "/v2", false},
	{"orchestration", 1, "/v1", true}, {"key-manager", 1, "/v1", false}};

static int wanted_row(const char *type)
{
	for (size_t i = 0; i < array_len(wanted); i++)
		if (!strcmp(wanted[i].type, type))
			return (int)i;
	return -1;
}

static const char *configured(const struct cloud *c, const struct map *m, const char *type)
{
	const char *const *names = endpoint_aliases(type);
	for (size_t i = 0; names[i]; i++) {
		char *key = mem_strdup(names[i]);
		for (char *p = key; *p; p++)
			*p = (char)(*p == '-' ? '_' : *p);
		const char *value = map_get(m, key);
		free(key);
		if (value)
			return value;
	}
	return NULL;
}

/* The catalog's address for our interface and region. */
static const char *in_catalog(const struct cloud *c, const char *type)
{
	const char *const *names = endpoint_aliases(type);
	json_t *service, *endpoint;
	size_t s, e;
	for (size_t i = 0; names[i]; i++) {
		json_array_foreach (c->catalog, s, service) {
			const char *own = json_str(service, "type");
			if (!own || strcmp(own, names[i]) != 0)
				continue;
			json_array_foreach (json_object_get(service, "endpoints"), e, endpoint) {
				const char *interface = json_str(endpoint, "interface");
				const char *region = json_str(endpoint, "region_id");
				region = region ? region : json_str(endpoint, "region");
				if (interface && !strcmp(interface, c->config->interface) &&
					(!c->region || !region || !strcmp(region, c->region)))
					return json_str(endpoint, "url");
			}
		}
	}
	return NULL;
}

static bool names_version(const char *url)
{
	struct url u;
	if (!url_parse(slice_of(url), &u, NULL))
		return false;
	struct slice rest = u.path, part;
	while (slice_next(&rest, '/', &part))
		if (part.n >= 2 && part.p[0] == 'v' && isdigit((unsigned char)part.p[1]))
			return true;
	return false;
}

/* `path` is the version behind `base`, "": base names it. */
static void settle(struct service *s, const char *base, const char *path)
{
	struct buf url = BUF(BUF_LINE);
	const int row = wanted_row(s->type);
	url_join(&url, slice_of(base), slice_of(path));
	if (*path && row >= 0 && wanted[row].project && s->cloud->project_id)
		buf_printf(&url, "/%s", s->cloud->project_id);
	while (url.n && url.p[url.n - 1] == '/')
		buf_cut(&url, url.n - 1);
	s->endpoint = buf_take(&url);
	s->discovering = false;
	cloud_kick(s->cloud);
}

/* --- version documents ------------------------------------------------------------------------ */

static int major_of(const json_t *version)
{
	const char *id = json_str(version, "id");
	return id && id[0] == 'v' ? (int)strtol(id + 1, NULL, 10) : 0;
}

/* The path of the version's own address; borrowed text of its self link. */
static bool self_path(const json_t *version, struct slice *ret)
{
	json_t *link;
	size_t i;
	struct url u;
	json_array_foreach (json_object_get(version, "links"), i, link) {
		const char *rel = json_str(link, "rel"), *href = json_str(link, "href");
		if (rel && href && !strcmp(rel, "self") && url_parse(slice_of(href), &u, NULL)) {
			*ret = u.path;
			return true;
		}
	}
	return false;
}

static bool choose(struct service *s, const json_t *document, int major)
{
	json_t *list = json_object_get(document, "versions"), *v;
	json_t *best = NULL;
	size_t i;
	if (json_is_object(list))
		list = json_object_get(list, "values"); /* barbican */
	json_array_foreach (list, i, v) {
		const char *status = json_str(v, "status");
		if (major_of(v) != major || (status && !strcmp(status, "DEPRECATED") && best))
			continue;
		/* nova offers v2.0 and v2.1: the one with microversions */
		const char *max = json_str(v, "max_version");
		max = max && *max ? max : json_str(v, "version");
		if (!best || (max && *max) || (status && !strcmp(status, "CURRENT")))
			best = v;
	}
	struct slice path;
	struct url base;
	if (!best || !self_path(best, &path) || !url_parse(slice_of(s->catalog_url), &base, NULL))
		return false;
	/* Below the catalog's own path, on the catalog's host. */
	struct slice last = path, part, rest = path;
	while (slice_next(&rest, '/', &part))
		if (part.n)
			last = part;
	char *text = mem_printf("/%.*s", SLICE_ARG(last));
	settle(s, s->catalog_url, text);
	free(text);
	return true;
}

static void on_versions(void *arg, const struct http_answer *a)
{
	struct service *s = arg;
	s->http = NULL;
	if (a->fault == FAULT_CANCELLED) {
		s->discovering = false;
		cloud_kick(s->cloud);
		return;
	}
	const int row = wanted_row(s->type);
	const char *version = configured(s->cloud, &s->cloud->config->api_version, s->type);
	const int major = version ? (int)strtol(version, NULL, 10) : wanted[row].major;
	json_t *document = a->fault == FAULT_NONE && (a->status == 200 || a->status == 300)
				   ? json_parse(a->body, BUF_PAGE, NULL)
				   : NULL;
	if (!document || !choose(s, document, major))
		settle(s, s->catalog_url, wanted[row].fallback);
	json_decref(document);
}

static void discover(struct service *s)
{
	struct cloud *c = s->cloud;
	struct buf url = BUF(BUF_LINE);
	url_join(&url, slice_of(s->catalog_url), SLICE("/"));
	const struct http_header accept = {"Accept", "application/json"};
	struct http_request q = {.method = "GET",
		.url = buf_str(&url),
		.headers = &accept,
		.header_count = 1,
		.deadline_ns = DISCOVERY_NS};
	cloud_transport(c, &q);
	s->discovering = true;
	s->http = http_send(c->client, &q, on_versions, s);
	buf_fini(&url);
}

struct service *endpoint_of(struct cloud *c, const char *type)
{
	struct service *s = map_get(&c->services, type);
	if (!s) {
		s = mem_new(struct service);
		s->type = mem_strdup(type);
		s->cloud = c;
		map_put(&c->services, type, s);
	}
	if (s->endpoint || s->discovering)
		return s;
	const char *override = configured(c, &c->config->endpoint_override, type);
	const char *url = override ? override : in_catalog(c, type);
	s->none = !url;
	if (!url)
		return s;
	mem_replace(&s->catalog_url, url);
	if (override || names_version(url) || wanted_row(type) < 0)
		settle(s, url, "");
	else
		discover(s);
	return s;
}

void endpoint_cancel_all(struct cloud *c)
{
	MAP_EACH (&c->services, e) {
		struct service *s = e->value;
		if (s->http)
			http_cancel(s->http);
	}
}

bool endpoint_idle(const struct cloud *c)
{
	MAP_EACH (&c->services, e) {
		const struct service *s = e->value;
		if (s->http)
			return false;
	}
	return true;
}

/* Found again when next asked for; what is being discovered ends as it began. */
void endpoint_forget_all(struct cloud *c)
{
	MAP_EACH (&c->services, e) {
		struct service *s = e->value;
		free(s->endpoint);
		s->endpoint = NULL;
	}
}

void endpoint_free_all(struct cloud *c)
{
	MAP_EACH (&c->services, e) {
		struct service *s = e->value;
		free(s->type);
		free(s->endpoint);
		free(s->catalog_url);
		free(s);
	}
	map_fini(&c->services);
}

const char *cloud_endpoint(const struct cloud *c, const char *service)
{
	const struct service *s = map_get(&c->services, service);
	if (s && s->endpoint)
		return s->endpoint;
	const char *override = configured(c, &c->config->endpoint_override, service);
	return override ? override : in_catalog(c, service);
}

json_t *cloud_catalog(const struct cloud *c)
{
	json_t *list = json_array(), *service;
	size_t i;
	json_array_foreach (c->catalog, i, service) {
		const char *type = json_str(service, "type");
		const char *override =
			type ? configured(c, &c->config->endpoint_override, type) : NULL;
		const char *url = override ? override : type ? in_catalog(c, type) : NULL;
		if (url)
			json_array_append_new(
				list, json_pack("{s:s, s:s?, s:s}", "type", type, "name",
					      json_str(service, "name"), "url", url));
	}
	return list;
}
