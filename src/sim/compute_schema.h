/*
 * compute_schema.h - checks request bodies as nova's JSON schemas do, with the same words.
 *
 * A body is a table of fields with the microversions in which they are known. The first error is
 * answered, in the order in which nova looks: fields in the order of the table, what is missing,
 * what is unknown. Thread: the loop's.
 */
#ifndef SIM_COMPUTE_SCHEMA_H
#define SIM_COMPUTE_SCHEMA_H

#include "sim/call.h"

enum field_type {
	FIELD_ANY,
	FIELD_TEXT,
	FIELD_NAME, /* 1 to 255 printable characters, no space at the ends */
	FIELD_KEYPAIR_NAME,
	FIELD_BOOL,  /* also the words that nova takes for one */
	FIELD_COUNT, /* from 1 on; also as text */
	FIELD_SIZE,  /* the same, from 0 on */
	FIELD_INDEX, /* a whole number, also as text, or null */
	FIELD_UUID,
	FIELD_UUID_OR_EMPTY,
	FIELD_UUID_OR_NULL,
	FIELD_IP,
	FIELD_BASE64,
	FIELD_METADATA,
	FIELD_TAG,
	FIELD_TAGS,
	FIELD_WORD, /* one of `words` */
	FIELD_REF,  /* a flavor: text or number */
	FIELD_HOSTNAME,
	FIELD_DEVICE,
	FIELD_OBJECT,
	FIELD_MAP,     /* an object of anything */
	FIELD_OBJECTS, /* a list of objects */
	FIELD_WORDS_OR_OBJECTS,
};

enum field_flags {
	FIELD_REQUIRED = 1,
	FIELD_NULL = 2, /* or null */
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	int since, until;           /* microversions; 0: always, for ever */
	const char *words;          /* separated by spaces */
	const struct field *fields; /* of objects */
	size_t n;
	size_t max; /* longest text, 0: 255 */
};

/* Whether the body is what the table says; false after a 400. */
bool schema_check(struct call *c, const struct field *fields, size_t n);
/* A value as Python writes it, for messages. */
void schema_repr(struct buf *out, const json_t *v);

#endif
