/*
 * endpoint_plan.c - from a catalog to what is to be asked.
 *
 * A catalog often names one service several times (volumev3, block-storage): it is asked once. A
 * service that the table does not know is asked for its root, and whatever it says itself is good
 * there but a failure of its own, for nobody knows what it should say.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"
#include "observe/endpoint_inside.h"

#define TYPE_MAX  80
#define ROOT_GOOD "2xx 3xx 4xx"

void endpoint_want_fini(struct endpoint_want *w)
{
	free(w->name);
	free(w->service);
	free(w->component_name);
	free(w->category);
	free(w->url);
	free(w->good);
	free(w->microversion);
	*w = (struct endpoint_want){0};
}

void endpoint_wants_fini(struct endpoint_wants *w)
{
	for (size_t i = 0; i < w->list.n; i++)
		endpoint_want_fini(&w->list.p[i]);
	vec_fini(&w->list);
}

/* --- addresses -------------------------------------------------------------------------------- */

/* How long the address is before its version: 14 of "http://h/image/v2/x"; all of it if it names
 * none. */
static size_t before_version(const char *url)
{
	struct url u;
	if (!url_parse(slice_of(url), &u, NULL))
		return strlen(url);
	struct slice rest = u.path, part;
	while (slice_next(&rest, '/', &part))
		if (part.n >= 2 && part.p[0] == 'v' && isdigit((unsigned char)part.p[1]))
			return (size_t)(part.p - url);
	return strlen(url);
}

static void add_project(struct buf *url, const char *text, const char *project)
{
	const struct slice all = slice_of(text), name = SLICE("{project}");
	const size_t at = slice_find_text(all, name);
	buf_add_slice(url, slice_sub(all, 0, at));
	if (at < all.n) {
		url_encode(url, slice_of(project));
		buf_add_slice(url, slice_sub(all, at + name.n, all.n));
	}
}

static void no_slash(struct buf *url)
{
	while (url->n && url->p[url->n - 1] == '/')
		buf_cut(url, url->n - 1);
}

static char *url_of(
	const char *base, int at, const char *version, const char *path, const char *project)
{
	struct buf url = BUF(BUF_LINE);
	const size_t root = before_version(base);
	buf_add(&url, base, at == ENDPOINT_ROOT ? root : strlen(base));
	no_slash(&url);
	if (at == ENDPOINT_VERSION && version && root == strlen(base))
		add_project(&url, version, project);
	add_project(&url, path, project);
	return buf_take(&url);
}

/* --- rows ------------------------------------------------------------------------------------- */

/* "container-infra" -> "Container infra" */
static char *name_of_type(const char *type)
{
	char *name = mem_strdup(type);
	for (char *p = name; *p; p++)
		if (*p == '-' || *p == '_')
			*p = ' ';
	name[0] = (char)toupper((unsigned char)name[0]);
	return name;
}

static void want_root(const struct endpoint_table *t, const char *type, const char *url,
	struct endpoint_wants *ret)
{
	char *name = mem_printf("%s.root", type);
	if (endpoint_table_find(t, name)) { /* a row of another service */
		free(name);
		return;
	}
	struct endpoint_want *w = vec_add(&ret->list);
	w->name = name;
	w->service = mem_strdup(type);
	w->component_name = name_of_type(type);
	w->category = mem_strdup(endpoint_category(w->component_name));
	w->url = mem_strdup(url);
	w->good = mem_strdup(ROOT_GOOD);
}

static void want_row(const struct endpoint_row *row, const struct endpoint_service *service,
	const char *url, const char *project, struct endpoint_wants *ret)
{
	struct endpoint_want *w = vec_add(&ret->list);
	const char *version = row->version ? row->version : service ? service->version : NULL;
	w->name = mem_strdup(row->name);
	w->service = mem_strdup(row->service);
	w->component_name = row->component ? mem_strdup(row->component)
			    : service      ? mem_strdup(service->component)
					   : name_of_type(row->service);
	w->category =
		mem_strdup(row->category                ? row->category
			   : service && !row->component ? service->category
							: endpoint_category(w->component_name));
	w->url = url_of(url, row->at, version, row->path, project ? project : "");
	w->good = mem_strdup(row->good);
	w->microversion = mem_strdup(row->microversion);
	w->token = row->token;
	w->every_ns = row->every_ns;
	w->timeout_ns = row->timeout_ns;
	w->slow_ns = row->slow_ns;
}

static void want_service(const struct endpoint_table *t, const char *type, const char *url,
	const char *project, struct endpoint_wants *ret)
{
	const struct endpoint_service *service = endpoint_service_find(type);
	bool known = service != NULL;
	for (size_t i = 0; i < endpoint_table_count(t) && ret->list.n < ENDPOINTS_MAX; i++) {
		const struct endpoint_row *row = endpoint_table_at(t, i);
		if (strcmp(row->service, type) != 0)
			continue;
		known = true;
		if (!row->off && strcmp(row->name, ENDPOINT_TOKEN) != 0)
			want_row(row, service, url, project, ret);
	}
	if (!known && ret->list.n < ENDPOINTS_MAX)
		want_root(t, type, url, ret);
}

/* --- the catalog ------------------------------------------------------------------------------ */

/* Where a type stands among the names of its service, the best first. */
static size_t rank_of(const struct endpoint_service *s, const char *type)
{
	struct slice rest = slice_of(s->aliases), name;
	size_t rank = 1;
	if (!strcmp(s->type, type))
		return 0;
	for (; slice_next(&rest, ' ', &name); rank++)
		if (slice_is(name, type))
			break;
	return rank;
}

/* Whether another entry is the same service under a name that goes before, or the same again. */
static bool said_better(const json_t *catalog, size_t at, const char *type)
{
	const struct endpoint_service *s = endpoint_service_find(type);
	json_t *other;
	size_t i;
	json_array_foreach (catalog, i, other) {
		const char *its = json_string_value(json_object_get(other, "type"));
		if (!its || i == at)
			continue;
		if (!strcmp(its, type)) {
			if (i < at)
				return true;
		} else if (s && endpoint_service_find(its) == s &&
			   rank_of(s, its) < rank_of(s, type)) {
			return true;
		}
	}
	return false;
}

static bool is_http(const char *url)
{
	struct url u;
	return url_parse(slice_of(url), &u, NULL) &&
	       (slice_is(u.scheme, "http") || slice_is(u.scheme, "https"));
}

/* It becomes a part of names. */
static bool is_type(const char *type)
{
	size_t n = 0;
	while (isalnum((unsigned char)type[n]) || (type[n] && strchr("-_.", type[n])))
		n++;
	return n > 0 && n <= TYPE_MAX && !type[n];
}

void endpoint_plan(const struct endpoint_table *t, const json_t *catalog, const char *project,
	struct endpoint_wants *ret)
{
	json_t *entry;
	size_t i;
	*ret = (struct endpoint_wants){0};
	json_array_foreach (catalog, i, entry) {
		const char *type = json_string_value(json_object_get(entry, "type"));
		const char *url = json_string_value(json_object_get(entry, "url"));
		if (!type || !is_type(type) || !url || !is_http(url) ||
			said_better(catalog, i, type))
			continue;
		const struct endpoint_service *s = endpoint_service_find(type);
		want_service(t, s ? s->type : type, url, project, ret);
	}
}
