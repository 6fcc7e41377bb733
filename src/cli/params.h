/*
 * params.h - `--param name=value` of the command line. Thread: any.
 */
#ifndef CLI_PARAMS_H
#define CLI_PARAMS_H

#include <jansson.h>
#include <stdbool.h>

/* Reads "k=v" into `params`, v as a YAML value ("3", "[a, b]", "text"). Prints what is wrong. */
bool params_add(json_t *params, const char *text);

#endif
