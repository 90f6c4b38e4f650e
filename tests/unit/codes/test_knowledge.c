#include "base/arena.h"
#include "codes/knowledge.h"
#include "codes/page.h"
#include "support/check.h"

/* The IANA registry of enumerated status codes: per subject, the details registered. */
static const struct {
	int subject, last_detail;
} registry[] = {
	{ 0, 0 }, { 1, 10 }, { 2, 4 }, { 3, 6 }, { 4, 7 }, { 5, 6 }, { 6, 10 }, { 7, 30 }
};

/* Basic codes that the registry names beside enhanced ones, and those of RFC 5321, 7504, 4954,
 * 3207, 1985 and 2645. */
static const int replies[] = { 211, 214, 220, 221, 235, 250, 251, 252, 253, 334, 354,
	                       421, 422, 432, 450, 451, 452, 453, 454, 455, 458, 459,
	                       500, 501, 502, 503, 504, 521, 523, 524, 525, 530, 533,
	                       534, 535, 538, 550, 551, 552, 553, 554, 555, 556 };

static const char *const taxonomy[] = {
	"InvalidRecipient", "InactiveMailbox", "QuotaIssues", "BadDomain",
	"BadReputation",    "RateLimited",     "Greylisted",  "SpamContent",
	"ContentRejected",  "MessageTooLarge", "AuthFailure", "InvalidSender",
	"PolicyRelated",    "RelayDenied",     "TlsFailure",  "RoutingErrors",
	"BadConnection",    "Expired",         "SystemError", "ProtocolErrors",
	"Delivered",        "Unknown",
};

static void covers_the_registry(void)
{
	int seen = 0;

	for (size_t i = 0; i < COUNT(registry); i++) {
		for (int detail = 0; detail <= registry[i].last_detail; detail++) {
			for (int class = 4; class <= 5; class ++) {
				const struct knowledge_entry *entry = knowledge_find_reply(
					0, class, registry[i].subject, detail);
				char name[20];

				snprintf(name, sizeof name, "%d.%d.%d", class, registry[i].subject,
				         detail);
				CHECK_TRUE(name, entry != NULL);
				CHECK_STRING(name, entry->key, name);
				CHECK_TRUE(name, entry->kind == KNOWLEDGE_STATUS);
				seen++;
			}
		}
	}
	CHECK_INT("registered codes, in two classes", seen, 2 * 81);
}

static void covers_the_replies(void)
{
	for (size_t i = 0; i < COUNT(replies); i++) {
		const struct knowledge_entry *entry = knowledge_find_reply(replies[i], 0, 0, 0);
		char name[20];

		snprintf(name, sizeof name, "%d", replies[i]);
		CHECK_TRUE(name, entry != NULL);
		CHECK_STRING(name, entry->key, name);
		CHECK_TRUE(name, (replies[i] >= 400) == (entry->bounce != KNOWLEDGE_NO_BOUNCE));
	}
}

static bool is_category(const char *name)
{
	for (size_t i = 0; i < COUNT(taxonomy); i++)
		if (strcmp(taxonomy[i], name) == 0)
			return true;
	return false;
}

static void check_shape(const struct knowledge_entry *entry)
{
	bool fails = entry->bounce != KNOWLEDGE_NO_BOUNCE;

	CHECK_TRUE(entry->key, is_category(entry->category));
	CHECK_TRUE(entry->key, *entry->title && entry->meaning[0] && entry->outlast[0]);
	CHECK_TRUE(entry->key, fails == (strcmp(entry->category, "Delivered") != 0));
	CHECK_TRUE(entry->key, fails == (entry->severity != KNOWLEDGE_NOTHING_WRONG));
	CHECK_TRUE(entry->key, fails == (entry->causes[0] != NULL));
	CHECK_TRUE(entry->key,
	           !fails || (entry->sender[0] && entry->operators[0] && entry->recipient[0]));
	CHECK_TRUE(entry->key, entry->class != 2 || !fails);
	CHECK_TRUE(entry->key, entry->class != 4 || entry->bounce == KNOWLEDGE_SOFT ||
	                               entry->kind == KNOWLEDGE_VENDOR);
}

static void is_sound(void)
{
	for (size_t i = 0; i < knowledge_count(); i++) {
		const struct knowledge_entry *entry = knowledge_at(i);

		check_shape(entry);
		CHECK_TRUE(entry->key, knowledge_find(bytes_of(entry->key)) == entry);
		for (const char *const *key = entry->related; *key; key++)
			CHECK_TRUE(*key, knowledge_find(bytes_of(*key)) != NULL &&
			                         strcmp(*key, entry->key) != 0);
		for (const char *const *name = entry->aliases; *name; name++)
			CHECK_TRUE(*name, knowledge_find(bytes_of(*name)) == entry);
		for (const char *const *code = entry->replies; *code; code++)
			CHECK_TRUE(*code, strlen(*code) == 3);
	}
}

static const struct {
	const char *name, *key, *found;
} finds[] = {
	{ "as it is", "4.4.7", "4.4.7" },      { "as qmail writes it", "#5.1.1", "5.1.1" },
	{ "any case", "tss04", "TSS04" },      { "an alias", "S775", "4.7.650" },
	{ "blanks around", " 450 ", "450" },   { "no dots is no key", "447", NULL },
	{ "a longer number", "4.4.77", NULL }, { "nothing", "", NULL },
	{ "half a code", "4.4", NULL },        { "alias of a status", "delayed", "4.4.7" },
	{ "a path", "../4.4.7", NULL },
};

static void finds_by_key(void)
{
	for (size_t i = 0; i < COUNT(finds); i++) {
		const struct knowledge_entry *entry = knowledge_find(bytes_of(finds[i].key));

		CHECK_TRUE(finds[i].name, (entry != NULL) == (finds[i].found != NULL));
		if (entry)
			CHECK_STRING(finds[i].name, entry->key, finds[i].found);
	}
}

static const struct {
	const char *name;
	int code, class, subject, detail;
	const char *found;
} reply_finds[] = {
	{ "the enhanced code says more", 550, 5, 1, 1, "5.1.1" },
	{ "X.0.0 says less", 550, 5, 0, 0, "550" },
	{ "X.0.0 alone", 0, 5, 0, 0, "5.0.0" },
	{ "unknown enhanced code", 450, 4, 4, 99, "450" },
	{ "a provider's own", 550, 5, 7, 708, "5.7.708" },
	{ "one of a provider's range", 451, 4, 7, 651, "4.7.650" },
	{ "nothing known", 599, 5, 9, 9, NULL },
	{ "nothing given", 0, 0, 0, 0, NULL },
};

static void finds_by_reply(void)
{
	for (size_t i = 0; i < COUNT(reply_finds); i++) {
		const struct knowledge_entry *entry = knowledge_find_reply(
			reply_finds[i].code, reply_finds[i].class, reply_finds[i].subject,
			reply_finds[i].detail);

		CHECK_STRING(reply_finds[i].name, entry ? entry->key : NULL, reply_finds[i].found);
	}
}

static const struct {
	const char *text;
	bool is_status;
} statuses[] = {
	{ "4.4.7", true },     { "5.999.999", true }, { "2.0.0", true },    { "3.1.1", false },
	{ "4.4", false },      { "4.4.7.", false },   { "4.4.7.1", false }, { "4.04.7", false },
	{ "4.4.1000", false }, { "", false },         { "a.b.c", false },   { "4..7", false },
};

static void reads_statuses(void)
{
	for (size_t i = 0; i < COUNT(statuses); i++) {
		int status[3];

		CHECK_INT(statuses[i].text,
		          knowledge_parse_status(bytes_of(statuses[i].text), status),
		          statuses[i].is_status);
	}
}

static const struct {
	const char *name;
	int status[3];
	enum knowledge_bounce bounce;
	const char *category, *title;
} compositions[] = {
	{ "success has no bounce",
	  { 2, 4, 1 },
	  KNOWLEDGE_NO_BOUNCE,
	  "Delivered",
	  "Success, with a remark: No answer from host" },
	{ "temporary", { 4, 2, 99 }, KNOWLEDGE_SOFT, "InactiveMailbox", "Not registered: Mailbox" },
	{ "permanent",
	  { 5, 7, 999 },
	  KNOWLEDGE_HARD,
	  "PolicyRelated",
	  "Not registered: Security and policy" },
	{ "no such subject",
	  { 5, 99, 1 },
	  KNOWLEDGE_HARD,
	  "Unknown",
	  "Not registered, of an unknown subject" },
};

static void composes_the_rest(void)
{
	struct arena *arena = arena_create(0);

	for (size_t i = 0; i < COUNT(compositions); i++) {
		struct knowledge_entry entry;

		knowledge_compose(arena, compositions[i].status, &entry);
		CHECK_INT(compositions[i].name, entry.bounce, compositions[i].bounce);
		CHECK_STRING(compositions[i].name, entry.category, compositions[i].category);
		CHECK_STRING(compositions[i].name, entry.title, compositions[i].title);
		check_shape(&entry);
		for (const char *const *key = entry.related; *key; key++)
			CHECK_TRUE(*key, knowledge_find(bytes_of(*key)) != NULL);
	}
	arena_destroy(arena);
}

/* Each must be among the first `within` results. */
static const struct {
	const char *words, *key;
	size_t within;
} searches[] = {
	{ "try again later", "421", 3 },
	{ "mailbox full", "5.2.2", 4 },
	{ "user unknown", "5.1.1", 3 },
	{ "QUEUE.Expired", "QUEUE.Expired", 1 },
	{ "greylisted", "450", 5 },
	{ "blocked using zen.spamhaus.org", "spamhaus", 1 },
	{ "TenantAttribution", "5.7.64", 1 },
	{ "nothing of zzzz but expired", "5.4.7", 10 },
	{ "4.4.7", "4.4.7", 1 },
};

static void searches_by_words(void)
{
	const struct knowledge_entry *found[20];

	for (size_t i = 0; i < COUNT(searches); i++) {
		size_t count = knowledge_search(bytes_of(searches[i].words), found, 20), at = 0;

		while (at < count && strcmp(found[at]->key, searches[i].key) != 0)
			at++;
		CHECK_TRUE(searches[i].words, at < searches[i].within);
	}
	CHECK_INT("no word", knowledge_search(bytes_of(" ,;"), found, 20), 0);
	CHECK_INT("unknown word", knowledge_search(bytes_of("xyzzyx"), found, 20), 0);
	CHECK_INT("at most", knowledge_search(bytes_of("mailbox"), found, 3), 3);
}

static const struct {
	const char *key, *nearest;
} unknown[] = {
	{ "447", "4.4.7" },
	{ "TSS4", "TSS04" },
	{ "QUEUE.Expire", "QUEUE.Expired" },
	{ "9.1.1", "4.1.1" },
	{ "something else entirely", NULL },
	{ "", NULL },
};

static void names_the_nearest(void)
{
	const struct knowledge_entry *found[5];

	for (size_t i = 0; i < COUNT(unknown); i++) {
		size_t count = knowledge_nearest(bytes_of(unknown[i].key), found, 5);

		CHECK_STRING(unknown[i].key, count ? found[0]->key : NULL, unknown[i].nearest);
	}
}

/* The theme: still trying and over are told apart, and neither is a hard bounce. */
static void tells_delayed_from_over(void)
{
	const struct knowledge_entry *delayed = knowledge_find(bytes_of("4.4.7"));
	const struct knowledge_entry *over = knowledge_find(bytes_of("5.4.7"));

	CHECK_INT("4.4.7", delayed->bounce, KNOWLEDGE_SOFT);
	CHECK_INT("5.4.7", over->bounce, KNOWLEDGE_SOFT);
	CHECK_STRING("4.4.7", delayed->category, "Expired");
	CHECK_STRING("5.4.7", over->category, "Expired");
	CHECK_TRUE("4.4.7", bytes_find(bytes_of(delayed->title), bytes_of("Action")) >= 0);
	CHECK_TRUE("4.4.7", delayed->questions[0].question != NULL);
	CHECK_TRUE("5.4.7", over->questions[0].question != NULL);
}

static void escapes(void)
{
	struct buffer page = { 0 };

	page_escape(bytes_of("a<b> & \"c\" 'd'"), &page);
	CHECK_BYTES("all five", buffer_bytes(&page),
	            bytes_of("a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;"));
	buffer_deinit(&page);
}

TEST_MAIN(covers_the_registry, covers_the_replies, is_sound, finds_by_key, finds_by_reply,
          reads_statuses, composes_the_rest, searches_by_words, names_the_nearest,
          tells_delayed_from_over, escapes)
