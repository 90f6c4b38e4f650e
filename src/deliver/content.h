/* deliver/content.h - a message's content as it goes to a server: whole in memory or mapped,
 * without bare CR or LF (standards 19.2), and dot-stuffed while it is sent (RFC 5321 4.5.2). */
#pragma once
#include "base/buffer.h"
#include "deliver/client.h"
#include "model/message.h"

struct content {
	struct bytes data;
	bool has_8bit;            /* bytes above 127: needs 8BITMIME */
	bool has_dots;            /* a line begins with a dot */
	struct buffer signatures; /* fields to go in front of `data` */
	bool is_signed;
	struct buffer own; /* holds `data` when it was converted */
	void *mapped;      /* holds `data` when it is a file's */
	size_t mapped_bytes;
};

/* content_open - of a message; memory stays the message's. Fails with ERR_SYSTEM when its file
 * cannot be read. PARKS when it is in a file */
PARKS int content_open(const struct message *message, struct content *content_out, struct err *err);

/* content_downgrade - the same for a server without 8BITMIME. False: that cannot be (5.6.3). PARKS
 */
PARKS bool content_downgrade(const struct content *from, struct content *content_out);
void content_close(struct content *content);

/* content_size - bytes, with the signatures; without the doubling of dots. */
size_t content_size(const struct content *content);

/* content_send - to the client: with dots doubled and the final dot (DATA), or as it is (BDAT). As
 * client_put. PARKS */
PARKS bool content_send_dotted(struct client *client, const struct content *content);
PARKS bool content_send_raw(struct client *client, const struct content *content);
