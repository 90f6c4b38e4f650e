/* The codes of a refusal in free text. Digits are many; what tells a code is where it stands. */
#include "base/macros.h"
#include "codes/bounce_own.h"
#include <string.h>

#define SCORE_SURE 4

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return char_lower(c) >= 'a' && char_lower(c) <= 'z';
}

/* Up to three digits at `*at`; -1 if there are none or more. */
static int take_number(struct bytes text, size_t *at)
{
	size_t start = *at;
	int value = 0;

	while (*at < text.len && is_digit(text.at[*at]) && *at - start < 4)
		value = value * 10 + text.at[(*at)++] - '0';
	return *at == start || *at - start > 3 ? -1 : value;
}

/* "5.1.1" at `at`: its length, 0 if there is none. */
static size_t take_status(struct bytes text, size_t at, struct said *said)
{
	size_t start = at;
	int class = take_number(text, &at), subject, detail;

	if ((class != 2 && class != 4 && class != 5) || at - start != 1 || at == text.len ||
	    text.at[at++] != '.')
		return 0;
	subject = take_number(text, &at);
	if (subject < 0 || subject > 9 || at == text.len || text.at[at++] != '.')
		return 0;
	detail = take_number(text, &at);
	if (detail < 0 || (at < text.len && (is_letter(text.at[at]) || text.at[at] == '@')) ||
	    (at + 1 < text.len && text.at[at] == '.' && is_digit(text.at[at + 1])))
		return 0;
	said->class = class;
	said->subject = subject;
	said->detail = detail;
	return at - start;
}

bool said_parse_status(struct bytes text, struct said *said_out)
{
	*said_out = (struct said){ 0 };
	text = bytes_trim(text);
	if (take_status(text, 0, said_out) > 0)
		return true;
	/* "5.0.", "5.1": the writer lost the end. */
	if (text.len < 3 || !strchr("245", text.at[0]) || text.at[1] != '.' ||
	    !is_digit(text.at[2]) || (text.len > 3 && text.at[3] != '.'))
		return false;
	said_out->class = text.at[0] - '0';
	said_out->subject = text.at[2] - '0';
	return true;
}

/* May a code begin behind this character? */
static bool is_lead(char c)
{
	return strchr(" \t\n([{<\"'#:;,=>|*", c) != NULL || (c & 0x80);
}

/* What stands in front of a code, at the end of `before`; small letters do not count. */
static int lead_score(struct bytes before)
{
	static const char *const words[] = {
		"said",  "says",   "responded", "response", "returned", "replied",
		"reply", "answer", "error",     "code",     "status",   "reason",
		"was",   "smtp",   "refused",   "failure",  "failed",   "message",
		"<<<",   "err",    "delivery",  "rejected", "with",     "result",
	};
	bool is_colon = false, is_dash;
	size_t indent = before.len;

	while (indent > 0 && (before.at[indent - 1] == ' ' || before.at[indent - 1] == '\t'))
		indent--;
	if (indent == 0 || before.at[indent - 1] == '\n')
		return 3;
	is_dash = bytes_ends_with_nocase(before, BYTES_LITERAL(" - "));
	while (before.len > 0 && strchr(" \t\n\"'(#[:;<-=", before.at[before.len - 1])) {
		is_colon = is_colon || strchr(":;#[(<", before.at[before.len - 1]);
		if (before.at[before.len - 1] == '\n' && is_colon)
			break;
		before.len--;
	}
	for (size_t i = 0; i < COUNT(words); i++)
		if (bytes_ends_with_nocase(before, bytes_of(words[i])))
			return is_colon ? 4 : 3;
	return is_colon ? 3 : is_dash ? 2 : 0;
}

/* Numbers with these behind them are amounts. */
static bool is_amount(struct bytes after)
{
	static const char *const units[] = { "byte",   "kb",         "mb",  "days",  "hour",
		                             "minute", "sec",        "ms ", "mails", "messages",
		                             "users",  "recipients", "of ", "line",  "%" };

	after = bytes_trim(after);
	for (size_t i = 0; i < COUNT(units); i++)
		if (bytes_starts_with_nocase(after, bytes_of(units[i])))
			return true;
	return false;
}

static bool is_version(struct bytes before)
{
	static const char *const words[] = { "version", "release", "exim",     "postfix", " v",
		                             "build",   "smtpd",   "sendmail", "server" };

	before = bytes_trim(before);
	for (size_t i = 0; i < COUNT(words); i++)
		if (bytes_ends_with_nocase(before, bytes_of(words[i])))
			return true;
	return false;
}

/* Nothing but the end of the paragraph. */
static bool is_bare(struct bytes text, size_t at)
{
	while (at < text.len && strchr(" \t.>)]", text.at[at]))
		at++;
	return bytes_starts_with(bytes_from(text, at), BYTES_LITERAL("\n\n"));
}

/* Where an enhanced code may stand behind the basic one: on the next line, where a mailer wraps. */
static size_t skip_between(struct bytes text, size_t at)
{
	size_t end = MIN(text.len, at + 3);

	while (at < end && strchr(" -#([:", text.at[at]))
		at++;
	if (at < text.len && text.at[at] == '\n')
		for (at++, end = MIN(text.len, at + 12); at < end && text.at[at] == ' ';)
			at++;
	return at;
}

/* The basic code at `at`, with the enhanced one behind it. */
static bool read_reply(struct bytes text, size_t at, struct said *said)
{
	size_t start = at, behind, length;
	int code = take_number(text, &at);

	if (at - start != 3 || code < 400 || code > 559)
		return false;
	if (at < text.len && !strchr(" -\t\n:;,)]\"'.<>=(", text.at[at]))
		return false;
	if (at + 1 < text.len && text.at[at] == '.' && is_digit(text.at[at + 1]))
		return false;
	if (at + 1 < text.len && text.at[at] == '-' && is_letter(text.at[at + 1]) && start > 0 &&
	    text.at[start - 1] != '\n' && text.at[start - 1] != ' ')
		return false;
	*said = (struct said){ .reply = code, .start = start };
	said->score = lead_score(bytes_first(text, start));
	behind = skip_between(text, at);
	length = take_status(text, behind, said);
	at = length > 0 ? behind + length : at;
	if (length > 0) {
		/* "554 4.4.7": Exchange's way to give up. */
		said->score += said->class == code / 100 ? 4 : 2;
		if (said->class == 2)
			said->class = said->subject = said->detail = 0;
	} else if (is_amount(bytes_first(bytes_from(text, at), 20))) {
		said->score = 0;
	}
	/* "Status code: 550 5.1.10": the words stand elsewhere, perhaps with the code once more. */
	if (is_bare(text, at))
		said->score = MIN(said->score, SCORE_SURE - 1);
	return said->score > 0;
}

static bool read_status(struct bytes text, size_t at, struct said *said)
{
	struct bytes before = bytes_first(text, at);

	*said = (struct said){ .start = at };
	if (take_status(text, at, said) == 0 || said->class == 2 || is_version(before))
		return false;
	said->score = 1 + (lead_score(before) > 0);
	return true;
}

static bool has_status(const struct said *said)
{
	return said->class > 0;
}

/* Codes that stand apart are joined, if they are of one class: "550 ... (#5.1.1)". */
static void join(struct said *reply, const struct said *status)
{
	if (has_status(reply) || !has_status(status))
		return;
	if (reply->reply != 0 && reply->reply / 100 != status->class)
		return;
	reply->class = status->class;
	reply->subject = status->subject;
	reply->detail = status->detail;
	if (reply->reply == 0) {
		reply->score = status->score;
		reply->start = status->start;
	}
}

void said_find(struct bytes text, struct said *said_out)
{
	struct said best = { 0 }, status = { 0 }, here;

	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.at[i]) || (i > 0 && !is_lead(text.at[i - 1])))
			continue;
		/* The first that is beyond doubt: what it quotes comes behind it. */
		if (read_reply(text, i, &here) && best.score < SCORE_SURE &&
		    here.score > best.score)
			best = here;
		else if (read_status(text, i, &here) && here.score > status.score)
			status = here;
	}
	join(&best, &status);
	*said_out = best;
}
