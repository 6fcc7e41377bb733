/*
 * kind.c - rows of kinds: loading, and the requests that are made from them; see kind.h.
 */

#include "openstack/kind.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/map.h"
#include "base/vec.h"
#include "net/url.h"
#include "openstack/kind_load.h"
#include "openstack/kind_table.h"

struct kinds {
	VEC(struct kind *) rows;
	VEC(const char *) names;
	struct map by_name;
	VEC(char *) memory; /* texts of overridden fields */
};

/* --- loading -------------------------------------------------------------------------------------
 */

static void free_row(struct kind *k)
{
	expr_free(k->ready_expr);
	expr_free(k->failed_expr);
	expr_free(k->gone_expr);
	expr_free(k->busy_expr);
	expr_free(k->stuck_expr);
	free(k);
}

void kinds_free(struct kinds *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->rows.n; i++)
		free_row(k->rows.p[i]);
	for (size_t i = 0; i < k->memory.n; i++)
		free(k->memory.p[i]);
	vec_fini(&k->rows);
	vec_fini(&k->names);
	vec_fini(&k->memory);
	map_fini(&k->by_name);
	free(k);
}

struct kind *kinds_row(struct kinds *k, const char *name)
{
	struct kind *row = map_get(&k->by_name, name);
	if (row)
		return row;
	row = mem_new(struct kind);
	row->name = kinds_keep(k, mem_strdup(name));
	vec_push(&k->rows, row);
	vec_push(&k->names, row->name);
	map_put(&k->by_name, name, row);
	return row;
}

char *kinds_keep(struct kinds *k, char *text)
{
	vec_push(&k->memory, text);
	return text;
}

static struct expr *condition(
	const struct kind *k, const char *text, const char *what, struct error_list *errors)
{
	struct error err = {0};
	if (!text || !*text)
		return NULL;
	struct expr *e = expr_parse_condition(slice_of(text), k->name, 1, 1, &err);
	if (!e) {
		error_wrap(&err, "%s of kind %s", what, k->name);
		error_list_add(errors, &err);
	}
	return e;
}

static void finish_row(struct kind *k, struct error_list *errors)
{
	if (!k->id)
		k->id = "id";
	k->ready_expr = condition(k, k->ready, "ready", errors);
	k->failed_expr = condition(k, k->failed, "failed", errors);
	k->gone_expr = condition(k, k->gone, "gone", errors);
	k->busy_expr = condition(k, k->busy, "busy", errors);
	k->stuck_expr = condition(k, k->stuck, "stuck", errors);
}

static void load_dir(struct kinds *k, const char *dir, struct error_list *errors)
{
	struct dirent **files;
	const int n = scandir(dir, &files, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (slice_ends(slice_of(files[i]->d_name), ".yaml")) {
			char *path = mem_printf("%s/%s", dir, files[i]->d_name);
			kinds_load_file(k, path, errors);
			free(path);
		}
		free(files[i]);
	}
	if (n >= 0)
		free(files);
}

struct kinds *kinds_load(const char *const *dirs, struct error_list *errors)
{
	struct kinds *k = mem_new(struct kinds);
	const size_t before = errors->n;
	for (size_t i = 0; i < kind_table_count; i++) {
		struct kind *row = kinds_row(k, kind_table[i].name);
		const char *name = row->name;
		*row = kind_table[i];
		row->name = name;
	}
	for (size_t i = 0; dirs && dirs[i]; i++)
		load_dir(k, dirs[i], errors);
	for (size_t i = 0; i < k->rows.n; i++)
		finish_row(k->rows.p[i], errors);
	if (errors->n == before)
		return k;
	kinds_free(k);
	return NULL;
}

const char *const *kinds_dirs(void)
{
	static const char *dirs[4];
	const char *own = getenv("GLASSHOUSE_KINDS");
	size_t n = 0;
	dirs[n++] = GLASSHOUSE_DATADIR "/kinds";
	dirs[n++] = "kinds";
	if (own)
		dirs[n++] = own;
	dirs[n] = NULL;
	return dirs;
}

const struct kind *kind_find(const struct kinds *k, struct slice name)
{
	return map_get_slice(&k->by_name, name);
}

size_t kinds_count(const struct kinds *k)
{
	return k->rows.n;
}

const struct kind *kind_at(const struct kinds *k, size_t i)
{
	return k->rows.p[i];
}

const char *const *kinds_names(const struct kinds *k, size_t *ret_n)
{
	*ret_n = k->names.n;
	return k->names.p;
}

/* --- paths ---------------------------------------------------------------------------------------
 */

/* Fills {names} of a path from `object`; false when one is missing. `used` collects them. */
static bool fill_path(struct buf *out, const char *template, const json_t *object, json_t *used,
	struct error *err)
{
	for (const char *p = template; *p; p++) {
		const char *close = *p == '{' ? strchr(p, '}') : NULL;
		if (!close) {
			buf_add_char(out, *p);
			continue;
		}
		char *name = mem_strndup(p + 1, (size_t)(close - p - 1));
		const char *value = json_str(object, name);
		if (value) {
			url_encode(out, slice_of(value));
			if (used)
				json_object_set_new(used, name, json_true());
		} else {
			error_set(err, ERROR_INPUT, "\"%s\" %s: %s needs it", name,
				json_object_get(object, name) ? "must be text" : "is missing",
				template);
		}
		free(name);
		if (!value)
			return false;
		p = close;
	}
	return true;
}

static bool split(const char *template, char **ret_method, const char **ret_path)
{
	const char *space = template ? strchr(template, ' ') : NULL;
	if (!space)
		return false;
	*ret_method = mem_strndup(template, (size_t)(space - template));
	*ret_path = space + 1;
	return true;
}

void kind_request_fini(struct kind_request *r)
{
	free(r->method);
	free(r->path);
	json_decref(r->body);
	for (size_t i = 0; i < r->header_count; i++) {
		free((char *)r->headers[i].name);
		free((char *)r->headers[i].value);
	}
	free(r->headers);
	memset(r, 0, sizeof(*r));
}

static bool request(const char *template, const json_t *object, json_t *used,
	struct kind_request *ret, struct error *err)
{
	const char *path;
	struct buf out = BUF(BUF_LINE);
	memset(ret, 0, sizeof(*ret));
	if (!split(template, &ret->method, &path)) {
		error_set(err, ERROR_INPUT, "this kind has no such request");
		return false;
	}
	if (!fill_path(&out, path, object, used, err)) {
		buf_fini(&out);
		kind_request_fini(ret);
		return false;
	}
	ret->path = buf_take(&out);
	return true;
}

bool kind_path_name(struct slice *rest, struct slice *ret_name)
{
	const size_t open = slice_find(*rest, '{');
	if (open >= rest->n)
		return false;
	*rest = slice_sub(*rest, open + 1, rest->n);
	*ret_name = slice_sub(*rest, 0, slice_find(*rest, '}'));
	return true;
}

static void learn_name(struct slice name, const json_t *object, json_t *path)
{
	char *key = slice_dup(name), *long_key = mem_printf("%s_id", key);
	const char *value = json_str(object, key);
	value = value ? value : json_str(object, long_key);
	if (value && !json_object_get(path, key))
		json_object_set_new(path, key, json_string(value));
	free(long_key);
	free(key);
}

void kind_path_learn(const struct kind *k, const json_t *object, json_t *path)
{
	const char *const requests[] = {k->get, k->remove, k->set};
	struct slice name;
	for (size_t i = 0; i < array_len(requests); i++) {
		struct slice rest = slice_of(requests[i]);
		while (kind_path_name(&rest, &name))
			if (!slice_is(name, "id"))
				learn_name(name, object, path);
	}
}

/* --- create --------------------------------------------------------------------------------------
 */

#define MARK_KEY "glasshouse"
#define TAG_MAX  80 /* heat's */

/* One tag of a list that is written with commas. */
static bool is_tag(const char *mark)
{
	return strlen(mark) <= TAG_MAX && !strchr(mark, ',');
}

static void add_tag_text(json_t *body, const char *mark)
{
	const char *own = json_str(body, "tags");
	if (!is_tag(mark))
		return; /* the name tells whose it is */
	char *all = own && *own ? mem_printf("%s,%s", own, mark) : mem_strdup(mark);
	json_object_set_new(body, "tags", json_string(all));
	free(all);
}

static void add_mark(const struct kind *k, json_t *body, const char *mark)
{
	json_t *holder;
	switch (k->mark) {
	case MARK_DESCRIPTION:
		if (!json_object_get(body, "description"))
			json_object_set_new(body, "description", json_string(mark));
		break;
	case MARK_METADATA:
		holder = json_object_get(body, "metadata");
		holder = json_is_object(holder) ? json_copy(holder) : json_object();
		json_object_set_new(holder, MARK_KEY, json_string(mark));
		json_object_set_new(body, "metadata", holder);
		break;
	case MARK_PROPERTY: json_object_set_new(body, MARK_KEY, json_string(mark)); break;
	case MARK_TAGS:
		holder = json_object_get(body, "tags");
		holder = json_is_array(holder) ? json_copy(holder) : json_array();
		json_array_append_new(holder, json_string(mark));
		json_object_set_new(body, "tags", holder);
		break;
	case MARK_TAG_TEXT: add_tag_text(body, mark); break;
	case MARK_NONE: break;
	}
}

/* A route is made and unmade as one entry of a list in its router. */
static json_t *route_body(json_t *body)
{
	json_t *route = json_pack("{s:O?, s:O?}", "destination",
		json_object_get(body, "destination"), "nexthop", json_object_get(body, "nexthop"));
	return json_pack("{s:[o]}", "routes", route);
}

static json_t *wrap(const char *wrapper, json_t *body)
{
	if (!wrapper || !*wrapper)
		return body;
	json_t *out = json_object();
	json_object_set_new(out, wrapper, body);
	return out;
}

static json_t *in_wrapper(const struct kind *k, json_t *fields)
{
	return wrap(k->wrapper_in ? k->wrapper_in : k->wrapper, fields);
}

/* Takes `own`. */
static json_t *create_body(const struct kind *k, json_t *own, const char *mark)
{
	if (mark)
		add_mark(k, own, mark);
	const char *plain = k->user_data ? json_str(own, k->user_data) : NULL;
	if (plain) {
		char *text = base64_encode(plain, strlen(plain));
		json_object_set_new(own, k->user_data, json_string(text));
		free(text);
	}
	if (k->several)
		json_object_set_new(own, "return_reservation_id", json_true());
	if (!strcmp(k->name, "router_route")) {
		json_t *routes = route_body(own);
		json_decref(own);
		own = routes;
	}
	return in_wrapper(k, own);
}

/* What is left of a body where the service takes no document: each key is a header, but the data.
 */
static bool as_headers(
	const struct kind *k, const json_t *fields, struct kind_request *ret, struct error *err)
{
	const char *key;
	json_t *value;
	ret->headers = mem_new_array(json_object_size(fields), sizeof(*ret->headers));
	json_object_foreach ((json_t *)fields, key, value) {
		if (slice_in_words(slice_of(key), "content size"))
			continue;
		char *text = json_is_string(value) ? mem_strdup(json_string_value(value))
						   : json_text(value);
		ret->headers[ret->header_count++] = (struct http_header){mem_strdup(key), text};
		if (json_is_object(value) || json_is_array(value) || strpbrk(text, "\r\n") ||
			strpbrk(key, ": \r\n")) {
			error_set(err, ERROR_INPUT,
				"\"%s\" of a %s is a header: a text of one line", key, k->name);
			return false;
		}
	}
	return true;
}

bool kind_create_request(const struct kind *k, const json_t *body, const char *name,
	const char *mark, struct kind_request *ret, struct error *err)
{
	json_t *used = json_object(), *own = body ? json_copy((json_t *)body) : json_object();
	const char *key;
	json_t *value;
	if (k->name_field && name && !json_object_get(own, k->name_field))
		json_object_set_new(own, k->name_field, json_string(name));
	bool good = request(k->create, own, used, ret, err);
	json_object_foreach (used, key, value)
		json_object_del(own, key);
	json_decref(used);
	if (good && !k->headers)
		ret->body = create_body(k, json_incref(own), mark);
	else if (good)
		good = as_headers(k, own, ret, err);
	json_decref(own);
	if (!good)
		kind_request_fini(ret);
	return good;
}

/* --- everything else -----------------------------------------------------------------------------
 */

bool kind_object_request(const struct kind *k, const char *template, const json_t *object,
	struct kind_request *ret, struct error *err)
{
	if (!request(template, object, NULL, ret, err))
		return false;
	if (template == k->remove && !strcmp(k->name, "router_route")) {
		ret->body = wrap(k->wrapper, route_body((json_t *)object));
	} else if (template == k->remove && k->remove_body) {
		struct slice rest = slice_of(k->remove_body), part;
		ret->body = json_object();
		while (slice_next(&rest, ',', &part)) {
			char *key = slice_dup(part);
			json_object_set(ret->body, key, json_object_get(object, key));
			free(key);
		}
	}
	return true;
}

bool kind_set_request(const struct kind *k, const json_t *object, const json_t *fields,
	struct kind_request *ret, struct error *err)
{
	if (!kind_object_request(k, k->set, object, ret, err))
		return false;
	if (!k->headers)
		ret->body = in_wrapper(k, json_incref((json_t *)fields));
	else if (!as_headers(k, fields, ret, err)) {
		kind_request_fini(ret);
		return false;
	}
	return true;
}

/* Nova's name filter is a regular expression: escaped and anchored. Of several that are made at
 * once each has a number behind the name. */
static char *as_regex(const struct kind *k, const char *name)
{
	struct buf b = BUF(BUF_LINE);
	buf_add_char(&b, '^');
	for (const char *p = name; *p; p++) {
		/* not the bytes of a character beyond ASCII */
		if ((unsigned char)*p < 0x80 && !isalnum((unsigned char)*p) && *p != '-' &&
			*p != '_')
			buf_add_char(&b, '\\');
		buf_add_char(&b, *p);
	}
	buf_add_str(&b, k->several ? "(-[0-9]+)?$" : "$");
	return buf_take(&b);
}

bool kind_find_request(const struct kind *k, const json_t *body, const char *name, const char *mark,
	struct kind_request *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!k->find || !k->list || !request(k->list, body, NULL, ret, NULL))
		return false;
	struct buf url = BUF(BUF_LINE);
	buf_add_str(&url, ret->path);
	free(ret->path);
	struct slice rest = slice_of(k->find), part;
	while (slice_next(&rest, '&', &part)) {
		const bool regex = slice_starts(part, "~");
		const struct slice pair = slice_sub(part, regex, part.n);
		const size_t eq = slice_find(pair, '=');
		char *field = slice_dup(slice_sub(pair, 0, eq));
		const bool by_name = slice_is(slice_sub(pair, eq + 1, pair.n), "{name}");
		const char *plain = by_name ? name : mark;
		char *value = plain && regex ? as_regex(k, plain) : mem_strdup(plain ? plain : "");
		url_add_query(&url, field, slice_of(value));
		free(value);
		free(field);
	}
	ret->path = buf_take(&url);
	return true;
}

const char *kind_mark_of(const struct kind *k, const json_t *object)
{
	size_t i;
	json_t *tag;
	switch (k->mark) {
	case MARK_DESCRIPTION: return json_str(object, "description");
	case MARK_METADATA: return json_str(json_object_get(object, "metadata"), MARK_KEY);
	case MARK_PROPERTY: return json_str(object, MARK_KEY);
	case MARK_TAGS:
	case MARK_TAG_TEXT:
		json_array_foreach (json_object_get(object, "tags"), i, tag)
			if (json_is_string(tag) &&
				!strncmp(json_string_value(tag), "glasshouse ", 11))
				return json_string_value(tag);
		break;
	case MARK_NONE: break;
	}
	return NULL;
}

const char *kind_name_of(const struct kind *k, const json_t *object)
{
	return k->name_field ? json_str(object, k->name_field) : NULL;
}

/* X, or … of several. */
static bool is_name(const struct kind *k, const char *its_name, const char *name)
{
	const size_t n = name ? strlen(name) : 0;
	if (!its_name || !name || strncmp(its_name, name, n) != 0)
		return false;
	const char *rest = its_name + n;
	return !*rest || (k->several && *rest == '-' && rest[1] &&
				 strspn(rest + 1, "0123456789") == strlen(rest + 1));
}

bool kind_is(const struct kind *k, const json_t *item, const char *name, const char *mark)
{
	const json_t *object = kind_unwrap(k, item);
	if (!object)
		object = item;
	const char *its_name = kind_name_of(k, object), *its_mark = kind_mark_of(k, object);
	if (k->name_field && !is_name(k, its_name, name))
		return false;
	if (k->mark == MARK_TAG_TEXT && mark && !is_tag(mark))
		return true;
	if (k->mark != MARK_NONE)
		return its_mark && mark && !strcmp(its_mark, mark);
	return k->name_field != NULL;
}

const json_t *kind_unwrap(const struct kind *k, const json_t *answer)
{
	if (!json_is_object(answer))
		return NULL;
	const json_t *inner = k->wrapper ? json_object_get(answer, k->wrapper) : answer;
	if (!inner && k->wrapper_out)
		inner = json_object_get(answer, k->wrapper_out);
	return inner;
}

const char *kind_id(const struct kind *k, const json_t *object)
{
	const char *id = json_str(object, k->id);
	const char *slash = id && slice_ends(slice_of(k->id), "_ref") ? strrchr(id, '/') : NULL;
	/* An address is of the service's own choosing; what a restore answers is not what its
	 * volume looks like afterwards. */
	return slash ? slash + 1 : id ? id : json_str(object, "id");
}

const char *kind_known_id(const struct kind *k, const json_t *body, const char *name)
{
	if (k->name_field && !strcmp(k->id, k->name_field))
		return name;
	return strcmp(k->id, "id") != 0 ? json_str(body, k->id) : NULL;
}

/* The first IPv4 address of a server, else its first of any kind. */
static json_t *server_address(const json_t *server)
{
	const char *network;
	json_t *list, *one, *any = NULL;
	size_t i;
	json_object_foreach (json_object_get(server, "addresses"), network, list) {
		json_array_foreach (list, i, one) {
			json_t *address = json_object_get(one, "addr");
			const char *type = json_str(one, "OS-EXT-IPS:type");
			if (type && !strcmp(type, "floating"))
				continue;
			if (json_int(one, "version", 4) == 4)
				return json_incref(address);
			any = any ? any : address;
		}
	}
	return json_incref(any);
}

json_t *kind_field(const struct kind *k, const json_t *object, struct slice field)
{
	const bool server = !strcmp(k->name, "server") || k->several;
	if (server && slice_is(field, "address"))
		return server_address(object);
	if (!strcmp(k->name, "port") && slice_is(field, "address"))
		return json_incref(json_object_get(
			json_array_get(json_object_get(object, "fixed_ips"), 0), "ip_address"));
	return NULL;
}
