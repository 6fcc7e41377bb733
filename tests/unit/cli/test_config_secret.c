/* file:PATH and env:NAME: who may read them, credentials of systemd, what a secret may hold. */
#include "../check.h"

#include "configured.h"

#include <stdlib.h>
#include <sys/stat.h>

static struct config *with_token(const struct place *p, const char *from)
{
	char *text = mem_printf("alarms: [{webhook: \"http://h\", token: \"%s\"}]\n", from);

	place_put(p, "glasshouse.yaml", text);
	free(text);
	return configured_files(p);
}

static void put_mode(const struct place *p, const char *name, const char *text, mode_t mode)
{
	char *path = place_path(p, name);

	place_put(p, name, text);
	assert_int_equal(chmod(path, mode), 0);
	free(path);
}

static void reads(const struct place *p, const char *from, const char *value)
{
	struct error_list errors = {0};
	struct config *c = with_token(p, from);

	assert_null(c->alarms[0].alarm.token);
	assert_true(config_secrets(c, &errors));
	assert_string_equal(secret_reveal(c->alarms[0].alarm.token), value);
	assert_ptr_equal(c->alarms[0].alarm.token, c->alarms[0].token.value);
	config_free(c);
}

static void refuses(const struct place *p, const char *from, const char *expected)
{
	struct error_list errors = {0};
	struct config *c = with_token(p, from);

	assert_false(config_secrets(c, &errors));
	assert_int_equal(errors.n, 1);
	assert_int_equal(errors.p[0].line, 1);
	assert_int_equal(errors.p[0].col, 39);
	if (!strstr(errors.p[0].msg, expected))
		print_error("got: %s\n", errors.p[0].msg);
	assert_non_null(strstr(errors.p[0].msg, expected));
	assert_null(strstr(errors.p[0].msg, "hunter2"));
	assert_null(c->alarms[0].alarm.token);
	error_list_fini(&errors);
	config_free(c);
}

static void test_file(void **state)
{
	struct place *p = *state;
	char *path = place_path(p, "t"), *from = mem_printf("file:%s", path);

	put_mode(p, "t", "hunter2-long\n", 0600);
	reads(p, "file:t", "hunter2-long");
	reads(p, from, "hunter2-long");
	put_mode(p, "t", "hunter2", 0400);
	reads(p, "file:./t", "hunter2");
	put_mode(p, "t", "hunter2\n", 0640);
	refuses(p, "file:t", "others may read ");
	refuses(p, "file:t", ": chmod 600 ");
	put_mode(p, "t", "hunter2\nhunter2\n", 0600);
	refuses(p, "file:t", "holds more than one line");
	put_mode(p, "t", "\n", 0600);
	refuses(p, "file:t", "is empty");
	refuses(p, "file:absent", "No such file");
	refuses(p, "file:/dev/null", "is no file");
	free(path);
	free(from);
}

static void test_long(void **state)
{
	struct place *p = *state;
	struct buf text = BUF(BUF_PAGE);

	for (int i = 0; i < 4096; i++)
		buf_add_char(&text, 'x');
	put_mode(p, "t", buf_str(&text), 0600);
	reads(p, "file:t", buf_str(&text));
	buf_add_char(&text, 'x');
	put_mode(p, "t", buf_str(&text), 0600);
	refuses(p, "file:t", "longer than 4096 bytes");
	buf_fini(&text);
}

static void test_environment(void **state)
{
	struct place *p = *state;

	setenv("TEST_SECRET", "hunter2", 1);
	reads(p, "env:TEST_SECRET", "hunter2");
	setenv("TEST_SECRET", "", 1);
	refuses(p, "env:TEST_SECRET", "is empty");
	unsetenv("TEST_SECRET");
	refuses(p, "env:TEST_SECRET", "the environment has no TEST_SECRET");
}

static void test_credentials(void **state)
{
	struct place *p = *state;
	char *dir = place_path(p, "credentials");

	put_mode(p, "credentials/t", "of-systemd", 0440);
	put_mode(p, "t", "of-the-user", 0600);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	reads(p, "file:t", "of-systemd");
	reads(p, "file:./t", "of-the-user");
	unsetenv("CREDENTIALS_DIRECTORY");
	reads(p, "file:t", "of-the-user");
	free(dir);
}

static void test_all(void **state)
{
	struct place *p = *state;
	struct error_list errors = {0};

	setenv("TEST_SECRET", "hunter2", 1);
	place_put(p, "glasshouse.yaml",
		"listen: {token: \"env:TEST_SECRET\"}\n"
		"alarms: [{mail: a@b, server: {host: h, from: c@d, user: u, password: "
		"\"env:TEST_SECRET\"}}]\n");
	struct config *c = configured_files(p);
	assert_true(config_secrets(c, &errors));
	assert_true(config_secrets(c, &errors)); /* again is fine */
	assert_string_equal(secret_reveal(c->intake_token.value), "hunter2");
	assert_string_equal(secret_reveal(c->alarms[0].alarm.mail.password), "hunter2");
	char *text = shown(c);
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "env:TEST_SECRET"));
	free(text);
	config_free(c);
	unsetenv("TEST_SECRET");
}

int test_config_secret(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_long, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_environment, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_credentials, place_set_up, place_tear_down),
		cmocka_unit_test_setup_teardown(test_all, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests_name("config_secret", tests, NULL, NULL);
}
