#include "smtp/extension.h"
#include "base/macros.h"

static const struct {
	const char *keyword;
	enum extension extension;
} known[] = {
	{ "PIPELINING", EXTENSION_PIPELINING },
	{ "8BITMIME", EXTENSION_8BITMIME },
	{ "SMTPUTF8", EXTENSION_SMTPUTF8 },
	{ "SIZE", EXTENSION_SIZE },
	{ "DSN", EXTENSION_DSN },
	{ "CHUNKING", EXTENSION_CHUNKING },
	{ "BINARYMIME", EXTENSION_BINARYMIME },
	{ "DELIVERBY", EXTENSION_DELIVERBY },
	{ "STARTTLS", EXTENSION_STARTTLS },
	{ "LIMITS", EXTENSION_LIMITS },
};

static struct bytes next_word(struct bytes *rest)
{
	*rest = bytes_trim(*rest);
	return bytes_split(rest, ' ');
}

/* RFC 9422 3: 1-6 digits, not zero; anything else is as if it had not been said. */
static void read_limit(struct bytes word, const char *name, uint32_t *value_out)
{
	struct bytes key = bytes_split(&word, '=');
	uint64_t value;

	if (!bytes_equal_nocase(key, bytes_of(name)) || word.len > 6)
		return;
	if (bytes_parse_u64(word, &value) && value > 0)
		*value_out = (uint32_t)value;
}

static void read_limits(struct bytes values, struct extensions *extensions)
{
	while (values.len > 0) {
		struct bytes word = next_word(&values);

		read_limit(word, "RCPTMAX", &extensions->recipients_max);
		read_limit(word, "MAILMAX", &extensions->messages_max);
	}
}

static void read_values(enum extension extension, struct bytes values,
                        struct extensions *extensions)
{
	uint64_t value = 0;

	if (extension == EXTENSION_LIMITS) {
		read_limits(values, extensions);
		return;
	}
	if (!bytes_parse_u64(next_word(&values), &value))
		return;
	if (extension == EXTENSION_SIZE)
		extensions->size_max = value;
	if (extension == EXTENSION_DELIVERBY && value <= 999999999)
		extensions->deliver_by_min_s = (uint32_t)value;
}

void extensions_read(const struct reply *reply, struct extensions *extensions_out)
{
	struct bytes rest = reply->text, line;

	*extensions_out = (struct extensions){ 0 };
	reply_line(&rest, &line); /* the greeting: the server's name, no keyword */
	while (reply_line(&rest, &line)) {
		struct bytes keyword = next_word(&line);

		for (size_t i = 0; i < COUNT(known); i++) {
			if (!bytes_equal_nocase(keyword, bytes_of(known[i].keyword)))
				continue;
			extensions_out->offered |= known[i].extension;
			read_values(known[i].extension, line, extensions_out);
		}
	}
}
