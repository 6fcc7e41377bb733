/*
 * door_frame.c - a frame as bytes; see door.h.
 *
 * What is read comes from a process that may have been taken over, so every length is checked
 * before it is believed, and there is exactly one way to write each frame.
 */

#include "web/door.h"

#define HEAD 12u /* bytes between the length and the name */

static uint32_t get(const char *p, unsigned bytes)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint32_t)(uint8_t)p[i] << 8 * i;
	return v;
}

static void put(char *p, unsigned bytes, uint32_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (char)(uint8_t)(v >> 8 * i);
}

int64_t door_read(struct slice in, struct door_frame *ret, struct error *err)
{
	if (in.n < 4)
		return 0;
	const size_t n = get(in.p, 4);
	if (n < HEAD || n > HEAD + 2 * DOOR_WORD_MAX + DOOR_BODY_MAX) {
		error_set(err, ERROR_LIMIT, "a frame of %zu bytes", n);
		return -1;
	}
	if (in.n < 4 + HEAD)
		return 0;
	const char *p = in.p + 4;
	const unsigned kind = get(p, 1), audience = get(p + 1, 1);
	const size_t name_n = get(p + 8, 1), who_n = get(p + 9, 1);
	if (kind < DOOR_SETUP || kind >= DOOR_KINDS || audience > AUDIENCE_PUBLIC ||
		HEAD + name_n + who_n > n || n - HEAD - name_n - who_n > DOOR_BODY_MAX ||
		get(p + 10, 2)) {
		error_set(err, ERROR_INPUT, "a frame of kind %u that cannot be", kind);
		return -1;
	}
	if (in.n < 4 + n)
		return 0;
	*ret = (struct door_frame){
		.kind = (enum door_kind)kind,
		.audience = (enum audience)audience,
		.status = (int)get(p + 2, 2),
		.id = get(p + 4, 4),
		.name = slice_from(p + HEAD, name_n),
		.who = slice_from(p + HEAD + name_n, who_n),
		.body = slice_from(p + HEAD + name_n + who_n, n - HEAD - name_n - who_n),
	};
	return (int64_t)(4 + n);
}

bool door_write(struct buf *out, const struct door_frame *f)
{
	char head[4 + HEAD];
	if (f->name.n > DOOR_WORD_MAX || f->who.n > DOOR_WORD_MAX || f->body.n > DOOR_BODY_MAX)
		return false;
	put(head, 4, (uint32_t)(HEAD + f->name.n + f->who.n + f->body.n));
	put(head + 4, 1, f->kind);
	put(head + 5, 1, f->audience);
	put(head + 6, 2, (uint32_t)f->status);
	put(head + 8, 4, f->id);
	put(head + 12, 1, (uint32_t)f->name.n);
	put(head + 13, 1, (uint32_t)f->who.n);
	put(head + 14, 2, 0);
	return buf_add(out, head, sizeof(head)) && buf_add_slice(out, f->name) &&
	       buf_add_slice(out, f->who) && buf_add_slice(out, f->body);
}
