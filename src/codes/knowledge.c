#include "codes/knowledge.h"
#include "base/assert.h"
#include "base/macros.h"
#include "codes/knowledge_own.h"
#include <stdio.h>

size_t knowledge_count(void)
{
	return knowledge_table_count;
}

const struct knowledge_entry *knowledge_at(size_t i)
{
	ASSERT(i < knowledge_table_count);
	return &knowledge_table[i];
}

static bool is_called(const struct knowledge_entry *entry, struct bytes name)
{
	if (bytes_equal_nocase(bytes_of(entry->key), name))
		return true;
	for (const char *const *alias = entry->aliases; *alias; alias++)
		if (bytes_equal_nocase(bytes_of(*alias), name))
			return true;
	return false;
}

const struct knowledge_entry *knowledge_find(struct bytes key)
{
	key = bytes_trim(key);
	if (bytes_starts_with(key, bytes_of("#")))
		key = bytes_from(key, 1);
	for (size_t i = 0; i < knowledge_table_count; i++)
		if (is_called(&knowledge_table[i], key))
			return &knowledge_table[i];
	return NULL;
}

/* A registered code stands before a provider's in the table. */
static const struct knowledge_entry *find_status(int class, int subject, int detail)
{
	char name[40];

	for (size_t i = 0; i < knowledge_table_count; i++) {
		const struct knowledge_entry *entry = &knowledge_table[i];

		if (entry->class == class && entry->subject == subject && entry->detail == detail)
			return entry;
	}
	/* One entry may stand for a range of a provider's codes: the others are its aliases. */
	snprintf(name, sizeof name, "%d.%d.%d", class, subject, detail);
	return knowledge_find(bytes_of(name));
}

static const struct knowledge_entry *find_code(int code)
{
	for (size_t i = 0; i < knowledge_table_count; i++)
		if (knowledge_table[i].code == code)
			return &knowledge_table[i];
	return NULL;
}

const struct knowledge_entry *knowledge_find_reply(int code, int class, int subject, int detail)
{
	const struct knowledge_entry *status = NULL, *basic = NULL;

	if (class != 0)
		status = find_status(class, subject, detail);
	if (code != 0)
		basic = find_code(code);
	/* X.0.0 says nothing that the basic code does not say better. */
	if (status && (status->subject != 0 || !basic))
		return status;
	return basic ? basic : status;
}

bool knowledge_parse_status(struct bytes text, int status_out[3])
{
	for (int i = 0; i < 3; i++) {
		struct bytes part = bytes_split(&text, '.');
		uint64_t value;

		if (part.len > 3 || (part.len > 1 && part.at[0] == '0') ||
		    !bytes_parse_u64(part, &value) || (i < 2) == (text.at == NULL))
			return false;
		status_out[i] = (int)value;
	}
	return status_out[0] == 2 || status_out[0] == 4 || status_out[0] == 5;
}

static const struct {
	const char *name, *about, *category;
} subjects[] = {
	{ "Undefined", "nothing in particular: the server did not say more", "Unknown" },
	{ "Addresses", "an address: the recipient's or the sender's", "InvalidRecipient" },
	{ "Mailbox", "the recipient's mailbox, whose address is right", "InactiveMailbox" },
	{ "Mail system", "the receiving mail system as a whole: its disk, load or configuration",
	  "SystemError" },
	{ "Network and routing", "the way to the receiving system: DNS, connections, routes, time",
	  "RoutingErrors" },
	{ "Protocol", "the SMTP conversation: commands, their arguments and their order",
	  "ProtocolErrors" },
	{ "Content", "the message itself: its format, its character set, its conversion",
	  "ContentRejected" },
	{ "Security and policy", "permission: policy, authentication, encryption, reputation",
	  "PolicyRelated" },
};

const char *knowledge_subject(int subject)
{
	return subject >= 0 && subject < (int)COUNT(subjects) ? subjects[subject].name : "";
}

/* What the classes 2, 4 and 5 say of a code about which nothing else is known. */
static const struct class_words {
	int class;
	enum knowledge_bounce bounce;
	enum knowledge_severity severity;
	const char *meaning;
	const char *const causes[2], *const sender[2], *const operators[2], *const recipient[2];
	const char *const outlast[2];
} classes[] = {
	{ 2,
	  KNOWLEDGE_NO_BOUNCE,
	  KNOWLEDGE_NOTHING_WRONG,
	  "Class 2 is success: the server did what was asked, and adds a remark.",
	  { NULL },
	  { NULL },
	  { NULL },
	  { NULL },
	  { "Takes the command as done: the reply code decides, and that is a 2yz.", NULL } },
	{ 4,
	  KNOWLEDGE_SOFT,
	  KNOWLEDGE_MEDIUM,
	  "Class 4 is temporary: the message may be delivered later as it is, and relays try again "
	  "by themselves.",
	  { "The server uses a code of its own; only the words beside it can say more.", NULL },
	  { "Wait; nothing needs to be sent again while your relay still tries.", NULL },
	  { "Look up the whole reply in the log, and search for its words: outlast code --search "
	    "\"...\".",
	    NULL },
	  { "The postmaster there knows what the code means.", NULL },
	  { "Keeps the message and tries again; the words of the reply decide the cause.", NULL } },
	{ 5,
	  KNOWLEDGE_HARD,
	  KNOWLEDGE_MEDIUM,
	  "Class 5 is permanent: the same message to the same address will be refused again, until "
	  "somebody changes something.",
	  { "The server uses a code of its own; only the words beside it can say more.", NULL },
	  { "Read the words beside the code, correct what they name, and send again.", NULL },
	  { "Look up the whole reply in the log, and search for its words: outlast code --search "
	    "\"...\".",
	    NULL },
	  { "The postmaster there knows what the code means.", NULL },
	  { "Gives the recipient up at once and sends the failure notice with the server's own "
	    "words.",
	    NULL } },
};

static const char *registered_name(int subject, int detail)
{
	for (const struct knowledge_name *name = knowledge_names; name->name; name++)
		if (name->subject == subject && name->detail == detail)
			return name->name;
	return NULL;
}

static const char *const *list_of(struct arena *arena, const char *first, const char *second)
{
	const char **list = arena_alloc(arena, 3 * sizeof *list);

	list[0] = first;
	list[1] = second;
	return list;
}

/* The registry knows the detail, but not with this class. */
static void compose_registered(struct arena *arena, const char *name, const char *class_meaning,
                               struct knowledge_entry *entry)
{
	entry->title = arena_printf(arena, "Success, with a remark: %s", name);
	entry->meaning = list_of(
		arena, class_meaning,
		arena_printf(arena,
	                     "The registry calls X.%d.%d \"%s\". With success that "
	                     "is rare; should a 4yz or 5yz stand before it, the "
	                     "server contradicts itself, and the reply code counts.",
	                     entry->subject, entry->detail, name));
	entry->related = list_of(arena,
	                         arena_printf(arena, "4.%d.%d", entry->subject, entry->detail),
	                         arena_printf(arena, "5.%d.%d", entry->subject, entry->detail));
}

static void compose_unregistered(struct arena *arena, const char *class_meaning,
                                 struct knowledge_entry *entry)
{
	int subject = entry->subject;

	if (subject >= (int)COUNT(subjects)) {
		entry->title = "Not registered, of an unknown subject";
		entry->meaning = list_of(
			arena, class_meaning,
			"Neither the subject nor the detail is registered with IANA.");
		return;
	}
	entry->title = arena_printf(arena, "Not registered: %s", subjects[subject].name);
	entry->meaning = list_of(arena, class_meaning,
	                         arena_printf(arena,
	                                      "Subject %d is about %s. The detail %d is not "
	                                      "registered with IANA.",
	                                      subject, subjects[subject].about, entry->detail));
	entry->related = list_of(
		arena,
		arena_printf(arena, "%d.%d.0", entry->class == 2 ? 4 : entry->class, subject),
		NULL);
}

void knowledge_compose(struct arena *arena, const int status[3], struct knowledge_entry *entry_out)
{
	static const char *const nothing[] = { NULL };
	static const struct knowledge_question no_questions[] = { { NULL, NULL } };
	const struct class_words *words = &classes[status[0] == 2 ? 0 : status[0] == 4 ? 1 : 2];
	const char *name = registered_name(status[1], status[2]);

	*entry_out = (struct knowledge_entry){
		.key = arena_printf(arena, "%d.%d.%d", status[0], status[1], status[2]),
		.category = "Unknown",
		.standard = "RFC 3463, 2",
		.provider = "",
		.kind = KNOWLEDGE_STATUS,
		.bounce = words->bounce,
		.severity = words->severity,
		.class = status[0],
		.subject = status[1],
		.detail = status[2],
		.causes = words->causes,
		.sender = words->sender,
		.operators = words->operators,
		.recipient = words->recipient,
		.outlast = words->outlast,
		.aliases = nothing,
		.replies = nothing,
		.says = nothing,
		.seen = nothing,
		.related = nothing,
		.questions = no_questions,
	};
	if (status[0] == 2)
		entry_out->category = "Delivered";
	else if (status[1] < (int)COUNT(subjects))
		entry_out->category = subjects[status[1]].category;
	if (name && status[0] == 2)
		compose_registered(arena, name, words->meaning, entry_out);
	else
		compose_unregistered(arena, words->meaning, entry_out);
}

const char *knowledge_bounce_name(enum knowledge_bounce bounce)
{
	static const char *const names[] = { "none", "soft", "hard" };

	return names[bounce];
}

const char *knowledge_severity_name(enum knowledge_severity severity)
{
	static const char *const names[] = { "none", "low", "medium", "high", "critical" };

	return names[severity];
}

#define SECTION(member)                                                                  \
	static const char *const *lines_of_##member(const struct knowledge_entry *entry) \
	{                                                                                \
		return entry->member;                                                    \
	}

SECTION(meaning)
SECTION(says)
SECTION(causes)
SECTION(sender)
SECTION(operators)
SECTION(recipient)
SECTION(seen)
SECTION(outlast)

const struct knowledge_section knowledge_sections[] = {
	{ "Meaning", "meaning", lines_of_meaning },
	{ "Typical words", "says", lines_of_says },
	{ "Common causes", "causes", lines_of_causes },
	{ "What the sender can do", "sender", lines_of_sender },
	{ "What the operator of the sending relay can do", "operator", lines_of_operators },
	{ "What the recipient's side can do", "recipient", lines_of_recipient },
	{ "As seen at", "seen", lines_of_seen },
	{ "What Outlast does", "outlast", lines_of_outlast },
	{ NULL, NULL, NULL },
};
