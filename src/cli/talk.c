/* sendmail -bs: SMTP on standard input and output, carried to the relay and back. While no relay
 * runs the client is told so (421) and keeps its mail. */
#include "cli/cli.h"
#include "config/config.h"
#include "runtime/address.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int connect_to_relay(const struct config *config)
{
	const char *text = config->receive.listeners[0].address;
	struct address address;
	int fd;

	if (!address_parse(bytes_of(text), 25, &address))
		return -1;
	fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address.storage, address.len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int write_all(int fd, const char *data, ssize_t size)
{
	while (size > 0) {
		ssize_t count = write(fd, data, (size_t)size);

		if (count < 0 && errno != EINTR)
			return -1;
		data += count > 0 ? count : 0;
		size -= count > 0 ? count : 0;
	}
	return 0;
}

/* What there is now; false at the end. */
static bool carry(int from, int to)
{
	char data[4096];
	ssize_t count = read(from, data, sizeof data);

	if (count < 0 && errno == EINTR)
		return true;
	return count > 0 && write_all(to, data, count) == 0;
}

int cli_talk(const struct config *config)
{
	int relay = connect_to_relay(config);
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		                { .fd = relay, .events = POLLIN } };

	if (relay < 0) {
		printf("421 4.3.2 %s: the relay does not answer\r\n", config->hostname);
		return EX_TEMPFAIL;
	}
	for (;;) {
		if (poll(fds, COUNT(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents && !carry(relay, STDOUT_FILENO))
			break;
		if (fds[0].revents && !carry(STDIN_FILENO, relay)) {
			shutdown(relay, SHUT_WR);
			fds[0].fd = -1; /* what the relay still says is wanted */
		}
	}
	close(relay);
	return 0;
}
