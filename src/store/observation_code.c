/*
 * observation_code.c - see observation_code.h.
 *
 *	version 1 | zigzag at_ms, total_us | fault | flags: severity, 4 warned | tries, status |
 *	cloud, probe, step, component, series, run, detail, shared, request, both ids
 *
 * A fault goes by its name, so that a house of another version takes it for what it is; one that it
 * does not know is held to be the outpost's own.
 */

#include "store/observation_code.h"

#define VERSION   1
#define WARNED    4u
#define FAULT_MAX 64

static struct slice cut(struct slice s)
{
	if (s.n <= OBSERVATION_TEXT_MAX)
		return s;
	s.n = OBSERVATION_TEXT_MAX;
	for (int i = 0; i < 3 && !utf8_valid(s); i++)
		s.n--;
	return s;
}

static void put_text(struct buf *out, const char *text)
{
	const struct slice s = cut(slice_of(text));
	if (!utf8_valid(s)) {
		code_put_text(out, NULL);
	} else if (text && s.n < strlen(text)) {
		char *copy = slice_dup(s);
		code_put_text(out, copy);
		free(copy);
	} else {
		code_put_text(out, text);
	}
}

void observation_write(struct buf *out, const struct observation *o)
{
	const char *const texts[] = {o->cloud, o->probe, o->step, o->component, o->series, o->run,
		o->detail, o->shared, o->request, o->request_id, o->service_request_id};
	buf_add_char(out, VERSION);
	code_put_varint(out, code_zigzag(o->at_ms));
	code_put_varint(out, code_zigzag(o->total_us));
	code_put_text(out, o->fault == FAULT_NONE ? NULL : fault_name(o->fault));
	buf_add_char(out, (char)((unsigned)o->severity | (o->warned ? WARNED : 0)));
	code_put_varint(out, o->tries < UINT16_MAX ? o->tries : UINT16_MAX);
	code_put_varint(out, o->status > 0 && o->status <= 999 ? (uint64_t)o->status : 0);
	for (size_t i = 0; i < array_len(texts); i++)
		put_text(out, texts[i]);
}

static const char *optional(const char *text)
{
	return *text ? text : NULL;
}

static void read_texts(struct code_in *in, struct observation *o)
{
	const char *texts[11];
	for (size_t i = 0; i < array_len(texts); i++)
		texts[i] = code_text(in, OBSERVATION_TEXT_MAX);
	o->cloud = texts[0];
	o->probe = texts[1];
	o->step = optional(texts[2]);
	o->component = texts[3];
	o->series = optional(texts[4]);
	o->run = optional(texts[5]);
	o->detail = optional(texts[6]);
	o->shared = optional(texts[7]);
	o->request = optional(texts[8]);
	o->request_id = optional(texts[9]);
	o->service_request_id = optional(texts[10]);
}

bool observation_read(struct code_in *in, struct observation *ret)
{
	*ret = (struct observation){0};
	if (!code_left(in))
		return false;
	in->bad |= code_byte(in) != VERSION;
	ret->at_ms = code_unzigzag(code_varint(in));
	ret->total_us = code_unzigzag(code_varint(in));
	const char *fault = code_text(in, FAULT_MAX);
	if (*fault && !fault_parse(slice_of(fault), &ret->fault))
		ret->fault = FAULT_LOCAL;
	const uint8_t flags = code_byte(in);
	ret->severity = (enum severity)(flags & 3u);
	ret->warned = flags & WARNED;
	const uint64_t tries = code_varint(in), status = code_varint(in);
	ret->tries = (unsigned)tries;
	ret->status = (int)status;
	read_texts(in, ret);
	in->bad |= flags > (SEVERITY_NOTE | WARNED) || (flags & 3u) > SEVERITY_NOTE ||
		   tries > UINT16_MAX || status > 999 || !*ret->probe || ret->at_ms < 0 ||
		   ret->total_us < 0;
	return !in->bad;
}

bool observations_valid(struct slice bytes)
{
	struct code_in in = code_in(bytes.p, bytes.n);
	struct observation o;
	while (observation_read(&in, &o))
		;
	return !in.bad;
}
