#include "runtime/budget.h"
#include "base/alloc.h"
#include "base/units.h"
#include "runtime/clock.h"
#include "runtime/fiber.h"
#include <stdatomic.h>

#define LOOK_AGAIN_US (5 * US_PER_MS)

struct budget {
	_Atomic int64_t used_bytes;
	int64_t limit_bytes;
};

struct budget *budget_create(int64_t limit_bytes)
{
	struct budget *budget = alloc_zeroed(sizeof *budget);

	budget->limit_bytes = limit_bytes;
	return budget;
}

void budget_destroy(struct budget *budget)
{
	alloc_free(budget);
}

bool budget_take(struct budget *budget, int64_t size_bytes)
{
	int64_t used = atomic_load(&budget->used_bytes);

	do {
		if (used + size_bytes > budget->limit_bytes)
			return false;
	} while (!atomic_compare_exchange_weak(&budget->used_bytes, &used, used + size_bytes));
	return true;
}

/* Looks again every few milliseconds: who gives back may be on any thread, and a list of waiters
 * across threads would cost a lock on every take. */
int budget_wait(struct budget *budget, int64_t size_bytes, int64_t deadline_us)
{
	while (!budget_take(budget, size_bytes)) {
		int64_t now_us = clock_now_us();
		int result;

		if (now_us >= deadline_us || size_bytes > budget->limit_bytes)
			return ERR_TIMEOUT;
		result = fiber_sleep(MIN(now_us + LOOK_AGAIN_US, deadline_us));
		if (result < 0)
			return result;
	}
	return 0;
}

void budget_give(struct budget *budget, int64_t size_bytes)
{
	atomic_fetch_sub(&budget->used_bytes, size_bytes);
}

int64_t budget_used(const struct budget *budget)
{
	return atomic_load(&budget->used_bytes);
}
