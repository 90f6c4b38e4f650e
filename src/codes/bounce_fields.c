/* The recipients of a delivery status (RFC 3464 2; RFC 6533 3), as it is written in the wild. */
#include "base/macros.h"
#include "codes/bounce_own.h"
#include "mail/header.h"
#include <string.h>

/* The fields of one recipient. */
struct group {
	struct bytes final, original, action, status, diagnostic, retry_until;
};

static const struct {
	const char *name;
	size_t offset;
} names[] = {
	{ "Final-Recipient", offsetof(struct group, final) },
	{ "Original-Recipient", offsetof(struct group, original) },
	{ "X-Actual-Recipient", offsetof(struct group, original) },
	{ "Action", offsetof(struct group, action) },
	{ "Status", offsetof(struct group, status) },
	{ "Diagnostic-Code", offsetof(struct group, diagnostic) },
	{ "Will-Retry-Until", offsetof(struct group, retry_until) },
};

/* "failed (bad address)"; the beginnings of what is written there. */
static const struct {
	const char *word;
	enum bounce_action action;
} actions[] = {
	{ "fail", BOUNCE_FAILED },       { "delay", BOUNCE_DELAYED },
	{ "deliver", BOUNCE_DELIVERED }, { "relay", BOUNCE_RELAYED },
	{ "expand", BOUNCE_EXPANDED },   { "expire", BOUNCE_FAILED },
	{ "defer", BOUNCE_DELAYED },     { "bounce", BOUNCE_FAILED },
	{ "reject", BOUNCE_FAILED },     { "undeliver", BOUNCE_FAILED },
};

static enum bounce_action read_action(struct bytes text)
{
	for (size_t i = 0; i < COUNT(actions); i++)
		if (bytes_starts_with_nocase(text, bytes_of(actions[i].word)))
			return actions[i].action;
	return BOUNCE_NO_ACTION;
}

static void append_rune(unsigned int rune, struct buffer *out)
{
	if (rune < 0x80) {
		buffer_append_char(out, (char)rune);
	} else if (rune < 0x800) {
		buffer_append_char(out, (char)(0xc0 | rune >> 6));
		buffer_append_char(out, (char)(0x80 | (rune & 0x3f)));
	} else if (rune < 0x10000) {
		buffer_append_char(out, (char)(0xe0 | rune >> 12));
		buffer_append_char(out, (char)(0x80 | (rune >> 6 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (rune & 0x3f)));
	} else {
		buffer_append_char(out, (char)(0xf0 | rune >> 18));
		buffer_append_char(out, (char)(0x80 | (rune >> 12 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (rune >> 6 & 0x3f)));
		buffer_append_char(out, (char)(0x80 | (rune & 0x3f)));
	}
}

/* "\x{20AC}" at the front (RFC 6533 3): its length, 0 if it is none. */
static size_t read_escape(struct bytes in, unsigned int *rune_out)
{
	ptrdiff_t end = bytes_find_char(bytes_first(in, 11), '}');
	unsigned int rune = 0;

	if (!bytes_starts_with(in, BYTES_LITERAL("\\x{")) || end < 4)
		return 0;
	for (ptrdiff_t i = 3; i < end; i++) {
		const char *digits = "0123456789abcdef";
		const char *at = in.at[i] ? strchr(digits, char_lower(in.at[i])) : NULL;

		if (!at)
			return 0;
		rune = rune * 16 + (unsigned int)(at - digits);
	}
	if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000) || rune < 0x20)
		return 0;
	*rune_out = rune;
	return (size_t)end + 1;
}

static struct bytes decode_unitext(struct arena *arena, struct bytes in)
{
	struct buffer out = { 0 };
	struct bytes copy;

	while (in.len > 0) {
		unsigned int rune;
		size_t used = read_escape(in, &rune);

		if (used > 0)
			append_rune(rune, &out);
		else
			buffer_append_char(&out, in.at[0]);
		in = bytes_from(in, used > 0 ? used : 1);
	}
	copy = arena_copy(arena, buffer_bytes(&out));
	buffer_deinit(&out);
	return copy;
}

/* "rfc822; <user@host>", "utf-8; ...": the address alone. Empty for X.400 and the like. */
static struct bytes read_address(struct letter *letter, struct bytes value)
{
	struct bytes type = value, rest = value, address;
	bool is_typed = bytes_find_char(value, ';') >= 0;

	if (is_typed)
		type = bytes_trim(bytes_split(&rest, ';'));
	if (is_typed && bytes_starts_with_nocase(type, BYTES_LITERAL("x400")))
		return (struct bytes){ 0 };
	if (is_typed && bytes_equal_nocase(type, BYTES_LITERAL("utf-8"))) {
		rest = bytes_trim(decode_unitext(letter->arena, bytes_first(rest, 2000)));
		return bytes_find_char(rest, '@') > 0 ? rest : (struct bytes){ 0 };
	}
	rest = bytes_first(rest, 2000);
	return letter_address_next(&rest, &address) ? address : (struct bytes){ 0 };
}

/* Sendmail's "X-Unix; 71": how the delivery program ended (sysexits.h). */
static const char *from_exit_code(struct bytes diagnostic)
{
	static const struct {
		uint64_t code;
		const char *category;
	} codes[] = {
		{ 64, "SystemError" },   { 65, "ContentRejected" }, { 67, "InvalidRecipient" },
		{ 68, "BadDomain" },     { 69, "SystemError" },     { 70, "SystemError" },
		{ 71, "SystemError" },   { 72, "SystemError" },     { 73, "SystemError" },
		{ 74, "SystemError" },   { 75, "SystemError" },     { 76, "ProtocolErrors" },
		{ 77, "PolicyRelated" }, { 78, "SystemError" },
	};
	struct bytes type = bytes_trim(bytes_split(&diagnostic, ';'));
	uint64_t code;

	if (!bytes_equal_nocase(type, BYTES_LITERAL("x-unix")) ||
	    !bytes_parse_u64(bytes_trim(diagnostic), &code))
		return NULL;
	for (size_t i = 0; i < COUNT(codes); i++)
		if (codes[i].code == code)
			return codes[i].category;
	return NULL;
}

static bool is_group(const struct group *group)
{
	return group->final.len > 0 || group->original.len > 0;
}

/* "smtp; 550 ...": without the type. */
static struct bytes without_type(struct bytes value)
{
	ptrdiff_t semicolon = bytes_find_char(bytes_first(value, 30), ';');

	if (semicolon < 0 || bytes_find_char(bytes_first(value, (size_t)semicolon), '@') >= 0)
		return value;
	for (ptrdiff_t i = 0; i < semicolon; i++)
		if (!((char_lower(value.at[i]) >= 'a' && char_lower(value.at[i]) <= 'z') ||
		      (value.at[i] >= '0' && value.at[i] <= '9') || value.at[i] == '-' ||
		      value.at[i] == ' ' || value.at[i] == '_'))
			return value;
	return bytes_trim(bytes_from(value, (size_t)semicolon + 1));
}

/* The status field rules, unless it says nothing ("5.0.0") and the reply says more. */
static void choose_status(struct bounce_recipient *recipient, const struct said *field,
                          const struct said *reply)
{
	const struct said *best = field;

	if (field->class == 0 ||
	    (field->subject == 0 && field->detail == 0 && reply->class == field->class))
		best = reply;
	if (best->class == 0)
		best = field;
	recipient->class = best->class;
	recipient->subject = best->subject;
	recipient->detail = best->detail;
}

static enum bounce_action guess_action(const struct letter *letter, int class)
{
	struct bytes subject = letter_lower(letter->arena, letter->subject);

	if (class == 2)
		return BOUNCE_DELIVERED;
	if (class == 4 && (phrase_find(PHRASE_DELAY_SUBJECT, subject) >= 0 ||
	                   phrase_find(PHRASE_DELAYED, letter->lower) >= 0))
		return BOUNCE_DELAYED;
	return BOUNCE_FAILED;
}

static struct bytes choose_address(struct letter *letter, const struct group *group)
{
	struct bytes address = read_address(letter, group->final);

	if (address.len == 0)
		address = read_address(letter, group->original);
	if (address.len == 0 && !text_recipient(letter, &address)) {
		address = group->final.len > 0 ? group->final : group->original;
		bytes_split(&address, ';');
	}
	return bytes_trim(address);
}

/* A new recipient; NULL if there is no room, or if it was there before with the same action. */
static struct bounce_recipient *add_recipient(struct letter *letter, const struct group *group,
                                              struct bounce *bounce)
{
	enum bounce_action action = read_action(bytes_trim(group->action));
	struct bytes address = choose_address(letter, group);
	struct bounce_recipient *recipient = bounce->recipients;

	for (; recipient < bounce->recipients + bounce->count; recipient++)
		if (address.len > 0 && bytes_equal_nocase(recipient->address, address) &&
		    recipient->action == action)
			return NULL;
	if (bounce->count == BOUNCE_RECIPIENTS_MAX) {
		bounce->is_cut = true;
		return NULL;
	}
	bounce->count++;
	recipient->address = address;
	recipient->action = action;
	return recipient;
}

static void take_group(struct letter *letter, const struct group *group, struct bounce *bounce)
{
	struct bounce_recipient *recipient = add_recipient(letter, group, bounce);
	struct said field = { 0 }, reply = { 0 }, told = { 0 };
	struct bytes about;

	if (!recipient)
		return;
	recipient->diagnostic = without_type(bytes_first(group->diagnostic, 4000));
	recipient->retry_until = group->retry_until;
	recipient->category = from_exit_code(group->diagnostic);
	if (!said_parse_status(group->status, &field))
		said_find(bytes_first(group->status, 100), &field);
	said_find(recipient->diagnostic, &reply);
	about = text_about(letter, recipient->address);
	said_find(about, &told);
	if (reply.reply == 0)
		reply.reply = told.reply ? told.reply : field.reply;
	if (reply.class == 0 && (told.reply == reply.reply || reply.reply == 0)) {
		reply.class = told.class;
		reply.subject = told.subject;
		reply.detail = told.detail;
	}
	choose_status(recipient, &field, &reply);
	recipient->reply = reply.reply;
	if (recipient->action == BOUNCE_NO_ACTION)
		recipient->action = guess_action(letter, recipient->class);
	if (recipient->diagnostic.len == 0)
		recipient->diagnostic = about;
	recipient->diagnostic = letter_line(letter->arena,
	                                    text_transcript(letter, recipient->diagnostic));
	meaning_find(recipient, about, letter->subject);
}

static bool put_field(struct letter *letter, struct group *group, const struct header_field *field)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		struct bytes *slot = (struct bytes *)(void *)((char *)group + names[i].offset);

		if (!bytes_equal_nocase(field->name, bytes_of(names[i].name)))
			continue;
		if (slot->len == 0)
			*slot = letter_line(letter->arena, bytes_first(field->value, 8000));
		return true;
	}
	return false;
}

/* A recipient ends at the next one's first field, however the empty lines lie. */
static bool begins_next(const struct group *group, const struct header_field *field)
{
	bool is_final = bytes_equal_nocase(field->name, BYTES_LITERAL("Final-Recipient"));
	bool is_original = bytes_equal_nocase(field->name, BYTES_LITERAL("Original-Recipient"));

	if (is_final && group->final.len > 0)
		return true;
	return is_original && group->original.len > 0 &&
	       (group->final.len > 0 || group->action.len > 0);
}

static bool is_blank_line(struct bytes text)
{
	return text.len > 0 && (text.at[0] == '\n' || text.at[0] == '\r');
}

static void read_groups(struct letter *letter, struct bounce *bounce)
{
	struct bytes rest = letter->status;
	struct group group = { 0 };

	while (rest.len > 0 && !bounce->is_cut) {
		struct header_field field;

		if (is_blank_line(rest)) {
			if (is_group(&group)) {
				take_group(letter, &group, bounce);
				group = (struct group){ 0 };
			}
			rest = bytes_from(rest, 1);
			continue;
		}
		if (!header_next(&rest, &field))
			continue;
		if (begins_next(&group, &field)) {
			take_group(letter, &group, bounce);
			group = (struct group){ 0 };
		}
		put_field(letter, &group, &field);
	}
	if (is_group(&group))
		take_group(letter, &group, bounce);
}

bool fields_read(struct letter *letter, struct bounce *bounce)
{
	if (letter->status.len == 0)
		return false;
	read_groups(letter, bounce);
	return bounce->count > 0;
}
