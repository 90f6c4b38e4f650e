#include "serve/hook.h"
#include "base/assert.h"
#include "base/units.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A file in memory: the program reads it when it likes, and nobody waits for that. */
static int open_input(struct bytes input, struct err *err)
{
	int fd = memfd_create("outlast-hook", MFD_CLOEXEC);

	ASSERT(input.len <= HOOK_INPUT_MAX);
	if (fd < 0)
		return err_system(err, "memfd_create");
	if (write(fd, input.at, input.len) != (ssize_t)input.len || lseek(fd, 0, SEEK_SET) < 0) {
		err_system(err, "memfd");
		close(fd);
		return err->code;
	}
	return fd;
}

/* A process group of its own, so that what it starts can be killed with it. */
static int start(const struct hook *hook, int input, pid_t *pid_out)
{
	char *const arguments[] = { (char *)hook->program, (char *)hook->first,
		                    (char *)hook->second, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int result;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
	                                              POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	result = posix_spawn(pid_out, hook->program, &files, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return result;
}

/* 0: it has ended. */
static int await(const struct hook *hook, pid_t pid, struct err *err)
{
	int timeout_ms = (int)MIN(hook->timeout_us / US_PER_MS + 1, INT32_MAX);
	struct pollfd fds[2] = { { .fd = pidfd_open(pid, 0), .events = POLLIN },
		                 { .fd = hook->stop_fd, .events = POLLIN } };
	int count;

	if (fds[0].fd < 0)
		return err_system(err, "%s: pidfd_open", hook->program);
	do
		count = poll(fds, COUNT(fds), timeout_ms);
	while (count < 0 && errno == EINTR);
	close(fds[0].fd);
	if (fds[0].revents)
		return 0;
	if (count == 0)
		return err_set(err, ERR_TIMEOUT, "%s: took longer than %d ms and was killed",
		               hook->program, timeout_ms - 1);
	return err_set(err, ERR_CANCELLED, "%s: killed, since the relay stops", hook->program);
}

int hook_run(const struct hook *hook, struct err *err)
{
	int input = open_input(hook->input, err), status = 0, result;
	pid_t pid;

	if (input < 0)
		return input;
	result = start(hook, input, &pid);
	close(input);
	if (result != 0)
		return err_set(err, ERR_SYSTEM, "%s: %s", hook->program, strerror(result));
	result = await(hook, pid, err);
	kill(-pid, SIGKILL); /* also what it left behind */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (result < 0)
		return result;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_SYSTEM, "%s: died of signal %d", hook->program,
		               WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_SYSTEM, "%s: exited with %d", hook->program,
		               WEXITSTATUS(status));
	return 0;
}
