/*
 * keys.h - configuration maps read through a table: name, type, place, limits, one-line help.
 *
 * One pass collects every error of a map: unknown keys (with "did you mean"), wrong types, values
 * outside their range, missing required keys. Thread: one at a time.
 */
#ifndef TEXT_KEYS_H
#define TEXT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/yaml.h"

enum key_type {
	KEY_TEXT,  /* char *, owned copy; numbers and booleans are taken as written */
	KEY_BOOL,  /* bool */
	KEY_INT,   /* int64_t, min..max */
	KEY_REAL,  /* double */
	KEY_TIME,  /* int64_t ns; needs a unit */
	KEY_SIZE,  /* int64_t bytes; needs a unit */
	KEY_WORD,  /* int, index into `words` */
	KEY_TEXTS, /* char **, NULL-terminated, owned; one text or a list of them */
	KEY_NODE,  /* const struct yaml *, borrowed; read by the caller */
	KEY_MAP,   /* as NODE, must be a map */
	KEY_LIST,  /* as NODE, must be a list */
};

struct key {
	const char *name;
	enum key_type type;
	size_t offset; /* of the field in the structure that is filled */
	bool required;
	int64_t min, max;         /* INT, TIME, SIZE: both 0 means no range; TEXT: max length */
	const char *const *words; /* WORD: NULL-terminated */
	const char *help;
};

/* Fills the fields whose keys are present, leaves the others (the caller sets defaults before).
 * `what` names the map in messages ("a cloud", "step net"). Returns false if it added errors. */
bool keys_read(const struct yaml *map, const char *file, const char *what, const struct key *table,
	size_t n, void *into, struct error_list *errors);
/* Frees the TEXT and TEXTS fields. */
void keys_release(const struct key *table, size_t n, void *from);

#endif
