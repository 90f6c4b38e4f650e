/* base/macros.h - the few macros that every room uses. */
#pragma once
#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CONTAINER_OF(member_ptr, type, member) \
	((type *)(void *)((char *)(member_ptr)-offsetof(type, member)))
#define MIN(a, b)               ((a) < (b) ? (a) : (b))
#define MAX(a, b)               ((a) > (b) ? (a) : (b))
#define PRINTF_LIKE(nth, first) __attribute__((format(printf, nth, first)))

/* PARKS - marks the prototype of every function that may park the calling fiber. After such a call,
 * anything that another fiber of this thread may change has to be read again. */
#define PARKS
