/*
 * series_spill.c - see series_spill.h.
 *
 * A piece: crc of all behind it (4 bytes), bytes of the piece before (4), where that one begins
 * (4), nothing (4), its bytes. Files follow one another with the seals, so that one goes when the
 * hours that began in it are sealed; a head stays with the file it began in.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/series_inside.h"

#define SPILL_FROM 96          /* bytes of a head that go at once */
#define SPILL_REST 48          /* of one whose hour is over; fewer would not make it smaller */
#define TURN_BYTES (512 << 10) /* in one turn; the loop copies them */
#define PLACE_MOST (1u << 31)  /* where a piece may begin, in units: 32 GB */
#define RETRY_NS   (60 * NS_PER_S)

/* --- the writer's ------------------------------------------------------------------------------
 */

void spill_turn_fini(struct spill_turn *t)
{
	buf_fini(&t->bytes);
	vec_fini(&t->items);
	vec_fini(&t->gone);
}

static void close_file(struct spill_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

static off_t place_of(uint32_t at)
{
	return (off_t)at * SPILL_UNIT;
}

static bool write_all(int fd, const struct buf *bytes, off_t at)
{
	for (size_t done = 0; done < bytes->n;) {
		const ssize_t n = pwrite(fd, bytes->p + done, bytes->n - done, at + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

void spill_work(struct spill_turn *t, const char *dir)
{
	VEC_EACH (&t->gone, struct spill_file *, f)
		close_file(*f);
	vec_fini(&t->gone);
	if (!t->file)
		return;
	if (t->file->fd < 0)
		t->file->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (t->at > PLACE_MOST)
		error_set(&t->err, ERROR_LIMIT, "a scratch file in %s is full", dir);
	else if (t->file->fd < 0 || !write_all(t->file->fd, &t->bytes, place_of(t->at)))
		error_sys(&t->err, errno, "a scratch file in %s", dir);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* From the last piece back. The header of each comes to stand where the bytes of the one before
 * will. */
bool spill_read(const struct spill_file *f, struct spilled piece, char *into, size_t n)
{
	while (n) {
		if (!piece.n || piece.n > n)
			return false;
		n -= piece.n;
		char *p = into + n - SPILL_HEADER;
		const size_t size = SPILL_HEADER + piece.n;
		if (pread(f->fd, p, size, place_of(piece.at)) != (ssize_t)size)
			return false;
		struct code_in in = code_in(p, SPILL_HEADER);
		if (code_word(&in, 4) != block_crc(p + 4, size - 4))
			return false;
		piece.n = (uint32_t)code_word(&in, 4);
		piece.at = (uint32_t)code_word(&in, 4);
	}
	return !piece.n;
}

/* --- the loop's --------------------------------------------------------------------------------
 */

static struct spill_file *file_of(const struct series_store *st, uint8_t number)
{
	return number ? st->spill.files[number - 1] : NULL;
}

struct spill_file *spill_use(struct series_store *st, const struct head *h)
{
	struct spill_file *f = file_of(st, h->file);
	if (f)
		f->users++;
	return f;
}

void spill_leave(struct series_store *st, struct spill_file *f)
{
	if (--f->users)
		return;
	for (size_t i = 0; i < SPILL_FILES; i++)
		if (st->spill.files[i] == f)
			st->spill.files[i] = NULL;
	vec_push(&st->spill.gone, f);
}

void spill_free(struct series_store *st, struct head *h)
{
	if (h->file)
		spill_leave(st, file_of(st, h->file));
}

void spill_look(struct series_store *st, struct head *h, bool over)
{
	const size_t n = h->samples.bytes.n;
	if (h->spilling || n < (over ? SPILL_REST : SPILL_FROM) || st->options.read_only)
		return;
	h->spilling = true;
	vec_push(&st->spill.full, h);
}

void spill_forget(struct series_store *st, int64_t hour)
{
	size_t n = 0;
	VEC_EACH (&st->spill.full, struct head *, h)
		if ((*h)->hour != hour || !(*h)->sealing)
			st->spill.full.p[n++] = *h;
	st->spill.full.n = n;
}

static size_t free_place(const struct series_store *st)
{
	size_t i = 0;
	while (i < SPILL_FILES && st->spill.files[i])
		i++;
	return i;
}

/* Where heads begin. */
static uint8_t current(struct series_store *st)
{
	if (!st->spill.file) {
		const size_t i = free_place(st);
		struct spill_file *f = mem_new(struct spill_file);
		f->fd = -1;
		f->users = 1;
		st->spill.files[i] = f;
		st->spill.file = (uint8_t)(i + 1);
	}
	return st->spill.file;
}

/* While there is a place for it. */
void spill_next_file(struct series_store *st)
{
	struct spill_file *f = file_of(st, st->spill.file);
	if (!f || !f->end || free_place(st) == SPILL_FILES)
		return;
	st->spill.file = 0;
	spill_leave(st, f);
}

/* All but its last byte, which may lack a half. */
static void add_piece(struct spill_turn *t, struct head *h)
{
	const size_t begin = t->bytes.n, n = h->samples.bytes.n - 1;
	struct buf crc = BUF(SPILL_HEADER);
	code_put_word(&t->bytes, 0, 4);
	code_put_word(&t->bytes, h->spilled.n, 4);
	code_put_word(&t->bytes, h->spilled.at, 4);
	code_put_word(&t->bytes, 0, 4);
	buf_add(&t->bytes, h->samples.bytes.p, n);
	code_put_word(&crc, block_crc(t->bytes.p + begin + 4, t->bytes.n - begin - 4), 4);
	memcpy(t->bytes.p + begin, crc.p, 4);
	buf_fini(&crc);
	while (t->bytes.n % SPILL_UNIT)
		buf_add_char(&t->bytes, 0);
	vec_push(&t->items,
		((struct spill_item){h, {t->at + (uint32_t)(begin / SPILL_UNIT), (uint32_t)n}}));
}

bool spill_due(const struct series_store *st)
{
	return st->spill.full.n && clock_mono_ns(loop_clock(st->loop)) >= st->spill.not_before_ns;
}

/* Those of one file; the others' turn comes next. */
void spill_begin(struct series_store *st, struct spill_turn *t)
{
	size_t left = 0;
	t->gone = st->spill.gone;
	st->spill.gone = (spill_files){0};
	if (!spill_due(st))
		return;
	t->bytes = BUF(BUF_MOST);
	VEC_EACH (&st->spill.full, struct head *, h) {
		const uint8_t file = (*h)->file ? (*h)->file : current(st);
		if (!t->file) {
			t->file = file_of(st, file);
			t->file_number = file;
			t->at = t->file->end;
			t->file->users++;
		}
		if (t->file_number == file && t->bytes.n < TURN_BYTES)
			add_piece(t, *h);
		else
			st->spill.full.p[left++] = *h;
	}
	st->spill.full.n = left;
}

static void learn_piece(
	struct series_store *st, const struct spill_turn *t, const struct spill_item *i)
{
	struct head *h = i->head;
	if (!h->file) {
		h->file = t->file_number;
		(void)spill_use(st, h);
	}
	h->spilled = i->piece;
	h->spilling = false;
	coded_cut(&h->samples, i->piece.n);
}

static void say_trouble(struct series_store *st, const struct error *why)
{
	const bool failed = why->msg[0];
	if (failed != st->spill.failed && st->options.crowded)
		st->options.crowded(st->options.trouble_arg, failed ? why : NULL);
	st->spill.failed = failed;
}

void spill_end(struct series_store *st, struct spill_turn *t)
{
	if (!t->file)
		return;
	VEC_EACH (&t->items, struct spill_item, i)
		if (!t->err.msg[0])
			learn_piece(st, t, i);
		else
			vec_push(&st->spill.full, i->head);
	if (t->err.msg[0])
		st->spill.not_before_ns = clock_mono_ns(loop_clock(st->loop)) + RETRY_NS;
	else
		t->file->end = t->at + (uint32_t)(t->bytes.n / SPILL_UNIT);
	spill_leave(st, t->file);
	say_trouble(st, &t->err);
}

void spill_fini(struct series_store *st)
{
	if (st->spill.file)
		spill_leave(st, file_of(st, st->spill.file));
	VEC_EACH (&st->spill.gone, struct spill_file *, f)
		close_file(*f);
	vec_fini(&st->spill.gone);
	vec_fini(&st->spill.full);
}
