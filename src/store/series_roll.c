/*
 * series_roll.c - see series_roll.h.
 *
 * Columns of a roll-up stand for the fields of its slots. Numbers are differences from slot to slot
 * where all of the column are whole (always, for probes: microseconds), else little-endian doubles.
 * A column of zeros is left out. The sum is told as what it is above the sums of the phases:
 * nothing, where the phases are all there is.
 */

#include "store/series_roll.h"

#include <math.h>

#include "base/vec.h"

enum column {
	COLUMN_SLOT = 32,
	COLUMN_N = 33,
	COLUMN_MISSED = 34, /* n - ok */
	COLUMN_FAULTS = 35,
	COLUMN_SUM = 36, /* less the sums of the phases */
	COLUMN_MIN = 37,
	COLUMN_MAX = 38, /* whole: above the minimum */
	COLUMN_HIST = 39,
	COLUMN_PHASE = 40,
};

enum codec { CODEC_WHOLE = 1, CODEC_REAL, CODEC_FAULTS, CODEC_HISTS };

#define WHOLE 9007199254740992.0 /* 2^53 */

/* --- points ------------------------------------------------------------------------------------
 */

void series_point_fini(struct series_point *p)
{
	series_hist_fini(&p->hist);
}

double series_point_quantile(const struct series_point *p, double q)
{
	const double x = series_hist_quantile(&p->hist, q);
	return x < p->min ? p->min : x > p->max ? p->max : x;
}

static void add_range(struct series_point *p, bool first, double sum, double min, double max)
{
	if (first || min < p->min)
		p->min = min;
	if (first || max > p->max)
		p->max = max;
	p->sum += sum;
}

void series_point_add(struct series_point *p, enum series_kind kind, const struct series_sample *s)
{
	const bool first = !p->ok;
	if (kind == SERIES_PROBE && s->fault != FAULT_NONE) {
		p->n++;
		p->faults[s->fault]++;
		return;
	}
	const uint64_t n = kind == SERIES_DIST ? s->n : 1;
	p->n += n;
	p->ok += n;
	if (kind == SERIES_PROBE) {
		const double us = (double)s->total_us;
		add_range(p, first, us, us, us);
		for (size_t i = 0; i < SERIES_PHASES; i++)
			p->phase_sum_us[i] += (double)s->phase_us[i];
		series_hist_add(&p->hist, (uint64_t)s->total_us, 1);
	} else if (kind == SERIES_DIST) {
		add_range(p, first, s->value, s->min, s->max);
		series_hist_merge(&p->hist, s->hist);
	} else {
		add_range(p, first, s->value, s->value, s->value);
	}
}

void series_point_merge(struct series_point *p, const struct series_point *other)
{
	if (other->ok)
		add_range(p, !p->ok, other->sum, other->min, other->max);
	p->n += other->n;
	p->ok += other->ok;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		p->phase_sum_us[i] += other->phase_sum_us[i];
	for (size_t i = 0; i < FAULT_COUNT; i++)
		p->faults[i] += other->faults[i];
	series_hist_merge(&p->hist, &other->hist);
}

/* --- days --------------------------------------------------------------------------------------
 */

void roll_day_fini(struct roll_day *d)
{
	VEC_EACH (d, struct series_point, p)
		series_point_fini(p);
	vec_fini(d);
}

void roll_day_replace(struct roll_day *d, int64_t begin_ms, int64_t end_ms, struct roll_day *from)
{
	struct roll_day made = {0};
	size_t i = 0;
	for (; i < d->n && d->p[i].at_ms < begin_ms; i++)
		vec_push(&made, d->p[i]);
	for (; i < d->n && d->p[i].at_ms < end_ms; i++)
		series_point_fini(&d->p[i]);
	for (size_t k = 0; k < from->n; k++)
		vec_push(&made, from->p[k]);
	for (; i < d->n; i++)
		vec_push(&made, d->p[i]);
	vec_fini(d);
	vec_fini(from);
	*d = made;
}

/* --- writing -----------------------------------------------------------------------------------
 */

struct roll_out {
	struct block_frame frame;
	struct buf made[BLOCK_COLUMNS];
	const struct roll_day *day;
	double *numbers; /* one for each slot: the column being made */
};

static struct buf *new_column(struct roll_out *o, unsigned type, enum codec codec)
{
	const size_t i = o->frame.column_count++;
	o->frame.columns[i] = (struct block_column){.type = (uint8_t)type, .codec = (uint8_t)codec};
	buf_init(&o->made[i], SERIES_BLOCK_BYTES);
	return &o->made[i];
}

static bool is_whole(double x)
{
	return x == trunc(x) && fabs(x) < WHOLE && !(x == 0 && signbit(x));
}

/* Writes the numbers prepared in o->numbers. */
static void number_column(struct roll_out *o, unsigned type)
{
	const size_t n = o->day->n;
	bool whole = true, zero = true;
	for (size_t i = 0; i < n; i++) {
		whole &= is_whole(o->numbers[i]);
		zero &= o->numbers[i] == 0;
	}
	if (whole && zero)
		return;
	struct buf *out = new_column(o, type, whole ? CODEC_WHOLE : CODEC_REAL);
	int64_t before = 0;
	for (size_t i = 0; i < n; i++) {
		if (!whole) {
			code_put_real(out, o->numbers[i]);
			continue;
		}
		code_put_varint(out, code_zigzag((int64_t)o->numbers[i] - before));
		before = (int64_t)o->numbers[i];
	}
}

static void fault_column(struct roll_out *o)
{
	struct block_faults names = {0};
	struct buf counts = BUF(SERIES_BLOCK_BYTES);
	VEC_EACH (o->day, struct series_point, p) {
		size_t n = 0;
		for (unsigned i = 0; i < FAULT_COUNT; i++)
			n += p->faults[i] > 0;
		code_put_varint(&counts, n);
		for (unsigned i = 0; i < FAULT_COUNT; i++) {
			if (!p->faults[i])
				continue;
			code_put_varint(&counts, block_fault_code(&names, (enum fault)i));
			code_put_varint(&counts, p->faults[i]);
		}
	}
	if (names.n) {
		struct buf *out = new_column(o, COLUMN_FAULTS, CODEC_FAULTS);
		block_faults_write(out, &names);
		buf_add_slice(out, buf_slice(&counts));
	}
	buf_fini(&counts);
}

static void hist_column(struct roll_out *o)
{
	bool any = false;
	VEC_EACH (o->day, struct series_point, p)
		any |= p->hist.n > 0;
	if (!any)
		return;
	struct buf *out = new_column(o, COLUMN_HIST, CODEC_HISTS);
	VEC_EACH (o->day, struct series_point, p)
		series_hist_write(out, &p->hist);
}

static double sum_of_phases(const struct series_point *p)
{
	double sum = 0;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		sum += p->phase_sum_us[i];
	return sum;
}

#define NUMBERS(o, type, expression)                                                               \
	do {                                                                                       \
		for (size_t i = 0; i < (o)->day->n; i++) {                                         \
			const struct series_point *p = &(o)->day->p[i];                            \
			(o)->numbers[i] = (double)(expression);                                    \
		}                                                                                  \
		number_column(o, type);                                                            \
	} while (0)

/* Which step of its day a point is, from 0. */
static int64_t slot_of(const struct series_point *p, int64_t day_ms, int64_t step_ms)
{
	return (p->at_ms - day_ms) / step_ms;
}

void roll_day_write(struct buf *out, enum series_kind kind, int64_t day_ms, int64_t step_ms,
	const struct roll_day *d)
{
	struct roll_out o = {.frame = {.kind = kind,
				     .flags = BLOCK_ROLL,
				     .t0_ms = day_ms,
				     .step_ms = step_ms,
				     .n = d->n},
		.day = d,
		.numbers = mem_new_array(d->n, sizeof(double))};
	NUMBERS(&o, COLUMN_SLOT, slot_of(p, day_ms, step_ms));
	NUMBERS(&o, COLUMN_N, p->n);
	NUMBERS(&o, COLUMN_MISSED, p->n - p->ok);
	fault_column(&o);
	NUMBERS(&o, COLUMN_SUM, p->sum - sum_of_phases(p));
	NUMBERS(&o, COLUMN_MIN, p->min);
	NUMBERS(&o, COLUMN_MAX, p->max);
	for (unsigned k = 0; k < SERIES_PHASES; k++)
		NUMBERS(&o, COLUMN_PHASE + k, p->phase_sum_us[k]);
	hist_column(&o);
	for (size_t i = 0; i < o.frame.column_count; i++) {
		o.frame.columns[i].p = (const uint8_t *)buf_str(&o.made[i]);
		o.frame.columns[i].n = o.made[i].n;
	}
	block_frame_write(out, &o.frame, true);
	for (size_t i = 0; i < o.frame.column_count; i++)
		buf_fini(&o.made[i]);
	free(o.numbers);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* The numbers of a column, zeros where it is absent. */
static bool read_numbers(const struct block_frame *f, unsigned type, double *x)
{
	const struct block_column *c = block_column(f, (uint8_t)type);
	memset(x, 0, f->n * sizeof(*x));
	if (!c)
		return true;
	struct code_in in = code_in(c->p, c->n);
	uint64_t before = 0;
	for (uint64_t i = 0; i < f->n && !in.bad; i++) {
		if (c->codec == CODEC_REAL) {
			x[i] = code_real(&in);
		} else {
			before += (uint64_t)code_unzigzag(code_varint(&in));
			x[i] = (double)(int64_t)before;
		}
		if (!isfinite(x[i]) || (c->codec == CODEC_WHOLE && fabs(x[i]) >= WHOLE))
			return false;
	}
	return !in.bad && (c->codec == CODEC_REAL || c->codec == CODEC_WHOLE);
}

static bool read_faults(const struct block_frame *f, struct roll_day *d)
{
	const struct block_column *c = block_column(f, COLUMN_FAULTS);
	if (!c)
		return true;
	struct code_in in = code_in(c->p, c->n);
	struct block_faults names = {0};
	if (c->codec != CODEC_FAULTS || !block_faults_read(&in, &names))
		return false;
	VEC_EACH (d, struct series_point, p) {
		const uint64_t n = code_varint(&in);
		for (uint64_t i = 0; i < n && !in.bad; i++) {
			enum fault fault;
			const uint64_t code = code_varint(&in);
			const uint64_t count = code_varint(&in);
			if (!code || !block_fault_of(&names, code, &fault) || count > UINT32_MAX)
				return false;
			p->faults[fault] += (uint32_t)count;
		}
	}
	return !in.bad;
}

static bool read_hists(const struct block_frame *f, struct roll_day *d)
{
	const struct block_column *c = block_column(f, COLUMN_HIST);
	if (!c)
		return true;
	struct code_in in = code_in(c->p, c->n);
	VEC_EACH (d, struct series_point, p)
		if (!series_hist_read(&in, &p->hist))
			return false;
	return c->codec == CODEC_HISTS;
}

/* Slots in order inside the day, and counts that a day can have. */
static bool read_counts(const struct block_frame *f, double *x, struct roll_day *d)
{
	const int64_t slots = f->step_ms ? SERIES_DAY_MS / f->step_ms : 0;
	const double limit = (double)slots;
	double before = -1;
	if (!read_numbers(f, COLUMN_SLOT, x))
		return false;
	for (uint64_t i = 0; i < f->n; i++) {
		if (x[i] <= before || x[i] >= limit || x[i] != trunc(x[i]))
			return false;
		before = x[i];
		vec_push(
			d, ((struct series_point){.at_ms = f->t0_ms + (int64_t)x[i] * f->step_ms}));
	}
	if (!read_numbers(f, COLUMN_N, x))
		return false;
	for (uint64_t i = 0; i < f->n; i++) {
		if (x[i] < 1 || x[i] != trunc(x[i]) || x[i] >= WHOLE)
			return false;
		d->p[i].n = (uint64_t)x[i];
	}
	if (!read_numbers(f, COLUMN_MISSED, x))
		return false;
	for (uint64_t i = 0; i < f->n; i++) {
		if (x[i] < 0 || x[i] != trunc(x[i]) || x[i] > (double)d->p[i].n)
			return false;
		d->p[i].ok = d->p[i].n - (uint64_t)x[i];
	}
	return true;
}

static bool read_slots(const struct block_frame *f, double *x, struct roll_day *d)
{
	if (!read_counts(f, x, d) || !read_faults(f, d))
		return false;
	for (unsigned k = 0; k < SERIES_PHASES; k++) {
		if (!read_numbers(f, COLUMN_PHASE + k, x))
			return false;
		for (uint64_t i = 0; i < f->n; i++)
			d->p[i].phase_sum_us[k] = x[i];
	}
	if (!read_numbers(f, COLUMN_SUM, x))
		return false;
	for (uint64_t i = 0; i < f->n; i++)
		d->p[i].sum = x[i] + sum_of_phases(&d->p[i]);
	if (!read_numbers(f, COLUMN_MIN, x))
		return false;
	for (uint64_t i = 0; i < f->n; i++)
		d->p[i].min = x[i];
	if (!read_numbers(f, COLUMN_MAX, x))
		return false;
	for (uint64_t i = 0; i < f->n; i++)
		d->p[i].max = x[i];
	return read_hists(f, d);
}

bool roll_day_read(struct slice bytes, int64_t step_ms, struct roll_day *d, struct error *err)
{
	struct block_frame f;
	struct buf store = BUF(SERIES_BLOCK_BYTES);
	bool good = block_frame_read(bytes, &f, &store, err);
	if (good) {
		good = (f.flags & BLOCK_ROLL) && f.step_ms == step_ms &&
		       f.n <= (uint64_t)(SERIES_DAY_MS / step_ms) && f.t0_ms % SERIES_DAY_MS == 0 &&
		       f.t0_ms < 1LL << 43;
		double *x = mem_new_array(good ? f.n : 1, sizeof(*x));
		good = good && read_slots(&f, x, d);
		free(x);
		if (!good)
			error_set(err, ERROR_STORE, "a roll-up whose columns do not fit together");
	}
	buf_fini(&store);
	return good;
}
