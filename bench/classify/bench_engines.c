/* What one look at a reply costs with each engine, over the patterns of the built-in rules: all in
 * one pass (Vectorscan), and one after the other (PCRE2 with JIT).
 *
 *     bench_engines REPLIES.txt        a reply on a line */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/alloc.h"
#include "base/assert.h"
#include "base/macros.h"
#include "codes/rules.h"
#include "codes/simplify.h"
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPLIES_MAX 2000
#define ROUNDS      30

static struct {
	size_t len;
	char text[SIMPLIFIED_MAX];
} replies[REPLIES_MAX];
static int reply_count;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void read_replies(const char *path)
{
	FILE *file = fopen(path, "re");
	static char line[8192];

	if (!file) {
		perror(path);
		exit(1);
	}
	while (reply_count < REPLIES_MAX && fgets(line, sizeof line, file)) {
		replies[reply_count].len = simplify_reply(bytes_of(line), atoi(line),
		                                          replies[reply_count].text);
		reply_count++;
	}
	fclose(file);
}

/* Runs `look` over all replies, several times; prints the quickest round, since other work on the
 * machine only ever adds. */
static void measure(const char *name, int rounds, void (*look)(void *with, struct bytes text),
                    void *with)
{
	int64_t best_ns = INT64_MAX;

	for (int round = 0; round < rounds; round++) {
		int64_t begin_ns = now_ns();

		for (int i = 0; i < reply_count; i++)
			look(with, (struct bytes){ replies[i].text, replies[i].len });
		best_ns = MIN(best_ns, now_ns() - begin_ns);
	}
	printf("%-28s %8.2f us a reply\n", name, (double)best_ns / reply_count / 1e3);
}

static void look_at_once(void *with, struct bytes text)
{
	uint8_t seen[RULES_MAX] = { 0 };

	scan_text(((struct rules *)with)->database, text, seen);
}

struct pcre {
	pcre2_code **codes;
	pcre2_match_data *data;
	int count;
};

static void look_in_turn(void *with, struct bytes text)
{
	struct pcre *pcre = with;

	for (int i = 0; i < pcre->count; i++)
		pcre2_jit_match(pcre->codes[i], (PCRE2_SPTR)text.at, text.len, 0, 0, pcre->data,
		                NULL);
}

static struct pcre compile_pcre(const struct rules *rules)
{
	struct pcre pcre = { .count = rules->pattern_count };
	int64_t begin_ns = now_ns();

	pcre.codes = alloc_zeroed((size_t)pcre.count * sizeof *pcre.codes);
	for (int i = 0; i < pcre.count; i++) {
		PCRE2_SIZE at;
		int error;

		pcre.codes[i] = pcre2_compile((PCRE2_SPTR)rules->patterns[i].expression,
		                              PCRE2_ZERO_TERMINATED, PCRE2_DOTALL, &error, &at,
		                              NULL);
		ASSERT(pcre.codes[i] && pcre2_jit_compile(pcre.codes[i], PCRE2_JIT_COMPLETE) == 0);
	}
	pcre.data = pcre2_match_data_create(1, NULL);
	printf("%-28s %8.0f ms to compile\n", "PCRE2 with JIT",
	       (double)(now_ns() - begin_ns) / 1e6);
	return pcre;
}

int main(int argc, char **argv)
{
	struct rules *rules;
	struct err err = { 0 };
	struct hs_database *database;
	struct pcre pcre;
	int64_t begin_ns;

	if (argc != 2 || rules_load(NULL, &rules, &err) < 0) {
		fprintf(stderr, "usage: bench_engines REPLIES.txt\n%s\n", err.text);
		return 2;
	}
	read_replies(argv[1]);
	printf("%d patterns, %d replies\n", rules->pattern_count, reply_count);
	begin_ns = now_ns();
	ASSERT(scan_compile(rules->patterns, rules->pattern_count, &database, &err) == 0);
	printf("%-28s %8.0f ms to compile\n", "Vectorscan", (double)(now_ns() - begin_ns) / 1e6);
	scan_destroy(database);
	begin_ns = now_ns();
	ASSERT(rules_load(NULL, &rules, &err) == 0);
	printf("%-28s %8.1f ms to load what the build compiled\n", "Vectorscan",
	       (double)(now_ns() - begin_ns) / 1e6);
	measure("Vectorscan, all patterns", ROUNDS, look_at_once, rules);
	pcre = compile_pcre(rules);
	measure("PCRE2 with JIT, all patterns", 3, look_in_turn, &pcre);
	return 0;
}
