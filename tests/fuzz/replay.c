/* tests/fuzz/replay.c - plays a folder of inputs to the harness that it is linked with, without a
 * fuzzer: every file whole, and cut after each of its bytes. */
#include "base/err.h"
#include "base/macros.h"
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of just that size, so that the sanitizers see a read behind its end. */
static void play(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + (size == 0));

	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int play_file(const char *path)
{
	static uint8_t data[INPUT_BYTES_MAX];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file)
		return ERR_SYSTEM;
	size = fread(data, 1, sizeof data, file);
	fclose(file);
	for (size_t i = 0; i <= size; i++)
		play(data, i);
	return 0;
}

int main(int argc, char **argv)
{
	char pattern[400];
	glob_t found;
	int failed = 0;

	snprintf(pattern, sizeof pattern, "%s/*", argc > 1 ? argv[1] : ".");
	if (glob(pattern, 0, NULL, &found) != 0) {
		printf("Bail out! no inputs are in %s\n", pattern);
		return 1;
	}
	printf("1..%zu\n", found.gl_pathc);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		bool is_good = play_file(found.gl_pathv[i]) == 0;

		printf("%sok %zu - %s\n", is_good ? "" : "not ", i + 1,
		       strrchr(found.gl_pathv[i], '/') + 1);
		failed += !is_good;
	}
	globfree(&found);
	return failed > 0;
}
