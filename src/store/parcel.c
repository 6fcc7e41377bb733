/*
 * parcel.c - see parcel.h.
 *
 *	'P' version 1 | head: length, text | series: count, (id - id before, kind, unit, name,
 *	tags)... | items: count, (seq - seq before, note, length, bytes)...
 */

#include "store/parcel.h"

#include <stdlib.h>
#include <zstd.h>

#include "base/json.h"
#include "store/observation_code.h"
#include "store/points.h"

#define MAGIC   'P'
#define VERSION 1
#define LEVEL   3

/* --- writing ---------------------------------------------------------------------------------- */

void parcel_writer_init(struct parcel_writer *w)
{
	*w = (struct parcel_writer){0};
	buf_init(&w->items, PARCEL_BYTES);
}

void parcel_writer_fini(struct parcel_writer *w)
{
	buf_fini(&w->items);
	vec_fini(&w->ids);
}

static void note_id(void *arg, const struct row_series *series, const struct series_sample *sample)
{
	struct parcel_writer *w = arg;
	w->samples++;
	if (!w->ids.n || w->ids.p[w->ids.n - 1] != series->id)
		vec_push(&w->ids, series->id);
}

bool parcel_writer_add(struct parcel_writer *w, int64_t seq, bool note, struct slice bytes)
{
	struct error err = {0};
	const size_t ids = w->ids.n, before = w->items.n;
	const uint64_t samples = w->samples;
	if (w->n >= PARCEL_ITEMS || seq <= w->last_seq)
		return false;
	bool good = note ? observations_valid(bytes) : row_read(bytes, note_id, w, &err);
	if (good) {
		code_put_varint(&w->items, (uint64_t)(seq - w->last_seq));
		buf_add_char(&w->items, note);
		code_put_varint(&w->items, bytes.n);
		buf_add_slice(&w->items, bytes);
		good = !w->items.over;
	}
	if (!good) {
		w->ids.n = ids;
		w->samples = samples;
		w->items.over = false;
		buf_cut(&w->items, before);
		return false;
	}
	w->n++;
	w->last_seq = seq;
	return true;
}

static int by_id(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static size_t distinct(uint32_t *ids, size_t n)
{
	size_t k = 0;
	if (n)
		qsort(ids, n, sizeof(*ids), by_id);
	for (size_t i = 0; i < n; i++)
		if (!i || ids[i] != ids[i - 1])
			ids[k++] = ids[i];
	return k;
}

size_t parcel_writer_series(struct parcel_writer *w)
{
	return w->ids.n = distinct(w->ids.p, w->ids.n);
}

void parcel_name_write(struct buf *out, const struct parcel_name *name)
{
	buf_add_char(out, (char)name->kind);
	code_put_text(out, name->unit);
	code_put_text(out, name->name);
	code_put_text(out, name->tags);
}

bool parcel_writer_finish(struct parcel_writer *w, struct slice head,
	bool (*name)(void *arg, uint32_t id, struct buf *out, struct error *err), void *arg,
	struct buf *out, struct error *err)
{
	uint32_t before = 0;
	(void)parcel_writer_series(w);
	buf_add_char(out, MAGIC);
	buf_add_char(out, VERSION);
	code_put_varint(out, head.n);
	buf_add_slice(out, head);
	code_put_varint(out, w->ids.n);
	for (size_t i = 0; i < w->ids.n; i++) {
		code_put_varint(out, w->ids.p[i] - before);
		before = w->ids.p[i];
		if (!name(arg, before, out, err))
			return false;
	}
	code_put_varint(out, w->n);
	buf_add_slice(out, buf_slice(&w->items));
	return true;
}

void parcel_pack(struct slice plain, struct buf *out)
{
	const size_t bound = ZSTD_compressBound(plain.n);
	char *p = mem_alloc(bound);
	const size_t n = ZSTD_compress(p, bound, plain.p, plain.n, LEVEL);
	if (!ZSTD_isError(n))
		buf_add(out, p, n);
	free(p);
}

bool parcel_unpack(struct slice packed, struct buf *out, struct error *err)
{
	const unsigned long long n = ZSTD_getFrameContentSize(packed.p, packed.n);
	if (n == ZSTD_CONTENTSIZE_ERROR || n == ZSTD_CONTENTSIZE_UNKNOWN || !n) {
		error_set(err, ERROR_INPUT, "the parcel is not one frame of zstd with its size");
		return false;
	}
	if (n > PARCEL_BYTES) {
		error_set(err, ERROR_LIMIT, "the parcel unpacks to more than %u MiB",
			PARCEL_BYTES >> 20);
		return false;
	}
	char *p = mem_alloc(n);
	const size_t got = ZSTD_decompress(p, n, packed.p, packed.n);
	const bool good = !ZSTD_isError(got) && got == n && buf_add(out, p, n);
	if (!good)
		error_set(err, ERROR_INPUT, "the parcel's frame of zstd is corrupt");
	free(p);
	return good;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
	struct parcel *parcel;
	struct code_in in;
	bool foreign; /* a row speaks of a series that the parcel does not name */
};

static bool read_head(struct reading *r, struct error *err)
{
	const uint64_t n = code_varint(&r->in);
	const uint8_t *text = n <= PARCEL_HEAD ? code_bytes(&r->in, n) : NULL;
	if (!text)
		return false;
	r->parcel->head = json_parse(slice_from((const char *)text, n), PARCEL_HEAD, err);
	return json_is_object(r->parcel->head);
}

/* {key="value",...}, undone in its place: each becomes a text of its own. */
static bool read_tags(struct parcel *p, char *text, size_t *ret_count)
{
	*ret_count = 0;
	if (!*text)
		return true;
	if (*text++ != '{')
		return false;
	for (;;) {
		struct series_tag tag = {.key = text};
		char *end = strstr(text, "=\""), *to;
		if (!end || ++*ret_count > POINTS_TAGS_MAX)
			return false;
		*end = '\0';
		tag.value = text = to = end + 2;
		for (; *text && *text != '"'; *to++ = *text++)
			if (*text == '\\' && text[1])
				text++;
		if (!*text)
			return false;
		const char after = text[1];
		*to = '\0';
		vec_push(&p->tags, tag);
		text += 2;
		if (after != ',')
			return after == '}' && !*text;
	}
}

/* By the rules of all names that come from outside. */
static bool is_clean(const struct parcel *p, const struct parcel_series *s)
{
	struct slice keys[POINTS_TAGS_MAX], values[POINTS_TAGS_MAX];
	const struct series_tag *tags =
		s->tag_count ? p->tags.p + (p->tags.n - s->tag_count) : NULL;
	for (size_t i = 0; i < s->tag_count; i++) {
		keys[i] = slice_of(tags[i].key);
		values[i] = slice_of(tags[i].value);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(tags[i].key, tags[k].key))
				return false;
	}
	for (const char *c = s->unit; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '{' || *c == '}')
			return false;
	return points_look(slice_of(s->name), keys, values, s->tag_count) == POINTS_ADDED;
}

static bool read_series(struct reading *r)
{
	struct parcel *p = r->parcel;
	const uint64_t n = code_varint(&r->in);
	uint64_t id = 0;
	if (n > PARCEL_SERIES)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		struct parcel_series s = {0};
		const uint64_t step = code_varint(&r->in);
		const uint8_t kind = code_byte(&r->in);
		s.unit = code_text(&r->in, 64);
		s.name = code_text(&r->in, SERIES_KEY_MAX);
		char *tags = (char *)(uintptr_t)code_text(&r->in, SERIES_KEY_MAX);
		id += step;
		if (r->in.bad || !step || step > UINT32_MAX || id > UINT32_MAX ||
			kind > SERIES_DIST || !read_tags(p, tags, &s.tag_count))
			return false;
		s.id = (uint32_t)id;
		s.kind = (enum series_kind)kind;
		if (!is_clean(p, &s))
			return false;
		vec_push(&p->series, s);
	}
	size_t first = 0; /* only now that they do not move any more */
	VEC_EACH (&p->series, struct parcel_series, s) {
		s->tags = s->tag_count ? p->tags.p + first : NULL;
		first += s->tag_count;
	}
	return true;
}

static void look_up(void *arg, const struct row_series *series, const struct series_sample *sample)
{
	struct reading *r = arg;
	const size_t place = parcel_series_place(r->parcel, series->id);
	r->foreign |= place == SIZE_MAX || r->parcel->series.p[place].kind != series->kind;
}

static bool read_item(struct reading *r, struct parcel_item *item, struct error *err)
{
	const uint64_t step = code_varint(&r->in);
	const uint8_t note = code_byte(&r->in);
	const uint64_t n = code_varint(&r->in);
	const uint8_t *p = code_bytes(&r->in, n);
	if (!p || !step || note > 1 || step > (uint64_t)(INT64_MAX - item->seq))
		return false;
	item->seq += (int64_t)step;
	item->note = note;
	item->bytes = slice_from((const char *)p, n);
	return note ? observations_valid(item->bytes)
		    : row_read(item->bytes, look_up, r, err) && !r->foreign;
}

static bool read_items(struct reading *r, struct error *err)
{
	struct parcel_item item = {0};
	const uint64_t n = code_varint(&r->in);
	if (n > PARCEL_ITEMS)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!read_item(r, &item, err))
			return false;
		vec_push(&r->parcel->items, item);
	}
	return !r->in.bad && !code_left(&r->in);
}

struct parcel *parcel_read(struct slice plain, struct error *err)
{
	struct error why = {0};
	struct parcel *p = mem_new(struct parcel);
	struct reading r = {.parcel = p};
	p->bytes = mem_alloc(plain.n + 1);
	if (plain.n)
		memcpy(p->bytes, plain.p, plain.n);
	r.in = code_in(p->bytes, plain.n);
	const uint8_t magic = code_byte(&r.in), version = code_byte(&r.in);
	const char *part = NULL;
	if (plain.n > PARCEL_BYTES || magic != MAGIC || version != VERSION)
		part = "is none, or of another version";
	else if (!read_head(&r, &why))
		part = "has a head that is no JSON object";
	else if (!read_series(&r))
		part = "names series as none are called";
	else if (!read_items(&r, &why))
		part = "has an item that is corrupt";
	if (!part)
		return p;
	error_set(err, ERROR_INPUT, "the parcel %s", part);
	parcel_free(p);
	return NULL;
}

void parcel_free(struct parcel *p)
{
	if (!p)
		return;
	json_decref(p->head);
	vec_fini(&p->series);
	vec_fini(&p->items);
	vec_fini(&p->tags);
	free(p->bytes);
	free(p);
}

size_t parcel_series_place(const struct parcel *p, uint32_t id)
{
	size_t low = 0, high = p->series.n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (p->series.p[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->series.n && p->series.p[low].id == id ? low : SIZE_MAX;
}
