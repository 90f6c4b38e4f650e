#include "deliver/content.h"
#include "mail/downgrade.h"
#include "runtime/clock.h"
#include "runtime/thread.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Goes through the lines once. False: there is a bare CR or LF. */
static bool check_lines(struct bytes data, bool *has_dots_out)
{
	const char *at = data.at, *end = data.at + data.len;

	*has_dots_out = false;
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((line_end ? line_end : end) - at);
		const char *cr = len > 0 ? memchr(at, '\r', len) : NULL;

		if (*at == '.')
			*has_dots_out = true;
		if (!line_end)
			return cr == NULL;
		if (!cr || cr + 1 != line_end)
			return false;
		at = line_end + 1;
	}
	return true;
}

/* Every bare CR and bare LF becomes a line end. */
static void repair_lines(struct bytes data, struct buffer *out)
{
	for (size_t i = 0; i < data.len; i++) {
		char c = data.at[i];

		if (c != '\r' && c != '\n') {
			buffer_append_char(out, c);
			continue;
		}
		buffer_append(out, BYTES_LITERAL("\r\n"));
		if (c == '\r' && i + 1 < data.len && data.at[i + 1] == '\n')
			i++;
	}
}

/* What the spool keeps is clean; what leaves this machine is clean even if it should not be. */
static void make_clean(struct content *content)
{
	struct buffer repaired = { 0 };

	if (check_lines(content->data, &content->has_dots))
		return;
	repair_lines(content->data, &repaired);
	buffer_deinit(&content->own);
	content->own = repaired;
	content->data = buffer_bytes(&content->own);
	check_lines(content->data, &content->has_dots);
}

struct loading {
	const char *path;
	struct content *content;
	struct err *err;
	int result;
};

/* On a thread of the pool: maps and reads in the file, so that nothing later waits for the disk. */
static void load_file(void *arg)
{
	struct loading *loading = arg;
	struct content *content = loading->content;
	int fd = open(loading->path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	loading->result = 0;
	if (size > 0) {
		content->mapped = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
		                       fd, 0);
		content->mapped_bytes = (size_t)size;
	}
	if (size < 0 || content->mapped == MAP_FAILED) {
		loading->result = err_system(loading->err, "read content %s", loading->path);
		content->mapped = NULL;
	}
	if (fd >= 0)
		close(fd);
	content->data = (struct bytes){ content->mapped, content->mapped ? (size_t)size : 0 };
	make_clean(content);
}

PARKS int content_open(const struct message *message, struct content *content_out, struct err *err)
{
	struct loading loading = { message->body.path, content_out, err, 0 };

	*content_out = (struct content){ .has_8bit = message->flags & MESSAGE_HAS_8BIT };
	if (message->body.data.at || !message->body.path) {
		content_out->data = message->body.data;
		make_clean(content_out);
		return 0;
	}
	work_run(load_file, &loading);
	return loading.result;
}

size_t content_size(const struct content *content)
{
	return content->signatures.len + content->data.len;
}

void content_close(struct content *content)
{
	buffer_deinit(&content->signatures);
	buffer_deinit(&content->own);
	if (content->mapped)
		munmap(content->mapped, content->mapped_bytes);
	*content = (struct content){ 0 };
}

#define DOWNGRADE_BYTES_MAX  (128L << 20)
#define DOWNGRADE_HERE_BYTES 65536 /* more than this would hold up the other fibers */

struct converting {
	struct bytes from;
	struct buffer *to;
	bool is_done;
};

static void convert(void *arg)
{
	struct converting *converting = arg;

	converting->is_done = downgrade(converting->from, converting->to);
}

PARKS bool content_downgrade(const struct content *from, struct content *content_out)
{
	struct converting converting = { from->data, &content_out->own, false };

	*content_out = (struct content){ .own.limit = DOWNGRADE_BYTES_MAX };
	if (from->data.len > DOWNGRADE_HERE_BYTES)
		work_run(convert, &converting);
	else
		convert(&converting);
	content_out->data = buffer_bytes(&content_out->own);
	check_lines(content_out->data, &content_out->has_dots);
	return converting.is_done;
}

PARKS bool content_send_dotted(struct client *client, const struct content *content)
{
	struct bytes rest = content->data, dot_line = BYTES_LITERAL("\n.");
	bool is_ended = rest.len == 0 || rest.at[rest.len - 1] == '\n';

	if (!client_put(client, buffer_bytes(&content->signatures)))
		return false;
	if (content->has_dots && rest.at[0] == '.' && !client_put(client, BYTES_LITERAL(".")))
		return false;
	while (content->has_dots) {
		ptrdiff_t at = bytes_find(rest, dot_line);

		if (at < 0)
			break;
		/* As far as the dot, which the next run begins with again. */
		if (!client_put(client, bytes_first(rest, (size_t)at + 2)))
			return false;
		rest = bytes_from(rest, (size_t)at + 1);
		if (!client_put(client, (struct bytes){ rest.at, 1 }))
			return false;
		rest = bytes_from(rest, 1);
	}
	if (!client_put(client, rest))
		return false;
	return client_put(client, is_ended ? BYTES_LITERAL(".\r\n") : BYTES_LITERAL("\r\n.\r\n"));
}

PARKS bool content_send_raw(struct client *client, const struct content *content)
{
	return client_put(client, buffer_bytes(&content->signatures)) &&
	       client_put(client, content->data);
}
