/* blackbox_inside.h - between the files of the importer of blackbox_exporter. */
#ifndef IMPORT_BLACKBOX_INSIDE_H
#define IMPORT_BLACKBOX_INSIDE_H

#include "import/probe.h"

struct blackbox_module {
	const char *name;          /* borrowed of the document */
	struct import_probe probe; /* without a target; json NULL: there can be none of it */
	bool wanted;               /* a job of Prometheus asks with it */
};

struct blackbox {
	struct import *in;
	struct map wanted; /* names of modules; the values are of no meaning */
	VEC(struct blackbox_module) modules;
};

/* False (told): no probe can be made of it. */
bool blackbox_module(
	struct blackbox *b, const struct import_node *module, struct import_probe *ret);
/* What of tls_config the kind has: "http", "tcp", "grpc", "websocket". */
void blackbox_tls(struct import_probe *p, const struct import_node *config);
/* What cannot be carried where it is switched on; off is what happens here too. */
void blackbox_switches(struct import_probe *p, const struct import_node *options,
	const struct import_answer *table, size_t n);
/* "ip4" or "ip6", with a fallback to the other or without. */
void blackbox_family(struct import_probe *p, const struct import_node *options);
void blackbox_http(struct import_probe *p, const struct import_node *options);
/* A map of headers: texts, or maps of `values`, `secrets`, `files`. */
void blackbox_headers(struct import_probe *p, const struct import_node *headers);
/* authorization and bearer_token, as a header. */
void blackbox_authorization(struct import_probe *p, const struct import_node *options);
/* Lists of {expect, send, starttls} as `talk`. */
void blackbox_talk(struct import_probe *p, const struct import_node *list);
/* The jobs of a prometheus.yml: which modules they want, and then their targets. */
void blackbox_want(struct blackbox *b, const struct import_node *root);
void blackbox_jobs(struct blackbox *b, const struct import_node *root);

/* --- blackbox_relabel.c */
#define BLACKBOX_MODULE "http_2xx" /* what the exporter takes when none is said */
/* What the job makes of a target's address; owned. */
char *blackbox_relabelled(const struct import_node *job, const char *target);
/* The module by which targets with these labels are asked, if `first` is what the job's params say;
 * owned, or NULL: its rules do more than is followed here. */
char *blackbox_module_name(
	const struct import_node *job, const struct import_node *labels, const char *first);
void blackbox_tell_rules(struct blackbox *b, const struct import_node *job);
void blackbox_tell_labels(
	struct blackbox *b, const struct import_node *job, const struct import_node *group);

/* A probe of a module for a target; `name` is what it is to be called. NULL: told with `n`, if that
 * is not NULL, that it cannot be asked. */
bool blackbox_probe(struct blackbox *b, const struct blackbox_module *m, const char *target,
	const char *name, const struct import_node *n, struct import_probe *ret);

#endif
