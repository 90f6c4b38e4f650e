#include "migrate/main_cf.h"
#include "base/arena.h"
#include "base/units.h"
#include <string.h>

#define SETTINGS_MAX    2000
#define VALUE_BYTES_MAX 20000
#define DEPTH_MAX       10 /* of $names in values */

struct setting {
	struct bytes name, value;
	bool is_used;
};

struct main_cf {
	struct arena *arena;
	struct setting settings[SETTINGS_MAX];
	int count;
	struct buffer *out;
};

/* Reading: "name = value", going on in lines that begin with a blank; the last of a name counts. */

static struct setting *find(struct main_cf *cf, struct bytes name)
{
	for (int i = 0; i < cf->count; i++)
		if (bytes_equal(cf->settings[i].name, name))
			return &cf->settings[i];
	return NULL;
}

static void keep(struct main_cf *cf, struct bytes text)
{
	struct bytes value = text, name = bytes_trim(bytes_split(&value, '='));
	struct setting *setting = find(cf, name);

	if (name.len == 0)
		return;
	if (!setting && cf->count < SETTINGS_MAX)
		setting = &cf->settings[cf->count++];
	if (setting)
		*setting = (struct setting){ .name = name, .value = bytes_trim(value) };
}

static void read_settings(struct main_cf *cf, struct bytes text)
{
	struct buffer logical = { .limit = MAIN_CF_BYTES_MAX };

	while (text.len > 0) {
		struct bytes line = bytes_split(&text, '\n'), trimmed = bytes_trim(line);
		bool goes_on = line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t');

		if (trimmed.len == 0 || trimmed.at[0] == '#')
			continue;
		if (!goes_on) {
			keep(cf, arena_copy(cf->arena, buffer_bytes(&logical)));
			buffer_clear(&logical);
		}
		buffer_append(&logical, trimmed);
		buffer_append_char(&logical, ' ');
	}
	keep(cf, arena_copy(cf->arena, buffer_bytes(&logical)));
	buffer_deinit(&logical);
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* A $name or ${name} at the front: its bytes and the name; 0: a dollar and nothing else. */
static size_t reference(struct bytes in, struct bytes *name_out)
{
	size_t start = in.len > 1 && strchr("{(", in.at[1]) && in.at[1] ? 2 : 1, end = start;

	while (end < in.len && is_name_char(in.at[end]))
		end++;
	*name_out = bytes_first(bytes_from(in, start), end - start);
	return end == start ? 1 : end + (start == 2 && end < in.len);
}

static void expand(struct main_cf *cf, struct bytes value, struct buffer *out, int depth)
{
	while (value.len > 0 && !out->is_over) {
		struct bytes name;
		size_t used = 1;
		struct setting *setting = NULL;

		if (value.at[0] != '$') {
			buffer_append_char(out, value.at[0]);
		} else {
			used = reference(value, &name);
			setting = find(cf, name);
		}
		if (setting && depth < DEPTH_MAX) {
			setting->is_used = true;
			expand(cf, setting->value, out, depth + 1);
		}
		value = bytes_from(value, used);
	}
}

/* A setting's value, with all names in it replaced; empty if it is not set. */
static struct bytes value_of(struct main_cf *cf, const char *name)
{
	struct setting *setting = find(cf, bytes_of(name));
	struct buffer value = { .limit = VALUE_BYTES_MAX };
	struct bytes copy;

	if (!setting)
		return bytes_of(NULL);
	setting->is_used = true;
	expand(cf, setting->value, &value, 0);
	copy = bytes_trim(arena_copy(cf->arena, buffer_bytes(&value)));
	buffer_deinit(&value);
	return copy;
}

/* Writing. */

static bool is_writable(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.at[i] < ' ' || value.at[i] == '"' || value.at[i] == '\\')
			return false;
	return value.len > 0;
}

static void write_text(struct main_cf *cf, const char *key, struct bytes value)
{
	if (is_writable(value))
		buffer_printf(cf->out, "\t%s \"%.*s\";\n", key, BYTES_FORMAT(value));
}

/* "5d", "3600s", "1000" with `unit` where none is given: what both of us understand. */
static struct bytes duration_of(struct main_cf *cf, struct bytes value, const char *unit)
{
	uint64_t number;
	int64_t unused;

	if (bytes_parse_u64(value, &number))
		value = bytes_of(arena_printf(cf->arena, "%.*s%s", BYTES_FORMAT(value), unit));
	return duration_parse(value, &unused) ? value : bytes_of(NULL);
}

enum kind { TEXT, NUMBER, SECONDS, HOURS, DAYS };

struct row {
	const char *theirs, *ours;
	enum kind kind;
};

static void write_row(struct main_cf *cf, const struct row *row)
{
	static const char *const units[] = { [SECONDS] = "s", [HOURS] = "h", [DAYS] = "d" };
	struct bytes value = value_of(cf, row->theirs);
	uint64_t number;

	if (value.len == 0)
		return;
	if (row->kind == TEXT)
		write_text(cf, row->ours, value);
	else if (row->kind == NUMBER && bytes_parse_u64(value, &number) && number > 0)
		buffer_printf(cf->out, "\t%s %llu;\n", row->ours, (unsigned long long)number);
	else if (row->kind >= SECONDS && (value = duration_of(cf, value, units[row->kind])).len > 0)
		buffer_printf(cf->out, "\t%s %.*s;\n", row->ours, BYTES_FORMAT(value));
}

static void write_rows(struct main_cf *cf, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		write_row(cf, &rows[i]);
}

/* Networks: separated by commas or blanks; files and exceptions have no equivalent. */
static bool is_network(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!text.at[i] || !strchr("0123456789abcdefABCDEF.:/", text.at[i]))
			return false;
	return text.len > 0;
}

static void write_networks(struct main_cf *cf)
{
	struct bytes all = value_of(cf, "mynetworks");
	struct buffer names = { 0 }, others = { 0 };
	struct bytes rest;

	for (size_t i = 0; i < all.len; i++)
		if (all.at[i] != '[' && all.at[i] != ']')
			buffer_append_char(&names, strchr(",\t", all.at[i]) ? ' ' : all.at[i]);
	rest = buffer_bytes(&names);
	buffer_append_text(cf->out, "receive {\n\trelay_from 127.0.0.0/8 ::1");
	while (rest.len > 0) {
		struct bytes network = bytes_split(&rest, ' ');

		if (is_network(network) && !bytes_equal(network, BYTES_LITERAL("127.0.0.0/8")) &&
		    !bytes_equal(network, BYTES_LITERAL("::1/128")))
			buffer_printf(cf->out, " %.*s", BYTES_FORMAT(network));
		else if (is_writable(network) && !is_network(network))
			buffer_printf(&others, " %.*s", BYTES_FORMAT(network));
	}
	buffer_append_text(cf->out, ";\n");
	if (others.len > 0)
		buffer_printf(cf->out, "\t# of mynetworks, without an equivalent:%.*s\n",
		              BYTES_FORMAT(buffer_bytes(&others)));
	buffer_deinit(&names);
	buffer_deinit(&others);
}

/* "[smtp.example.com]:587", "smtp.example.com": brackets mean no MX records, as a route does. */
static void write_route(struct main_cf *cf)
{
	struct bytes relay = value_of(cf, "relayhost");
	struct buffer host = { 0 };

	for (size_t i = 0; i < relay.len; i++)
		if (relay.at[i] && !strchr("[] \t,", relay.at[i]))
			buffer_append_char(&host, relay.at[i]);
	write_text(cf, "route", buffer_bytes(&host));
	buffer_deinit(&host);
}

/* Waits double from the least to the most. */
static void write_schedule(struct main_cf *cf)
{
	struct bytes least = duration_of(cf, value_of(cf, "minimal_backoff_time"), "s");
	struct bytes most = duration_of(cf, value_of(cf, "maximal_backoff_time"), "s");
	int64_t wait_us = 300 * US_PER_SECOND, most_us = 4000 * US_PER_SECOND;

	if (least.len == 0 && most.len == 0)
		return;
	duration_parse(least, &wait_us);
	duration_parse(most, &most_us);
	wait_us = MAX(wait_us, US_PER_SECOND);
	buffer_append_text(cf->out, "\tschedule");
	for (; wait_us < most_us && wait_us < 10 * US_PER_DAY; wait_us *= 2)
		buffer_printf(cf->out, " %llds", (long long)(wait_us / US_PER_SECOND));
	buffer_printf(cf->out, " %llds;\n",
	              (long long)(MAX(most_us, US_PER_SECOND) / US_PER_SECOND));
}

static void write_tls(struct main_cf *cf)
{
	static const struct {
		const char *theirs, *ours;
	} levels[] = { { "none", "none" },     { "may", "may" },           { "dane", "may" },
		       { "encrypt", "must" },  { "dane-only", "must" },    { "verify", "verify" },
		       { "secure", "verify" }, { "fingerprint", "verify" } };
	struct bytes level = value_of(cf, "smtp_tls_security_level");

	for (size_t i = 0; i < COUNT(levels); i++)
		if (bytes_equal(level, bytes_of(levels[i].theirs)))
			buffer_printf(cf->out, "\ttls %s;\n", levels[i].ours);
}

static void write_listener(struct main_cf *cf)
{
	struct bytes interfaces = value_of(cf, "inet_interfaces");
	struct bytes certificate = value_of(cf, "smtpd_tls_cert_file");
	struct bytes level = value_of(cf, "smtpd_tls_security_level");
	bool is_local = bytes_equal(interfaces, BYTES_LITERAL("loopback-only")) ||
	                bytes_equal(interfaces, BYTES_LITERAL("localhost")) ||
	                bytes_equal(interfaces, BYTES_LITERAL("127.0.0.1"));

	buffer_printf(cf->out, "listener \"%s:25\" {\n", is_local ? "127.0.0.1" : "0.0.0.0");
	if (certificate.len > 0 && level.len > 0 && !bytes_equal(level, BYTES_LITERAL("none"))) {
		buffer_printf(cf->out, "\ttls %s;\n",
		              bytes_equal(level, BYTES_LITERAL("encrypt")) ? "required"
		                                                           : "starttls");
		write_text(cf, "certificate", certificate);
		write_text(cf, "key", value_of(cf, "smtpd_tls_key_file"));
	}
	buffer_append_text(cf->out, "}\n");
}

static const struct row receive_rows[] = {
	{ "message_size_limit", "message_size", NUMBER },
	{ "header_size_limit", "header_size", NUMBER },
	{ "hopcount_limit", "hops", NUMBER },
	{ "smtpd_recipient_limit", "recipients_per_message", NUMBER },
	{ "smtpd_client_connection_count_limit", "connections_per_client", NUMBER },
	{ "smtpd_hard_error_limit", "errors_per_connection", NUMBER },
};

static const struct row deliver_rows[] = {
	{ "smtp_helo_name", "helo", TEXT },
	{ "smtp_connect_timeout", "connect_timeout", SECONDS },
	{ "smtp_helo_timeout", "greeting_timeout", SECONDS },
	{ "smtp_mail_timeout", "command_timeout", SECONDS },
	{ "smtp_data_init_timeout", "data_timeout", SECONDS },
	{ "smtp_data_xfer_timeout", "body_timeout", SECONDS },
	{ "smtp_data_done_timeout", "dot_timeout", SECONDS },
	{ "smtp_quit_timeout", "quit_timeout", SECONDS },
	{ "smtp_tls_CAfile", "tls_trust", TEXT },
	{ "smtp_mx_address_limit", "addresses_per_attempt", NUMBER },
};

static const struct row default_rows[] = {
	{ "maximal_queue_lifetime", "lifetime", DAYS },
	{ "bounce_queue_lifetime", "notice_lifetime", DAYS },
	{ "delay_warning_time", "delay_notice", HOURS },
	{ "default_destination_concurrency_limit", "connections", NUMBER },
	{ "default_destination_recipient_limit", "recipients_per_message", NUMBER },
};

static void write_config(struct main_cf *cf)
{
	struct bytes hostname = value_of(cf, "myhostname");
	struct bytes origin = value_of(cf, "myorigin");
	struct bytes bind = value_of(cf, "smtp_bind_address");

	if (is_writable(hostname))
		buffer_printf(cf->out, "hostname \"%.*s\";\n", BYTES_FORMAT(hostname));
	write_listener(cf);
	write_networks(cf);
	write_rows(cf, receive_rows, COUNT(receive_rows));
	buffer_append_text(cf->out, "}\ndrop {\n\tdirectory \"/var/spool/outlast-drop\";\n");
	if (origin.len > 0 && origin.at[0] != '/')
		write_text(cf, "domain", origin);
	buffer_append_text(cf->out, "}\ndeliver {\n");
	write_rows(cf, deliver_rows, COUNT(deliver_rows));
	if (is_writable(bind))
		buffer_printf(cf->out, "\tsource_addresses \"%.*s\";\n", BYTES_FORMAT(bind));
	if (bytes_equal(value_of(cf, "inet_protocols"), BYTES_LITERAL("ipv4")))
		buffer_append_text(cf->out, "\tipv6 no;\n");
	buffer_append_text(cf->out, "}\ndefaults {\n");
	write_route(cf);
	write_schedule(cf);
	write_rows(cf, default_rows, COUNT(default_rows));
	write_tls(cf);
	buffer_append_text(cf->out, "}\n");
}

static void write_rest(struct main_cf *cf)
{
	bool is_first = true;

	for (int i = 0; i < cf->count; i++) {
		const struct setting *setting = &cf->settings[i];

		if (setting->is_used)
			continue;
		if (is_first)
			buffer_append_text(cf->out,
			                   "\n# Set in main.cf, without an equivalent here:\n");
		is_first = false;
		buffer_printf(cf->out, "#   %.*s = ", BYTES_FORMAT(setting->name));
		for (size_t at = 0; at < setting->value.len; at++)
			buffer_append_char(cf->out, (unsigned char)setting->value.at[at] < ' '
			                                    ? ' '
			                                    : setting->value.at[at]);
		buffer_append_char(cf->out, '\n');
	}
}

void main_cf_convert(struct bytes text, struct buffer *out)
{
	struct arena *arena = arena_create(0);
	struct main_cf *cf = arena_alloc(arena, sizeof *cf);

	cf->arena = arena;
	cf->out = out;
	read_settings(cf, bytes_first(text, MAIN_CF_BYTES_MAX));
	write_config(cf);
	write_rest(cf);
	arena_destroy(arena);
}
