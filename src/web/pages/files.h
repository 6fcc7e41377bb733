/*
 * files.h - the files of web/, built into the program by tools/embed.c. Thread: any.
 */
#ifndef WEB_PAGES_FILES_H
#define WEB_PAGES_FILES_H

#include <stddef.h>

#include "base/slice.h"

struct web_file {
	const char *path; /* below web/: "templates/status.mustache" */
	struct slice plain;
	struct slice gzip, brotli; /* of what is served as it is; else, or not worth it: empty */
};

extern const struct web_file web_files[];
extern const size_t web_file_count;

/* By its path; NULL: there is none. Borrows for ever. */
const struct web_file *web_file_find(const char *path);

#endif
