/*
 * pick.c - see pick.h. Each param that says `auto` asks the cloud one question, one after the
 * other: a flavor is chosen after the image it must hold.
 */

#include "observe/scenario/pick.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define LIST_NS (60 * NS_PER_S)

enum picker { PICK_IMAGE, PICK_FLAVOR, PICK_EXTERNAL, PICK_VOLUME_TYPE, PICK_DNS, PICK_COUNT };

static const char *const words[PICK_COUNT] = {"image", "flavor", "external", "volume_type", "dns"};

struct pick {
	struct cloud *cloud;
	const struct scenario *scenario;
	json_t *given, *picked;
	size_t next;
	enum picker round; /* images first, flavors after them */
	const struct param *param;
	const json_t *image; /* the newest one picked */
	json_t *images;
	struct cloud_call *call;
	void (*done)(void *arg, const json_t *picked, const struct error *err);
	void *arg;
};

static bool picker_of(struct slice param, enum picker *ret)
{
	for (int i = 0; i < PICK_COUNT; i++) {
		const size_t n = strlen(words[i]);
		if (slice_is(param, words[i]) || (param.n > n + 1 && slice_ends(param, words[i]) &&
							 param.p[param.n - n - 1] == '_')) {
			*ret = (enum picker)i;
			return true;
		}
	}
	return false;
}

bool pick_known(struct slice param)
{
	enum picker p;
	return picker_of(param, &p);
}

#define GIB ((int64_t)1 << 30)

int64_t pick_image_gib(const json_t *image)
{
	int64_t bytes = json_int(image, "virtual_size", 0);
	if (!bytes)
		bytes = json_int(image, "size", 0);
	int64_t gib = (bytes + GIB - 1) / GIB;
	if (json_int(image, "min_disk", 0) > gib)
		gib = json_int(image, "min_disk", 0);
	return gib > 1 ? gib : 1;
}

const char *pick_image_user(const json_t *image)
{
	static const char *const users[][2] = {{"debian", "debian"}, {"ubuntu", "ubuntu"},
		{"fedora", "fedora"}, {"centos", "cloud-user"}, {"rocky", "rocky"},
		{"almalinux", "almalinux"}, {"rhel", "cloud-user"}, {"opensuse", "opensuse"},
		{"sles", "sles"}, {"arch", "arch"}, {"cirros", "cirros"}, {"flatcar", "core"}};
	const char *user = json_str(image, "os_admin_user"), *distro = json_str(image, "os_distro");
	if (!user)
		user = json_str(image, "image_original_user");
	for (size_t i = 0; !user && distro && i < array_len(users); i++)
		if (!strcmp(users[i][0], distro))
			user = users[i][1];
	return user;
}

static void finish(struct pick *p, const struct error *err)
{
	p->done(p->arg, p->picked, err);
	json_decref(p->given);
	json_decref(p->picked);
	json_decref(p->images);
	free(p);
}

static void next_param(struct pick *p);

static void chosen(struct pick *p, json_t *value, const char *why)
{
	json_t *entry = json_object();
	json_object_set_new(entry, "value", value);
	json_object_set_new(entry, "why", json_string(why));
	if (p->round == PICK_IMAGE) {
		const char *user = pick_image_user(p->image);
		json_object_set_new(entry, "size_gib", json_integer(pick_image_gib(p->image)));
		if (user)
			json_object_set_new(entry, "user", json_string(user));
	}
	json_object_set_new(p->picked, p->param->name, entry);
	next_param(p);
}

static void failed(struct pick *p, const char *fmt, ...) like_printf(2, 3);

static void failed(struct pick *p, const char *fmt, ...)
{
	struct error err = {0};
	char text[800];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_at(&err, p->scenario->file, p->param->line, p->param->col,
		"%s: auto: %s; name one with --param %s=…", p->param->name, text, p->param->name);
	err.kind = ERROR_CLOUD;
	finish(p, &err);
}

/* --- choosing the best of a list
 * -------------------------------------------------------------------- */

struct ranking {
	const json_t *best;
	int64_t score; /* less is better */
	size_t equals;
	struct buf names; /* of the equally good */
};

static void consider(struct ranking *r, const json_t *item, int64_t score)
{
	if (r->best && score > r->score)
		return;
	if (!r->best || score < r->score) {
		r->equals = 0;
		buf_clear(&r->names);
		r->best = item;
		r->score = score;
	}
	const char *name = json_str(item, "name");
	buf_printf(&r->names, "%s%s", r->equals++ ? ", " : "", name ? name : json_str(item, "id"));
}

static void settle(struct pick *p, struct ranking *r, const char *what, const char *why)
{
	char text[300], names[500];
	snprintf(names, sizeof(names), "%s", buf_str(&r->names));
	const json_t *best = r->best;
	const size_t equals = r->equals;
	buf_fini(&r->names);
	if (!best) {
		failed(p, "no %s fits", what);
	} else if (equals > 1) {
		failed(p, "%zu %ss are equally good: %s", equals, what, names);
	} else {
		snprintf(text, sizeof(text), "%s, %s", names, why);
		chosen(p, json_string(json_str(best, "id")), text);
	}
}

/* --- the questions
 * ----------------------------------------------------------------------------------- */

static bool list_failed(struct pick *p, const struct cloud_answer *a, const char *what)
{
	p->call = NULL;
	if (a->fault == FAULT_NONE)
		return false;
	failed(p, "listing %s: %s%s%s", what, fault_text(a->fault), a->error.message[0] ? ": " : "",
		a->error.message);
	return true;
}

/* The smallest image that a server can start from. */
static void on_images(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct pick *p = arg;
	struct ranking r = {.names = BUF(BUF_LINE)};
	json_t *image;
	size_t i;
	if (list_failed(p, a, "images"))
		return;
	json_array_foreach (items, i, image) {
		const char *status = json_str(image, "status"),
			   *format = json_str(image, "disk_format");
		const char *type = json_str(image, "image_type"),
			   *mark = json_str(image, "glasshouse");
		if (!status || strcmp(status, "active") != 0 || mark ||
			json_flag(image, "os_hidden") || (type && !strcmp(type, "snapshot")) ||
			(format && (!strcmp(format, "iso") || !strcmp(format, "aki") ||
					   !strcmp(format, "ari"))))
			continue;
		consider(&r, image, json_int(image, "size", INT64_MAX));
	}
	json_decref(p->images);
	p->images = json_incref(items);
	p->image = r.best;
	settle(p, &r, "image", "the smallest that is active");
}

/* The smallest flavor that holds the image: memory first, then processors, then disk. */
static void on_flavors(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct pick *p = arg;
	struct ranking r = {.names = BUF(BUF_LINE)};
	json_t *flavor;
	size_t i;
	if (list_failed(p, a, "flavors"))
		return;
	const int64_t min_ram = json_int(p->image, "min_ram", 0);
	const int64_t min_disk = json_int(p->image, "min_disk", 0);
	json_array_foreach (items, i, flavor) {
		const int64_t ram = json_int(flavor, "ram", 0), disk = json_int(flavor, "disk", 0);
		if (ram < min_ram || ram < 64 || (disk && disk < min_disk))
			continue;
		consider(&r, flavor,
			ram * 1000000 + json_int(flavor, "vcpus", 1) * 10000 +
				(disk < 9999 ? disk : 9999));
	}
	settle(p, &r, "flavor", "the smallest that holds the image");
}

static void on_external(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct pick *p = arg;
	struct ranking r = {.names = BUF(BUF_LINE)};
	json_t *network;
	size_t i;
	if (list_failed(p, a, "external networks"))
		return;
	json_array_foreach (items, i, network)
		consider(&r, network, 0);
	settle(p, &r, "external network", "the only one");
}

static void on_volume_type(void *arg, const struct cloud_answer *a)
{
	struct pick *p = arg;
	p->call = NULL;
	const json_t *type = json_object_get(a->json, "volume_type");
	if (a->fault == FAULT_NONE && json_str(type, "id"))
		chosen(p, json_string(json_str(type, "id")), "the cloud's default");
	else
		chosen(p, json_null(), "the cloud's default, whichever that is");
}

static void ask(struct pick *p, enum picker which)
{
	const struct cloud_request q = {.service = "block-storage",
		.method = "GET",
		.path = "/types/default",
		.deadline_ns = LIST_NS};
	switch (which) {
	case PICK_IMAGE:
		p->call = cloud_list(p->cloud, "image", "/images?limit=200", "images", NULL,
			LIST_NS, on_images, p);
		return;
	case PICK_FLAVOR:
		p->call = cloud_list(p->cloud, "compute", "/flavors/detail", "flavors", NULL,
			LIST_NS, on_flavors, p);
		return;
	case PICK_EXTERNAL:
		p->call = cloud_list(p->cloud, "network", "/networks?router%3Aexternal=True",
			"networks", NULL, LIST_NS, on_external, p);
		return;
	case PICK_VOLUME_TYPE: p->call = cloud_call(p->cloud, &q, on_volume_type, p); return;
	case PICK_DNS: chosen(p, json_array(), "the cloud's own resolvers"); return;
	case PICK_COUNT: break;
	}
	mem_panic("pick.c: no such picker");
}

static void next_param(struct pick *p)
{
	while (p->round < PICK_COUNT) {
		for (; p->next < p->scenario->param_count; p->next++) {
			const struct param *q = &p->scenario->params[p->next];
			enum picker which;
			if (!q->is_auto || json_object_get(p->given, q->name) ||
				!picker_of(slice_of(q->name), &which) || which != p->round)
				continue;
			p->next++;
			p->param = q;
			ask(p, which);
			return;
		}
		p->next = 0;
		p->round++;
	}
	finish(p, NULL);
}

static void on_begin(void *arg, const struct error *err)
{
	struct pick *p = arg;
	if (err)
		finish(p, err);
	else
		next_param(p);
}

struct pick *pick_start(struct cloud *c, const struct scenario *s, const json_t *given,
	void (*done)(void *arg, const json_t *picked, const struct error *err), void *arg)
{
	struct pick *p = mem_new(struct pick);
	p->cloud = c;
	p->scenario = s;
	p->given = given ? json_deep_copy(given) : json_object();
	p->picked = json_object();
	p->done = done;
	p->arg = arg;
	cloud_connect(c, on_begin, p);
	return p;
}

void pick_cancel(struct pick *p)
{
	if (p->call)
		cloud_cancel(p->call);
}
