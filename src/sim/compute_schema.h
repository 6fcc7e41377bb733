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

enum schema_type {
	SCHEMA_ANY,
	SCHEMA_TEXT,
	SCHEMA_NAME, /* 1 to 255 printable characters, no space at the ends */
	SCHEMA_KEYPAIR_NAME,
	SCHEMA_BOOL,  /* also the words that nova takes for one */
	SCHEMA_COUNT, /* from 1 on; also as text */
	SCHEMA_SIZE,  /* the same, from 0 on */
	SCHEMA_INDEX, /* a whole number, also as text, or null */
	SCHEMA_UUID,
	SCHEMA_UUID_OR_EMPTY,
	SCHEMA_UUID_OR_NULL,
	SCHEMA_IP,
	SCHEMA_BASE64,
	SCHEMA_METADATA,
	SCHEMA_TAG,
	SCHEMA_TAGS,
	SCHEMA_WORD,        /* one of `words` */
	SCHEMA_ONE_OF_LIST, /* a list of just one of them */
	SCHEMA_REF,         /* a flavor: text or number */
	SCHEMA_HOSTNAME,
	SCHEMA_DEVICE,
	SCHEMA_OBJECT,
	SCHEMA_MAP,     /* an object of anything */
	SCHEMA_OBJECTS, /* a list of objects */
	SCHEMA_WORDS_OR_OBJECTS,
};

enum schema_flags {
	SCHEMA_REQUIRED = 1,
	SCHEMA_NULL = 2, /* or null */
};

struct schema_field {
	const char *name;
	enum schema_type type;
	unsigned flags;
	int since, until;                  /* microversions; 0: always, for ever */
	const char *words;                 /* separated by spaces */
	const struct schema_field *fields; /* of objects */
	size_t n;
	size_t max; /* longest text, 0: 255 */
};

/* Whether the body is what the table says; false after a 400. */
bool schema_check(struct call *c, const struct schema_field *fields, size_t n);

#endif
