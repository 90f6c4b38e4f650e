/* runtime/budget.h - memory that peers can make us take. One budget for the whole process, shared
 * by all threads (an atomic counter); who cannot get from it waits or refuses, and never grows past
 * it. */
#pragma once
#include "base/macros.h"
#include <stdbool.h>
#include <stdint.h>

struct budget;

struct budget *budget_create(int64_t limit_bytes);
void budget_destroy(struct budget *budget);
bool budget_take(struct budget *budget,
                 int64_t size_bytes); /* false: not that much is left; nothing was taken */

/* budget_wait - takes, waiting for others to give back. 0, or ERR_TIMEOUT, or ERR_CANCELLED. PARKS
 */
PARKS int budget_wait(struct budget *budget, int64_t size_bytes, int64_t deadline_us);
void budget_give(struct budget *budget, int64_t size_bytes);
int64_t budget_used(const struct budget *budget);
