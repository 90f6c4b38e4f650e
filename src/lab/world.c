#include "lab/world.h"
#include "base/alloc.h"
#include "base/units.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a keyword's function gets to work with. */
struct apply {
	struct world *world;
	struct name *name;
	const struct statement *statement;
	struct err *err;
	int what; /* the keyword's own constant */
};

static int refuse(const struct apply *apply, const char *what)
{
	return err_set(apply->err, ERR_INVALID, "line %d: %s \"%s\": %s", apply->statement->line,
	               apply->statement->words[0],
	               apply->statement->word_count > 1 ? apply->statement->words[1] : "", what);
}

static bool copy_name(char out[NAME_MAX_BYTES], const char *text)
{
	size_t len = strlen(text);

	if (len > 0 && text[len - 1] == '.')
		len--;
	if (len >= NAME_MAX_BYTES - 2)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = char_lower(text[i]);
	out[len] = '\0';
	return true;
}

static bool argument_number(const struct apply *apply, int nth, int64_t *value_out)
{
	uint64_t value;

	if (nth >= apply->statement->word_count ||
	    !bytes_parse_u64(bytes_of(apply->statement->words[nth]), &value) || value > INT64_MAX)
		return false;
	*value_out = (int64_t)value;
	return true;
}

static bool argument_duration(const struct apply *apply, int nth, int64_t *us_out)
{
	return nth < apply->statement->word_count &&
	       duration_parse(bytes_of(apply->statement->words[nth]), us_out);
}

/* DNS */

static int apply_dns_manner(struct apply *apply)
{
	apply->name->records.manner = (enum dns_manner)apply->what;
	return 0;
}

/* mx 10 a.test 20 b.test: the whole set; "mx" alone: none; "mx 0 .": null MX. */
static int apply_mx(struct apply *apply)
{
	struct records *records = &apply->name->records;
	int count = (apply->statement->word_count - 1) / 2;
	struct mx_record *mx = arena_alloc(apply->world->arena, (size_t)count * sizeof *mx + 1);

	if (apply->statement->word_count % 2 == 0)
		return refuse(apply, "wants pairs of preference and host");
	for (int i = 0; i < count; i++) {
		int64_t preference;

		if (!argument_number(apply, 1 + 2 * i, &preference) || preference > UINT16_MAX)
			return refuse(apply, "a preference is 0..65535");
		if (!copy_name(mx[i].host, apply->statement->words[2 + 2 * i]))
			return refuse(apply, "the host's name is too long");
		mx[i].preference = (uint16_t)preference;
	}
	records->mx = mx;
	records->mx_count = count;
	return 0;
}

static int apply_address(struct apply *apply)
{
	struct records *records = &apply->name->records;
	int count = apply->statement->word_count - 1;

	if (count > WORLD_ADDRESSES_MAX)
		return refuse(apply, "too many addresses");
	for (int i = 0; i < count; i++)
		if (!address_parse(bytes_of(apply->statement->words[1 + i]), 0,
		                   &records->addresses[i]))
			return refuse(apply, "not an address");
	records->address_count = count;
	return 0;
}

static int apply_cname(struct apply *apply)
{
	apply->name->records.cname[0] = '\0';
	if (apply->statement->word_count > 1 &&
	    !copy_name(apply->name->records.cname, apply->statement->words[1]))
		return refuse(apply, "the name is too long");
	return 0;
}

static int apply_ttl(struct apply *apply)
{
	int64_t us;

	if (!argument_duration(apply, 1, &us) || us / US_PER_SECOND > INT32_MAX)
		return refuse(apply, "wants a duration");
	apply->name->records.ttl_s = (uint32_t)(us / US_PER_SECOND);
	return 0;
}

static int apply_truncate(struct apply *apply)
{
	apply->name->records.is_truncated = apply->what;
	return 0;
}

/* SMTP */

static int apply_listen(struct apply *apply)
{
	apply->name->manners->listen = (enum listen_manner)apply->what;
	return 0;
}

static int apply_healthy(struct apply *apply)
{
	manners_make_healthy(apply->name->manners);
	return 0;
}

/* Words from `nth` on: `"451 4.3.0 busy"`, `drop`, `silent`, `garbage` or `normal`, and then
 * perhaps `times 3`. */
static int read_action(struct apply *apply, int nth, struct action *action)
{
	static const struct {
		const char *word;
		enum action_kind kind;
	} kinds[] = { { "normal", ACTION_NONE },
		      { "drop", ACTION_DROP },
		      { "silent", ACTION_SILENT },
		      { "garbage", ACTION_GARBAGE } };
	const struct statement *statement = apply->statement;

	if (nth >= statement->word_count)
		return refuse(apply, "wants a reply, normal, drop, silent or garbage");
	*action = (struct action){ .kind = ACTION_REPLY, .left = -1 };
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(statement->words[nth], kinds[i].word) == 0)
			action->kind = kinds[i].kind;
	if (strlen(statement->words[nth]) >= sizeof action->text)
		return refuse(apply, "the reply is too long");
	snprintf(action->text, sizeof action->text, "%s", statement->words[nth]);
	if (nth + 1 == statement->word_count)
		return 0;
	if (nth + 3 != statement->word_count || strcmp(statement->words[nth + 1], "times") != 0 ||
	    !argument_number(apply, nth + 2, &action->left))
		return refuse(apply, "behind the reply only \"times N\" may stand");
	return 0;
}

static int apply_action(struct apply *apply)
{
	return read_action(apply, 1, &apply->name->manners->actions[apply->what]);
}

/* rcpt "550 no" is for all; rcpt PATTERN "550 no" for some. */
static int apply_rcpt(struct apply *apply)
{
	struct manners *manners = apply->name->manners;
	const struct statement *statement = apply->statement;
	struct recipient_pattern *pattern = &manners->patterns[manners->pattern_count];

	if (statement->word_count < 3 || strcmp(statement->words[2], "times") == 0)
		return apply_action(apply);
	if (manners->pattern_count == MANNERS_PATTERNS_MAX)
		return refuse(apply, "too many patterns");
	if (!copy_name(pattern->pattern, statement->words[1]))
		return refuse(apply, "the pattern is too long");
	if (read_action(apply, 2, &pattern->action) < 0)
		return ERR_INVALID;
	manners->pattern_count++;
	return 0;
}

static int apply_greylist(struct apply *apply)
{
	if (!argument_duration(apply, 1, &apply->name->manners->greylist_us))
		return refuse(apply, "wants a duration");
	return 0;
}

/* rate 5/10s ["421 4.7.0 slow down"] */
static int apply_rate(struct apply *apply)
{
	struct manners *manners = apply->name->manners;
	const struct statement *statement = apply->statement;
	struct bytes rest = bytes_of(statement->word_count > 1 ? statement->words[1] : "");
	struct bytes number = bytes_split(&rest, '/');
	const char *reply = "450 4.7.1 Rate limit exceeded, please try again later";
	uint64_t count;

	if (!bytes_parse_u64(number, &count) || count > INT32_MAX ||
	    !duration_parse(rest, &manners->rate_period_us))
		return refuse(apply, "wants NUMBER/DURATION");
	manners->rate_count = (int64_t)count;
	snprintf(manners->rate_reply, sizeof manners->rate_reply, "%s",
	         statement->word_count > 2 ? statement->words[2] : reply);
	return 0;
}

enum number { NUMBER_CONNECTIONS, NUMBER_RECIPIENTS, NUMBER_SIZE, NUMBER_SPEED };

static int apply_number(struct apply *apply)
{
	struct manners *manners = apply->name->manners;
	int64_t *const places[] = {
		[NUMBER_CONNECTIONS] = &manners->connections,
		[NUMBER_RECIPIENTS] = &manners->recipients,
		[NUMBER_SIZE] = &manners->size_bytes,
		[NUMBER_SPEED] = &manners->speed,
	};

	if (apply->statement->word_count != 2 ||
	    !size_parse(bytes_of(apply->statement->words[1]), places[apply->what]))
		return refuse(apply, "wants a number");
	return 0;
}

static int apply_slow(struct apply *apply)
{
	if (!argument_duration(apply, 1, &apply->name->manners->delay_us))
		return refuse(apply, "wants a duration");
	return 0;
}

/* without PIPELINING SIZE; with DSN; */
static int apply_extensions(struct apply *apply)
{
	static const struct {
		const char *name;
		enum extension bit;
	} known[] = {
		{ "PIPELINING", EXTENSION_PIPELINING },
		{ "8BITMIME", EXTENSION_8BITMIME },
		{ "SIZE", EXTENSION_SIZE },
		{ "DSN", EXTENSION_DSN },
		{ "SMTPUTF8", EXTENSION_SMTPUTF8 },
		{ "CHUNKING", EXTENSION_CHUNKING },
		{ "ENHANCEDSTATUSCODES", EXTENSION_ENHANCED_CODES },
		{ "all", EXTENSIONS_ALL },
	};
	unsigned bits = 0;

	for (int i = 1; i < apply->statement->word_count; i++) {
		unsigned bit = 0;

		for (size_t k = 0; k < COUNT(known); k++)
			if (bytes_equal_nocase(bytes_of(apply->statement->words[i]),
			                       bytes_of(known[k].name)))
				bit = known[k].bit;
		if (bit == 0)
			return refuse(apply, "not an extension");
		bits |= bit;
	}
	if (apply->what)
		apply->name->manners->extensions |= bits;
	else
		apply->name->manners->extensions &= ~bits;
	return 0;
}

static const struct keyword {
	const char *word;
	int (*run)(struct apply *apply);
	int what;
	bool is_for_hosts;
} keywords[] = {
	{ "answer", apply_dns_manner, DNS_MANNER_ANSWER, false },
	{ "nxdomain", apply_dns_manner, DNS_MANNER_NXDOMAIN, false },
	{ "servfail", apply_dns_manner, DNS_MANNER_SERVFAIL, false },
	{ "refused", apply_dns_manner, DNS_MANNER_REFUSED, false },
	{ "timeout", apply_dns_manner, DNS_MANNER_TIMEOUT, false },
	{ "mx", apply_mx, 0, false },
	{ "address", apply_address, 0, false },
	{ "cname", apply_cname, 0, false },
	{ "ttl", apply_ttl, 0, false },
	{ "truncate", apply_truncate, 1, false },
	{ "whole", apply_truncate, 0, false },
	{ "healthy", apply_healthy, 0, true },
	{ "accept", apply_listen, LISTEN_ACCEPT, true },
	{ "refuse", apply_listen, LISTEN_REFUSE, true },
	{ "blackhole", apply_listen, LISTEN_BLACKHOLE, true },
	{ "silent", apply_listen, LISTEN_SILENT, true },
	{ "reset", apply_listen, LISTEN_RESET, true },
	{ "greet", apply_action, STAGE_GREETING, true },
	{ "ehlo", apply_action, STAGE_EHLO, true },
	{ "helo", apply_action, STAGE_HELO, true },
	{ "mail", apply_action, STAGE_MAIL, true },
	{ "rcpt", apply_rcpt, STAGE_RCPT, true },
	{ "data", apply_action, STAGE_DATA, true },
	{ "dot", apply_action, STAGE_DOT, true },
	{ "rset", apply_action, STAGE_RSET, true },
	{ "quit", apply_action, STAGE_QUIT, true },
	{ "greylist", apply_greylist, 0, true },
	{ "rate", apply_rate, 0, true },
	{ "connections", apply_number, NUMBER_CONNECTIONS, true },
	{ "recipients", apply_number, NUMBER_RECIPIENTS, true },
	{ "size", apply_number, NUMBER_SIZE, true },
	{ "speed", apply_number, NUMBER_SPEED, true },
	{ "slow", apply_slow, 0, true },
	{ "with", apply_extensions, 1, true },
	{ "without", apply_extensions, 0, true },
};

int world_apply(struct world *world, struct name *name, const struct statement *statement,
                struct err *err)
{
	struct apply apply = { .world = world, .name = name, .statement = statement, .err = err };

	if (statement->has_block)
		return refuse(&apply, "no block may stand here");
	for (size_t i = 0; i < COUNT(keywords); i++) {
		if (strcmp(keywords[i].word, statement->words[0]) != 0)
			continue;
		if (keywords[i].is_for_hosts && !name->manners)
			return refuse(&apply, "is for hosts, and this is a domain");
		apply.what = keywords[i].what;
		return keywords[i].run(&apply);
	}
	return refuse(&apply, "unknown");
}

struct name *world_find(const struct world *world, struct bytes name)
{
	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--;
	HASH_EACH_MATCH (node, &world->hash, bytes_hash_nocase(name, 0)) {
		struct name *found = CONTAINER_OF(node, struct name, node);

		if (bytes_equal_nocase(bytes_of(found->text), name))
			return found;
	}
	return NULL;
}

bool world_has_below(const struct world *world, struct bytes name)
{
	for (const struct name *other = world->names; other; other = other->next) {
		struct bytes text = bytes_of(other->text);

		if (text.len > name.len && bytes_ends_with_nocase(text, name) &&
		    (name.len == 0 || text.at[text.len - name.len - 1] == '.'))
			return true;
	}
	return false;
}

/* Hosts without an address get one of their own: 127.66.0.1, 127.66.0.2 ... */
static void give_address(const struct world *world, struct name *name)
{
	char text[32];

	snprintf(text, sizeof text, "127.66.%d.%d", world->host_count / 250,
	         world->host_count % 250 + 1);
	address_parse(bytes_of(text), 0, &name->records.addresses[0]);
	name->records.address_count = 1;
}

struct reading {
	struct world *world;
	struct name **names_end;
	const char *file_name;
	struct err *err;
};

static int wrong(const struct reading *reading, const struct statement *statement, const char *what)
{
	return err_set(reading->err, ERR_INVALID, "%s:%d: %s", reading->file_name, statement->line,
	               what);
}

/* at 10s { ... }: tried on a copy, so that a mistake shows at the start and not in the middle. */
static int read_change(struct reading *reading, struct name *name, struct statement *statement)
{
	struct change *change = arena_alloc(reading->world->arena, sizeof *change);
	struct change **place = &reading->world->changes;
	struct manners *manners = alloc(sizeof *manners);
	struct name trial = *name;
	int result = 0;

	if (name->manners) {
		*manners = *name->manners;
		trial.manners = manners;
	}
	*change = (struct change){ .name = name, .block = statement->block };
	if (statement->word_count != 2 || !statement->has_block ||
	    !duration_parse(bytes_of(statement->words[1]), &change->at_us))
		result = wrong(reading, statement, "wants: at DURATION { ... }");
	for (struct statement *each = statement->block; each && result == 0; each = each->next)
		result = world_apply(reading->world, &trial, each, reading->err);
	alloc_free(manners);
	while (*place && (*place)->at_us <= change->at_us)
		place = &(*place)->next;
	change->next = *place;
	*place = change;
	return result;
}

static int read_name(struct reading *reading, struct statement *statement, bool is_host)
{
	struct world *world = reading->world;
	struct name *name = arena_alloc(world->arena, sizeof *name);

	if (statement->word_count != 2 || !statement->has_block ||
	    !copy_name(name->text, statement->words[1]))
		return wrong(reading, statement, "wants: a name and a block");
	if (world_find(world, bytes_of(name->text)) || world->name_count++ == WORLD_NAMES_MAX)
		return wrong(reading, statement, "the name is there already, or too many are");
	name->records.ttl_s = 1;
	if (is_host) {
		name->manners = arena_alloc(world->arena, sizeof *name->manners);
		manners_make_healthy(name->manners);
		give_address(world, name);
		world->host_count++;
	}
	hash_insert(&world->hash, &name->node, bytes_hash_nocase(bytes_of(name->text), 0));
	*reading->names_end = name;
	reading->names_end = &name->next;
	for (struct statement *each = statement->block; each; each = each->next) {
		int result = strcmp(each->words[0], "at") == 0
		                     ? read_change(reading, name, each)
		                     : world_apply(world, name, each, reading->err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int read_port(struct reading *reading, struct statement *statement, uint16_t *port_out)
{
	uint64_t port;

	if (statement->word_count != 2 || statement->has_block ||
	    !bytes_parse_u64(bytes_of(statement->words[1]), &port) || port > UINT16_MAX)
		return wrong(reading, statement, "a port is 0..65535");
	*port_out = (uint16_t)port;
	return 0;
}

static int read_one(struct reading *reading, struct statement *statement)
{
	if (strcmp(statement->words[0], "host") == 0)
		return read_name(reading, statement, true);
	if (strcmp(statement->words[0], "domain") == 0)
		return read_name(reading, statement, false);
	if (strcmp(statement->words[0], "dns_port") == 0)
		return read_port(reading, statement, &reading->world->dns_port);
	if (strcmp(statement->words[0], "smtp_port") == 0)
		return read_port(reading, statement, &reading->world->smtp_port);
	return wrong(reading, statement, "wants host, domain, dns_port or smtp_port");
}

int world_parse(const char *file_name, struct bytes text, struct world **world_out, struct err *err)
{
	struct world *world = alloc_zeroed(sizeof *world);
	struct reading reading = {
		.world = world, .names_end = &world->names, .file_name = file_name, .err = err
	};
	struct statement *first;

	world->arena = arena_create(65536);
	world->dns_port = 5353;
	world->smtp_port = 2525;
	if (script_parse(file_name, text, world->arena, &first, err) < 0)
		goto fail;
	for (struct statement *each = first; each; each = each->next)
		if (read_one(&reading, each) < 0)
			goto fail;
	*world_out = world;
	return 0;
fail:
	world_destroy(world);
	return err->code;
}

void world_destroy(struct world *world)
{
	if (!world)
		return;
	hash_deinit(&world->hash);
	arena_destroy(world->arena);
	alloc_free(world);
}
