/* A notice for people: the best of the addresses in it are the recipients, and what stands behind
 * them until the next one is about them. */
#include "base/macros.h"
#include "codes/bounce_own.h"
#include "mail/header.h"
#include <limits.h>
#include <string.h>

#define MENTIONS_EACH_MAX 6    /* looked at for one recipient */
#define REGION_BYTES_MAX  3000 /* about one recipient */

static bool is_hit(enum phrase kind, struct bytes lower)
{
	return phrase_find(kind, lower) >= 0;
}

/* From the line of the mention to that of the next likely recipient. */
static struct bytes region_of(const struct letter *letter, const struct mention *mention)
{
	const struct mention *last = letter->mentions + letter->mention_count, *next = mention + 1;
	size_t end = letter->notice.len;

	while (next < last && (!next->is_recipient || next->line == mention->line ||
	                       bytes_equal_nocase(next->address, mention->address)))
		next++;
	if (next < last)
		end = next->line;
	return bytes_first(bytes_from(bytes_first(letter->notice, end), mention->line),
	                   REGION_BYTES_MAX);
}

static struct bytes paragraph(struct bytes text)
{
	ptrdiff_t end;

	text = bytes_trim(text);
	end = bytes_find(text, BYTES_LITERAL("\n\n"));
	return end < 0 ? text : bytes_first(text, (size_t)end);
}

/* What stands behind the address, without the ">:" that closes it. */
static struct bytes behind(const struct mention *mention, struct bytes region)
{
	struct bytes rest = bytes_from(region, mention->end - mention->line);

	while (rest.len > 0 && strchr(">:;,.\"') \t\n", rest.at[0]))
		rest = bytes_from(rest, 1);
	return paragraph(rest);
}

/* Does the line itself go on about the address? */
static bool has_words(const struct mention *mention, struct bytes region)
{
	struct bytes rest = bytes_from(region, mention->end - mention->line);
	struct bytes line = bytes_split(&rest, '\n');

	return bytes_trim(line).len > 8;
}

static struct bytes server_words(const struct letter *letter, struct bytes text)
{
	struct bytes lower = bytes_from(letter->lower, (size_t)(text.at - letter->notice.at));
	ptrdiff_t end = phrase_find(PHRASE_TRAILER, bytes_first(lower, text.len));

	return end > 0 ? bytes_trim(bytes_first(text, (size_t)end)) : text;
}

/* From the reply on. A lone status stands at the end of the words as often as in front of them:
 * its paragraph. */
static struct bytes from_code(const struct letter *letter, struct bytes region,
                              const struct said *said)
{
	struct bytes front = bytes_first(region, said->start), line;
	size_t start = said->start;

	if (said->reply == 0) {
		while (start > 0 &&
		       !bytes_ends_with_nocase(bytes_first(front, start), BYTES_LITERAL("\n\n")))
			start--;
		line = bytes_first(bytes_from(region, start), said->start - start);
		/* not the line of the address itself */
		if (start == 0 && bytes_find_char(line, '\n') >= 0)
			start = (size_t)bytes_find_char(line, '\n') + 1;
	}
	return server_words(letter, bytes_first(paragraph(bytes_from(region, start)), 1500));
}

/* The whole notice, where it names nobody else. */
static struct bytes about_all(struct letter *letter, struct bytes address)
{
	for (int i = 0; i < letter->mention_count; i++)
		if (letter->mentions[i].is_recipient &&
		    !bytes_equal_nocase(letter->mentions[i].address, address))
			return (struct bytes){ 0 };
	if (!letter->said) { /* once, however many recipients ask */
		letter->said = arena_alloc(letter->arena, sizeof *letter->said);
		said_find(letter->notice, letter->said);
	}
	if (letter->said->score >= 3)
		return from_code(letter, letter->notice, letter->said);
	return bytes_first(bytes_trim(letter->notice), REGION_BYTES_MAX);
}

struct bytes text_about(struct letter *letter, struct bytes address)
{
	struct bytes best = { 0 }, first = { 0 };
	int best_score = 0, best_place = INT_MIN, place, seen = 0;
	struct said said;

	mentions_find(letter);
	for (int i = 0; i < letter->mention_count && seen < MENTIONS_EACH_MAX; i++) {
		struct mention *mention = &letter->mentions[i];
		struct bytes region;

		if (!bytes_equal_nocase(mention->address, address))
			continue;
		seen++;
		region = region_of(letter, mention);
		said_find(region, &said);
		if (said.score > best_score)
			best = from_code(letter, region, &said);
		best_score = MAX(best_score, said.score);
		place = mention->score + 3 * has_words(mention, region);
		if (place > best_place)
			first = behind(mention, region);
		best_place = MAX(best_place, place);
	}
	if (best_score >= 2)
		return best;
	best = about_all(letter, address);
	said_find(best, &said);
	return first.len > 12 && said.score < 2 ? first : best;
}

static enum bounce_action default_action(const struct letter *letter, struct bytes subject)
{
	if (is_hit(PHRASE_DELAY_SUBJECT, subject))
		return BOUNCE_DELAYED;
	if (is_hit(PHRASE_FAILED, letter->lower))
		return BOUNCE_FAILED;
	return is_hit(PHRASE_DELAYED, letter->lower) ? BOUNCE_DELAYED : BOUNCE_FAILED;
}

#define SAME_BYTES 30 /* that two quotations of a reply have in common */

/* "<<< 550-5.7.1 more words": sendmail quotes all lines of a reply only in the session. */
struct bytes text_transcript(struct letter *letter, struct bytes said)
{
	struct bytes rest = letter->notice, start = bytes_first(said, SAME_BYTES);
	struct buffer words = { .limit = REGION_BYTES_MAX };
	bool is_same = false;

	while (rest.len > 0 && start.len > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		if (!bytes_starts_with(line, BYTES_LITERAL("<<< "))) {
			is_same = false;
			continue;
		}
		line = bytes_from(line, 4);
		is_same = is_same || (words.len == 0 && bytes_starts_with(line, start));
		if (!is_same)
			continue;
		buffer_append(&words, line);
		buffer_append_char(&words, ' ');
	}
	if (words.len > said.len)
		said = arena_copy(letter->arena, buffer_bytes(&words));
	buffer_deinit(&words);
	return said;
}

static void add_recipient(struct letter *letter, struct bounce *bounce, struct bytes address,
                          enum bounce_action action)
{
	struct bounce_recipient *recipient;
	struct bytes about;
	struct said said;

	for (int i = 0; i < bounce->count; i++)
		if (bytes_equal_nocase(bounce->recipients[i].address, address))
			return;
	if (bounce->count == BOUNCE_RECIPIENTS_MAX) {
		bounce->is_cut = true;
		return;
	}
	recipient = &bounce->recipients[bounce->count++];
	recipient->address = address;
	recipient->action = action;
	about = text_about(letter, address);
	said_find(about, &said);
	recipient->reply = said.reply;
	recipient->class = said.class;
	recipient->subject = said.subject;
	recipient->detail = said.detail;
	about = text_transcript(letter, about);
	recipient->diagnostic = letter_line(letter->arena, about);
	meaning_find(recipient, bytes_first(letter->notice, REGION_BYTES_MAX), letter->subject);
}

/* X-Failed-Recipients: Exim and Gmail say it outright. */
static void add_failed_field(struct letter *letter, struct bounce *bounce,
                             enum bounce_action action)
{
	struct bytes headers = letter->headers, address;
	struct header_field field;

	while (header_next(&headers, &field))
		while (bytes_equal_nocase(field.name, BYTES_LITERAL("X-Failed-Recipients")) &&
		       letter_address_next(&field.value, &address))
			add_recipient(letter, bounce, address, action);
}

static void add_mentions(struct letter *letter, struct bounce *bounce, enum bounce_action action)
{
	mentions_find(letter);
	for (int i = 0; i < letter->mention_count; i++) {
		const struct mention *mention = &letter->mentions[i];

		if (mention->is_best)
			add_recipient(letter, bounce, mention->address,
			              mention->action != BOUNCE_NO_ACTION ? mention->action
			                                                  : action);
	}
}

/* "list-bounces+user=host.example@lists.example": the sender wrote the recipient into his own
 * address. */
static bool find_verp(const struct letter *letter, struct arena *arena, struct bytes *address_out)
{
	static const char *const to[] = { "Delivered-To", "X-Original-To", "To", NULL };
	struct bytes own, local, domain;
	ptrdiff_t equals, plus;

	if (!letter_field_address(letter->headers, to, &own))
		return false;
	local = bytes_first(own, (size_t)bytes_find_last_char(own, '@'));
	equals = bytes_find_last_char(local, '=');
	plus = MAX(bytes_find_char(local, '+'), bytes_find_char(local, '-'));
	if (equals < 0 || plus < 0 || plus > equals)
		return false;
	domain = bytes_from(local, (size_t)equals + 1);
	local = bytes_from(bytes_first(local, (size_t)equals), (size_t)plus + 1);
	if (local.len == 0 || bytes_find_char(domain, '.') <= 0)
		return false;
	*address_out = bytes_of(
		arena_printf(arena, "%.*s@%.*s", BYTES_FORMAT(local), BYTES_FORMAT(domain)));
	return true;
}

/* "DELIVERY FAILURE: User bob@host.example not listed" */
static bool find_in_subject(const struct letter *letter, struct bytes *address_out)
{
	struct bytes rest = letter->subject;

	return letter_address_next(&rest, address_out);
}

/* The best of what is left, if it is not the sender of the lost message or an office. */
static bool find_remaining(const struct letter *letter, struct bytes *address_out)
{
	int best = -3;

	for (int i = 0; i < letter->mention_count; i++) {
		if (letter->mentions[i].score < best)
			continue;
		best = letter->mentions[i].score + 1;
		*address_out = letter->mentions[i].address;
	}
	return best > -3;
}

/* A word alone in its line, as "<bob>" or "bob:"; empty if it is none. */
static struct bytes lone_word(struct bytes line)
{
	size_t letters = 0;

	line = bytes_trim(line);
	while (line.len > 0 && strchr("<\"'*", line.at[0]))
		line = bytes_from(line, 1);
	while (line.len > 0 && strchr(">\"':.,", line.at[line.len - 1]))
		line.len--;
	for (size_t i = 0; i < line.len; i++) {
		char c = char_lower(line.at[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("._-+", c))
			return (struct bytes){ 0 };
		letters += c >= 'a' && c <= 'z';
	}
	return letters > 1 && line.len <= 64 ? line : (struct bytes){ 0 };
}

/* A name without a domain, listed by a host about its own users. */
static bool find_local(const struct letter *letter, struct bytes *address_out)
{
	struct bytes rest = letter->lower, from = letter->from, host, name = { 0 };
	int lines_left = 0;

	if (!letter_address_next(&from, &host))
		return false;
	host = bytes_from(host, (size_t)bytes_find_last_char(host, '@'));
	while (rest.len > 0 && name.len == 0) {
		struct bytes line = bytes_split(&rest, '\n');

		if (lines_left-- > 0)
			name = lone_word(line);
		if (line.len < 400 && is_hit(PHRASE_LIST, line))
			lines_left = 5;
	}
	if (name.len == 0)
		return false;
	name = bytes_first(bytes_from(letter->notice, (size_t)(name.at - letter->lower.at)),
	                   name.len);
	*address_out = bytes_of(
		arena_printf(letter->arena, "%.*s%.*s", BYTES_FORMAT(name), BYTES_FORMAT(host)));
	return true;
}

static bool find_elsewhere(struct letter *letter, struct bytes *address_out)
{
	return letter_field_address(letter->original, letter_recipient_fields, address_out) ||
	       find_in_subject(letter, address_out) ||
	       find_verp(letter, letter->arena, address_out) || find_local(letter, address_out) ||
	       find_remaining(letter, address_out);
}

bool text_recipient(struct letter *letter, struct bytes *address_out)
{
	static const char *const failed[] = { "X-Failed-Recipients", NULL };
	int best = MENTION_LIKELY - 1;

	if (letter_field_address(letter->headers, failed, address_out))
		return true;
	mentions_find(letter);
	for (int i = 0; i < letter->mention_count; i++) {
		if (letter->mentions[i].score <= best)
			continue;
		best = letter->mentions[i].score;
		*address_out = letter->mentions[i].address;
	}
	return best >= MENTION_LIKELY || find_elsewhere(letter, address_out);
}

void text_read(struct letter *letter, struct bounce *bounce)
{
	struct bytes subject = letter_lower(letter->arena, letter->subject), address;
	enum bounce_action action = default_action(letter, subject);

	add_failed_field(letter, bounce, action);
	if (bounce->count == 0)
		add_mentions(letter, bounce, action);
	if (bounce->count == 0 && find_elsewhere(letter, &address))
		add_recipient(letter, bounce, address, action);
}
