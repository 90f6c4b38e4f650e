#include "lab/lab.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/units.h"
#include "lab/host.h"
#include "lab/nameserver.h"
#include "lab/world.h"
#include "runtime/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORLD_BYTES_MAX   16777216
#define CONTROL_BYTES_MAX 65536
#define PORT_TRIES        20

struct lab {
	struct world *world;
	struct nameserver *nameserver;
	struct host_options host_options;
	int guard_fd;
	struct change *next_change;
	struct timer change_timer;
	int64_t start_us;
};

/* Time */

static int apply_statement(struct lab *lab, struct name *name, const struct statement *statement,
                           struct err *err)
{
	if (world_apply(lab->world, name, statement, err) < 0)
		return err->code;
	return name->host ? host_listen(name->host, err) : 0;
}

static void apply_change(struct lab *lab, const struct change *change)
{
	struct err err;

	for (const struct statement *each = change->block; each; each = each->next)
		if (apply_statement(lab, change->name, each, &err) < 0)
			log_error("lab", "%s: %s", change->name->text, err.text);
}

static void apply_due_changes(struct timer *timer)
{
	struct lab *lab = CONTAINER_OF(timer, struct lab, change_timer);
	int64_t now_us = clock_now_us();

	while (lab->next_change && lab->start_us + lab->next_change->at_us <= now_us) {
		apply_change(lab, lab->next_change);
		lab->next_change = lab->next_change->next;
	}
	if (lab->next_change)
		timer_set(timer, lab->start_us + lab->next_change->at_us, apply_due_changes);
}

/* Ports */

/* All hosts share one port. Listening sockets share addresses too (SO_REUSEPORT), so a second lab
 * would go unnoticed and take half of the connections; this socket, which does not share, keeps the
 * port to ourselves. It is not closed before the lab ends. */
static int open_guard(uint16_t port, uint16_t *port_out, struct err *err)
{
	struct address address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address_parse(BYTES_LITERAL("127.66.255.254"), port, &address);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address.storage, address.len) < 0 ||
	    listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address.storage, &address.len) < 0) {
		err_system(err, "SMTP port %u", port);
		if (fd >= 0)
			close(fd);
		return ERR_SYSTEM;
	}
	*port_out = address_port(&address);
	return fd;
}

static void close_hosts(struct lab *lab)
{
	for (struct name *name = lab->world->names; name; name = name->next) {
		host_destroy(name->host);
		name->host = NULL;
	}
	if (lab->guard_fd >= 0)
		close(lab->guard_fd);
	lab->guard_fd = -1;
}

static int open_hosts(struct lab *lab, uint16_t port, struct err *err)
{
	lab->guard_fd = open_guard(port, &lab->host_options.port, err);
	if (lab->guard_fd < 0)
		return err->code;
	for (struct name *name = lab->world->names; name; name = name->next) {
		if (!name->manners)
			continue;
		name->host = host_create(name, &lab->host_options);
		if (host_listen(name->host, err) < 0)
			return err->code;
	}
	return 0;
}

static int open_hosts_somewhere(struct lab *lab, uint16_t port, struct err *err)
{
	int tries = port == 0 ? PORT_TRIES : 1;

	for (int i = 0; i < tries; i++) {
		if (open_hosts(lab, port, err) == 0)
			return 0;
		close_hosts(lab);
	}
	return err->code;
}

/* Start and end */

static void flush_record(void *arg)
{
	record_flush(((struct lab *)arg)->host_options.record);
}

static uint16_t choose_port(int option, uint16_t of_world)
{
	return option == LAB_PORT_OF_WORLD ? of_world : (uint16_t)option;
}

int lab_start(const char *name, struct bytes text, const struct lab_options *options,
              struct lab **lab_out, struct err *err)
{
	struct lab *lab = alloc_zeroed(sizeof *lab);

	lab->guard_fd = -1;
	lab->host_options.keep_directory = options->keep_directory;
	if (world_parse(name, text, &lab->world, err) < 0)
		goto fail;
	if (*options->record_path &&
	    record_open(options->record_path, &lab->host_options.record, err) < 0)
		goto fail;
	if (nameserver_open(lab->world, choose_port(options->dns_port, lab->world->dns_port),
	                    &lab->nameserver, err) < 0)
		goto fail;
	if (open_hosts_somewhere(lab, choose_port(options->smtp_port, lab->world->smtp_port), err) <
	    0)
		goto fail;
	loop_after_turn(loop_current(), flush_record, lab);
	lab->start_us = clock_now_us();
	lab->next_change = lab->world->changes;
	apply_due_changes(&lab->change_timer);
	*lab_out = lab;
	return 0;
fail:
	lab_shut(lab);
	lab_destroy(lab);
	return err->code;
}

void lab_shut(struct lab *lab)
{
	if (!lab || !lab->world)
		return;
	timer_stop(&lab->change_timer);
	nameserver_shut(lab->nameserver);
	for (struct name *name = lab->world->names; name; name = name->next)
		if (name->host)
			host_shut(name->host);
}

void lab_destroy(struct lab *lab)
{
	if (!lab)
		return;
	nameserver_destroy(lab->nameserver);
	if (lab->world)
		close_hosts(lab);
	record_close(lab->host_options.record);
	world_destroy(lab->world);
	alloc_free(lab);
}

uint16_t lab_dns_port(const struct lab *lab)
{
	return nameserver_port(lab->nameserver);
}

uint16_t lab_smtp_port(const struct lab *lab)
{
	return lab->host_options.port;
}

/* Control */

static void put_host(struct buffer *out, const struct name *name)
{
	const struct host_counts *counts = host_counts(name->host);
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{ "connections", counts->connections },
		{ "open", counts->open },
		{ "messages", counts->messages },
		{ "recipients", counts->recipients },
		{ "refusals", counts->refusals },
		{ "drops", counts->drops },
		{ "bytes", counts->bytes },
	};

	record_json_string(out, bytes_of(name->text));
	buffer_printf(out, ":{\"manner\":\"%s\"", listen_manner_name(name->manners->listen));
	for (size_t i = 0; i < COUNT(fields); i++)
		buffer_printf(out, ",\"%s\":%llu", fields[i].name,
		              (unsigned long long)fields[i].value);
	buffer_append_char(out, '}');
}

static void put_status(const struct lab *lab, struct buffer *out)
{
	const char *separator = "";
	uint64_t messages = 0;

	buffer_append_text(out, "{\"hosts\":{");
	for (const struct name *name = lab->world->names; name; name = name->next) {
		if (!name->host)
			continue;
		buffer_append_text(out, separator);
		put_host(out, name);
		messages += host_counts(name->host)->messages;
		separator = ",";
	}
	buffer_printf(out, "},\"messages\":%llu,\"dns_queries\":%llu,\"running_s\":%.3f}\n",
	              (unsigned long long)messages,
	              (unsigned long long)nameserver_queries(lab->nameserver),
	              (double)(clock_now_us() - lab->start_us) / 1e6);
}

/* "NAME STATEMENT": what could stand in the name's block. */
static int control_name(struct lab *lab, const struct statement *line, struct err *err)
{
	struct name *name = world_find(lab->world, bytes_of(line->words[0]));
	struct statement statement = *line;

	if (!name)
		return err_set(err, ERR_NOT_FOUND, "no host or domain \"%.100s\"", line->words[0]);
	if (line->word_count < 2)
		return err_set(err, ERR_INVALID, "wants a statement behind \"%.100s\"",
		               line->words[0]);
	statement.words++;
	statement.word_count--;
	return apply_statement(lab, name, &statement, err);
}

static int control_statement(struct lab *lab, const struct statement *line, struct buffer *out,
                             struct err *err)
{
	if (strcmp(line->words[0], "quit") == 0)
		return ERR_CANCELLED;
	if (strcmp(line->words[0], "status") == 0) {
		put_status(lab, out);
		return 0;
	}
	if (control_name(lab, line, err) < 0)
		return err->code;
	buffer_append_text(out, "{\"ok\":true}\n");
	return 0;
}

int lab_control(struct lab *lab, struct bytes line, struct buffer *out)
{
	struct arena *arena = arena_create(0);
	struct statement *statement = NULL;
	struct buffer text = { 0 };
	struct err err;
	int result;

	buffer_append(&text, bytes_trim(line));
	if (text.len > 0 && text.at[text.len - 1] != ';')
		buffer_append_char(&text, ';');
	result = script_parse("control", buffer_bytes(&text), arena, &statement, &err);
	for (; result == 0 && statement; statement = statement->next)
		result = control_statement(lab, statement, out, &err);
	if (result < 0 && result != ERR_CANCELLED) {
		buffer_append_text(out, "{\"error\":");
		record_json_string(out, bytes_of(err.text));
		buffer_append_text(out, "}\n");
	}
	buffer_deinit(&text);
	arena_destroy(arena);
	return result;
}

/* The command */

struct console {
	struct lab *lab;
	struct watch *watch;
	struct buffer in;
};

static void print(const struct buffer *out)
{
	size_t done = 0;

	while (done < out->len) {
		ssize_t count = write(STDOUT_FILENO, out->at + done, out->len - done);

		if (count <= 0 && errno != EINTR)
			return; /* nobody reads any more */
		done += count > 0 ? (size_t)count : 0;
	}
}

static void end_input(struct console *console)
{
	watch_stop(console->watch);
	console->watch = NULL;
}

static void take_lines(struct console *console)
{
	struct buffer out = { 0 };
	ptrdiff_t end;

	while ((end = bytes_find_char(buffer_bytes(&console->in), '\n')) >= 0) {
		struct bytes line = { console->in.at, (size_t)end };

		if (lab_control(console->lab, line, &out) == ERR_CANCELLED)
			loop_stop(loop_current());
		buffer_consume(&console->in, (size_t)end + 1);
	}
	print(&out);
	buffer_deinit(&out);
	if (console->in.len > CONTROL_BYTES_MAX) {
		log_error("lab", "a control line is too long: no more are taken");
		end_input(console);
	}
}

static void take_input(void *arg, int events)
{
	struct console *console = arg;
	char *room = buffer_reserve(&console->in, 4096);
	ssize_t count = read(STDIN_FILENO, room, 4096);

	(void)events;
	if (count > 0) {
		console->in.len += (size_t)count;
		take_lines(console);
	} else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
		end_input(console);
	}
}

/* Files and /dev/null cannot be waited for, and say nothing new. */
static void open_console(struct console *console)
{
	struct stat status;

	if (fstat(STDIN_FILENO, &status) < 0 ||
	    !(S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(STDIN_FILENO)))
		return;
	console->watch = watch_start(STDIN_FILENO, WATCH_READ, take_input, console);
}

static int read_world(const char *path, struct buffer *text, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count = 1;

	if (fd < 0)
		return err_system(err, "open world %s", path);
	while (count > 0 && text->len < WORLD_BYTES_MAX) {
		char *room = buffer_reserve(text, 65536);

		count = read(fd, room, 65536);
		if (count > 0)
			text->len += (size_t)count;
	}
	if (count < 0)
		err_system(err, "read world %s", path);
	else if (count > 0)
		err_set(err, ERR_TOO_LONG, "world %s is too long", path);
	close(fd);
	return count == 0 ? 0 : err->code;
}

static void print_ready(const struct lab *lab)
{
	struct buffer out = { 0 };

	buffer_printf(&out, "{\"ready\":true,\"dns\":\"127.0.0.1:%u\",\"smtp_port\":%u}\n",
	              lab_dns_port(lab), lab_smtp_port(lab));
	print(&out);
	buffer_deinit(&out);
}

static void stop_on_signal(void *arg, int signal_number)
{
	(void)signal_number;
	loop_stop(arg);
}

static int run_world(const char *path, struct bytes text, const struct lab_options *options,
                     struct err *err)
{
	struct console console = { 0 };
	struct loop *loop;

	if (loop_create(&loop, err) < 0)
		return err->code;
	if (lab_start(path, text, options, &console.lab, err) == 0) {
		loop_on_signal(loop, SIGTERM, stop_on_signal, loop);
		loop_on_signal(loop, SIGINT, stop_on_signal, loop);
		open_console(&console);
		print_ready(console.lab);
	} else {
		loop_stop(loop); /* some sockets may have been open */
	}
	loop_run(loop);
	end_input(&console);
	lab_shut(console.lab);
	loop_destroy(loop);
	lab_destroy(console.lab);
	buffer_deinit(&console.in);
	return console.lab ? 0 : err->code;
}

int lab_run(const char *world_path, const struct lab_options *options, struct err *err)
{
	struct buffer text = { 0 };
	int result = read_world(world_path, &text, err);

	if (result == 0)
		result = run_world(world_path, buffer_bytes(&text), options, err);
	buffer_deinit(&text);
	return result;
}
