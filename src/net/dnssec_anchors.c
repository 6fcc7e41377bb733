/* dnssec_anchors.c - what is trusted from the start; see dnssec.h. */
#include "net/dnssec_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* False: what stands there is no record. */
static bool add(
	struct dnssec_anchors *a, ldns_rr *rr, ldns_status status, int line, struct error *err)
{
	if (status == LDNS_STATUS_SYNTAX_EMPTY || status == LDNS_STATUS_SYNTAX_TTL ||
		status == LDNS_STATUS_SYNTAX_ORIGIN)
		return true;
	if (status != LDNS_STATUS_OK) {
		error_set(err, ERROR_INPUT, "line %d of the trust anchor: %s", line,
			ldns_get_errorstr_by_id(status));
		return false;
	}
	if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DS &&
		ldns_rr_get_type(rr) != LDNS_RR_TYPE_DNSKEY) {
		error_set(err, ERROR_INPUT, "line %d of the trust anchor is no DS and no DNSKEY",
			line);
		ldns_rr_free(rr);
		return false;
	}
	ldns_rr_list_push_rr(a->records, rr);
	return true;
}

struct dnssec_anchors *dnssec_anchors_read(struct slice text, struct error *err)
{
	FILE *f = text.n ? fmemopen((void *)text.p, text.n, "r") : NULL;
	ldns_rdf *origin = NULL, *previous = NULL;
	bool good = true;
	int line = 0;

	if (!f) {
		error_set(err, ERROR_INPUT, "the trust anchor is empty");
		return NULL;
	}
	struct dnssec_anchors *a = mem_new(struct dnssec_anchors);
	a->records = ldns_rr_list_new();
	while (good && !feof(f)) {
		ldns_rr *rr = NULL;
		const ldns_status status =
			ldns_rr_new_frm_fp_l(&rr, f, NULL, &origin, &previous, &line);
		good = add(a, rr, status, line ? line : 1, err);
	}
	fclose(f);
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	if (good && ldns_rr_list_rr_count(a->records) > 0)
		return a;
	if (good)
		error_set(err, ERROR_INPUT, "there is no DS and no DNSKEY in the trust anchor");
	dnssec_anchors_free(a);
	return NULL;
}

struct dnssec_anchors *dnssec_anchors_load(const char *path, struct error *err)
{
	FILE *f = fopen(path, "re");

	if (!f) {
		error_set(err, ERROR_INPUT, "the trust anchor %.200s: %s", path, strerror(errno));
		return NULL;
	}
	char *text = mem_alloc(DNSSEC_ANCHORS_MAX + 1);
	const size_t n = fread(text, 1, DNSSEC_ANCHORS_MAX + 1, f);
	struct dnssec_anchors *a = NULL;
	if (n > DNSSEC_ANCHORS_MAX)
		error_set(err, ERROR_LIMIT, "the trust anchor %.200s is longer than %u bytes", path,
			DNSSEC_ANCHORS_MAX);
	else
		a = dnssec_anchors_read(slice_from(text, n), err);
	fclose(f);
	free(text);
	return a;
}

void dnssec_anchors_free(struct dnssec_anchors *a)
{
	if (!a)
		return;
	ldns_rr_list_deep_free(a->records);
	free(a);
}
