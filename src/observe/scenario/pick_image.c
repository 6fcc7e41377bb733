/*
 * pick_image.c - what an image tells of itself: its user, its size.
 */

#include <string.h>

#include "observe/scenario/pick.h"

#define GIB ((int64_t)1 << 30)

/* The user that the distributions' own cloud images make. */
static const struct {
	const char *distro, *user;
} distros[] = {{"debian", "debian"}, {"ubuntu", "ubuntu"}, {"cirros", "cirros"},
	{"centos", "centos"}, {"fedora", "fedora"}, {"fedora-coreos", "core"}, {"flatcar", "core"},
	{"rocky", "rocky"}, {"rockylinux", "rocky"}, {"alma", "almalinux"},
	{"almalinux", "almalinux"}, {"rhel", "cloud-user"}, {"redhat", "cloud-user"},
	{"opensuse", "opensuse"}, {"sles", "sles"}, {"suse", "sles"}, {"sled", "sled"},
	{"arch", "arch"}, {"alpine", "alpine"}, {"freebsd", "freebsd"}, {"openeuler", "openeuler"},
	{"gardenlinux", "admin"}};

static const char *user_of_distro(struct slice word)
{
	for (size_t i = 0; i < array_len(distros); i++)
		if (slice_is_nocase(word, distros[i].distro))
			return distros[i].user;
	return NULL;
}

const char *pick_image_user(const json_t *image)
{
	static const char *const properties[] = {"os_admin_user", "image_original_user"};
	for (size_t i = 0; i < array_len(properties); i++) {
		const char *user = json_str(image, properties[i]);
		if (user && *user)
			return user;
	}
	const char *user = user_of_distro(slice_of(json_str(image, "os_distro")));
	if (user)
		return user;
	/* "Ubuntu 22.04", "debian-12-generic": up to the first sign that ends a word. */
	const struct slice name = slice_of(json_str(image, "name"));
	size_t n = 0;
	while (n < name.n && !strchr(" -_.", name.p[n]))
		n++;
	return user_of_distro(slice_sub(name, 0, n));
}

int64_t pick_image_gib(const json_t *image)
{
	const int64_t virtual_size = json_int(image, "virtual_size", 0);
	const int64_t size = virtual_size > 0 ? virtual_size : json_int(image, "size", 0);
	const int64_t min_disk = json_int(image, "min_disk", 0);
	int64_t gib = size > 0 ? (size + GIB - 1) / GIB : 1;
	if (gib < min_disk)
		gib = min_disk;
	return gib > 0 ? gib : 1;
}
