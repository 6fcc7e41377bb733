/*
 * importer.h - reads the configuration of another program that observes, and makes ours of it.
 *
 * Each importer reads any number of YAML (or JSON) documents; each key and value of them has a
 * note in the report, so that nothing is lost without a word. A directory stands for all its
 * .yaml, .yml and .json files, by name, directories below included. Secrets found there are in
 * neither configuration nor report: they become references with a note of what to put there.
 * Limits: 200 files of 1 MiB, directories 8 deep, 10,000 probes. Thread: one at a time.
 */
#ifndef IMPORT_IMPORTER_H
#define IMPORT_IMPORTER_H

#include <jansson.h>

#include "base/error.h"
#include "base/slice.h"
#include "import/report.h"

#define IMPORT_FILES_MAX  200
#define IMPORT_PROBES_MAX 10000

struct importer;

struct import_made {       /* each NULL when there is nothing of it */
	json_t *config;    /* the keys of glasshouse.yaml */
	json_t *endpoints; /* the rows of a file of endpoints/ */
};

const struct importer *importer_find(const char *name); /* NULL: there is none */
const char *importer_name(const struct importer *i);
const char *importer_program(const struct importer *i); /* "Uptime Kuma" */

/* `targets` are what modules of blackbox are asked for, NULL-terminated; may be NULL. False with
 * every error found: a file that cannot be read, no document of that program. */
bool import_paths(const struct importer *i, const char *const *paths, size_t n,
	const char *const *targets, struct import_made *ret, struct import_report *report,
	struct error_list *errors) must_check;
/* The same of one text; `name` is what errors call it. */
bool import_text_of(const struct importer *i, struct slice text, const char *name,
	const char *const *targets, struct import_made *ret, struct import_report *report,
	struct error_list *errors) must_check;
void import_made_fini(struct import_made *m);

#endif
