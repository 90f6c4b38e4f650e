/* lab/lab.h - `outlast lab`: a scripted internet on loopback, DNS and mail servers that misbehave,
 * for tests, demos and benchmarks. One thread; docs/lab.md describes worlds, control and record. */
#pragma once
#include "base/buffer.h"
#include "base/err.h"
#include <stdint.h>

#define LAB_PORT_OF_WORLD (-1)

struct lab_options {
	const char *record_path;    /* "": no record */
	const char *keep_directory; /* "": content is thrown away */
	int dns_port, smtp_port;    /* 0: chosen; LAB_PORT_OF_WORLD: as the file says */
};

/* lab_run - runs the world of a file until SIGTERM, SIGINT or "quit". Writes one line of JSON to
 * stdout when it is ready, and takes control lines from stdin, if that is a pipe or a terminal. */
int lab_run(const char *world_path, const struct lab_options *options, struct err *err);

/* The same inside another program, on the calling thread's loop. */
struct lab;

/* lab_start - opens everything. `name` stands for the file in messages. */
int lab_start(const char *name, struct bytes text, const struct lab_options *options,
              struct lab **lab_out, struct err *err);

/* lab_shut - closes the sockets and cuts every connection. lab_destroy frees, when the loop has
 * ended. Both take NULL. */
void lab_shut(struct lab *lab);
void lab_destroy(struct lab *lab);

/* lab_control - carries out one line and appends the answer, a line of JSON. Returns ERR_CANCELLED
 * for "quit". */
int lab_control(struct lab *lab, struct bytes line, struct buffer *out);

uint16_t lab_dns_port(const struct lab *lab);
uint16_t lab_smtp_port(const struct lab *lab);
