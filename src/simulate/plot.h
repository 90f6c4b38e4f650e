/* simulate/plot.h - a picture of runs: the length of the queue over time, one line a policy, and
 * bands where a domain was down. SVG that reads on light and dark ground; one panel a world. */
#pragma once
#include "base/buffer.h"
#include "simulate/run.h"

#define PLOT_POLICIES_MAX 32

struct plot {
	struct buffer panels;
	int panel_count;
};

/* plot_add - a panel below those that are there. `results` need not live on. */
void plot_add(struct plot *plot, const char *title, const struct scene *scene,
              const struct run_result *results, int count);

/* plot_finish - the whole file; the plot is empty afterwards. */
void plot_finish(struct plot *plot, struct buffer *out);
