/* A notice for people: every address in it is weighed by how it stands there; the best are the
 * recipients, and what stands behind them until the next one is about them. */
#include "base/macros.h"
#include "codes/bounce_own.h"
#include "mail/header.h"
#include <string.h>

#define MENTIONS_MAX      1000
#define MENTIONS_EACH_MAX 6    /* looked at for one recipient */
#define REGION_BYTES_MAX  3000 /* about one recipient */
#define SCORE_LIKELY      4

enum form {
	FORM_SENTENCE, /* somewhere in a line */
	FORM_LABELLED, /* "Recipient: user@host" */
	FORM_REPLY,    /* "550 5.1.1 <user@host>... User unknown" */
	FORM_FIRST,    /* first in its line, words behind it */
	FORM_ALONE,    /* alone in its line, or as "<user@host>:" */
};

struct mention {
	struct bytes address;
	size_t line, start, end; /* offsets in the notice */
	enum form form;
	int score;
	enum bounce_action action; /* of the list it stands in */
};

/* Where the scan is. */
struct scan {
	struct letter *letter;
	bool is_list; /* recipients were announced */
	enum bounce_action action;
	struct bytes line; /* small letters */
	size_t line_at;
};

static bool is_hit(enum phrase kind, struct bytes lower)
{
	return phrase_find(kind, lower) >= 0;
}

static void read_announcement(struct scan *scan)
{
	if (scan->line.len > 400)
		return;
	if (is_hit(PHRASE_DELIVERED, scan->line))
		scan->action = BOUNCE_DELIVERED;
	else if (is_hit(PHRASE_FAILED, scan->line))
		scan->action = BOUNCE_FAILED;
	else if (is_hit(PHRASE_DELAYED, scan->line))
		scan->action = BOUNCE_DELAYED;
	else if (is_hit(PHRASE_LIST, scan->line) && scan->action == BOUNCE_DELIVERED)
		scan->action = BOUNCE_NO_ACTION;
	scan->is_list = scan->is_list || is_hit(PHRASE_LIST, scan->line) ||
	                scan->action != BOUNCE_NO_ACTION;
}

/* The text in front of the address without bullets, brackets and blanks. */
static struct bytes strip_front(struct bytes text)
{
	while (text.len > 0 && strchr(" \t<\"'([*->|", text.at[text.len - 1]))
		text.len--;
	while (text.len > 0 && strchr(" \t*->|", text.at[0]))
		text = bytes_from(text, 1);
	return text;
}

static bool is_number(struct bytes text)
{
	size_t digits = 0;

	while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9')
		digits++;
	return digits > 0 && digits + 1 >= text.len; /* "1." */
}

static bool begins_reply(struct bytes line)
{
	struct said said;

	while (line.len > 0 && strchr(" \t<>*", line.at[0]))
		line = bytes_from(line, 1);
	said_find(bytes_first(line, 12), &said);
	return (said.reply > 0 || said.class > 0) && said.start <= 1;
}

static enum form find_form(const struct scan *scan, struct bytes before, struct bytes after)
{
	struct bytes front = strip_front(before);

	after = bytes_trim(after);
	while (after.len > 0 && strchr(">\"')]", after.at[0]))
		after = bytes_trim(bytes_from(after, 1));
	if (front.len == 0 || is_number(front))
		return after.len == 0 || strchr(":.,;(", after.at[0]) ? FORM_ALONE : FORM_FIRST;
	if (phrase_ends(PHRASE_RECIPIENT, front))
		return FORM_LABELLED;
	if (begins_reply(scan->line))
		return FORM_REPLY;
	return FORM_SENTENCE;
}

static int score_address(const struct letter *letter, struct bytes address)
{
	static const char *const offices[] = { "postmaster@", "mailer-daemon@", "abuse@",
		                               "support@",    "helpdesk@",      "no-reply@",
		                               "noreply@",    "webmaster@",     "hostmaster@" };
	static const char *const own[] = { "From", "Sender", "Reply-To", "Message-ID", NULL };
	static const char *const to[] = { "To", "Delivered-To", "X-Original-To", NULL };
	static const char *const ids[] = { "Message-ID", "References", "In-Reply-To", NULL };
	int score = 0;

	if (letter_field_has(letter->original, ids, address))
		score -= 6;
	if (letter_field_has(letter->headers, own, address))
		score -= 4;
	for (size_t i = 0; i < COUNT(offices); i++)
		if (bytes_starts_with_nocase(address, bytes_of(offices[i])))
			score -= 3;
	if (letter_field_has(letter->original, letter_recipient_fields, address))
		score += 3; /* also somebody who wrote to himself */
	else if (letter_field_has(letter->headers, to, address) ||
	         letter_field_has(letter->original, letter_sender_fields, address))
		score -= 5;
	return score;
}

static int score_form(enum form form)
{
	static const int scores[] = { [FORM_SENTENCE] = 0,
		                      [FORM_LABELLED] = 4,
		                      [FORM_REPLY] = 4,
		                      [FORM_FIRST] = 3,
		                      [FORM_ALONE] = 4 };

	return scores[form];
}

static void weigh(const struct scan *scan, struct mention *mention)
{
	struct bytes before = bytes_first(scan->line, mention->start - scan->line_at);
	struct bytes after = bytes_from(scan->line, mention->end - scan->line_at);
	struct bytes front = strip_front(before);

	mention->form = find_form(scan, before, after);
	mention->action = scan->action;
	mention->score = score_form(mention->form) + score_address(scan->letter, mention->address);
	if (mention->form == FORM_SENTENCE && phrase_ends(PHRASE_NOT_RECIPIENT, front))
		mention->score -= 6;
	if (mention->form == FORM_LABELLED && phrase_ends(PHRASE_NOT_RECIPIENT, front) &&
	    !scan->is_list)
		mention->score -= 3;
	if (scan->is_list)
		mention->score += 2;
	if (is_hit(PHRASE_REASON, scan->line))
		mention->score += 2;
}

static void scan_line(struct scan *scan, struct bytes line)
{
	struct letter *letter = scan->letter;
	struct bytes rest = line, address;

	while (letter->mention_count < MENTIONS_MAX && letter_address_next(&rest, &address)) {
		struct mention *mention = &letter->mentions[letter->mention_count++];

		mention->address = address;
		mention->line = scan->line_at;
		mention->start = (size_t)(address.at - letter->notice.at);
		mention->end = mention->start + address.len;
		weigh(scan, mention);
	}
}

static void find_mentions(struct letter *letter)
{
	struct scan scan = { .letter = letter };
	struct bytes rest = letter->notice;

	if (letter->mentions)
		return;
	letter->mentions = arena_alloc(letter->arena, MENTIONS_MAX * sizeof *letter->mentions);
	while (rest.len > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		scan.line_at = (size_t)(line.at - letter->notice.at);
		scan.line = bytes_first(bytes_from(letter->lower, scan.line_at), line.len);
		read_announcement(&scan);
		scan_line(&scan, line);
	}
}

/* From the line of the mention to that of the next likely recipient. */
static struct bytes region_of(const struct letter *letter, const struct mention *mention)
{
	const struct mention *last = letter->mentions + letter->mention_count, *next = mention + 1;
	size_t end = letter->notice.len;

	while (next < last && (next->score < SCORE_LIKELY || next->line == mention->line ||
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
static struct bytes behind(const struct letter *letter, const struct mention *mention,
                           struct bytes region)
{
	struct bytes rest = bytes_from(region, mention->end - mention->line);

	(void)letter;
	while (rest.len > 0 && strchr(">:;,.\"') \t\n", rest.at[0]))
		rest = bytes_from(rest, 1);
	return paragraph(rest);
}

/* From the reply on. A lone status stands at the end of the words as often as in front of them:
 * its paragraph. */
static struct bytes from_code(struct bytes region, const struct said *said)
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
	return bytes_first(paragraph(bytes_from(region, start)), 1500);
}

/* The whole notice, where it names nobody else. */
static struct bytes about_all(const struct letter *letter, struct bytes address)
{
	struct said said;

	for (int i = 0; i < letter->mention_count; i++)
		if (letter->mentions[i].score >= SCORE_LIKELY &&
		    !bytes_equal_nocase(letter->mentions[i].address, address))
			return (struct bytes){ 0 };
	said_find(letter->notice, &said);
	if (said.score >= 3)
		return from_code(letter->notice, &said);
	return bytes_first(bytes_trim(letter->notice), REGION_BYTES_MAX);
}

struct bytes text_about(struct letter *letter, struct bytes address)
{
	struct bytes best = { 0 }, first = { 0 };
	int best_score = 0, seen = 0;
	struct said said;

	find_mentions(letter);
	for (int i = 0; i < letter->mention_count && seen < MENTIONS_EACH_MAX; i++) {
		struct mention *mention = &letter->mentions[i];
		struct bytes region;

		if (!bytes_equal_nocase(mention->address, address))
			continue;
		seen++;
		region = region_of(letter, mention);
		said_find(region, &said);
		if (said.score > best_score)
			best = from_code(region, &said);
		best_score = MAX(best_score, said.score);
		if (first.len == 0)
			first = behind(letter, mention, region);
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

static struct bytes lower_of(struct arena *arena, struct bytes text)
{
	char *copy = arena_alloc(arena, text.len + 1);

	for (size_t i = 0; i < text.len; i++)
		copy[i] = char_lower(text.at[i]);
	return (struct bytes){ copy, text.len };
}

static struct bytes one_line(struct arena *arena, struct bytes text)
{
	char *copy = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (!strchr(" \t\r\n", text.at[i]))
			copy[len++] = text.at[i];
		else if (len > 0 && copy[len - 1] != ' ')
			copy[len++] = ' ';
	}
	return bytes_trim((struct bytes){ copy, len });
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
	recipient->diagnostic = one_line(letter->arena, about);
	meaning_find(recipient, bytes_first(letter->notice, REGION_BYTES_MAX));
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
	int best = 0;
	bool is_listed = false;

	find_mentions(letter);
	for (int i = 0; i < letter->mention_count; i++) {
		best = MAX(best, letter->mentions[i].score);
		if (letter->mentions[i].score >= SCORE_LIKELY)
			is_listed = is_listed || letter->mentions[i].form >= FORM_FIRST;
	}
	for (int i = 0; i < letter->mention_count; i++) {
		const struct mention *mention = &letter->mentions[i];

		if (mention->score < SCORE_LIKELY || (is_listed && mention->form < FORM_FIRST))
			continue;
		if (mention->score < best - (mention->form == FORM_ALONE ? 6 : 3))
			continue;
		add_recipient(letter, bounce, mention->address,
		              mention->action != BOUNCE_NO_ACTION ? mention->action : action);
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

void text_read(struct letter *letter, struct bounce *bounce)
{
	struct bytes subject = lower_of(letter->arena, letter->subject), address;
	enum bounce_action action = default_action(letter, subject);

	add_failed_field(letter, bounce, action);
	if (bounce->count == 0)
		add_mentions(letter, bounce, action);
	if (bounce->count == 0 &&
	    (letter_field_address(letter->original, letter_recipient_fields, &address) ||
	     find_verp(letter, letter->arena, &address) || find_remaining(letter, &address)))
		add_recipient(letter, bounce, address, action);
}
