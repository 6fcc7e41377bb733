/*
 * compute_body.c - what the bodies of nova's requests may say, by microversion.
 */

#include "sim/compute_body.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_schema.h"

#define USER_DATA_MAX 65535

#define FIELDS(table) .fields = (table), .n = array_len(table)

static const struct schema_field network_fields[] = {
	{"fixed_ip", SCHEMA_IP},
	{"port", SCHEMA_UUID_OR_NULL},
	{"uuid", SCHEMA_TEXT, .until = 36},
	{"uuid", SCHEMA_UUID, .since = 37},
	{"tag", SCHEMA_TAG, .since = 32, .until = 36},
	{"tag", SCHEMA_TAG, .since = 42},
};

static const struct schema_field device_fields[] = {
	{"virtual_name", SCHEMA_TEXT},
	{"volume_id", SCHEMA_UUID},
	{"snapshot_id", SCHEMA_UUID},
	{"volume_size", SCHEMA_SIZE},
	{"device_name", SCHEMA_TEXT},
	{"delete_on_termination", SCHEMA_BOOL},
	{"no_device", SCHEMA_ANY},
	{"connection_info", SCHEMA_TEXT},
	{"source_type", SCHEMA_WORD, .words = "volume image snapshot blank"},
	{"uuid", SCHEMA_TEXT},
	{"image_id", SCHEMA_UUID},
	{"destination_type", SCHEMA_WORD, .words = "local volume"},
	{"guest_format", SCHEMA_TEXT},
	{"device_type", SCHEMA_TEXT},
	{"disk_bus", SCHEMA_TEXT},
	{"boot_index", SCHEMA_INDEX, SCHEMA_NULL},
	{"tag", SCHEMA_TAG, .since = 32, .until = 32},
	{"tag", SCHEMA_TAG, .since = 42},
	{"volume_type", SCHEMA_TEXT, SCHEMA_NULL, .since = 67},
};

static const struct schema_field group_name_fields[] = {
	{"name", SCHEMA_NAME},
};

static const struct schema_field server_fields[] = {
	{"name", SCHEMA_NAME, SCHEMA_REQUIRED},
	{"imageRef", SCHEMA_UUID_OR_EMPTY},
	{"flavorRef", SCHEMA_REF, SCHEMA_REQUIRED},
	{"adminPass", SCHEMA_TEXT},
	{"metadata", SCHEMA_METADATA},
	{"networks", SCHEMA_OBJECTS, .until = 36, FIELDS(network_fields)},
	{"networks", SCHEMA_WORDS_OR_OBJECTS, SCHEMA_REQUIRED, .since = 37, .words = "none auto",
		FIELDS(network_fields)},
	{"OS-DCF:diskConfig", SCHEMA_WORD, .words = "AUTO MANUAL"},
	{"accessIPv4", SCHEMA_IP},
	{"accessIPv6", SCHEMA_IP},
	{"personality", SCHEMA_ANY, .until = 56},
	{"availability_zone", SCHEMA_NAME},
	{"block_device_mapping", SCHEMA_OBJECTS, FIELDS(device_fields)},
	{"block_device_mapping_v2", SCHEMA_OBJECTS, FIELDS(device_fields)},
	{"config_drive", SCHEMA_BOOL},
	{"key_name", SCHEMA_NAME},
	{"min_count", SCHEMA_COUNT},
	{"max_count", SCHEMA_COUNT},
	{"return_reservation_id", SCHEMA_BOOL},
	{"security_groups", SCHEMA_OBJECTS, FIELDS(group_name_fields)},
	{"user_data", SCHEMA_BASE64},
	{"description", SCHEMA_TEXT, SCHEMA_NULL, .since = 19},
	{"tags", SCHEMA_TAGS, .since = 52},
	{"trusted_image_certificates", SCHEMA_ANY, .since = 63},
	{"host", SCHEMA_TEXT, .since = 74},
	{"hypervisor_hostname", SCHEMA_TEXT, .since = 74},
	{"hostname", SCHEMA_HOSTNAME, .since = 90},
};

static const struct schema_field server_body[] = {
	{"server", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(server_fields)},
	{"os:scheduler_hints", SCHEMA_MAP},
	{"OS-SCH-HNT:scheduler_hints", SCHEMA_MAP},
};

static const struct schema_field update_fields[] = {
	{"name", SCHEMA_NAME},
	{"OS-DCF:diskConfig", SCHEMA_WORD, .words = "AUTO MANUAL"},
	{"accessIPv4", SCHEMA_IP},
	{"accessIPv6", SCHEMA_IP},
	{"description", SCHEMA_TEXT, SCHEMA_NULL, .since = 19},
	{"hostname", SCHEMA_HOSTNAME, .since = 90},
};
static const struct schema_field update_body[] = {
	{"server", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(update_fields)},
};

static const struct schema_field rebuild_fields[] = {
	{"name", SCHEMA_NAME},
	{"imageRef", SCHEMA_UUID, SCHEMA_REQUIRED},
	{"adminPass", SCHEMA_TEXT},
	{"metadata", SCHEMA_METADATA},
	{"preserve_ephemeral", SCHEMA_BOOL},
	{"OS-DCF:diskConfig", SCHEMA_WORD, .words = "AUTO MANUAL"},
	{"accessIPv4", SCHEMA_IP},
	{"accessIPv6", SCHEMA_IP},
	{"personality", SCHEMA_ANY, .until = 56},
	{"description", SCHEMA_TEXT, SCHEMA_NULL, .since = 19},
	{"key_name", SCHEMA_NAME, SCHEMA_NULL, .since = 54},
	{"user_data", SCHEMA_BASE64, SCHEMA_NULL, .since = 57},
	{"trusted_image_certificates", SCHEMA_ANY, .since = 63},
	{"hostname", SCHEMA_HOSTNAME, .since = 90},
};
static const struct schema_field rebuild_body[] = {
	{"rebuild", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(rebuild_fields)},
};

static const struct schema_field reboot_fields[] = {
	{"type", SCHEMA_WORD, SCHEMA_REQUIRED, .words = "HARD Hard hard SOFT Soft soft"},
};
static const struct schema_field reboot_body[] = {
	{"reboot", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(reboot_fields)},
};

static const struct schema_field resize_fields[] = {
	{"flavorRef", SCHEMA_REF, SCHEMA_REQUIRED},
	{"OS-DCF:diskConfig", SCHEMA_WORD, .words = "AUTO MANUAL"},
};
static const struct schema_field resize_body[] = {
	{"resize", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(resize_fields)},
};

static const struct schema_field image_fields[] = {
	{"name", SCHEMA_NAME, SCHEMA_REQUIRED},
	{"metadata", SCHEMA_METADATA},
};
static const struct schema_field image_body[] = {
	{"createImage", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(image_fields)},
};

static const struct schema_field console_fields[] = {
	{"length", SCHEMA_INDEX, SCHEMA_NULL},
};
static const struct schema_field console_body[] = {
	{"os-getConsoleOutput", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(console_fields)},
};

static const struct schema_field lock_fields[] = {
	{"locked_reason", SCHEMA_TEXT},
};
static const struct schema_field lock_body[] = {
	{"lock", SCHEMA_ANY, SCHEMA_REQUIRED, .until = 72},
	{"lock", SCHEMA_OBJECT, SCHEMA_REQUIRED | SCHEMA_NULL, .since = 73, FIELDS(lock_fields)},
};

static const struct schema_field keypair_fields[] = {
	{"name", SCHEMA_KEYPAIR_NAME, SCHEMA_REQUIRED},
	{"type", SCHEMA_WORD, .since = 2, .words = "ssh x509"},
	{"public_key", SCHEMA_TEXT, .until = 91, .max = USER_DATA_MAX},
	{"public_key", SCHEMA_TEXT, SCHEMA_REQUIRED, .since = 92, .max = USER_DATA_MAX},
	{"user_id", SCHEMA_TEXT, .since = 10},
};
static const struct schema_field keypair_body[] = {
	{"keypair", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(keypair_fields)},
};

#define POLICIES "anti-affinity affinity soft-anti-affinity soft-affinity"
static const struct schema_field rules_fields[] = {
	{"max_server_per_host", SCHEMA_COUNT},
};
static const struct schema_field group_fields[] = {
	{"name", SCHEMA_NAME, SCHEMA_REQUIRED},
	{"policies", SCHEMA_ONE_OF_LIST, SCHEMA_REQUIRED, .until = 14,
		.words = "anti-affinity affinity"},
	{"policies", SCHEMA_ONE_OF_LIST, SCHEMA_REQUIRED, .since = 15, .until = 63,
		.words = POLICIES},
	{"policy", SCHEMA_WORD, SCHEMA_REQUIRED, .since = 64, .words = POLICIES},
	{"rules", SCHEMA_OBJECT, .since = 64, FIELDS(rules_fields)},
};
static const struct schema_field group_body[] = {
	{"server_group", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(group_fields)},
};

static const struct schema_field metadata_body[] = {
	{"metadata", SCHEMA_METADATA, SCHEMA_REQUIRED},
};
static const struct schema_field meta_body[] = {
	{"meta", SCHEMA_METADATA, SCHEMA_REQUIRED},
};
static const struct schema_field tags_body[] = {
	{"tags", SCHEMA_TAGS, SCHEMA_REQUIRED},
};

static const struct schema_field fixed_ip_fields[] = {
	{"ip_address", SCHEMA_IP, SCHEMA_REQUIRED},
};
static const struct schema_field interface_fields[] = {
	{"net_id", SCHEMA_UUID},
	{"port_id", SCHEMA_UUID},
	{"fixed_ips", SCHEMA_OBJECTS, FIELDS(fixed_ip_fields)},
	{"tag", SCHEMA_TAG, .since = 49},
};
static const struct schema_field interface_body[] = {
	{"interfaceAttachment", SCHEMA_OBJECT, FIELDS(interface_fields)},
};

static const struct schema_field attachment_fields[] = {
	{"volumeId", SCHEMA_UUID, SCHEMA_REQUIRED},
	{"device", SCHEMA_DEVICE, SCHEMA_NULL},
	{"tag", SCHEMA_TAG, .since = 49},
	{"delete_on_termination", SCHEMA_BOOL, .since = 79},
};
static const struct schema_field attachment_body[] = {
	{"volumeAttachment", SCHEMA_OBJECT, SCHEMA_REQUIRED, FIELDS(attachment_fields)},
};

#define CHECKED(c, table, wrapper)                                                                 \
	(schema_check(c, table, array_len(table)) ? json_object_get((c)->body, wrapper) : NULL)

json_t *body_server(struct call *c)
{
	return CHECKED(c, server_body, "server");
}

json_t *body_server_update(struct call *c)
{
	return CHECKED(c, update_body, "server");
}

json_t *body_rebuild(struct call *c)
{
	return CHECKED(c, rebuild_body, "rebuild");
}

json_t *body_reboot(struct call *c)
{
	return CHECKED(c, reboot_body, "reboot");
}

json_t *body_resize(struct call *c)
{
	return CHECKED(c, resize_body, "resize");
}

json_t *body_image(struct call *c)
{
	return CHECKED(c, image_body, "createImage");
}

json_t *body_console(struct call *c)
{
	return CHECKED(c, console_body, "os-getConsoleOutput");
}

bool body_lock(struct call *c)
{
	return CHECKED(c, lock_body, "lock") != NULL;
}

json_t *body_keypair(struct call *c)
{
	return CHECKED(c, keypair_body, "keypair");
}

json_t *body_group(struct call *c)
{
	return CHECKED(c, group_body, "server_group");
}

json_t *body_metadata(struct call *c)
{
	return CHECKED(c, metadata_body, "metadata");
}

json_t *body_meta(struct call *c)
{
	return CHECKED(c, meta_body, "meta");
}

json_t *body_tags(struct call *c)
{
	return CHECKED(c, tags_body, "tags");
}

json_t *body_interface(struct call *c)
{
	return CHECKED(c, interface_body, "interfaceAttachment");
}

json_t *body_attachment(struct call *c)
{
	return CHECKED(c, attachment_body, "volumeAttachment");
}

int64_t body_int(const json_t *in, const char *key, int64_t otherwise)
{
	const char *digits = json_str(in, key);

	return digits ? strtoll(digits, NULL, 10) : json_int(in, key, otherwise);
}

bool body_flag(const json_t *in, const char *key)
{
	static const char *const words[] = {"true", "1", "on", "yes"};
	const char *text = json_str(in, key);

	for (size_t i = 0; text && i < array_len(words); i++)
		if (!strcasecmp(words[i], text))
			return true;
	return json_flag(in, key);
}
