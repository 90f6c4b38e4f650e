/* dkim: makes keys with their DNS records, and checks the signatures of a message. */
#include "mail/dkim.h"
#include "base/arena.h"
#include "base/units.h"
#include "check/asker_dns.h"
#include "cli/cli.h"
#include "config/config.h"
#include "mail/dkim_form.h"
#include "runtime/clock.h"
#include "runtime/fiber.h"
#include "runtime/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX    (256 << 20)
#define SIGNATURES_MAX    20
#define PATIENCE_US       (30 * US_PER_SECOND)
#define TXT_STRING_LENGTH 250 /* a TXT record's strings have at most 255 bytes */

/* keygen */

static int write_key(const char *path, struct bytes pem)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_written = fd >= 0 && write(fd, pem.at, pem.len) == (ssize_t)pem.len;

	if (!is_written)
		fprintf(stderr, "outlast: key %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return is_written ? 0 : 1;
}

static void print_key(const char *name, const char *path, struct bytes record)
{
	printf("The private key is in %s: let only the relay read it.\n\n"
	       "Publish this record:\n\n%s. IN TXT (",
	       path, name);
	while (record.len > 0) {
		printf(" \"%.*s\"", BYTES_FORMAT(bytes_first(record, TXT_STRING_LENGTH)));
		record = bytes_from(record, TXT_STRING_LENGTH);
	}
	printf(" )\n\nthen sign with it:\n\ndkim \"%s\" { key \"%s\"; }\n", name, path);
}

static void print_key_json(const char *name, const char *path, struct bytes record)
{
	json_t *all = json_pack("{s:s, s:s, s:s#}", "name", name, "key", path, "record", record.at,
	                        (int)record.len);

	cli_print_json(all);
	json_decref(all);
}

static int generate(const char *domain, const char *selector, enum dkim_algorithm algorithm,
                    bool is_json)
{
	struct dkim_key *key = dkim_key_generate(algorithm);
	struct buffer pem = { 0 }, record = { 0 };
	char name[600], path[600];
	int status;

	snprintf(name, sizeof name, "%.255s._domainkey.%.255s", selector, domain);
	snprintf(path, sizeof path, "%.255s.%.255s.pem", selector, domain);
	dkim_key_format_pem(key, &pem);
	dkim_key_format_record(key, &record);
	status = write_key(path, buffer_bytes(&pem));
	if (status == 0)
		(is_json ? print_key_json : print_key)(name, path, buffer_bytes(&record));
	explicit_bzero(pem.at, pem.len);
	buffer_deinit(&pem);
	buffer_deinit(&record);
	dkim_key_destroy(key);
	return status;
}

static bool is_name(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
		            *c))
			return false;
	return *text && *text != '.' && strlen(text) < 250;
}

static int keygen(int count, char **words, bool is_json)
{
	enum dkim_algorithm algorithm = DKIM_RSA_SHA256;

	if (count < 2 || count > 3)
		return cli_usage("dkim", "a domain and a selector are needed");
	if (!is_name(words[0]) || !is_name(words[1]))
		return cli_usage("dkim", "\"%s\" cannot stand in a name of the DNS",
		                 is_name(words[0]) ? words[1] : words[0]);
	if (count == 3 && strcmp(words[2], "ed25519") == 0)
		algorithm = DKIM_ED25519_SHA256;
	else if (count == 3 && strcmp(words[2], "rsa") != 0)
		return cli_usage("dkim", "\"%s\" is neither rsa nor ed25519", words[2]);
	return generate(words[0], words[1], algorithm, is_json);
}

/* check */

struct finding {
	struct dkim_signature signature;
	char problem[300]; /* "": it is right */
};

struct checking {
	struct asker_dns *dns;
	struct arena *arena;
	struct bytes content;
	struct finding findings[SIGNATURES_MAX];
	int count;
};

static struct dkim_key *find_key(struct checking *checking, struct finding *finding)
{
	const struct dkim_signature *signature = &finding->signature;
	struct asker asker = asker_dns_asker(checking->dns);
	struct asker_answer answer;
	struct dkim_key *key = NULL;
	struct err err = { 0 };
	const char *name = arena_printf(checking->arena, "%.*s._domainkey.%.*s",
	                                BYTES_FORMAT(signature->selector),
	                                BYTES_FORMAT(signature->domain));

	asker.ask(asker.arg, checking->arena, name, ASK_TXT, &answer);
	if (answer.status != DNS_FOUND) {
		snprintf(finding->problem, sizeof finding->problem, "no key: TXT %.200s: %s", name,
		         dns_status_name(answer.status));
		return NULL;
	}
	for (int i = 0; i < answer.count && !key; i++)
		if (dkim_key_parse_record(answer.records[i], &key, &err) < 0)
			key = NULL;
	if (!key)
		snprintf(finding->problem, sizeof finding->problem, "%.240s", err.text);
	return key;
}

static void check_one(struct checking *checking, struct finding *finding)
{
	const char *problem = finding->signature.problem;
	struct dkim_key *key = problem ? NULL : find_key(checking, finding);

	if (key)
		problem = dkim_check(&finding->signature, key, checking->content,
		                     clock_now_us() / US_PER_SECOND);
	if (problem)
		snprintf(finding->problem, sizeof finding->problem, "%s", problem);
	dkim_key_destroy(key);
}

static void run_check(void *arg)
{
	struct checking *checking = arg;

	asker_dns_watch(checking->dns);
	for (int i = 0; i < checking->count; i++)
		check_one(checking, &checking->findings[i]);
	asker_dns_unwatch(checking->dns);
	loop_stop(loop_current());
}

static int ask_and_check(struct checking *checking, const struct config *config)
{
	struct asker_dns_limits limits = { SIGNATURES_MAX, 1, clock_now_us() + PATIENCE_US };
	struct err err = { 0 };
	struct loop *loop;

	if (loop_create(&loop, &err) < 0 ||
	    asker_dns_open(config, &limits, &checking->dns, &err) < 0) {
		fprintf(stderr, "outlast: %s\n", err.text);
		return -1;
	}
	fiber_spawn(run_check, checking, "dkim");
	loop_run(loop);
	asker_dns_close(checking->dns);
	loop_destroy(loop);
	return 0;
}

static int print_findings(const struct checking *checking, bool is_json)
{
	json_t *all = json_array();
	int right = 0;

	for (int i = 0; i < checking->count; i++) {
		const struct finding *finding = &checking->findings[i];
		struct bytes domain = finding->signature.domain;
		struct bytes selector = finding->signature.selector;
		bool is_right = finding->problem[0] == '\0';

		right += is_right;
		json_array_append_new(all,
		                      json_pack("{s:s%, s:s%, s:b, s:s}", "domain",
		                                domain.at ? domain.at : "", domain.len, "selector",
		                                selector.at ? selector.at : "", selector.len,
		                                "valid", is_right, "problem", finding->problem));
		if (!is_json)
			printf("%s  d=%.*s s=%.*s%s%s\n", is_right ? "valid  " : "invalid",
			       BYTES_FORMAT(domain), BYTES_FORMAT(selector), is_right ? "" : ": ",
			       finding->problem);
	}
	if (is_json)
		cli_print_json(all);
	else if (checking->count == 0)
		printf("no signature\n");
	json_decref(all);
	return checking->count > 0 && right == checking->count ? 0 : 1;
}

/* A file on a Unix system often has lost its CRs; what was signed had them. */
static bool read_message(const char *path, struct buffer *out)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "r");
	int before = 0, c;

	out->limit = FILE_BYTES_MAX;
	while (file && (c = getc(file)) != EOF) {
		if (c == '\n' && before != '\r')
			buffer_append_char(out, '\r');
		buffer_append_char(out, (char)c);
		before = c;
	}
	if (!file || ferror(file) || out->is_over) {
		fprintf(stderr, "outlast: message %s: %s\n", path,
		        out->is_over ? "more than 256 MiB" : strerror(errno));
		out->is_over = true;
	}
	if (file && !is_stdin)
		fclose(file);
	return !out->is_over;
}

static struct config *read_config(const struct cli_options *options)
{
	struct buffer problems = { 0 };
	struct config *config = NULL;

	/* Without a relay on this machine its resolver will do. */
	if (options->config_path)
		config_load(options->config_path, &config, &problems);
	else
		config_parse("dkim", (struct bytes){ 0 }, &config, &problems);
	if (!config)
		fprintf(stderr, "%.*s", BYTES_FORMAT(buffer_bytes(&problems)));
	buffer_deinit(&problems);
	return config;
}

static int check(const struct cli_options *options, const char *path)
{
	struct checking checking = { .arena = arena_create(0) };
	struct buffer message = { 0 };
	struct config *config = read_config(options);
	struct bytes headers, body;
	int status = 2;

	if (!config || !read_message(path, &message))
		goto done;
	checking.content = buffer_bytes(&message);
	dkim_split(checking.content, &headers, &body);
	while (checking.count < SIGNATURES_MAX &&
	       dkim_signature_next(&headers, &checking.findings[checking.count].signature))
		checking.count++;
	if (ask_and_check(&checking, config) == 0)
		status = print_findings(&checking, options->is_json);
done:
	config_release(config);
	buffer_deinit(&message);
	arena_destroy(checking.arena);
	return status;
}

int cli_dkim(int argc, char **argv)
{
	struct cli_options options;
	int count;

	if (cli_parse(argc, argv, "", &options) < 0)
		return 2;
	count = argc - options.first;
	argv += options.first;
	if (count > 0 && strcmp(argv[0], "keygen") == 0)
		return keygen(count - 1, argv + 1, options.is_json);
	if (count == 2 && strcmp(argv[0], "check") == 0)
		return check(&options, argv[1]);
	return cli_usage("dkim", "keygen or check is needed");
}
