#include "check/crew.h"
#include "runtime/fiber.h"

struct task {
	struct crew *crew;
	void (*run)(void *arg, int index);
	void *arg;
	int index;
};

static void run_task(void *arg)
{
	struct task *task = arg;
	struct crew *crew = task->crew;

	task->run(task->arg, task->index);
	if (--crew->running == 0 && crew->waiting)
		fiber_wake(crew->waiting);
}

PARKS void crew_start(struct crew *crew, void (*run)(void *arg, int index), void *arg, int index)
{
	struct task *task = arena_alloc(crew->arena, sizeof *task);

	*task = (struct task){ crew, run, arg, index };
	crew->running++;
	if (!fiber_spawn(run_task, task, "check"))
		run_task(task);
}

PARKS void crew_await(struct crew *crew)
{
	crew->waiting = fiber_self();
	while (crew->running > 0)
		fiber_park_always();
	crew->waiting = NULL;
}
