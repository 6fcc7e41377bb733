/*
 * fault.h - what went wrong in an observation. Data, not a program error; see fault.def.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

#include "base/slice.h"

enum fault {
#define FAULT(name, wire, whose, text) FAULT_##name,
#include "base/fault.def"
#undef FAULT
	FAULT_COUNT
};

enum fault_whose { WHOSE_NEITHER, WHOSE_CLOUD, WHOSE_OURS, WHOSE_CONFIG, WHOSE_QUOTA };

const char *fault_name(enum fault f); /* wire name */
const char *fault_text(enum fault f); /* sentence for people, no final stop */
enum fault_whose fault_whose(enum fault f);
const char *fault_whose_name(enum fault_whose w); /* "cloud" "ours" "configuration" "quota" */
bool fault_parse(struct slice wire, enum fault *ret_fault);
/* The fault of an HTTP status without further knowledge; NONE below 400. */
enum fault fault_of_status(int status);

#endif
