/*
 * parcel.h - what an outpost sends at once: some seconds of its samples and observations, with what
 * they are called and a word of how it is.
 *
 * An item is a row of the tail (series_row.h) or a note (observation_code.h), each with its number;
 * numbers only grow. The head is a JSON object, which outposts.h describes. Sent as one zstd frame.
 * docs/formats/series.md has the bytes. Reading takes nothing but what the writer makes, and looks
 * into every item, so that what was read can be taken whole. Pure. Thread: one at a time.
 */
#ifndef STORE_PARCEL_H
#define STORE_PARCEL_H

#include <jansson.h>

#include "base/vec.h"
#include "store/series_row.h"

#define PARCEL_BYTES  (7u << 20) /* unpacked; also the most that may come packed */
#define PARCEL_HEAD   (1u << 20) /* of the JSON text */
#define PARCEL_ITEMS  20000
#define PARCEL_SERIES 100000

/* --- writing ---------------------------------------------------------------------------------- */

struct parcel_writer {
	struct buf items;
	VEC(uint32_t) ids; /* of the rows' series, in order of coming */
	size_t n;
	int64_t last_seq;
	uint64_t samples;
};

void parcel_writer_init(struct parcel_writer *w);
void parcel_writer_fini(struct parcel_writer *w);
/* `seq` over the one before. False: the item is corrupt, or the parcel is full; it is as before. */
bool parcel_writer_add(struct parcel_writer *w, int64_t seq, bool note, struct slice bytes);

struct parcel_name { /* of a series; tags: the text in braces, or "" */
	enum series_kind kind;
	const char *unit, *name, *tags;
};
/* Appends the parcel. `name` says what a series is called; false: it is not known, and the parcel
 * cannot be made. `out` over: too large. */
bool parcel_writer_finish(struct parcel_writer *w, struct slice head,
	bool (*name)(void *arg, uint32_t id, struct buf *out, struct error *err), void *arg,
	struct buf *out, struct error *err) must_check;
/* How many series they are of. */
size_t parcel_writer_series(struct parcel_writer *w);
/* What `name` appends. */
void parcel_name_write(struct buf *out, const struct parcel_name *name);

/* Appends it packed. */
void parcel_pack(struct slice plain, struct buf *out);
/* Appends it unpacked; false: it is not packed so, or too large. */
bool parcel_unpack(struct slice packed, struct buf *out, struct error *err) must_check;

/* --- reading ---------------------------------------------------------------------------------- */

struct parcel_series {
	uint32_t id; /* the outpost's */
	enum series_kind kind;
	const char *unit, *name;
	const struct series_tag *tags;
	size_t tag_count;
};

struct parcel_item {
	int64_t seq;
	bool note;
	struct slice bytes;
};

struct parcel {
	json_t *head;                     /* an object */
	VEC(struct parcel_series) series; /* by id */
	VEC(struct parcel_item) items;    /* by seq */
	VEC(struct series_tag) tags;
	char *bytes;
};

/* Copies. Returns owned. */
struct parcel *parcel_read(struct slice plain, struct error *err) must_check;
void parcel_free(struct parcel *p); /* NULL is fine */
/* Its place in `series`; SIZE_MAX: it is not there. */
size_t parcel_series_place(const struct parcel *p, uint32_t id);

#endif
