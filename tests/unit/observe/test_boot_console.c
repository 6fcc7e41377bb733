#include "../check.h"
#include "base/buf.h"
#include "observe/scenario/boot_console.h"

static void says(const char *log, enum boot_cause expected, const char *expected_line)
{
	struct slice line;

	assert_string_equal(boot_cause_name(boot_console_cause(slice_of(log), &line)),
		boot_cause_name(expected));
	assert_int_equal(line.n, strlen(expected_line));
	assert_memory_equal(line.p ? line.p : "", expected_line, line.n);
}

static void test_causes(void **state)
{
	(void)state;

	says("", BOOT_SILENT, "");
	says(" \n\n", BOOT_SILENT, "");
	says("[    0.0] Linux version 6.1\nhost login: ", BOOT_UNKNOWN, "");
	says("SeaBIOS (version 1.16)\nBooting from Hard Disk...\nNo bootable device.\n",
		BOOT_NO_DISK, "No bootable device.");
	says("[ 1.0] VFS: Unable to mount root fs on unknown-block(0,0)\n[ 1.1] Kernel panic - not "
	     "syncing: VFS\n",
		BOOT_NO_DISK, "[ 1.0] VFS: Unable to mount root fs on unknown-block(0,0)");
	says("[ 1.1] Kernel panic - not syncing: Attempted to kill init!", BOOT_PANIC,
		"[ 1.1] Kernel panic - not syncing: Attempted to kill init!");
	says("dhclient[300]: No DHCPOFFERS received.\n", BOOT_NO_DHCP,
		"dhclient[300]: No DHCPOFFERS received.");
	says("udhcpc: no lease, failing\nNo lease, failing\n", BOOT_NO_DHCP,
		"udhcpc: no lease, failing");
	says("cloud-init[4]: util.py[WARNING]: No active metadata service found\n",
		BOOT_NO_METADATA,
		"cloud-init[4]: util.py[WARNING]: No active metadata service found");
	says("failed 1/20: up 1.1. request failed\nfailed to get "
	     "http://169.254.169.254/2009-04-04/meta-data\n",
		BOOT_NO_METADATA, "failed to get http://169.254.169.254/2009-04-04/meta-data");
	says("W: Temporary failure resolving 'deb.debian.org'\n", BOOT_NO_DNS,
		"W: Temporary failure resolving 'deb.debian.org'");
	says("ci-info: no authorized SSH keys fingerprints found for user debian.\r\n", BOOT_NO_KEY,
		"ci-info: no authorized SSH keys fingerprints found for user debian.");
}

static void test_the_first_explains_the_rest(void **state)
{
	(void)state;

	says("no ssh key\nno metadata\neth0: no DHCP lease\n", BOOT_NO_DHCP, "eth0: no DHCP lease");
	says("no metadata\nno ssh key\n", BOOT_NO_METADATA, "no metadata");
}

static void test_only_the_last_boot(void **state)
{
	(void)state;

	says("[ 0.0] Linux version 6.1\nno metadata\n[ 0.0] Linux version 6.1\nfine\n",
		BOOT_UNKNOWN, "");
	says("[ 0.0] Linux version 6.1\nno metadata\nSeaBIOS (version 1)\nNo bootable device.\n",
		BOOT_NO_DISK, "No bootable device.");
	says("SeaBIOS (version 1)\n[ 0.0] Linux version 6.1\nno ssh key\n", BOOT_NO_KEY,
		"no ssh key");
}

static void test_limits(void **state)
{
	struct buf log = BUF(BUF_PAGE);
	(void)state;

	buf_add_str(&log, "no metadata\n");
	for (unsigned i = 0; i < BOOT_LOG_MAX; i++)
		buf_add_char(&log, 'x');
	says(buf_str(&log), BOOT_UNKNOWN, "");
	buf_clear(&log);
	buf_add_str(&log, "no dhcp lease ");
	for (unsigned i = 0; i < 1000; i++)
		buf_add_char(&log, 'y');
	struct slice line;
	assert_int_equal(boot_console_cause(buf_slice(&log), &line), BOOT_NO_DHCP);
	assert_int_equal(line.n, BOOT_LINE_MAX);
	buf_fini(&log);
}

int test_boot_console(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_the_first_explains_the_rest),
		cmocka_unit_test(test_only_the_last_boot),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("observe/boot_console", tests, NULL, NULL);
}
