/*
 * replay.c - runs a target over files and folders without libFuzzer, so that the corpus with every
 * input that once broke something is tried by any compiler, quickly.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "fuzz.h"

static unsigned long tried;

static void try_file(const char *path, size_t n)
{
	/* exactly as long as the input: one byte too far is seen */
	uint8_t *p = mem_alloc(n ? n : 1);
	FILE *f = fopen(path, "r");

	fuzz_hold(f && fread(p, 1, n, f) == n);
	fclose(f);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	tried++;
}

static void try_path(const char *path)
{
	struct dirent **names;
	struct stat st;
	int n;

	fuzz_hold(stat(path, &st) == 0);
	if (!S_ISDIR(st.st_mode)) {
		try_file(path, (size_t)st.st_size);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	fuzz_hold(n >= 0);
	for (int i = 0; i < n; i++) {
		char *below = mem_printf("%s/%s", path, names[i]->d_name);

		if (names[i]->d_name[0] != '.')
			try_path(below);
		free(below);
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		try_path(argv[i]);
	printf("%lu inputs\n", tried);
	return tried ? 0 : 1;
}
