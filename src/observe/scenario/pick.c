/*
 * pick.c - what `auto` means on this cloud; one list after the other, each only if a param asks.
 *
 * Images and flavors that were given by name get their id here too, since requests want ids.
 */

#include "observe/scenario/pick.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"

#define LIST_NS (60 * NS_PER_S)

enum picker { PICK_IMAGE, PICK_FLAVOR, PICK_EXTERNAL, PICK_VOLUME_TYPE, PICK_DNS, PICK_COUNT };

struct wanted {
	const struct param *param;
	enum picker picker;
	char *given; /* a name or id; NULL: auto */
};

struct pick {
	struct cloud *cloud;
	const struct scenario *scenario;
	void (*done)(void *arg, const json_t *picked, const struct error *err,
		const struct cloud_failure *f);
	void *arg;
	VEC(struct wanted) wanted;
	json_t *picked;
	enum picker at;
	struct cloud_call *call;
	bool cancelled;
};

static const struct {
	const char *suffix, *service, *path, *collection, *what;
} pickers[PICK_COUNT] = {
	[PICK_IMAGE] = {"image", "image", "/images?status=active", "images", "image"},
	[PICK_FLAVOR] = {"flavor", "compute", "/flavors/detail", "flavors", "flavor"},
	[PICK_EXTERNAL] = {"external", "network", "/networks?router%3Aexternal=true", "networks",
		"external network"},
	[PICK_VOLUME_TYPE] = {"volume_type", "block-storage", "/types", "volume_types",
		"volume type"},
	[PICK_DNS] = {"dns", "network", "/subnets", "subnets", "subnet"},
};

static bool picker_of(struct slice name, enum picker *ret)
{
	for (int i = 0; i < PICK_COUNT; i++) {
		const char *suffix = pickers[i].suffix;
		const size_t n = strlen(suffix);
		if (!slice_ends(name, suffix) || (name.n > n && name.p[name.n - n - 1] != '_'))
			continue;
		*ret = (enum picker)i;
		return true;
	}
	return false;
}

bool pick_known(struct slice param)
{
	enum picker p;
	return picker_of(param, &p);
}

/* --- candidates ------------------------------------------------------------------------------- */

static const char *name_of(const json_t *item)
{
	const char *name = json_str(item, "name");
	return name && *name ? name : json_str(item, "id") ? json_str(item, "id") : "(no name)";
}

/* "a (ID), b (ID)" of the items that `is` says yes to. */
static void list_names(struct buf *out, const json_t *items)
{
	size_t i;
	json_t *item;
	json_array_foreach (items, i, item) {
		if (i == 20) {
			buf_printf(out, " and %zu more", json_array_size(items) - i);
			break;
		}
		buf_printf(out, "%s%s (%s)", i ? ", " : "", name_of(item),
			json_str(item, "id") ? json_str(item, "id") : "?");
	}
}

static void put(struct pick *p, const struct wanted *w, json_t *value, const json_t *item,
	const char *fmt, ...) like_printf(5, 6);

static void put(struct pick *p, const struct wanted *w, json_t *value, const json_t *item,
	const char *fmt, ...)
{
	char why[300];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	json_t *entry = json_pack("{s:o, s:s}", "value", value, "why", why);
	if (item)
		json_object_set_new(entry, "name", json_string(name_of(item)));
	if (item && w->picker == PICK_IMAGE) {
		const char *user = pick_image_user(item);
		if (user)
			json_object_set_new(entry, "user", json_string(user));
		json_object_set_new(entry, "size_gib", json_integer(pick_image_gib(item)));
		json_object_set_new(entry, "min_ram", json_integer(json_int(item, "min_ram", 0)));
	}
	if (item && w->picker == PICK_FLAVOR) {
		static const char *const fields[] = {"vcpus", "ram", "disk"};
		for (size_t i = 0; i < array_len(fields); i++)
			json_object_set_new(
				entry, fields[i], json_integer(json_int(item, fields[i], 0)));
	}
	json_object_set_new(p->picked, w->param->name, entry);
}

static bool none(const struct wanted *w, struct error *err, const char *what)
{
	error_at(err, w->param->file, w->param->line, w->param->col,
		"%s: auto found no %s; give one, such as --param %s=…", w->param->name, what,
		w->param->name);
	return false;
}

static bool several(const struct wanted *w, const json_t *items, struct error *err)
{
	struct buf names = BUF(BUF_LINE);
	list_names(&names, items);
	error_at(err, w->param->file, w->param->line, w->param->col,
		"%s: auto cannot choose among %zu equally good ones: %.700s; give one with "
		"--param %s=…",
		w->param->name, json_array_size(items), buf_str(&names), w->param->name);
	buf_fini(&names);
	return false;
}

/* Keeps the best by `compare` (< 0: a is better); all that are equally good stay. */
static json_t *best_of(const json_t *items, int (*compare)(const json_t *a, const json_t *b))
{
	json_t *best = json_array(), *item;
	size_t i;
	json_array_foreach (items, i, item) {
		const json_t *leader = json_array_get(best, 0);
		const int order = leader ? compare(item, leader) : 0;
		if (order < 0)
			json_array_clear(best);
		if (order <= 0)
			json_array_append(best, item);
	}
	return best;
}

/* --- image ------------------------------------------------------------------------------------ */

static bool is_bootable(const json_t *image)
{
	static const char *const kernels[] = {"aki", "ari", "ami", "iso"};
	const char *format = json_str(image, "disk_format");
	const char *visibility = json_str(image, "visibility");
	const char *type = json_str(image, "image_type");
	for (size_t i = 0; i < array_len(kernels); i++)
		if (!format || !strcmp(format, kernels[i]))
			return false;
	return visibility && (!strcmp(visibility, "public") || !strcmp(visibility, "shared")) &&
	       !(type && !strcmp(type, "snapshot")) && !json_flag(image, "os_hidden") &&
	       pick_image_user(image) != NULL;
}

static int compare_images(const json_t *a, const json_t *b)
{
	const int64_t x = json_int(a, "size", INT64_MAX), y = json_int(b, "size", INT64_MAX);
	return (x > y) - (x < y);
}

static bool choose_image(
	struct pick *p, const struct wanted *w, const json_t *items, struct error *err)
{
	json_t *fit = json_array(), *item;
	size_t i;
	json_array_foreach (items, i, item)
		if (is_bootable(item))
			json_array_append(fit, item);
	json_t *best = best_of(fit, compare_images);
	const json_t *one = json_array_get(best, 0);
	bool good = false;
	if (!one)
		good = none(w, err, "active public or shared image whose log-in user is known");
	else if (json_array_size(best) > 1)
		good = several(w, best, err);
	else {
		good = true;
		if (json_array_size(fit) == 1)
			put(p, w, json_string(json_str(one, "id")), one,
				"\"%.100s\", the only bootable image", name_of(one));
		else
			put(p, w, json_string(json_str(one, "id")), one,
				"\"%.100s\", the smallest of %zu bootable images", name_of(one),
				json_array_size(fit));
	}
	json_decref(best);
	json_decref(fit);
	return good;
}

/* --- flavor ----------------------------------------------------------------------------------- */

static int compare_flavors(const json_t *a, const json_t *b)
{
	static const char *const fields[] = {"ram", "vcpus", "disk"};
	for (size_t i = 0; i < array_len(fields); i++) {
		const int64_t x = json_int(a, fields[i], 0), y = json_int(b, fields[i], 0);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* The image of the same prefix: jh_image for jh_flavor, else `image`, else none. */
static const json_t *image_for(const struct pick *p, const char *flavor)
{
	const size_t n = strlen(flavor) - strlen("flavor");
	char *name = mem_printf("%.*simage", (int)n, flavor);
	const json_t *image = json_object_get(p->picked, name);
	free(name);
	return image ? image : json_object_get(p->picked, "image");
}

/* Flavors without a disk of their own are for booting from a volume: only if nothing else fits. */
static json_t *fitting_flavors(const json_t *items, const json_t *image, bool without_disk)
{
	json_t *fit = json_array(), *item;
	size_t i;
	json_array_foreach (items, i, item) {
		const int64_t disk = json_int(item, "disk", 0);
		if (json_flag(item, "OS-FLV-DISABLED:disabled") ||
			json_int(item, "ram", 0) < json_int(image, "min_ram", 0))
			continue;
		if (without_disk ? disk == 0 : disk > 0 && disk >= json_int(image, "size_gib", 0))
			json_array_append(fit, item);
	}
	return fit;
}

static bool choose_flavor(
	struct pick *p, const struct wanted *w, const json_t *items, struct error *err)
{
	const json_t *image = image_for(p, w->param->name);
	json_t *fit = fitting_flavors(items, image, false);
	if (!json_array_size(fit)) {
		json_decref(fit);
		fit = fitting_flavors(items, image, true);
	}
	json_t *best = best_of(fit, compare_flavors);
	const json_t *one = json_array_get(best, 0);
	bool good = false;
	if (!one)
		good = none(w, err, image ? "flavor that fits the image" : "flavor");
	else if (json_array_size(best) > 1)
		good = several(w, best, err);
	else {
		good = true;
		put(p, w, json_string(json_str(one, "id")), one,
			"\"%.100s\", the smallest of %zu flavors that fit%s", name_of(one),
			json_array_size(fit), image ? " the image" : "");
	}
	json_decref(best);
	json_decref(fit);
	return good;
}

/* --- external, volume type, dns --------------------------------------------------------------- */

static int compare_default(const json_t *a, const json_t *b)
{
	return (int)json_flag(b, "is_default") - (int)json_flag(a, "is_default");
}

static bool choose_external(
	struct pick *p, const struct wanted *w, const json_t *items, struct error *err)
{
	json_t *external = json_array(), *item;
	size_t i;
	json_array_foreach (items, i, item)
		if (json_flag(item, "router:external"))
			json_array_append(external, item);
	json_t *best = best_of(external, compare_default);
	const json_t *one = json_array_get(best, 0);
	bool good = false;
	if (!one)
		good = none(w, err, "external network");
	else if (json_array_size(best) > 1)
		good = several(w, best, err);
	else {
		good = true;
		put(p, w, json_string(json_str(one, "id")), one,
			json_array_size(external) > 1 ? "\"%.100s\", the default external network"
						      : "\"%.100s\", the only external network",
			name_of(one));
	}
	json_decref(best);
	json_decref(external);
	return good;
}

static bool choose_type(
	struct pick *p, const struct wanted *w, const json_t *items, struct error *err)
{
	const json_t *one = json_array_get(items, 0);
	if (!one)
		return none(w, err, "volume type");
	if (json_array_size(items) > 1)
		return several(w, items, err);
	put(p, w, json_string(name_of(one)), one, "the only volume type");
	return true;
}

/* What the cloud's own shared subnets name; with an empty list its DHCP names its own resolvers. */
static bool choose_dns(
	struct pick *p, const struct wanted *w, const json_t *items, struct error *err)
{
	const char *project = cloud_project_id(p->cloud);
	size_t i;
	json_t *item;
	json_array_foreach (items, i, item) {
		json_t *servers = json_object_get(item, "dns_nameservers");
		const char *owner = json_str(item, "project_id");
		if (!json_array_size(servers) || (owner && project && !strcmp(owner, project)))
			continue;
		put(p, w, json_deep_copy(servers), item, "as the cloud's subnet \"%.100s\" has it",
			name_of(item));
		return true;
	}
	put(p, w, json_array(), NULL, "none: the cloud's DHCP names its own resolvers");
	return true;
}

/* --- given by name ---------------------------------------------------------------------------- */

/* An id stays; a name that one item has becomes its id; anything else stays as it is. */
static bool resolve_given(
	struct pick *p, const struct wanted *w, const json_t *items, struct error *err)
{
	json_t *named = json_array(), *item;
	size_t i;
	bool good = true;
	json_array_foreach (items, i, item) {
		const char *id = json_str(item, "id"), *name = json_str(item, "name");
		if (id && !strcmp(id, w->given)) {
			json_array_clear(named);
			json_array_append(named, item);
			break;
		}
		if (name && !strcmp(name, w->given))
			json_array_append(named, item);
	}
	const json_t *one = json_array_get(named, 0);
	if (json_array_size(named) > 1)
		good = several(w, named, err);
	else if (one)
		put(p, w, json_string(json_str(one, "id")), one, "given");
	json_decref(named);
	return good;
}

/* --- one list after the other ----------------------------------------------------------------- */

static void pick_free(struct pick *p)
{
	VEC_EACH (&p->wanted, struct wanted, w) {
		free(w->given);
	}
	vec_fini(&p->wanted);
	json_decref(p->picked);
	free(p);
}

static void finish(struct pick *p, const struct error *err, const struct cloud_failure *f)
{
	p->done(p->arg, err ? NULL : p->picked, err, f);
	pick_free(p);
}

static void next(struct pick *p);

static bool choose(struct pick *p, const json_t *items, struct error *err)
{
	static bool (*const choosers[PICK_COUNT])(
		struct pick * p, const struct wanted *w, const json_t *items, struct error *err) = {
		[PICK_IMAGE] = choose_image,
		[PICK_FLAVOR] = choose_flavor,
		[PICK_EXTERNAL] = choose_external,
		[PICK_VOLUME_TYPE] = choose_type,
		[PICK_DNS] = choose_dns,
	};
	for (size_t i = 0; i < p->wanted.n; i++) {
		const struct wanted *w = &p->wanted.p[i];
		if (w->picker != p->at)
			continue;
		if (!(w->given ? resolve_given(p, w, items, err)
			       : choosers[p->at](p, w, items, err)))
			return false;
	}
	return true;
}

static void failed_answer(struct pick *p, const struct cloud_answer *a)
{
	struct error err = {0};
	struct cloud_failure f;
	cloud_failure_of(a, pickers[p->at].service, &f);
	error_set(&err, p->cancelled ? ERROR_CANCELLED : ERROR_CLOUD, "reading the %ss: %s%s%s",
		pickers[p->at].what, fault_text(a->fault), a->error.message[0] ? ": " : "",
		a->error.message);
	finish(p, &err, p->cancelled ? NULL : &f);
}

static void on_list(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct pick *p = arg;
	struct error err = {0};
	p->call = NULL;
	if (a->fault != FAULT_NONE) {
		failed_answer(p, a);
		return;
	}
	if (!choose(p, items, &err)) {
		finish(p, &err, NULL);
		return;
	}
	p->at++;
	next(p);
}

static void list(struct pick *p)
{
	p->call = cloud_list(p->cloud, pickers[p->at].service, pickers[p->at].path,
		pickers[p->at].collection, NULL, LIST_NS, on_list, p);
}

/* The default volume type settles it where there are several; old releases do not tell it. */
static void on_default_type(void *arg, const struct cloud_answer *a)
{
	struct pick *p = arg;
	p->call = NULL;
	const json_t *type = json_object_get(a->json, "volume_type");
	if (a->fault == FAULT_CANCELLED) {
		failed_answer(p, a);
		return;
	}
	if (a->fault != FAULT_NONE || !json_str(type, "name")) {
		list(p);
		return;
	}
	for (size_t i = 0; i < p->wanted.n; i++)
		if (p->wanted.p[i].picker == PICK_VOLUME_TYPE)
			put(p, &p->wanted.p[i], json_string(json_str(type, "name")), type,
				"\"%.100s\", the default volume type", json_str(type, "name"));
	p->at++;
	next(p);
}

static void next(struct pick *p)
{
	for (; p->at < PICK_COUNT; p->at++) {
		for (size_t i = 0; i < p->wanted.n; i++) {
			if (p->wanted.p[i].picker != p->at)
				continue;
			const struct cloud_request q = {.service = "block-storage",
				.method = "GET",
				.path = "/types/default",
				.deadline_ns = LIST_NS};
			if (p->at == PICK_VOLUME_TYPE)
				p->call = cloud_call(p->cloud, &q, on_default_type, p);
			else
				list(p);
			return;
		}
	}
	finish(p, NULL, NULL);
}

static void on_connected(void *arg, const struct error *err)
{
	struct pick *p = arg;
	struct error cancelled = {0};
	error_set(&cancelled, ERROR_CANCELLED, "cancelled");
	if (p->cancelled || err)
		finish(p, err ? err : &cancelled, NULL);
	else
		next(p);
}

/* What a param is given as, or has as its plain default. */
static char *given_text(const struct param *param, const json_t *given)
{
	const json_t *j = json_object_get(given, param->name);
	if (j)
		return mem_strdup(json_string_value(j));
	static const struct expr_scope nothing = {0};
	struct value v = VALUE_NOTHING;
	char *text = NULL;
	if (param->value && interp_constant(param->value) &&
		interp_eval(param->value, &nothing, &v, NULL) == EXPR_OK && v.type == VALUE_TEXT)
		text = slice_dup(value_slice(&v));
	value_drop(&v);
	return text;
}

struct pick *pick_start(struct cloud *c, const struct scenario *s, const json_t *given,
	void (*done)(void *arg, const json_t *picked, const struct error *err,
		const struct cloud_failure *f),
	void *arg)
{
	struct pick *p = mem_new(struct pick);
	p->cloud = c;
	p->scenario = s;
	p->done = done;
	p->arg = arg;
	p->picked = json_object();
	for (size_t i = 0; i < s->param_count; i++) {
		const struct param *param = &s->params[i];
		struct wanted w = {.param = param};
		if (!picker_of(slice_of(param->name), &w.picker))
			continue;
		w.given = given_text(param, given);
		const bool is_auto = w.given && !strcmp(w.given, "auto");
		const bool has_ids = w.picker == PICK_IMAGE || w.picker == PICK_FLAVOR ||
				     w.picker == PICK_EXTERNAL;
		if (is_auto) {
			free(w.given);
			w.given = NULL;
		} else if (!w.given || !has_ids) {
			free(w.given);
			continue;
		}
		vec_push(&p->wanted, w);
	}
	cloud_connect(c, on_connected, p);
	return p;
}

void pick_cancel(struct pick *p)
{
	p->cancelled = true;
	if (p->call)
		cloud_cancel(p->call);
}
