#include "deliver/sign.h"
#include "base/alloc.h"
#include "base/units.h"
#include "mail/dkim.h"
#include "mail/header.h"
#include "runtime/thread.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE_BYTES_MAX 8000   /* 4096 bits take 3,300 */
#define HERE_BYTES_MAX     262144 /* more would hold up the other fibers */

struct signer {
	struct dkim_signer dkim;
	char selector[256];
	const struct config_strings *senders;
	int64_t from_us, until_us;
};

struct signers {
	int references;
	const struct config *config; /* holds names and senders */
	struct signer *items;
	int count;
};

int signers_read_key(const char *path, struct dkim_key **key_out, struct err *err)
{
	char pem[KEY_FILE_BYTES_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, pem, sizeof pem);
	int result;

	if (length < 0)
		result = err_system(err, "DKIM key %s", path);
	else
		result = dkim_key_parse((struct bytes){ pem, (size_t)length }, path, key_out, err);
	if (fd >= 0)
		close(fd);
	explicit_bzero(pem, sizeof pem);
	return result;
}

/* "SELECTOR._domainkey.DOMAIN"; the configuration was checked. */
static void read_name(struct signer *signer, const char *name)
{
	const char *middle = "._domainkey.", *at = strcasestr(name, middle);
	size_t length = at ? (size_t)(at - name) : 0;

	length = MIN(length, sizeof signer->selector - 1);
	memcpy(signer->selector, name, length);
	signer->dkim.selector = signer->selector;
	signer->dkim.domain = at ? at + strlen(middle) : name;
}

static int read_signer(struct signer *signer, const struct config_dkim *config, struct err *err)
{
	struct dkim_key *key;
	int result = signers_read_key(config->key, &key, err);

	if (result < 0)
		return result;
	signer->dkim.key = key;
	read_name(signer, config->name);
	signer->senders = &config->senders;
	signer->from_us = INT64_MIN;
	signer->until_us = INT64_MAX;
	date_parse_day(bytes_of(config->from), &signer->from_us);
	date_parse_day(bytes_of(config->until), &signer->until_us);
	return 0;
}

int signers_read(const struct config *config, struct signers **signers_out, struct err *err)
{
	struct signers *signers = alloc_zeroed(sizeof *signers);

	signers->references = 1;
	signers->config = config_acquire(config);
	signers->items = alloc_zeroed((size_t)MAX(config->dkim_count, 1) * sizeof *signers->items);
	for (int i = 0; i < config->dkim_count; i++, signers->count++)
		if (read_signer(&signers->items[i], &config->dkim[i], err) < 0) {
			signers_release(signers);
			return err->code;
		}
	*signers_out = signers;
	return 0;
}

struct signers *signers_acquire(struct signers *signers)
{
	signers->references++;
	return signers;
}

void signers_release(struct signers *signers)
{
	if (!signers || --signers->references > 0)
		return;
	for (int i = 0; i < signers->count; i++)
		dkim_key_destroy((struct dkim_key *)(uintptr_t)signers->items[i].dkim.key);
	config_release(signers->config);
	alloc_free(signers->items);
	alloc_free(signers);
}

/* "example.com", "*.example.com" (what is below it), "*". */
static bool matches(struct bytes pattern, struct bytes domain)
{
	if (bytes_equal(pattern, BYTES_LITERAL("*")))
		return true;
	if (bytes_starts_with(pattern, BYTES_LITERAL("*.")))
		return bytes_ends_with_nocase(domain, bytes_from(pattern, 1));
	return bytes_equal_nocase(pattern, domain);
}

static bool signs(const struct signer *signer, struct bytes author, int64_t now_us)
{
	if (now_us < signer->from_us || now_us >= signer->until_us)
		return false;
	for (int i = 0; i < signer->senders->count; i++)
		if (matches(bytes_of(signer->senders->items[i]), author))
			return true;
	return signer->senders->count == 0 && matches(bytes_of(signer->dkim.domain), author);
}

static bool is_same_kind(const struct signer *a, const struct signer *b)
{
	return bytes_equal_nocase(bytes_of(a->dkim.domain), bytes_of(b->dkim.domain)) &&
	       dkim_key_algorithm(a->dkim.key) == dkim_key_algorithm(b->dkim.key);
}

/* Of those of the same kind the one that began last. */
static int add_chosen(const struct signer **chosen, int count, const struct signer *signer)
{
	for (int i = 0; i < count; i++) {
		if (!is_same_kind(chosen[i], signer))
			continue;
		if (signer->from_us > chosen[i]->from_us)
			chosen[i] = signer;
		return count;
	}
	if (count < SIGNATURES_MAX)
		chosen[count++] = signer;
	return count;
}

struct signing {
	const struct signer *chosen[SIGNATURES_MAX];
	int count;
	struct bytes content;
	int64_t time_s;
	struct buffer *out;
};

static void sign_all(void *arg)
{
	struct signing *signing = arg;

	for (int i = 0; i < signing->count; i++)
		dkim_sign(&signing->chosen[i]->dkim, signing->content, signing->time_s,
		          signing->out);
}

PARKS void signers_sign(struct signers *signers, struct bytes content, int64_t arrived_us,
                        int64_t now_us, struct buffer *out)
{
	struct signing signing = { .content = content,
		                   .time_s = arrived_us / US_PER_SECOND,
		                   .out = out };
	struct bytes author = signers->count == 0 ? (struct bytes){ 0 }
	                                          : dkim_author_domain(bytes_first(
							    content, header_length(content)));

	for (int i = 0; i < signers->count; i++)
		if (signs(&signers->items[i], author, now_us))
			signing.count = add_chosen(signing.chosen, signing.count,
			                           &signers->items[i]);
	if (content.len <= HERE_BYTES_MAX || signing.count == 0) {
		sign_all(&signing);
		return;
	}
	signers_acquire(signers); /* a reload may come meanwhile */
	work_run(sign_all, &signing);
	signers_release(signers);
}
