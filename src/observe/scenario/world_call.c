/*
 * world_call.c - the functions that scenarios add to the language: file, sample, secret, size_for.
 *
 * What is drawn by chance is drawn once a run: the same call at the same place (step, text or
 * param) gives the same value, whatever asks again.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "observe/scenario/pick.h"
#include "observe/scenario/worlds.h"

#define FILE_MAX       (1u << 20)
#define SECRET_DEFAULT 24
#define SECRET_MIN     8
#define SECRET_MAX     256

static enum expr_result fail(struct error *err, const char *fmt, ...) like_printf(2, 3);

static enum expr_result fail(struct error *err, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_set(err, ERROR_INPUT, "%s", text);
	return EXPR_ERROR;
}

/* --- file ------------------------------------------------------------------------------------- */

/* Beside the scenario and below, so that a scenario from elsewhere cannot read this machine. */
static bool is_beside(const char *name)
{
	return name[0] && name[0] != '/' && strcmp(name, "..") != 0 &&
	       strncmp(name, "../", 3) != 0 && !strstr(name, "/../") &&
	       !slice_ends(slice_of(name), "/..");
}

static enum expr_result call_file(
	struct world_scope *s, const struct value *args, struct value *ret, struct error *err)
{
	if (args[0].type != VALUE_TEXT)
		return fail(err, "file wants a name");
	const char *name = value_slice(&args[0]).p;
	if (!is_beside(name))
		return fail(err, "file(\"%.100s\"): only files beside the scenario are read", name);
	char *path = mem_printf("%s/%s", s->world->scenario->directory, name);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		error_sys(err, errno, "%s", path);
		free(path);
		return EXPR_ERROR;
	}
	struct buf text = BUF(FILE_MAX);
	char piece[8192];
	ssize_t n;
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(&text, piece, (size_t)n);
	const int failed = n < 0 ? errno : 0;
	close(fd);
	enum expr_result r = EXPR_OK;
	if (failed) {
		error_sys(err, failed, "%s", path);
		r = EXPR_ERROR;
	} else if (text.over || !utf8_valid(buf_slice(&text))) {
		r = fail(err, "%.200s is %s", path,
			text.over ? "larger than 1 MiB" : "not text (UTF-8)");
	} else {
		*ret = value_text(buf_slice(&text));
	}
	buf_fini(&text);
	free(path);
	return r;
}

/* --- what is drawn ---------------------------------------------------------------------------- */

static char *drawn_key(
	const struct world_scope *s, const char *function, const struct value *args, size_t n)
{
	struct buf key = BUF(BUF_PAGE);
	buf_printf(&key, "%s %s", s->place ? s->place : "", function);
	for (size_t i = 0; i < n; i++) {
		buf_add_char(&key, ' ');
		value_write(&key, &args[i]);
	}
	return buf_take(&key);
}

static bool drawn_before(const struct world_scope *s, const char *key, struct value *ret)
{
	const struct value *v = map_get(&s->world->drawn, key);
	if (v)
		*ret = value_copy(*v);
	return v != NULL;
}

static void remember(struct world_scope *s, const char *key, struct value v)
{
	struct value *kept = mem_new(struct value);
	*kept = value_copy(v);
	map_put(&s->world->drawn, key, kept);
}

/* n of the list's items, in the list's order. */
static struct value draw_items(struct random *random, const struct value *list, size_t n)
{
	struct value out = value_list_new();
	const size_t count = value_count(list);
	size_t left = n < count ? n : count;
	for (size_t i = 0; i < count && left; i++) {
		if (random_below(random, count - i) >= left)
			continue;
		value_list_add(&out, value_copy(*value_item(list, i)));
		left--;
	}
	return out;
}

static enum expr_result call_sample(
	struct world_scope *s, const struct value *args, struct value *ret, struct error *err)
{
	if (args[0].type != VALUE_LIST || args[1].type != VALUE_INT || args[1].integer < 0)
		return fail(err, "sample wants a list and how many of it");
	char *key = drawn_key(s, "sample", args, 2);
	if (!drawn_before(s, key, ret)) {
		*ret = draw_items(s->world->options.random, &args[0], (size_t)args[1].integer);
		remember(s, key, *ret);
	}
	free(key);
	return EXPR_OK;
}

static enum expr_result call_secret(struct world_scope *s, const struct value *args, size_t n,
	struct value *ret, struct error *err)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789";
	const int64_t length = n && args[0].type == VALUE_INT ? args[0].integer
			       : n                            ? -1
							      : SECRET_DEFAULT;
	if (length < SECRET_MIN || length > SECRET_MAX)
		return fail(err, "secret wants a length from %d to %d", SECRET_MIN, SECRET_MAX);
	char *key = drawn_key(s, "secret", args, n);
	if (s->world->options.symbolic) {
		*ret = value_str("***");
	} else if (!drawn_before(s, key, ret)) {
		char text[SECRET_MAX];
		for (int64_t i = 0; i < length; i++)
			text[i] = letters[random_below(&random_system, sizeof(letters) - 1)];
		/* From here on every log, page and journal masks it. */
		map_put(&s->world->secrets, key, secret_new(slice_from(text, (size_t)length)));
		*ret = value_text(slice_from(text, (size_t)length));
		remember(s, key, *ret);
		explicit_bzero(text, sizeof(text));
	}
	free(key);
	return EXPR_OK;
}

/* --- size_for --------------------------------------------------------------------------------- */

static int64_t picked_size(const struct world *w, struct slice id)
{
	const char *name;
	json_t *pick;
	json_object_foreach ((json_t *)w->options.picked, name, pick) {
		const char *value = json_str(pick, "value");
		const int64_t gib = json_int(pick, "size_gib", 0);
		if (value && slice_is(id, value) && gib > 0)
			return gib;
	}
	return 0;
}

/* GiB of the smallest volume that an image fits in. */
static enum expr_result call_size_for(
	struct world_scope *s, const struct value *args, struct value *ret, struct error *err)
{
	int64_t gib = 0;
	if (args[0].type == VALUE_REF && args[0].ref.object >= SYMBOL_BASE) {
		*ret = world_symbol_new(
			s->world, "size_for(%s)", world_symbol(s->world, args[0].ref));
		return EXPR_OK;
	}
	if (args[0].type == VALUE_REF) {
		struct element *e;
		char name[100];
		enum expr_result r = scope_element(s, args[0].ref, &e, err);
		if (r == EXPR_OK)
			r = scope_usable(s, e);
		if (r != EXPR_OK)
			return r;
		if (s->world->options.symbolic) {
			*ret = world_symbol_new(s->world, "size_for(%s)",
				world_element_name(s->world, e, name, sizeof(name)));
			return EXPR_OK;
		}
		gib = pick_image_gib(e->object);
	} else if (args[0].type == VALUE_TEXT) {
		gib = picked_size(s->world, value_slice(&args[0]));
	}
	if (gib <= 0)
		return fail(err, "size_for: nothing is known of this image");
	*ret = value_int(gib);
	return EXPR_OK;
}

enum expr_result scope_call(void *arg, struct slice function, const struct value *args, size_t n,
	struct value *ret, struct error *err)
{
	struct world_scope *s = arg;
	if (slice_is(function, "file") && n == 1)
		return call_file(s, args, ret, err);
	if (slice_is(function, "sample") && n == 2)
		return call_sample(s, args, ret, err);
	if (slice_is(function, "secret") && n <= 1)
		return call_secret(s, args, n, ret, err);
	if (slice_is(function, "size_for") && n == 1)
		return call_size_for(s, args, ret, err);
	return fail(err, "unknown function \"%.*s\" with %zu arguments", SLICE_ARG(function), n);
}
