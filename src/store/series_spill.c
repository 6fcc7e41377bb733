/*
 * series_spill.c - see series_spill.h.
 *
 * A piece: crc of all behind it (4 bytes), bytes of the piece before (4), where that one begins
 * (8), its bytes. Files follow one another with the seals, so that one goes when the hours that
 * began in it are sealed; a head stays with the file it began in.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/series_inside.h"

#define SPILL_FROM 128
#define SPILL_REST 48          /* of one whose hour is over; fewer would not make it smaller */
#define TURN_BYTES (512 << 10) /* in one turn; the loop copies them */
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

static bool write_all(int fd, const struct buf *bytes, uint64_t at)
{
	for (size_t done = 0; done < bytes->n;) {
		const ssize_t n = pwrite(fd, bytes->p + done, bytes->n - done, (off_t)(at + done));
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
	if (t->file->fd < 0 || !write_all(t->file->fd, &t->bytes, t->at))
		error_sys(&t->err, errno, "a scratch file in %s", dir);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* From the last piece back. The header of each comes to stand where the bytes of the one before
 * will. */
bool spill_read(const struct spilled *s, char *into, size_t n)
{
	struct spilled piece = *s;
	while (n) {
		if (!piece.n || piece.n > n)
			return false;
		n -= piece.n;
		char *p = into + n - SPILL_HEADER;
		const size_t size = SPILL_HEADER + piece.n;
		if (pread(s->file->fd, p, size, (off_t)piece.at) != (ssize_t)size)
			return false;
		struct code_in in = code_in(p, SPILL_HEADER);
		if (code_word(&in, 4) != block_crc(p + 4, size - 4))
			return false;
		piece.n = (uint32_t)code_word(&in, 4);
		piece.at = code_word(&in, 8);
	}
	return !piece.n;
}

/* --- the loop's --------------------------------------------------------------------------------
 */

void spill_use(struct spill_file *f)
{
	f->users++;
}

void spill_leave(struct series_store *st, struct spill_file *f)
{
	if (--f->users == 0)
		vec_push(&st->spill.gone, f);
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

static struct spill_file *current(struct series_store *st)
{
	if (!st->spill.file) {
		st->spill.file = mem_new(struct spill_file);
		st->spill.file->fd = -1;
		spill_use(st->spill.file);
	}
	return st->spill.file;
}

void spill_next_file(struct series_store *st)
{
	if (!st->spill.file || !st->spill.file->end)
		return;
	spill_leave(st, st->spill.file);
	st->spill.file = NULL;
}

/* Its last byte may lack a half. */
static void add_piece(struct spill_turn *t, struct head *h)
{
	const size_t begin = t->bytes.n, n = h->samples.bytes.n - 1;
	const struct spilled *before = &h->spilled;
	struct buf head = BUF(SPILL_HEADER);
	code_put_word(&t->bytes, 0, 4);
	code_put_word(&t->bytes, before->n, 4);
	code_put_word(&t->bytes, before->at, 8);
	buf_add(&t->bytes, h->samples.bytes.p, n);
	code_put_word(&head, block_crc(t->bytes.p + begin + 4, t->bytes.n - begin - 4), 4);
	memcpy(t->bytes.p + begin, head.p, 4);
	buf_fini(&head);
	vec_push(&t->items, ((struct spill_item){h, {t->file, t->at + begin, (uint32_t)n}}));
}

bool spill_due(const struct series_store *st)
{
	return st->spill.full.n && clock_mono_ns(loop_clock(st->loop)) >= st->spill.not_before_ns;
}

/* Those of one file; the others' turn comes next. */
void spill_begin(struct series_store *st, struct spill_turn *t)
{
	size_t left = 0;
	t->gone.p = st->spill.gone.p;
	t->gone.n = st->spill.gone.n;
	t->gone.cap = st->spill.gone.cap;
	st->spill.gone.p = NULL;
	vec_fini(&st->spill.gone);
	if (!spill_due(st))
		return;
	t->bytes = BUF(BUF_MOST);
	VEC_EACH (&st->spill.full, struct head *, h) {
		struct spill_file *file = (*h)->spilled.file;
		if (!file)
			file = current(st);
		if (!t->file) {
			t->file = file;
			t->at = file->end;
			spill_use(file);
		}
		if (t->file == file && t->bytes.n < TURN_BYTES)
			add_piece(t, *h);
		else
			st->spill.full.p[left++] = *h;
	}
	st->spill.full.n = left;
}

static void learn_piece(const struct spill_item *i)
{
	struct head *h = i->head;
	if (!h->spilled.file)
		spill_use(i->piece.file);
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
			learn_piece(i);
		else
			vec_push(&st->spill.full, i->head);
	if (t->err.msg[0])
		st->spill.not_before_ns = clock_mono_ns(loop_clock(st->loop)) + RETRY_NS;
	else
		t->file->end = t->at + t->bytes.n;
	spill_leave(st, t->file);
	say_trouble(st, &t->err);
}

void spill_fini(struct series_store *st)
{
	if (st->spill.file)
		spill_leave(st, st->spill.file);
	VEC_EACH (&st->spill.gone, struct spill_file *, f)
		close_file(*f);
	vec_fini(&st->spill.gone);
	vec_fini(&st->spill.full);
}
