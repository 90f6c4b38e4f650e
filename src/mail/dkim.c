#include "mail/dkim.h"
#include "mail/dkim_form.h"
#include "mail/header.h"
#include <openssl/evp.h>

#define LINE_LENGTH 72

/* What is signed if it is there, and what must not be added or doubled by others. */
enum cover {
	COVER,        /* each that is there */
	COVER_CLOSED, /* and, if there is one, no further one */
	COVER_SEALED, /* none can be added even where there was none */
};

static const struct {
	const char *name;
	enum cover cover;
} covered[] = {
	{ "from", COVER_SEALED },
	{ "reply-to", COVER_SEALED },
	{ "subject", COVER_SEALED },
	{ "to", COVER_SEALED },
	{ "cc", COVER_SEALED },
	/* Relays on the way may add these where they are missing. */
	{ "date", COVER_CLOSED },
	{ "message-id", COVER_CLOSED },
	{ "sender", COVER_CLOSED },
	{ "mime-version", COVER_CLOSED },
	{ "content-type", COVER_CLOSED },
	{ "content-transfer-encoding", COVER_CLOSED },
	{ "content-disposition", COVER },
	{ "content-id", COVER },
	{ "in-reply-to", COVER_CLOSED },
	{ "references", COVER_CLOSED },
	{ "auto-submitted", COVER },
	{ "list-id", COVER },
	{ "list-help", COVER },
	{ "list-subscribe", COVER },
	{ "list-unsubscribe", COVER_CLOSED }, /* RFC 8058 4 */
	{ "list-unsubscribe-post", COVER_CLOSED },
	{ "list-post", COVER },
	{ "list-owner", COVER },
	{ "list-archive", COVER },
	{ "feedback-id", COVER },
};

#define EACH_MAX (DKIM_NAMES_MAX / (int)COUNT(covered)) /* of one name */

static void append_names(struct bytes headers, struct buffer *out)
{
	const char *separator = "";

	for (size_t i = 0; i < COUNT(covered); i++) {
		int count = MIN(header_count(headers, bytes_of(covered[i].name)), EACH_MAX - 1);

		if (covered[i].cover == COVER_SEALED || (covered[i].cover == COVER_CLOSED && count))
			count++;
		for (; count > 0; count--) {
			buffer_printf(out, "%s%s", separator, covered[i].name);
			separator = ":";
		}
	}
}

/* Long values go on in the next line: at a colon, or anywhere in base64. */
static void append_folded(struct bytes text, bool is_base64, struct buffer *out)
{
	size_t column = 4;

	while (text.len > 0) {
		ptrdiff_t colon = bytes_find_char(text, ':');
		size_t count = colon < 0 ? text.len : (size_t)colon + 1;

		if (is_base64)
			count = MIN(text.len, LINE_LENGTH - column);
		if (column + count > LINE_LENGTH || (is_base64 && count == 0)) {
			buffer_append_text(out, "\r\n\t ");
			column = 2;
			continue;
		}
		buffer_append(out, bytes_first(text, count));
		text = bytes_from(text, count);
		column += count;
	}
}

static void append_base64(const uint8_t *data, size_t len, struct buffer *out)
{
	char *at = buffer_reserve(out, (len + 2) / 3 * 4 + 1);

	out->len += (size_t)EVP_EncodeBlock((unsigned char *)at, data, (int)len);
}

void dkim_sign(const struct dkim_signer *signer, struct bytes content, int64_t time_s,
               struct buffer *out)
{
	struct buffer names = { 0 }, signature = { 0 };
	uint8_t digest[DKIM_DIGEST_BYTES];
	struct bytes headers, body;
	size_t start = out->len;

	dkim_split(content, &headers, &body);
	append_names(headers, &names);
	buffer_printf(out,
	              "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n\td=%s; s=%s;\r\n"
	              "\tt=%lld;\r\n\th=",
	              dkim_algorithm_name(dkim_key_algorithm(signer->key)), signer->domain,
	              signer->selector, (long long)time_s);
	append_folded(buffer_bytes(&names), false, out);
	buffer_append_text(out, ";\r\n\tbh=");
	dkim_digest_body(body, DKIM_RELAXED, UINT64_MAX, digest);
	append_base64(digest, sizeof digest, out);
	buffer_append_text(out, ";\r\n\tb=");
	dkim_digest_fields(headers, buffer_bytes(&names), DKIM_RELAXED,
	                   bytes_from(buffer_bytes(out), start), digest);
	dkim_key_sign(signer->key, digest, &signature);
	append_folded(buffer_bytes(&signature), true, out);
	buffer_append_text(out, "\r\n");
	buffer_deinit(&names);
	buffer_deinit(&signature);
}
