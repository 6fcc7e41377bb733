/*
 * series_row.c - see series_row.h.
 */

#include "store/series_row.h"

#include "base/vec.h"

#define MAGIC   'T'
#define VERSION 1

void row_writer_init(struct row_writer *w)
{
	*w = (struct row_writer){0};
	buf_init(&w->records, SERIES_ROW_BYTES);
}

void row_writer_fini(struct row_writer *w)
{
	buf_fini(&w->records);
}

bool row_writer_full(const struct row_writer *w)
{
	return w->records.n > SERIES_ROW_BYTES / 4;
}

static void write_probe(struct buf *out, struct block_faults *faults, const struct series_sample *s)
{
	unsigned mask = 0;
	for (unsigned i = 0; i < SERIES_PHASES; i++)
		mask |= (s->phase_us[i] > 0) << i;
	code_put_varint(out, block_fault_code(faults, s->fault));
	code_put_varint(out, s->tries);
	code_put_varint(out, mask);
	for (unsigned i = 0; i < SERIES_PHASES; i++)
		if (mask & 1u << i)
			code_put_varint(out, (uint64_t)s->phase_us[i]);
	code_put_varint(out, (uint64_t)s->total_us);
}

void row_sample_write(struct buf *out, struct block_faults *faults, enum series_kind kind,
	const struct series_sample *s)
{
	if (kind == SERIES_PROBE) {
		write_probe(out, faults, s);
		return;
	}
	code_put_real(out, s->value);
	if (kind == SERIES_DIST) {
		code_put_real(out, s->min);
		code_put_real(out, s->max);
		series_hist_write(out, s->hist);
	}
}

void row_writer_add(
	struct row_writer *w, size_t position, enum series_kind kind, const struct series_sample *s)
{
	if (!w->n)
		w->base_ms = w->last_ms = s->at_ms;
	code_put_varint(&w->records, position);
	code_put_varint(&w->records, code_zigzag(s->at_ms - w->last_ms));
	w->last_ms = s->at_ms;
	w->n++;
	row_sample_write(&w->records, &w->faults, kind, s);
}

void row_writer_finish(
	const struct row_writer *w, const struct row_series *series, size_t n, struct buf *out)
{
	const size_t begin = out->n;
	buf_add_char(out, MAGIC);
	buf_add_char(out, VERSION);
	code_put_varint(out, (uint64_t)w->base_ms);
	block_faults_write(out, &w->faults);
	code_put_varint(out, n);
	for (size_t i = 0; i < n; i++) {
		code_put_varint(out, series[i].id);
		buf_add_char(out, (char)series[i].kind);
	}
	code_put_varint(out, w->n);
	buf_add(out, w->records.p, w->records.n);
	code_put_word(out, block_crc(buf_str(out) + begin, out->n - begin), 4);
}

/* --- reading -----------------------------------------------------------------------------------
 */

struct row {
	struct code_in in;
	struct block_faults faults;
	VEC(struct row_series) series;
	uint64_t n;
	int64_t at_ms;
	struct series_hist hist;
};

bool row_may_have(struct slice bytes, uint32_t first, uint32_t last)
{
	struct code_in in = code_in(bytes.p, bytes.n);
	struct block_faults faults = {0};
	(void)code_bytes(&in, 2);
	(void)code_varint(&in);
	if (!block_faults_read(&in, &faults))
		return false;
	for (uint64_t n = code_varint(&in); n > 0 && !in.bad; n--) {
		const uint64_t id = code_varint(&in);
		(void)code_byte(&in);
		if (id >= first && id <= last)
			return true;
	}
	return false;
}

static bool read_head(struct row *r)
{
	r->at_ms = (int64_t)code_varint(&r->in);
	if (!block_faults_read(&r->in, &r->faults))
		return false;
	const uint64_t n = code_varint(&r->in);
	for (uint64_t i = 0; i < n && !r->in.bad; i++) {
		const uint64_t id = code_varint(&r->in);
		const uint8_t kind = code_byte(&r->in);
		if (!id || id > UINT32_MAX || kind > SERIES_DIST)
			return false;
		vec_push(&r->series, ((struct row_series){(uint32_t)id, (enum series_kind)kind}));
	}
	r->n = code_varint(&r->in);
	return !r->in.bad;
}

static bool read_probe(
	struct code_in *in, const struct block_faults *faults, struct series_sample *s)
{
	const bool known = block_fault_of(faults, code_varint(in), &s->fault);
	const uint64_t tries = code_varint(in);
	const uint64_t mask = code_varint(in);
	s->tries = (uint32_t)tries;
	for (unsigned i = 0; i < SERIES_PHASES; i++)
		if (mask & 1u << i)
			s->phase_us[i] = (int64_t)code_varint(in);
	s->total_us = (int64_t)code_varint(in);
	return known && tries <= UINT32_MAX && mask < 1u << SERIES_PHASES;
}

bool row_sample_read(struct code_in *in, const struct block_faults *faults, enum series_kind kind,
	struct series_hist *hist, struct series_sample *s)
{
	if (kind == SERIES_PROBE)
		return read_probe(in, faults, s) && !in->bad;
	s->value = code_real(in);
	if (kind == SERIES_DIST) {
		s->min = code_real(in);
		s->max = code_real(in);
		hist->n = 0;
		if (!series_hist_read(in, hist))
			return false;
		s->hist = hist;
		s->n = series_hist_count(hist);
	}
	return !in->bad;
}

static bool read_record(struct row *r, struct row_series *ret, struct series_sample *s)
{
	const uint64_t position = code_varint(&r->in);
	r->at_ms = (int64_t)((uint64_t)r->at_ms + (uint64_t)code_unzigzag(code_varint(&r->in)));
	*s = (struct series_sample){.at_ms = r->at_ms};
	if (r->in.bad || position >= r->series.n)
		return false;
	*ret = r->series.p[position];
	return row_sample_read(&r->in, &r->faults, ret->kind, &r->hist, s) &&
	       series_sample_valid(ret->kind, s);
}

bool row_read(struct slice bytes,
	void (*cb)(void *arg, const struct row_series *series, const struct series_sample *s),
	void *arg, struct error *err)
{
	struct row r = {0};
	bool good = bytes.n >= 8 && bytes.p[0] == MAGIC && bytes.p[1] == VERSION;
	if (good) {
		struct code_in crc = code_in(bytes.p + bytes.n - 4, 4);
		good = code_word(&crc, 4) == block_crc(bytes.p, bytes.n - 4);
	}
	if (good) {
		r.in = code_in(bytes.p + 2, bytes.n - 6);
		good = read_head(&r);
	}
	for (uint64_t i = 0; good && i < r.n; i++) {
		struct row_series series;
		struct series_sample s;
		good = read_record(&r, &series, &s);
		if (good)
			cb(arg, &series, &s);
	}
	good = good && !code_left(&r.in);
	if (!good)
		error_set(err, ERROR_STORE, "a row of the tail is corrupt");
	vec_fini(&r.series);
	series_hist_fini(&r.hist);
	return good;
}
