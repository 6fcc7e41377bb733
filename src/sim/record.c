#include "sim/record.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "sim/call.h"
#include "sim/state.h"

bool record_init(struct record *r, const char *path, struct error *err)
{
	if (!path)
		return true;
	r->file = fopen(path, "we");
	if (!r->file) {
		error_sys(err, errno, "cannot write the request log %s", path);
		return false;
	}
	return true;
}

static void ring_fini(struct record_ring *r)
{
	while (r->list.n > 0)
		json_decref(vec_pop(&r->list));
	vec_fini(&r->list);
}

void record_fini(struct record *r)
{
	ring_fini(&r->requests);
	ring_fini(&r->made);
	if (r->file)
		fclose(r->file);
	r->file = NULL;
}

void record_keep(struct record_ring *r, json_t *entry)
{
	if (r->list.n < RECORD_MAX) {
		vec_push(&r->list, entry);
		return;
	}
	json_decref(r->list.p[r->at]);
	r->list.p[r->at] = entry;
	r->at = (r->at + 1) % RECORD_MAX;
}

static void write_line(struct record *r, const json_t *entry, const struct call *c)
{
	json_t *line = json_copy((json_t *)entry);
	struct buf b = BUF(BUF_PAGE);

	if (c->body)
		json_object_set_new(line, "body", json_scrubbed(c->body));
	if (c->answer)
		json_object_set_new(line, "answer", json_scrubbed(c->answer));
	json_write(&b, line);
	buf_add_char(&b, '\n');
	if (!b.over && r->file_n + (int64_t)b.n <= RECORD_FILE_MAX &&
		fwrite(b.p, 1, b.n, r->file) == b.n)
		r->file_n += (int64_t)b.n;
	fflush(r->file);
	buf_fini(&b);
	json_decref(line);
}

void record_call(struct sim *s, struct call *c)
{
	char at[CLOCK_TEXT];
	json_t *hits = json_array();

	VEC_EACH (&c->hits, struct mishap *, m)
		json_array_append_new(hits, json_string(mishap_effect_name((*m)->effect)));
	clock_rfc3339(clock_unix_us(loop_clock(s->loop)), at);
	json_t *entry = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:i, s:f, s:s, s:s, s:s, s:s}",
		"n", (json_int_t)c->number, "at", at, "service", c->service->name, "method",
		c->method, "path", c->path, "query", c->query, "status", c->status, "ms",
		(double)(loop_now_ns(s->loop) - c->arrived_ns) / 1e6, "request_id", c->request_id,
		"client_request_id", c->client_id, "project", c->project, "user", c->user);
	json_object_set_new(entry, "faults", hits);
	record_keep(&s->record.requests, entry);
	if (s->record.file)
		write_line(&s->record, entry, c);
}

json_t *record_json(const struct record_ring *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->list.n; i++)
		json_array_append(list, r->list.p[(r->at + i) % r->list.n]);
	return list;
}
