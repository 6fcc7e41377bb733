/*
 * dns_check.c - what names, e-mail addresses and records must look like, and in which words they
 * are refused.
 */

#include <ctype.h>
#include <ldns/ldns.h>
#include <string.h>

#include "base/json.h"
#include "sim/dns.h"
#include "sim/python.h"

#define LABEL_MAX       63
#define DESCRIPTION_MAX 160
#define TTL_MAX         2147483647
#define RECORD_MAX_TEXT 4096
#define VALUE_ERROR     "a ValueError error with message "

/* --- names -------------------------------------------------------------------------------------
 */

static bool label_good(struct slice label)
{
	if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!isalnum((unsigned char)label.p[i]) && label.p[i] != '_' && label.p[i] != '-')
			return false;
	return true;
}

/* Labels, each with its dot; `star`: the first may be "*". */
static bool name_good(struct slice name, bool star)
{
	struct slice rest = slice_sub(name, 0, name.n ? name.n - 1 : 0), label;
	bool first = true, any = false;

	if (name.n == 0 || name.n > DNS_NAME_MAX - 1 || name.p[name.n - 1] != '.')
		return false;
	while (slice_next(&rest, '.', &label)) {
		if (!(star && first && slice_is(label, "*")) && !label_good(label))
			return false;
		first = false;
		any = true;
	}
	return any;
}

/* `what` and `kind` as the two kinds of names word it: "Domain", "Host name". */
static bool check_name(struct call *c, const json_t *value, const char *what, bool star)
{
	if (!value || json_is_null(value))
		return true;
	char *text = python_str_text(value);
	struct slice rest = slice_of(text), label;
	while (!call_answered(c) && slice_next(&rest, '.', &label))
		if (label.n > LABEL_MAX)
			dns_invalid(c, VALUE_ERROR "Host %.*s is too long", SLICE_ARG(label));
	if (call_answered(c))
		; /* said */
	else if (!slice_ends(slice_of(text), "."))
		dns_invalid(c, VALUE_ERROR "%s %s does not end with a dot", what, text);
	else if (!name_good(slice_of(text), star))
		dns_invalid(c, VALUE_ERROR "%s %s is invalid", what, text);
	free(text);
	return !call_answered(c);
}

bool dns_check_zone_name(struct call *c, const json_t *name)
{
	return check_name(c, name, "Domain", false);
}

bool dns_check_host_name(struct call *c, const json_t *name)
{
	return check_name(c, name, "Host name", true);
}

bool dns_check_email(struct call *c, const json_t *email)
{
	if (!email)
		return true;
	if (json_is_null(email)) {
		dns_invalid(c,
			"an AttributeError with message 'NoneType' object has no attribute "
			"'count'");
		return false;
	}
	char *text = python_str_text(email), *at = strchr(text, '@');
	if (!at || strchr(at + 1, '@')) {
		dns_invalid(c, VALUE_ERROR "%s is not an email", text);
	} else {
		char *name = mem_printf("%.*s.%s.", (int)(at - text), text, at + 1);
		if (!name_good(slice_of(name), false))
			dns_invalid(c, VALUE_ERROR "Email %s is invalid", text);
		free(name);
	}
	free(text);
	return !call_answered(c);
}

bool dns_check_common(struct call *c, const json_t *in)
{
	const json_t *ttl = json_object_get(in, "ttl");
	const char *description = json_str(in, "description");

	if (description && utf8_length(slice_of(description)) > DESCRIPTION_MAX) {
		dns_invalid(c, VALUE_ERROR "Value too long for description");
	} else if (json_is_string(ttl)) {
		char *text = python_repr_text(ttl);
		dns_invalid(c, VALUE_ERROR "invalid literal for int() with base 10: %s", text);
		free(text);
	} else if (json_is_integer(ttl) && json_integer_value(ttl) < 0) {
		dns_invalid(c, VALUE_ERROR "Value must be >= 0 for field ttl");
	} else if (json_is_integer(ttl) && json_integer_value(ttl) > TTL_MAX) {
		dns_invalid(c, VALUE_ERROR "Value too high for ttl");
	}
	return !call_answered(c);
}

/* --- records -----------------------------------------------------------------------------------
 */

static const char types[] = "A AAAA CNAME MX SRV TXT SPF NS PTR SSHFP SOA NAPTR CAA CERT";
/* Their data ends with a name, which the service wants whole. */
static const char ends_in_name[] = "CNAME MX SRV NS PTR";

static bool record_good(const char *type, const json_t *record)
{
	const char *data = json_string_value(record);
	ldns_rr *rr = NULL;

	if (!data || !*data || strlen(data) > RECORD_MAX_TEXT || strpbrk(data, "\r\n;()") ||
		(slice_in_words(slice_of(type), ends_in_name) && !slice_ends(slice_of(data), ".")))
		return false;
	char *line = mem_printf("name. 60 IN %s %s", type, data);
	const bool good = ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK;
	free(line);
	ldns_rr_free(rr);
	return good;
}

static bool known_type(struct call *c, const json_t *type)
{
	const char *name = json_string_value(type);

	if (name && *name && !strchr(name, ' ') && slice_in_words(slice_of(name), types))
		return true;
	char *text = type ? python_str_text(type) : mem_strdup("None");
	char *message = mem_printf("'%s' is not a valid record type", text);
	dns_invalid_at(c, json_pack("[s, s]", "recordset", "type"), message, "value",
		json_pack("[O?]", type));
	free(message);
	free(text);
	return false;
}

bool dns_check_records(struct call *c, const json_t *type, const json_t *records)
{
	const char *name = json_string_value(type);
	json_t *errors, *record;
	size_t i;

	if (records && !json_is_array(records)) {
		char *text = python_str_text(records);
		char *message = mem_printf("'%s' is not a valid list of records", text);
		dns_invalid_at(
			c, json_pack("[s]", "records"), message, "type", json_pack("[s]", "list"));
		free(message);
		free(text);
		return false;
	}
	if (!known_type(c, type))
		return false;
	errors = json_array();
	json_array_foreach (records, i, record) {
		if (record_good(name, record))
			continue;
		char *text = python_str_text(record);
		char *message = mem_printf("'%s' is not a '%s' Record", text, name);
		json_array_append_new(
			errors, json_pack("{s:[s, i], s:s, s:s, s:[s]}", "path", "records", (int)i,
					"message", message, "validator", "format",
					"validator_value", name));
		free(message);
		free(text);
	}
	if (json_array_size(errors) > 0)
		dns_invalid_list(c, errors);
	else
		json_decref(errors);
	return !call_answered(c);
}
