/*
 * python.h - values as Python spells them: services quote them so in their messages, and take them
 * so in filters. Thread: any.
 */
#ifndef SIM_PYTHON_H
#define SIM_PYTHON_H

#include <jansson.h>

#include "base/buf.h"

/* Appends repr(value): {'a': [1, None, True, "it's"]} */
void python_repr(struct buf *out, const json_t *value);
/* Appends str(value): text without quotes, everything else as repr. */
void python_str(struct buf *out, const json_t *value);
/* Either as owned text, for a message. */
char *python_repr_text(const json_t *value);
char *python_str_text(const json_t *value);
/* As oslo takes one: 32 digits and letters to f, dashes wherever they please. */
bool python_is_uuid(const json_t *value);
/* A dictionary of texts in JSON or Python spelling, as ast.literal_eval() would read it. Returns
 * owned, or NULL when it is none. */
json_t *python_dict(const char *text);

#endif
