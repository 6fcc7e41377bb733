/*
 * yaml_write.h - JSON values as YAML for people: blocks, quotes only where they are needed.
 *
 * yaml_parse() and yaml_json() read back the same value (keys up to 1024 bytes, which YAML itself
 * demands; texts without NUL). Thread: any.
 */
#ifndef TEXT_YAML_WRITE_H
#define TEXT_YAML_WRITE_H

#include <jansson.h>

#include "base/buf.h"

/* Appends a document; keys in order of insertion, lists of scalars on one line. */
void yaml_write(struct buf *out, const json_t *value);

#endif
