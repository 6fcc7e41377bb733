/*
 * series_block.c - the columns of raw blocks; see series_block.h. The frame around them is
 * series_frame.c.
 *
 * Columns of a probe: time, (fault, run), (tries, run), and a column of durations for each phase
 * that ever happened. A duration is its log-linear index, as the zigzag distance to the column's
 * base, plus one; 0 is "did not happen". The total is told as the distance to the index of the sum
 * of the phases, which is mostly 0. Gauges are XORed with the value before and cut into byte
 * planes, which zstd likes; sums of whole numbers are differences.
 */

#include "store/series_block.h"

#include <assert.h>
#include <math.h>

#include "base/vec.h"

enum column {
	COLUMN_TIME = 1,
	COLUMN_FAULT = 2,
	COLUMN_TRIES = 3,
	COLUMN_VALUE = 4,
	COLUMN_MIN = 5,
	COLUMN_MAX = 6,
	COLUMN_DIST = 7,
	COLUMN_DURATION = 16, /* + phase; the total is the last */
};

enum codec {
	CODEC_DELTA = 1,
	CODEC_RUNS,
	CODEC_LOGLIN,
	CODEC_PLANES,
	CODEC_DIFFERENCES,
	CODEC_HIST,
	CODEC_BESIDE, /* the sum of the phases */
};

#define TOTAL SERIES_PHASES
/* What the last bucket holds; its middle must be one, too. */
#define LONGEST_US (int64_t)(LOGLIN_MAX + (LOGLIN_MAX >> LOGLIN_FINE))
#define WHOLE      9007199254740992.0 /* 2^53: doubles below are exact whole numbers */

bool series_sample_valid(enum series_kind kind, const struct series_sample *s)
{
	if (s->at_ms < 0 || s->at_ms >= 1LL << 43)
		return false;
	if (kind == SERIES_PROBE) {
		for (size_t i = 0; i < SERIES_PHASES; i++)
			if (s->phase_us[i] < 0 || s->phase_us[i] > LONGEST_US)
				return false;
		return s->total_us >= 0 && s->total_us <= LONGEST_US &&
		       (unsigned)s->fault < FAULT_COUNT;
	}
	if (!isfinite(s->value))
		return false;
	return kind != SERIES_DIST || (isfinite(s->min) && isfinite(s->max) && s->hist && s->n &&
					      series_hist_count(s->hist) == s->n);
}

/* --- writing -----------------------------------------------------------------------------------
 */

void block_writer_init(struct block_writer *w, enum series_kind kind, int64_t step_ms)
{
	*w = (struct block_writer){.kind = kind, .step_ms = step_ms};
	buf_init(&w->times, SERIES_BLOCK_BYTES);
	buf_init(&w->fault_runs, SERIES_BLOCK_BYTES);
	buf_init(&w->tries_runs, SERIES_BLOCK_BYTES);
	buf_init(&w->dist, SERIES_BLOCK_BYTES);
	for (size_t i = 0; i <= TOTAL; i++)
		buf_init(&w->phase[i].bytes, SERIES_BLOCK_BYTES);
}

void block_writer_fini(struct block_writer *w)
{
	buf_fini(&w->times);
	buf_fini(&w->fault_runs);
	buf_fini(&w->tries_runs);
	buf_fini(&w->dist);
	for (size_t i = 0; i <= TOTAL; i++)
		buf_fini(&w->phase[i].bytes);
	free(w->value);
	free(w->faults);
	w->value = NULL;
	w->faults = NULL;
}

bool block_writer_full(const struct block_writer *w)
{
	size_t n = w->times.n + w->fault_runs.n + w->tries_runs.n + w->dist.n;
	for (size_t i = 0; i <= TOTAL; i++)
		n += w->phase[i].bytes.n;
	n += w->n * (w->kind == SERIES_DIST ? 24 : 8);
	return w->n >= SERIES_BLOCK_SAMPLES || n > SERIES_BLOCK_BYTES / 4 * 3;
}

static void add_time(struct block_writer *w, int64_t at_ms)
{
	if (!w->n) {
		w->t0_ms = at_ms;
	} else {
		w->unsorted |= at_ms < w->last_ms;
		if (!w->step_ms && at_ms > w->last_ms)
			w->step_ms = at_ms - w->last_ms;
		if (w->n == 1 && !w->step_ms)
			w->step_ms = 1;
		code_put_varint(&w->times, code_zigzag(at_ms - w->last_ms - w->step_ms));
	}
	w->last_ms = at_ms;
}

static void write_run(struct buf *out, const struct block_run *r)
{
	if (!r->n)
		return;
	code_put_varint(out, r->value);
	code_put_varint(out, r->n);
}

static void add_run(struct buf *out, struct block_run *r, uint64_t value)
{
	if (r->n && r->value != value) {
		write_run(out, r);
		r->n = 0;
	}
	r->value = value;
	r->n++;
}

void block_writer_expect(struct block_writer *w, const struct series_sample *typical)
{
	for (size_t i = 0; i < SERIES_PHASES; i++)
		w->phase[i].typical = loglin_index((uint64_t)typical->phase_us[i], LOGLIN_FINE);
}

/* A phase that appears late did not happen before: as many zeros. Returns the duration as it will
 * be read. */
static uint64_t add_phase(struct block_writer *w, struct block_times *t, int64_t us)
{
	const unsigned index = loglin_index((uint64_t)us, LOGLIN_FINE);
	if (!index && !t->base)
		return 0;
	if (!t->base) {
		t->base = t->typical ? t->typical : index;
		for (size_t i = 0; i < w->n; i++)
			buf_add_char(&t->bytes, 0);
	}
	code_put_varint(&t->bytes, index ? code_zigzag((int64_t)index - (int64_t)t->base) + 1 : 0);
	return loglin_middle(index, LOGLIN_FINE);
}

static void add_durations(struct block_writer *w, const struct series_sample *s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		sum += add_phase(w, &w->phase[i], s->phase_us[i]);
	const int64_t beside = loglin_index(sum, LOGLIN_FINE);
	const int64_t index = loglin_index((uint64_t)s->total_us, LOGLIN_FINE);
	code_put_varint(&w->phase[TOTAL].bytes, code_zigzag(index - beside));
}

static void add_values(struct block_writer *w, const double *x, size_t n)
{
	w->value = vec_room(w->value, (w->n + 1) * n, &w->value_cap, sizeof(double));
	memcpy(w->value + w->n * n, x, n * sizeof(*x));
}

static unsigned fault_code(struct block_writer *w, enum fault fault)
{
	if (fault == FAULT_NONE)
		return 0;
	if (!w->faults)
		w->faults = mem_new(struct block_faults);
	return block_fault_code(w->faults, fault);
}

void block_writer_add(struct block_writer *w, const struct series_sample *s)
{
	add_time(w, s->at_ms);
	if (w->kind == SERIES_PROBE) {
		add_run(&w->fault_runs, &w->fault, fault_code(w, s->fault));
		add_run(&w->tries_runs, &w->tries, s->tries);
		add_durations(w, s);
	} else if (w->kind == SERIES_DIST) {
		add_values(w, (const double[]){s->value, s->min, s->max}, 3);
		series_hist_write(&w->dist, s->hist);
	} else {
		add_values(w, &s->value, 1);
	}
	w->n++;
}

/* --- finishing ---------------------------------------------------------------------------------
 */

struct finisher {
	const struct block_writer *w;
	struct block_frame frame;
	struct buf made[BLOCK_COLUMNS]; /* bytes of those columns that are not in the writer */
};

static struct buf *new_column(struct finisher *f, uint8_t type, enum codec codec)
{
	const size_t i = f->frame.column_count++;
	f->frame.columns[i] = (struct block_column){.type = type, .codec = (uint8_t)codec};
	buf_init(&f->made[i], SERIES_BLOCK_BYTES);
	return &f->made[i];
}

static void runs_column(struct finisher *f, uint8_t type, const struct buf *runs,
	const struct block_run *open, const struct block_faults *faults)
{
	struct buf *out = new_column(f, type, CODEC_RUNS);
	assert(runs);
	if (faults)
		block_faults_write(out, faults);
	buf_add(out, runs->p, runs->n);
	write_run(out, open);
}

static bool all_whole(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (x[i] != trunc(x[i]) || fabs(x[i]) >= WHOLE || (x[i] == 0 && signbit(x[i])))
			return false;
	return true;
}

static void planes(struct buf *out, const double *x, size_t n, size_t stride)
{
	uint64_t *bits = mem_new_array(n, sizeof(*bits));
	uint64_t before = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t b;
		memcpy(&b, &x[i * stride], 8);
		bits[i] = b ^ before;
		before = b;
	}
	for (unsigned plane = 0; plane < 8; plane++)
		for (size_t i = 0; i < n; i++)
			buf_add_char(out, (char)(bits[i] >> (8 * plane)));
	free(bits);
}

static void value_columns(struct finisher *f)
{
	const struct block_writer *w = f->w;
	if (w->kind == SERIES_SUM && all_whole(w->value, w->n)) {
		struct buf *out = new_column(f, COLUMN_VALUE, CODEC_DIFFERENCES);
		int64_t before = 0;
		for (size_t i = 0; i < w->n; i++) {
			code_put_varint(out, code_zigzag((int64_t)w->value[i] - before));
			before = (int64_t)w->value[i];
		}
		return;
	}
	const size_t stride = w->kind == SERIES_DIST ? 3 : 1;
	for (size_t i = 0; i < stride; i++)
		planes(new_column(f, (uint8_t)(COLUMN_VALUE + i), CODEC_PLANES), w->value + i, w->n,
			stride);
	if (w->kind == SERIES_DIST) {
		struct buf *out = new_column(f, COLUMN_DIST, CODEC_HIST);
		buf_add(out, w->dist.p, w->dist.n);
	}
}

static void probe_columns(struct finisher *f)
{
	static const struct block_faults none;
	const struct block_writer *w = f->w;
	runs_column(f, COLUMN_FAULT, &w->fault_runs, &w->fault, w->faults ? w->faults : &none);
	runs_column(f, COLUMN_TRIES, &w->tries_runs, &w->tries, NULL);
	for (size_t i = 0; i < SERIES_PHASES; i++) {
		if (!w->phase[i].base)
			continue;
		struct buf *out = new_column(f, (uint8_t)(COLUMN_DURATION + i), CODEC_LOGLIN);
		code_put_varint(out, w->phase[i].base);
		buf_add(out, w->phase[i].bytes.p, w->phase[i].bytes.n);
	}
	struct buf *total = new_column(f, COLUMN_DURATION + TOTAL, CODEC_BESIDE);
	buf_add(total, w->phase[TOTAL].bytes.p, w->phase[TOTAL].bytes.n);
}

void block_writer_finish(const struct block_writer *w, struct buf *out, bool compress)
{
	struct finisher f = {.w = w,
		.frame = {.kind = w->kind, .t0_ms = w->t0_ms, .step_ms = w->step_ms, .n = w->n}};
	buf_add(new_column(&f, COLUMN_TIME, CODEC_DELTA), w->times.p, w->times.n);
	if (w->kind == SERIES_PROBE)
		probe_columns(&f);
	else
		value_columns(&f);
	for (size_t i = 0; i < f.frame.column_count; i++) {
		f.frame.columns[i].p = (const uint8_t *)buf_str(&f.made[i]);
		f.frame.columns[i].n = f.made[i].n;
	}
	block_frame_write(out, &f.frame, compress);
	for (size_t i = 0; i < f.frame.column_count; i++)
		buf_fini(&f.made[i]);
}

/* --- reading -----------------------------------------------------------------------------------
 */

struct runs_in {
	struct code_in in;
	struct block_run run;
};

struct reader {
	const struct block_frame *frame;
	struct code_in time, dist;
	struct runs_in fault, tries;
	struct block_faults faults;
	struct {
		struct code_in in;
		uint64_t base; /* 0: the column is absent */
	} phase[SERIES_PHASES + 1];
	struct code_in whole; /* differences */
	int64_t whole_before;
	const uint8_t *planes[3]; /* value, min, max */
	uint64_t bits[3];
	int64_t at_ms;
	struct series_hist hist;
	bool bad;
};

static uint64_t next_run(struct runs_in *r)
{
	if (!r->run.n) {
		r->run.value = code_varint(&r->in);
		r->run.n = code_varint(&r->in);
		if (!r->run.n) {
			r->in.bad = true;
			return 0;
		}
	}
	r->run.n--;
	return r->run.value;
}

static bool open_column(const struct reader *r, uint8_t type, enum codec codec, struct code_in *ret)
{
	const struct block_column *c = block_column(r->frame, type);
	if (!c || c->codec != codec)
		return false;
	*ret = code_in(c->p, c->n);
	return true;
}

static bool open_probe(struct reader *r)
{
	if (!open_column(r, COLUMN_FAULT, CODEC_RUNS, &r->fault.in) ||
		!open_column(r, COLUMN_TRIES, CODEC_RUNS, &r->tries.in) ||
		!block_faults_read(&r->fault.in, &r->faults))
		return false;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		if (open_column(r, (uint8_t)(COLUMN_DURATION + i), CODEC_LOGLIN, &r->phase[i].in))
			r->phase[i].base = code_varint(&r->phase[i].in);
	return open_column(r, COLUMN_DURATION + TOTAL, CODEC_BESIDE, &r->phase[TOTAL].in);
}

static bool open_values(struct reader *r)
{
	if (open_column(r, COLUMN_VALUE, CODEC_DIFFERENCES, &r->whole))
		return r->frame->kind == SERIES_SUM;
	const bool dist = r->frame->kind == SERIES_DIST;
	for (size_t i = 0; i < (dist ? 3u : 1u); i++) {
		struct code_in in;
		if (!open_column(r, (uint8_t)(COLUMN_VALUE + i), CODEC_PLANES, &in) ||
			code_left(&in) != r->frame->n * 8)
			return false;
		r->planes[i] = in.p;
	}
	return !dist || open_column(r, COLUMN_DIST, CODEC_HIST, &r->dist);
}

static int64_t duration_of(struct reader *r, uint64_t base, int64_t distance)
{
	static const unsigned limit = (44u - LOGLIN_FINE + 1) << LOGLIN_FINE;
	const int64_t index = (int64_t)(base + (uint64_t)distance);
	if (index < 0 || index > (int64_t)limit) {
		r->bad = true;
		return 0;
	}
	return (int64_t)loglin_middle((unsigned)index, LOGLIN_FINE);
}

static int64_t next_phase(struct reader *r, size_t phase)
{
	if (!r->phase[phase].base)
		return 0;
	const uint64_t v = code_varint(&r->phase[phase].in);
	return v ? duration_of(r, r->phase[phase].base, code_unzigzag(v - 1)) : 0;
}

static void next_durations(struct reader *r, struct series_sample *s)
{
	uint64_t sum = 0;
	for (size_t p = 0; p < SERIES_PHASES; p++) {
		s->phase_us[p] = next_phase(r, p);
		sum += (uint64_t)s->phase_us[p];
	}
	const int64_t distance = code_unzigzag(code_varint(&r->phase[TOTAL].in));
	s->total_us = duration_of(r, loglin_index(sum, LOGLIN_FINE), distance);
}

static double next_value(struct reader *r, size_t column, uint64_t i)
{
	double x;
	if (!r->planes[column]) {
		r->whole_before = (int64_t)((uint64_t)r->whole_before +
					    (uint64_t)code_unzigzag(code_varint(&r->whole)));
		r->bad |= r->whole.bad || fabs((double)r->whole_before) >= WHOLE;
		return (double)r->whole_before;
	}
	uint64_t b = 0;
	for (unsigned plane = 0; plane < 8; plane++)
		b |= (uint64_t)r->planes[column][plane * r->frame->n + i] << (8 * plane);
	r->bits[column] ^= b;
	memcpy(&x, &r->bits[column], 8);
	return x;
}

static void next_sample(struct reader *r, uint64_t i, struct series_sample *s)
{
	if (i)
		r->at_ms = (int64_t)((uint64_t)r->at_ms + (uint64_t)r->frame->step_ms +
				     (uint64_t)code_unzigzag(code_varint(&r->time)));
	*s = (struct series_sample){.at_ms = r->at_ms};
	if (r->frame->kind == SERIES_PROBE) {
		r->bad |= !block_fault_of(&r->faults, next_run(&r->fault), &s->fault);
		const uint64_t tries = next_run(&r->tries);
		s->tries = (uint32_t)tries;
		r->bad |= tries > UINT32_MAX;
		next_durations(r, s);
		return;
	}
	s->value = next_value(r, 0, i);
	if (r->frame->kind == SERIES_DIST) {
		s->min = next_value(r, 1, i);
		s->max = next_value(r, 2, i);
		r->hist.n = 0;
		r->bad |= !series_hist_read(&r->dist, &r->hist);
		s->hist = &r->hist;
		s->n = series_hist_count(&r->hist);
	}
}

static bool reader_is_bad(const struct reader *r)
{
	bool bad = r->bad || r->time.bad || r->fault.in.bad || r->tries.in.bad || r->dist.bad;
	for (size_t i = 0; i <= TOTAL; i++)
		bad |= r->phase[i].in.bad;
	return bad;
}

static bool read_samples(
	struct reader *r, void (*cb)(void *arg, const struct series_sample *s), void *arg)
{
	if (!open_column(r, COLUMN_TIME, CODEC_DELTA, &r->time) ||
		!(r->frame->kind == SERIES_PROBE ? open_probe(r) : open_values(r)))
		return false;
	r->at_ms = r->frame->t0_ms;
	for (uint64_t i = 0; i < r->frame->n; i++) {
		struct series_sample s;
		next_sample(r, i, &s);
		if (reader_is_bad(r) || !series_sample_valid(r->frame->kind, &s))
			return false;
		cb(arg, &s);
	}
	return true;
}

bool block_read(struct slice bytes, size_t limit,
	void (*cb)(void *arg, const struct series_sample *s), void *arg, struct error *err)
{
	struct block_frame frame;
	struct buf store = BUF(SERIES_BLOCK_BYTES);
	struct reader r = {.frame = &frame};
	bool good = block_frame_read(bytes, &frame, &store, err);
	if (good && ((frame.flags & BLOCK_ROLL) || frame.n > SERIES_BLOCK_SAMPLES)) {
		error_set(err, ERROR_STORE, "a block that holds no samples, or too many");
		good = false;
	} else if (good && frame.n > limit) {
		error_set(err, ERROR_LIMIT, "more than %d samples", SERIES_DECODED_MAX);
		good = false;
	} else if (good && !read_samples(&r, cb, arg)) {
		error_set(err, ERROR_STORE, "a block whose columns do not fit together");
		good = false;
	}
	series_hist_fini(&r.hist);
	buf_fini(&store);
	return good;
}
