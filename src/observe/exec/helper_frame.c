/*
 * helper_frame.c - see helper_frame.h. Lengths are checked before they are believed.
 */

#include "observe/exec/helper_frame.h"

#include <string.h>

#define ORDER_HEAD 37u /* four numbers, whether there are messages, two counts */
#define END_HEAD   37u

static uint64_t get(const char *p, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)(uint8_t)p[i] << 8 * i;
	return v;
}

static void put(struct buf *out, unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_add_char(out, (char)(uint8_t)(v >> 8 * i));
}

int64_t helper_frame_read(struct slice in, struct helper_frame *ret, struct error *err)
{
	if (in.n < 5)
		return 0;
	const uint64_t n = get(in.p, 4), kind = get(in.p + 4, 1);
	if (n > HELPER_BODY_MAX || kind < HELPER_ORDER || kind >= HELPER_KINDS) {
		error_set(err, ERROR_INPUT, "a frame of kind %u and %llu bytes that cannot be",
			(unsigned)kind, (unsigned long long)n);
		return -1;
	}
	if (in.n < 5 + n)
		return 0;
	*ret = (struct helper_frame){(enum helper_kind)kind, slice_from(in.p + 5, n)};
	return (int64_t)(5 + n);
}

bool helper_frame_write(struct buf *out, enum helper_kind kind, struct slice body)
{
	if (body.n > HELPER_BODY_MAX)
		return false;
	put(out, 4, body.n);
	put(out, 1, kind);
	return buf_add_slice(out, body) && !out->over;
}

/* --- orders ----------------------------------------------------------------------------------- */

static size_t count(const char *const *list)
{
	size_t n = 0;
	while (list[n])
		n++;
	return n;
}

static void put_texts(struct buf *out, const char *const *list)
{
	for (size_t i = 0; list[i]; i++)
		buf_add(out, list[i], strlen(list[i]) + 1);
}

bool helper_order_write(struct buf *out, const struct helper_request *r)
{
	const size_t args = count(r->argv), variables = count(r->env);
	if (!args || args > HELPER_ARGS_MAX || variables > HELPER_ENV_MAX)
		return false;
	put(out, 8, (uint64_t)r->deadline_ms);
	put(out, 8, r->memory);
	put(out, 8, r->cpu_s);
	put(out, 8, r->output_max);
	put(out, 1, r->messages);
	put(out, 2, args);
	put(out, 2, variables);
	buf_add(out, r->dir, strlen(r->dir) + 1);
	put_texts(out, r->argv);
	put_texts(out, r->env);
	return !out->over && out->n <= HELPER_BODY_MAX;
}

static bool take_text(struct slice *rest, const char **ret)
{
	const size_t n = slice_find(*rest, '\0');
	if (n == rest->n)
		return false;
	*ret = rest->p;
	*rest = slice_sub(*rest, n + 1, rest->n);
	return true;
}

static const char **take_texts(struct slice *rest, size_t n)
{
	const char **list = mem_new_array(n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		if (!take_text(rest, &list[i])) {
			free(list);
			return NULL;
		}
	return list;
}

bool helper_order_read(struct slice body, struct helper_request *ret, struct error *err)
{
	const char *p = body.p;
	const bool whole = body.n > ORDER_HEAD;
	const uint64_t deadline = whole ? get(p, 8) : 0, messages = whole ? get(p + 32, 1) : 0;
	const size_t args = whole ? get(p + 33, 2) : 0, variables = whole ? get(p + 35, 2) : 0;
	struct slice rest = slice_sub(body, ORDER_HEAD, body.n);
	const char *dir = NULL, **argv = NULL, **env = NULL;
	bool good = whole && deadline && deadline <= INT64_MAX / 1000000 && messages <= 1 && args &&
		    args <= HELPER_ARGS_MAX && variables <= HELPER_ENV_MAX &&
		    take_text(&rest, &dir);
	argv = good ? take_texts(&rest, args) : NULL;
	env = argv ? take_texts(&rest, variables) : NULL;
	good = env && !rest.n;
	for (size_t i = 0; good && i < variables; i++)
		good = env[i][0] != '=' && strchr(env[i], '=');
	if (!good) {
		free(argv);
		free(env);
		error_set(err, ERROR_INPUT, "an order that cannot be");
		return false;
	}
	*ret = (struct helper_request){.deadline_ms = (int64_t)deadline,
		.memory = get(p + 8, 8),
		.cpu_s = get(p + 16, 8),
		.output_max = get(p + 24, 8),
		.messages = messages,
		.dir = dir,
		.argv = argv,
		.env = env};
	return true;
}

/* --- ends ------------------------------------------------------------------------------------- */

bool helper_end_write(struct buf *out, const struct helper_end *e)
{
	put(out, 1, e->how);
	put(out, 4, e->code);
	put(out, 8, e->cpu_us);
	put(out, 8, e->memory);
	put(out, 8, e->output);
	put(out, 8, e->dropped);
	return e->tail.n <= HELPER_TAIL_MAX && buf_add_slice(out, e->tail);
}

bool helper_end_read(struct slice body, struct helper_end *ret, struct error *err)
{
	const char *p = body.p;
	if (body.n < END_HEAD || body.n > END_HEAD + HELPER_TAIL_MAX || get(p, 1) >= HELPER_HOWS) {
		error_set(err, ERROR_INPUT, "an end that cannot be");
		return false;
	}
	*ret = (struct helper_end){.how = (enum helper_how)get(p, 1),
		.code = (uint32_t)get(p + 1, 4),
		.cpu_us = get(p + 5, 8),
		.memory = get(p + 13, 8),
		.output = get(p + 21, 8),
		.dropped = get(p + 29, 8),
		.tail = slice_sub(body, END_HEAD, body.n)};
	return true;
}
