/* classify: replies on stdin, a line each; a line of JSON for each, in order. Both sides move whole
 * blocks; a line costs no allocation. */
#include "codes/classify.h"
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX   65536 /* of a longer line the beginning is classified */
#define BLOCK_BYTES      262144
#define RECORD_BYTES_MAX 1024 /* one line of output; names and advice are ours or checked */

struct filter {
	char in[BLOCK_BYTES], out[BLOCK_BYTES];
	size_t in_len, out_len;
	struct classify_memory *memory;
	bool is_skipping; /* the rest of a line that was too long */
};

static int flush(struct filter *filter)
{
	size_t done = 0;

	while (done < filter->out_len) {
		ssize_t wrote = write(STDOUT_FILENO, filter->out + done, filter->out_len - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0) {
			fprintf(stderr, "outlast: write: %s\n", strerror(errno));
			return ERR_SYSTEM;
		}
		done += (size_t)wrote;
	}
	filter->out_len = 0;
	return 0;
}

static void put(struct filter *filter, struct bytes text)
{
	text.len = MIN(text.len, sizeof filter->out - filter->out_len);
	memcpy(filter->out + filter->out_len, text.at, text.len);
	filter->out_len += text.len;
}

#define PUT(filter, text) put(filter, BYTES_LITERAL(text))

static void put_text(struct filter *filter, struct bytes label, const char *value)
{
	put(filter, label);
	put(filter, bytes_of(value));
}

static int put_classification(struct filter *filter, const struct classification *got)
{
	static const char *const scopes[] = { "recipient", "message", "site" };
	char hint[16];

	if (filter->out_len + RECORD_BYTES_MAX > sizeof filter->out && flush(filter) < 0)
		return ERR_SYSTEM;
	snprintf(hint, sizeof hint, "%d", got->hint_s);
	put_text(filter, BYTES_LITERAL("{\"category\":\""), got->category);
	put_text(filter, BYTES_LITERAL("\",\"cause\":\""), cause_name(got->cause));
	put_text(filter, BYTES_LITERAL("\",\"temporary\":"), got->is_temporary ? "true" : "false");
	put_text(filter, BYTES_LITERAL(",\"scope\":\""),
	         got->is_about_sender ? "sender" : scopes[got->scope]);
	put_text(filter, BYTES_LITERAL("\",\"hint_s\":"), hint);
	put_text(filter, BYTES_LITERAL(",\"provider\":\""), got->provider);
	put_text(filter, BYTES_LITERAL("\",\"rule\":\""), got->rule);
	put_text(filter, BYTES_LITERAL("\",\"advice\":\""), got->advice);
	PUT(filter, "\"}\n");
	return 0;
}

static int classify_one(struct filter *filter, struct bytes line)
{
	struct classification got;
	struct reply_codes codes;

	classify_line(line, filter->memory, &codes, &got);
	return put_classification(filter, &got);
}

/* All whole lines of the block; what is left of it moves to the front. */
static int classify_block(struct filter *filter)
{
	struct bytes rest = { filter->in, filter->in_len };
	ptrdiff_t end;

	while ((end = bytes_find_char(rest, '\n')) >= 0) {
		struct bytes line = bytes_first(rest, (size_t)end);

		rest = bytes_from(rest, (size_t)end + 1);
		if (!filter->is_skipping && classify_one(filter, line) < 0)
			return ERR_SYSTEM;
		filter->is_skipping = false;
	}
	if (rest.len > LINE_BYTES_MAX || filter->is_skipping) {
		if (!filter->is_skipping && classify_one(filter, rest) < 0)
			return ERR_SYSTEM;
		filter->is_skipping = true;
		rest.len = 0;
	}
	if (rest.len > 0)
		memmove(filter->in, rest.at, rest.len);
	filter->in_len = rest.len;
	return 0;
}

static int run(struct filter *filter)
{
	for (;;) {
		ssize_t got = read(STDIN_FILENO, filter->in + filter->in_len,
		                   sizeof filter->in - filter->in_len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fprintf(stderr, "outlast: read: %s\n", strerror(errno));
			return 1;
		}
		if (got == 0)
			break;
		filter->in_len += (size_t)got;
		if (classify_block(filter) < 0)
			return 1;
		/* Somebody may be waiting for the answer to what he has typed. */
		if (filter->in_len == 0 && (size_t)got < sizeof filter->in / 2 && flush(filter) < 0)
			return 1;
	}
	/* The last line may lack its end. */
	if (filter->in_len > 0 &&
	    classify_one(filter, (struct bytes){ filter->in, filter->in_len }) < 0)
		return 1;
	return flush(filter) < 0;
}

int cli_classify(int argc, char **argv)
{
	static struct filter filter;
	struct cli_options options;
	struct err err = { 0 };
	int status;

	if (cli_parse(argc, argv, "rules", &options) < 0)
		return 2;
	if (options.first < argc)
		return cli_usage(argv[0], "the replies are read from stdin, a line each");
	if (options.rules && classify_use_rules(options.rules, &err) < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
		return 1;
	}
	filter.memory = classify_memory_create();
	status = run(&filter);
	classify_memory_destroy(filter.memory);
	return status;
}
