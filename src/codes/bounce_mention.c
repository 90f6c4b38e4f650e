/* The addresses in a notice, each weighed by how it stands there. */
#include "base/macros.h"
#include "codes/bounce_own.h"
#include "mail/header.h"
#include <string.h>

#define KNOWN_MAX  1000 /* addresses of header fields */
#define NEAR_BYTES 300

/* What the fields say of an address. */
enum role {
	ROLE_WRITER = 1,    /* wrote the notice */
	ROLE_READER = 2,    /* got it: the sender of the lost message */
	ROLE_RECIPIENT = 4, /* of the lost message */
	ROLE_SENDER = 8,    /* of the lost message */
	ROLE_ID = 16,       /* no address at all */
};

struct known {
	struct bytes address;
	unsigned int roles;
};

static bool is_hit(enum phrase kind, struct bytes lower)
{
	return phrase_find(kind, lower) >= 0;
}

/* Where the scan is. */
struct scan {
	struct letter *letter;
	bool is_list; /* recipients were announced */
	enum bounce_action action;
	struct bytes line; /* small letters */
	size_t line_at;
	struct known *known;
	int known_count;
	int owner_indent; /* of the line that began with an address, in this paragraph; -1 none */
};

static bool is_denied(struct bytes line)
{
	return bytes_find(line, BYTES_LITERAL("not ")) >= 0 ||
	       bytes_find(line, BYTES_LITERAL("n't ")) >= 0;
}

static void read_announcement(struct scan *scan)
{
	if (scan->line.len > 400)
		return;
	if (is_hit(PHRASE_DELIVERED, scan->line) && !is_denied(scan->line))
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
	return digits > 0 && digits < 3 && digits + 1 >= text.len; /* "1." */
}

static bool begins_reply(struct bytes line)
{
	struct said said;

	while (line.len > 0 && strchr(" \t<>*", line.at[0]))
		line = bytes_from(line, 1);
	said_find(bytes_first(line, 12), &said);
	return (said.reply > 0 || said.class > 0) && said.start <= 1;
}

static int indent_of(struct bytes line)
{
	size_t blanks = 0;

	while (blanks < line.len && strchr(" \t>", line.at[blanks]))
		blanks++;
	return blanks == line.len ? -1 : (int)blanks;
}

/* "To: ..." among other fields of the lost message: all its recipients, not only the failed. */
static bool is_summary(const struct scan *scan, struct bytes front)
{
	struct bytes lower = scan->letter->lower;
	size_t start = scan->line_at > NEAR_BYTES ? scan->line_at - NEAR_BYTES : 0;

	if (!bytes_equal(front, BYTES_LITERAL("to:")))
		return false;
	lower = bytes_from(bytes_first(lower, scan->line_at + NEAR_BYTES), start);
	return bytes_find(lower, BYTES_LITERAL("subject:")) >= 0 &&
	       (bytes_find(lower, BYTES_LITERAL("from:")) >= 0 ||
	        bytes_find(lower, BYTES_LITERAL("sent:")) >= 0 ||
	        bytes_find(lower, BYTES_LITERAL("date:")) >= 0);
}

static enum form find_form(const struct scan *scan, struct bytes before, struct bytes after)
{
	struct bytes front = strip_front(before);

	after = bytes_trim(after);
	while (after.len > 0 && strchr(">\"')]", after.at[0]))
		after = bytes_trim(bytes_from(after, 1));
	/* Deeper than the address above: words of the server about that one. */
	if (front.len == 0 && scan->owner_indent >= 0 && indent_of(scan->line) > scan->owner_indent)
		return FORM_SENTENCE;
	if (front.len == 0 || is_number(front))
		return after.len == 0 || strchr(":.,;(", after.at[0]) ? FORM_ALONE : FORM_FIRST;
	if (is_summary(scan, front))
		return FORM_SENTENCE;
	if (begins_reply(scan->line))
		return FORM_REPLY;
	return phrase_ends(PHRASE_RECIPIENT, front) ? FORM_LABELLED : FORM_SENTENCE;
}

static const char *const writer_fields[] = { "From", "Sender", "Reply-To", "Message-ID", NULL };
static const char *const reader_fields[] = { "To", "Delivered-To", "X-Original-To", NULL };
static const char *const id_fields[] = { "Message-ID", "References", "In-Reply-To", NULL };

static bool is_one_of(struct bytes name, const char *const *names)
{
	for (; *names; names++)
		if (bytes_equal_nocase(name, bytes_of(*names)))
			return true;
	return false;
}

static unsigned int roles_of(struct bytes name, bool is_outer)
{
	if (is_outer)
		return (is_one_of(name, writer_fields) ? ROLE_WRITER : 0u) |
		       (is_one_of(name, reader_fields) ? ROLE_READER : 0u);
	return (is_one_of(name, letter_recipient_fields) ? ROLE_RECIPIENT : 0u) |
	       (is_one_of(name, letter_sender_fields) ? ROLE_SENDER : 0u) |
	       (is_one_of(name, id_fields) ? ROLE_ID : 0u);
}

static void learn(struct scan *scan, struct bytes headers, bool is_outer)
{
	struct header_field field;
	struct bytes address;

	while (scan->known_count < KNOWN_MAX && header_next(&headers, &field)) {
		unsigned int roles = roles_of(field.name, is_outer);

		while (roles && scan->known_count < KNOWN_MAX &&
		       letter_address_next(&field.value, &address))
			scan->known[scan->known_count++] = (struct known){ address, roles };
	}
}

static unsigned int find_roles(const struct scan *scan, struct bytes address)
{
	unsigned int roles = 0;

	for (int i = 0; i < scan->known_count; i++)
		if (bytes_equal_nocase(scan->known[i].address, address))
			roles |= scan->known[i].roles;
	return roles;
}

static int score_address(const struct scan *scan, struct bytes address)
{
	static const char *const offices[] = { "postmaster@", "mailer-daemon@", "abuse@",
		                               "support@",    "helpdesk@",      "no-reply@",
		                               "noreply@",    "webmaster@",     "hostmaster@" };
	unsigned int roles = find_roles(scan, address);
	int score = 0;

	if (roles & ROLE_ID)
		score -= 6;
	if (roles & ROLE_WRITER)
		score -= 4;
	for (size_t i = 0; i < COUNT(offices); i++)
		if (bytes_starts_with_nocase(address, bytes_of(offices[i])))
			score -= 3;
	if (roles & ROLE_RECIPIENT)
		score += 3; /* also somebody who wrote to himself */
	else if (roles & (ROLE_READER | ROLE_SENDER))
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

/* The line, as far as it can belong to the address: some notices are one long line. */
static struct bytes around(const struct scan *scan, const struct mention *mention)
{
	size_t start = mention->start - scan->line_at, end = mention->end - scan->line_at;

	start = start > NEAR_BYTES ? start - NEAR_BYTES : 0;
	return bytes_from(bytes_first(scan->line, end + NEAR_BYTES), start);
}

/* The sentence in front of the address, within its line. */
static struct bytes sentence(struct bytes before)
{
	size_t start = before.len;

	while (start > 0 &&
	       !(start > 1 && before.at[start - 1] == ' ' && strchr(".;!?", before.at[start - 2])))
		start--;
	return bytes_from(before, start);
}

/* "a@x.example; b@x.example": as the one before. */
static bool is_continued(const struct scan *scan, const struct mention *mention)
{
	struct bytes between;

	if (mention == scan->letter->mentions || mention[-1].line != mention->line)
		return false;
	between = bytes_from(bytes_first(scan->letter->lower, mention->start), mention[-1].end);
	while (between.len > 0 && strchr("<>,;()\"' \t", between.at[0]))
		between = bytes_from(between, 1);
	return between.len == 0 || bytes_equal(bytes_first(between, 4), BYTES_LITERAL("and "));
}

static void weigh(const struct scan *scan, struct mention *mention)
{
	struct bytes before = bytes_first(scan->line, mention->start - scan->line_at);
	struct bytes after = bytes_from(scan->line, mention->end - scan->line_at);
	struct bytes front = strip_front(before);

	mention->form = is_continued(scan, mention) ? mention[-1].form
	                                            : find_form(scan, before, after);
	mention->action = scan->action;
	mention->score = score_form(mention->form) + score_address(scan, mention->address);
	if ((mention->form == FORM_SENTENCE || mention->form == FORM_REPLY) &&
	    phrase_ends(PHRASE_NOT_RECIPIENT, front))
		mention->score -= 6;
	if (mention->form == FORM_LABELLED && phrase_ends(PHRASE_NOT_RECIPIENT, front) &&
	    !scan->is_list)
		mention->score -= 3;
	if (mention->form <= FORM_LABELLED && is_hit(PHRASE_CONTACT, sentence(front)))
		mention->score -= 4;
	if (scan->is_list)
		mention->score += 2;
	if (is_hit(PHRASE_REASON, around(scan, mention)))
		mention->score += 2;
}

static void scan_line(struct scan *scan, struct bytes line)
{
	struct letter *letter = scan->letter;
	struct bytes rest = line, address;

	while (letter->mention_count < BOUNCE_MENTIONS_MAX &&
	       letter_address_next(&rest, &address)) {
		struct mention *mention = &letter->mentions[letter->mention_count++];

		mention->address = address;
		mention->line = scan->line_at;
		mention->start = (size_t)(address.at - letter->notice.at);
		mention->end = mention->start + address.len;
		weigh(scan, mention);
		if (mention->form >= FORM_FIRST && scan->owner_indent < 0)
			scan->owner_indent = indent_of(scan->line);
	}
	letter->is_cut |= letter->mention_count == BOUNCE_MENTIONS_MAX;
}

/* The best kind of place wins: a list, a label, a reply, a sentence. Addresses that the reply
 * itself names are about the same recipient. */
static enum form best_form(const struct letter *letter)
{
	enum form best = FORM_SENTENCE;

	for (int i = 0; i < letter->mention_count; i++)
		if (letter->mentions[i].score >= MENTION_LIKELY)
			best = MAX(best, MIN(letter->mentions[i].form, FORM_FIRST));
	return best;
}

static void choose(struct letter *letter)
{
	enum form form = best_form(letter);
	int best = 0;

	for (int i = 0; i < letter->mention_count; i++)
		best = MAX(best, letter->mentions[i].score);
	for (int i = 0; i < letter->mention_count; i++) {
		struct mention *mention = &letter->mentions[i];

		mention->is_best = mention->score >= MENTION_LIKELY && mention->form >= form &&
		                   mention->score >= best - (form == FORM_FIRST ? 6 : 3);
		for (int n = 0; mention->is_best && n < letter->mention_count; n++)
			letter->mentions[n].is_recipient |= bytes_equal_nocase(
				letter->mentions[n].address, mention->address);
	}
}

void mentions_find(struct letter *letter)
{
	struct scan scan = { .letter = letter, .owner_indent = -1 };
	struct bytes rest = letter->notice;

	if (letter->mentions)
		return;
	letter->mentions = arena_alloc(letter->arena,
	                               BOUNCE_MENTIONS_MAX * sizeof *letter->mentions);
	scan.known = arena_alloc(letter->arena, KNOWN_MAX * sizeof *scan.known);
	learn(&scan, letter->headers, true);
	learn(&scan, letter->original, false);
	while (rest.len > 0) {
		struct bytes line = bytes_split(&rest, '\n');

		scan.line_at = (size_t)(line.at - letter->notice.at);
		scan.line = bytes_first(bytes_from(letter->lower, scan.line_at), line.len);
		if (indent_of(scan.line) < 0)
			scan.owner_indent = -1;
		read_announcement(&scan);
		scan_line(&scan, line);
	}
	choose(letter);
}
