/*
 * pick_choose.c - which of a list `auto` means, and what a given name is the name of.
 *
 * More than one equally good candidate is an error that lists them.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "observe/scenario/picker.h"

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

void pick_put(struct pick *p, const struct wanted *w, json_t *value, const json_t *item,
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

bool pick_none(const struct wanted *w, struct error *err, const char *what)
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
		good = pick_none(
			w, err, "active public or shared image whose log-in user is known");
	else if (json_array_size(best) > 1)
		good = several(w, best, err);
	else {
		good = true;
		if (json_array_size(fit) == 1)
			pick_put(p, w, json_string(json_str(one, "id")), one,
				"\"%.100s\", the only bootable image", name_of(one));
		else
			pick_put(p, w, json_string(json_str(one, "id")), one,
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
		good = pick_none(w, err, image ? "flavor that fits the image" : "flavor");
	else if (json_array_size(best) > 1)
		good = several(w, best, err);
	else {
		good = true;
		pick_put(p, w, json_string(json_str(one, "id")), one,
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
		good = pick_none(w, err, "external network");
	else if (json_array_size(best) > 1)
		good = several(w, best, err);
	else {
		good = true;
		pick_put(p, w, json_string(json_str(one, "id")), one,
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
		return pick_none(w, err, "volume type");
	if (json_array_size(items) > 1)
		return several(w, items, err);
	pick_put(p, w, json_string(name_of(one)), one, "the only volume type");
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
		pick_put(p, w, json_deep_copy(servers), item,
			"as the cloud's subnet \"%.100s\" has it", name_of(item));
		return true;
	}
	pick_put(p, w, json_array(), NULL, "none: the cloud's DHCP names its own resolvers");
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
		pick_put(p, w, json_string(json_str(one, "id")), one, "given");
	json_decref(named);
	return good;
}

bool pick_choose(struct pick *p, const json_t *items, struct error *err)
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
