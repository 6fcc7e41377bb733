#include "../check.h"
#include "base/buf.h"
#include "import/shell.h"

/* Commands as text: sets, words, ? behind what is unknown. */
static void reads(const char *text, const char *expected)
{
	struct shell_script s;
	struct error err = {0};
	struct buf out = BUF(BUF_LINE);

	assert_true(shell_read(slice_of(text), "x", &s, &err));
	VEC_EACH (&s.commands, struct shell_command, c) {
		if (out.n)
			buf_add_char(&out, '\n');
		VEC_EACH (&c->sets, struct shell_set, set) {
			buf_printf(&out, "{%s=%s%s}", set->name, set->value.text,
				set->value.unknown ? "?" : "");
		}
		VEC_EACH (&c->words, struct shell_word, w) {
			buf_printf(&out, "[%s%s]", w->text, w->unknown ? "?" : "");
		}
	}
	assert_string_equal(buf_str(&out), expected);
	buf_fini(&out);
	shell_script_fini(&s);
}

static void test_words(void **state)
{
	(void)state;

	reads("", "");
	reads("a b  c", "[a][b][c]");
	reads("a 'b c' \"d 'e\" f\\ g ''", "[a][b c][d 'e][f g][]");
	reads("a\\\n  b", "[a][b]");
	reads("a#b # c\n#d\ne", "[a#b]\n[e]");
	reads("a; b && c || d & e | f", "[a]\n[b]\n[c]\n[d]\n[e]\n[f]");
	reads("a \"\\$x\\\"\\y\"", "[a][$x\"\\y]");
	reads("a >/dev/null 2>&1 <in b", "[a][b]");
	reads("a <<EOF\nnot me\nEOF\nb", "[a]\n[b]");
}

static void test_variables(void **state)
{
	(void)state;

	reads("A=1 B='x y' c $A", "{A=1}{B=x y}[c][1]");
	reads("A=1\nB=$A-2\nc ${B} \"$A$B\"", "{A=1}\n{B=1-2}\n[c][1-2][11-2]");
	reads("export A=1 B\nc $A", "[export][A=1][B]\n[c][1]");
	reads("c $X ${X:-d} ${X-e} ${#X}", "[c][$X?][d][e][${#X}?]");
	reads("A=x\nc ${A:-d} ${A%y}", "{A=x}\n[c][x][${A%y}?]");
	reads("A=$(date)\nc $A `ls b` $((1 + 2)) \"$@\"",
		"{A=$(date)?}\n[c][$A?][`ls b`?][$((1 + 2))?][$@?]");
	reads("c $1 $? a$ *.x", "[c][$1?][$??][a$][*.x?]");
	reads("c A=1", "[c][A=1]");
}

static void wrong(const char *text, const char *expected)
{
	struct shell_script s;
	struct error err = {0};
	char place[2 * ERROR_TEXT];

	assert_false(shell_read(slice_of(text), "x", &s, &err));
	assert_string_equal(error_text(&err, place, sizeof(place)), expected);
}

static void test_errors(void **state)
{
	(void)state;

	wrong("a\n  'b", "x:2:3: the quote that begins here has no end");
	wrong("a ${b", "x:1:5: the } that ends this is missing");
	wrong("a \xff", "x:1:1: expected a shell script: UTF-8 text of at most 1 MiB");
}

static void test_places(void **state)
{
	struct shell_script s;
	struct error err = {0};
	(void)state;

	assert_true(shell_read(SLICE("\n\xc3\xa4 b\\\n c"), "x", &s, &err));
	assert_int_equal(s.commands.n, 1);
	assert_int_equal(s.commands.p[0].line, 2);
	assert_int_equal(s.commands.p[0].words.p[1].col, 3);
	assert_int_equal(s.commands.p[0].words.p[2].line, 3);
	assert_int_equal(s.commands.p[0].words.p[2].col, 2);
	shell_script_fini(&s);
}

int test_shell(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests_name("import/shell", tests, NULL, NULL);
}
