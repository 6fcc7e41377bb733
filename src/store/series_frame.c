/*
 * series_frame.c - what all blocks have around their columns: header, zstd, checksum, and the names
 * of faults; see series_block.h.
 */

#include "store/series_block.h"

#include <zlib.h>
#include <zstd.h>

#define VERSION 1
#define LEVEL   3
#define MAGIC   'G'

uint32_t block_crc(const void *p, size_t n)
{
	return (uint32_t)crc32_z(0, p, n);
}

/* --- writing -----------------------------------------------------------------------------------
 */

/* The columns' bytes, compressed when that is smaller; returns whether they are. */
static bool pack(struct buf *packed, const struct buf *plain)
{
	const size_t bound = ZSTD_compressBound(plain->n);
	char *p = mem_alloc(bound);
	const size_t n = ZSTD_compress(p, bound, plain->p, plain->n, LEVEL);
	const bool smaller = !ZSTD_isError(n) && n < plain->n;
	if (smaller)
		buf_add(packed, p, n);
	free(p);
	return smaller;
}

void block_frame_write(struct buf *out, const struct block_frame *f, bool compress)
{
	struct buf plain = BUF(SERIES_BLOCK_BYTES), packed = BUF(SERIES_BLOCK_BYTES);
	const size_t begin = out->n;
	for (size_t i = 0; i < f->column_count; i++)
		buf_add(&plain, f->columns[i].p, f->columns[i].n);
	const bool small = compress && plain.n && pack(&packed, &plain);
	const uint8_t flags = (uint8_t)((f->flags & ~BLOCK_ZSTD) | (small ? BLOCK_ZSTD : 0));
	const char head[] = {MAGIC, VERSION, (char)f->kind, (char)flags};
	buf_add(out, head, sizeof(head));
	code_put_varint(out, (uint64_t)f->t0_ms);
	code_put_varint(out, (uint64_t)f->step_ms);
	code_put_varint(out, f->n);
	code_put_varint(out, f->column_count);
	for (size_t i = 0; i < f->column_count; i++) {
		buf_add_char(out, (char)f->columns[i].type);
		buf_add_char(out, (char)f->columns[i].codec);
		code_put_varint(out, f->columns[i].n);
	}
	buf_add_slice(out, buf_slice(small ? &packed : &plain));
	code_put_word(out, block_crc(buf_str(out) + begin, out->n - begin), 4);
	buf_fini(&plain);
	buf_fini(&packed);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool refuse(struct error *err, const char *what)
{
	error_set(err, ERROR_STORE, "a block of series %s", what);
	return false;
}

static bool read_header(struct code_in *in, struct block_frame *f, size_t *ret_bytes)
{
	const uint8_t kind = code_byte(in);
	f->kind = (enum series_kind)kind;
	f->flags = code_byte(in);
	f->t0_ms = (int64_t)code_varint(in);
	f->step_ms = (int64_t)code_varint(in);
	f->n = code_varint(in);
	const uint64_t columns = code_varint(in);
	if (in->bad || kind > SERIES_DIST || (f->flags & ~(BLOCK_ZSTD | BLOCK_ROLL)) || !f->n ||
		f->n > SERIES_BLOCK_BYTES || columns > BLOCK_COLUMNS || f->t0_ms < 0 ||
		f->step_ms < 0)
		return false;
	f->column_count = columns;
	size_t bytes = 0;
	for (size_t i = 0; i < columns; i++) {
		f->columns[i].type = code_byte(in);
		f->columns[i].codec = code_byte(in);
		const uint64_t n = code_varint(in);
		if (in->bad || n > SERIES_BLOCK_BYTES - bytes)
			return false;
		f->columns[i].n = n;
		bytes += n;
	}
	*ret_bytes = bytes;
	return true;
}

static bool unpack(struct slice packed, size_t n, struct buf *store)
{
	if (!n || ZSTD_getFrameContentSize(packed.p, packed.n) != n)
		return false;
	char *p = mem_alloc(n);
	const size_t got = ZSTD_decompress(p, n, packed.p, packed.n);
	const bool good = !ZSTD_isError(got) && got == n;
	if (good)
		buf_add(store, p, n);
	free(p);
	return good;
}

bool block_frame_read(
	struct slice bytes, struct block_frame *ret, struct buf *store, struct error *err)
{
	*ret = (struct block_frame){0};
	if (bytes.n < 8 || bytes.p[0] != MAGIC)
		return refuse(err, "that is none");
	struct code_in crc = code_in(bytes.p + bytes.n - 4, 4);
	if (code_word(&crc, 4) != block_crc(bytes.p, bytes.n - 4))
		return refuse(err, "that is corrupt: its checksum is another");
	if (bytes.p[1] != VERSION)
		return refuse(err, "that a newer glasshouse has written");
	struct code_in in = code_in(bytes.p + 2, bytes.n - 6);
	size_t n;
	if (!read_header(&in, ret, &n))
		return refuse(err, "with a header that makes no sense");
	const struct slice rest = slice_from((const char *)in.p, code_left(&in));
	if (ret->flags & BLOCK_ZSTD ? !unpack(rest, n, store) : rest.n != n)
		return refuse(err, "whose contents have another length");
	const uint8_t *p = (const uint8_t *)(ret->flags & BLOCK_ZSTD ? buf_str(store) : rest.p);
	for (size_t i = 0; i < ret->column_count; i++) {
		ret->columns[i].p = p;
		p += ret->columns[i].n;
	}
	return true;
}

const struct block_column *block_column(const struct block_frame *f, uint8_t type)
{
	for (size_t i = 0; i < f->column_count; i++)
		if (f->columns[i].type == type)
			return &f->columns[i];
	return NULL;
}

/* --- faults ------------------------------------------------------------------------------------
 */

unsigned block_fault_code(struct block_faults *f, enum fault fault)
{
	if (fault == FAULT_NONE)
		return 0;
	if (!f->code[fault]) {
		f->fault[f->n++] = fault;
		f->code[fault] = (uint8_t)f->n;
	}
	return f->code[fault];
}

void block_faults_write(struct buf *out, const struct block_faults *f)
{
	code_put_varint(out, f->n);
	for (size_t i = 0; i < f->n; i++) {
		const struct slice name = slice_of(fault_name(f->fault[i]));
		code_put_varint(out, name.n);
		buf_add_slice(out, name);
	}
}

bool block_faults_read(struct code_in *in, struct block_faults *f)
{
	const uint64_t n = code_varint(in);
	if (n >= FAULT_COUNT)
		in->bad = true;
	for (uint64_t i = 0; i < n && !in->bad; i++) {
		const uint64_t length = code_varint(in);
		const uint8_t *name = code_bytes(in, length);
		enum fault fault = FAULT_LOCAL;
		if (!name || (fault_parse(slice_from((const char *)name, length), &fault) &&
				     fault == FAULT_NONE)) {
			in->bad = true;
			return false;
		}
		f->fault[f->n++] = fault;
	}
	return !in->bad;
}

bool block_fault_of(const struct block_faults *f, uint64_t code, enum fault *ret)
{
	if (code > f->n)
		return false;
	*ret = code ? f->fault[code - 1] : FAULT_NONE;
	return true;
}
