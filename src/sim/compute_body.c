/*
 * compute_body.c - what the bodies of nova's requests may say, by microversion.
 */

#include <string.h>

#include "sim/compute.h"
#include "sim/compute_schema.h"

#define USER_DATA_MAX 65535

#define FIELDS(table) .fields = (table), .n = array_len(table)

static const struct field network_fields[] = {
	{"fixed_ip", FIELD_IP},
	{"port", FIELD_UUID_OR_NULL},
	{"uuid", FIELD_TEXT, .until = 36},
	{"uuid", FIELD_UUID, .since = 37},
	{"tag", FIELD_TAG, .since = 32, .until = 36},
	{"tag", FIELD_TAG, .since = 42},
};

static const struct field device_fields[] = {
	{"virtual_name", FIELD_TEXT},
	{"volume_id", FIELD_UUID},
	{"snapshot_id", FIELD_UUID},
	{"volume_size", FIELD_SIZE},
	{"device_name", FIELD_TEXT},
	{"delete_on_termination", FIELD_BOOL},
	{"no_device", FIELD_ANY},
	{"connection_info", FIELD_TEXT},
	{"source_type", FIELD_WORD, .words = "volume image snapshot blank"},
	{"uuid", FIELD_TEXT},
	{"image_id", FIELD_UUID},
	{"destination_type", FIELD_WORD, .words = "local volume"},
	{"guest_format", FIELD_TEXT},
	{"device_type", FIELD_TEXT},
	{"disk_bus", FIELD_TEXT},
	{"boot_index", FIELD_INDEX, FIELD_NULL},
	{"tag", FIELD_TAG, .since = 32, .until = 32},
	{"tag", FIELD_TAG, .since = 42},
	{"volume_type", FIELD_TEXT, FIELD_NULL, .since = 67},
};

static const struct field group_name_fields[] = {
	{"name", FIELD_NAME},
};

static const struct field server_fields[] = {
	{"name", FIELD_NAME, FIELD_REQUIRED},
	{"imageRef", FIELD_UUID_OR_EMPTY},
	{"flavorRef", FIELD_REF, FIELD_REQUIRED},
	{"adminPass", FIELD_TEXT},
	{"metadata", FIELD_METADATA},
	{"networks", FIELD_OBJECTS, .until = 36, FIELDS(network_fields)},
	{"networks", FIELD_WORDS_OR_OBJECTS, FIELD_REQUIRED, .since = 37, .words = "none auto",
		FIELDS(network_fields)},
	{"OS-DCF:diskConfig", FIELD_WORD, .words = "AUTO MANUAL"},
	{"accessIPv4", FIELD_IP},
	{"accessIPv6", FIELD_IP},
	{"personality", FIELD_ANY, .until = 56},
	{"availability_zone", FIELD_NAME},
	{"block_device_mapping", FIELD_OBJECTS, FIELDS(device_fields)},
	{"block_device_mapping_v2", FIELD_OBJECTS, FIELDS(device_fields)},
	{"config_drive", FIELD_BOOL},
	{"key_name", FIELD_NAME},
	{"min_count", FIELD_COUNT},
	{"max_count", FIELD_COUNT},
	{"return_reservation_id", FIELD_BOOL},
	{"security_groups", FIELD_OBJECTS, FIELDS(group_name_fields)},
	{"user_data", FIELD_BASE64},
	{"description", FIELD_TEXT, FIELD_NULL, .since = 19},
	{"tags", FIELD_TAGS, .since = 52},
	{"trusted_image_certificates", FIELD_ANY, .since = 63},
	{"host", FIELD_TEXT, .since = 74},
	{"hypervisor_hostname", FIELD_TEXT, .since = 74},
	{"hostname", FIELD_HOSTNAME, .since = 90},
};

static const struct field server_body[] = {
	{"server", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(server_fields)},
	{"os:scheduler_hints", FIELD_MAP},
	{"OS-SCH-HNT:scheduler_hints", FIELD_MAP},
};

static const struct field update_fields[] = {
	{"name", FIELD_NAME},
	{"OS-DCF:diskConfig", FIELD_WORD, .words = "AUTO MANUAL"},
	{"accessIPv4", FIELD_IP},
	{"accessIPv6", FIELD_IP},
	{"description", FIELD_TEXT, FIELD_NULL, .since = 19},
	{"hostname", FIELD_HOSTNAME, .since = 90},
};
static const struct field update_body[] = {
	{"server", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(update_fields)},
};

static const struct field rebuild_fields[] = {
	{"name", FIELD_NAME},
	{"imageRef", FIELD_UUID, FIELD_REQUIRED},
	{"adminPass", FIELD_TEXT},
	{"metadata", FIELD_METADATA},
	{"preserve_ephemeral", FIELD_BOOL},
	{"OS-DCF:diskConfig", FIELD_WORD, .words = "AUTO MANUAL"},
	{"accessIPv4", FIELD_IP},
	{"accessIPv6", FIELD_IP},
	{"personality", FIELD_ANY, .until = 56},
	{"description", FIELD_TEXT, FIELD_NULL, .since = 19},
	{"key_name", FIELD_NAME, FIELD_NULL, .since = 54},
	{"user_data", FIELD_BASE64, FIELD_NULL, .since = 57},
	{"trusted_image_certificates", FIELD_ANY, .since = 63},
	{"hostname", FIELD_HOSTNAME, .since = 90},
};
static const struct field rebuild_body[] = {
	{"rebuild", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(rebuild_fields)},
};

static const struct field reboot_fields[] = {
	{"type", FIELD_WORD, FIELD_REQUIRED, .words = "HARD Hard hard SOFT Soft soft"},
};
static const struct field reboot_body[] = {
	{"reboot", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(reboot_fields)},
};

static const struct field resize_fields[] = {
	{"flavorRef", FIELD_REF, FIELD_REQUIRED},
	{"OS-DCF:diskConfig", FIELD_WORD, .words = "AUTO MANUAL"},
};
static const struct field resize_body[] = {
	{"resize", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(resize_fields)},
};

static const struct field image_fields[] = {
	{"name", FIELD_NAME, FIELD_REQUIRED},
	{"metadata", FIELD_METADATA},
};
static const struct field image_body[] = {
	{"createImage", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(image_fields)},
};

static const struct field console_fields[] = {
	{"length", FIELD_INDEX, FIELD_NULL},
};
static const struct field console_body[] = {
	{"os-getConsoleOutput", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(console_fields)},
};

static const struct field lock_fields[] = {
	{"locked_reason", FIELD_TEXT},
};
static const struct field lock_body[] = {
	{"lock", FIELD_ANY, FIELD_REQUIRED, .until = 72},
	{"lock", FIELD_OBJECT, FIELD_REQUIRED | FIELD_NULL, .since = 73, FIELDS(lock_fields)},
};

static const struct field keypair_fields[] = {
	{"name", FIELD_KEYPAIR_NAME, FIELD_REQUIRED},
	{"type", FIELD_WORD, .since = 2, .words = "ssh x509"},
	{"public_key", FIELD_TEXT, .until = 91, .max = USER_DATA_MAX},
	{"public_key", FIELD_TEXT, FIELD_REQUIRED, .since = 92, .max = USER_DATA_MAX},
	{"user_id", FIELD_TEXT, .since = 10},
};
static const struct field keypair_body[] = {
	{"keypair", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(keypair_fields)},
};

static const struct field rules_fields[] = {
	{"max_server_per_host", FIELD_COUNT},
};
static const struct field group_fields[] = {
	{"name", FIELD_NAME, FIELD_REQUIRED},
	{"policies", FIELD_ANY, FIELD_REQUIRED, .until = 63},
	{"policy", FIELD_WORD, FIELD_REQUIRED, .since = 64,
		.words = "anti-affinity affinity soft-anti-affinity soft-affinity"},
	{"rules", FIELD_OBJECT, .since = 64, FIELDS(rules_fields)},
};
static const struct field group_body[] = {
	{"server_group", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(group_fields)},
};

static const struct field metadata_body[] = {
	{"metadata", FIELD_METADATA, FIELD_REQUIRED},
};
static const struct field meta_body[] = {
	{"meta", FIELD_METADATA, FIELD_REQUIRED},
};
static const struct field tags_body[] = {
	{"tags", FIELD_TAGS, FIELD_REQUIRED},
};

static const struct field fixed_ip_fields[] = {
	{"ip_address", FIELD_IP, FIELD_REQUIRED},
};
static const struct field interface_fields[] = {
	{"net_id", FIELD_UUID},
	{"port_id", FIELD_UUID},
	{"fixed_ips", FIELD_OBJECTS, FIELDS(fixed_ip_fields)},
	{"tag", FIELD_TAG, .since = 49},
};
static const struct field interface_body[] = {
	{"interfaceAttachment", FIELD_OBJECT, FIELDS(interface_fields)},
};

static const struct field attachment_fields[] = {
	{"volumeId", FIELD_UUID, FIELD_REQUIRED},
	{"device", FIELD_DEVICE, FIELD_NULL},
	{"tag", FIELD_TAG, .since = 49},
	{"delete_on_termination", FIELD_BOOL, .since = 79},
};
static const struct field attachment_body[] = {
	{"volumeAttachment", FIELD_OBJECT, FIELD_REQUIRED, FIELDS(attachment_fields)},
};

/* ------------------------------------------------------------------------------------------------
 */

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
