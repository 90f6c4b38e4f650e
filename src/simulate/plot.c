#include "simulate/plot.h"
#include "base/macros.h"
#include "base/units.h"

#define WIDTH     960
#define HEIGHT    340
#define LEFT      64
#define RIGHT     170 /* names of the policies */
#define TOP       56
#define BOTTOM    40
#define POINTS    400
#define BANDS     2000
#define TITLE_MAX 110
#define PLOT_W    (WIDTH - LEFT - RIGHT)
#define PLOT_H    (HEIGHT - TOP - BOTTOM)
#define GRID      4
#define LEGEND    18

/* Chosen to be told apart on white and on near-black, also by most who see few colours. */
static const char *const colours[] = { "#d1495b", "#3d7ea6", "#c98b1b", "#4f9d69",
	                               "#8e6bbf", "#2a9d9d", "#b5651d", "#7a8b99",
	                               "#a34a8f", "#6b8e23", "#cc7a6f", "#4a6fd0" };

struct panel {
	struct buffer *out;
	const struct scene *scene;
	const struct run_result *results;
	int count;
	int64_t end_us;
	double top;       /* of the panel */
	uint32_t highest; /* of all samples */
};

static void escape(struct buffer *out, const char *text)
{
	const char *end = text + TITLE_MAX;

	for (; *text && text < end; text++) {
		if (*text == '&')
			buffer_append_text(out, "&amp;");
		else if (*text == '<')
			buffer_append_text(out, "&lt;");
		else if (*text == '>')
			buffer_append_text(out, "&gt;");
		else if (*text == '"')
			buffer_append_text(out, "&quot;");
		else if ((unsigned char)*text >= ' ')
			buffer_append_char(out, *text);
	}
	if (*text)
		buffer_append_text(out, " ...");
}

static double x_of(const struct panel *panel, int64_t at_us)
{
	return LEFT + (double)MIN(at_us, panel->end_us) / (double)panel->end_us * PLOT_W;
}

static double y_of(const struct panel *panel, uint32_t value)
{
	return panel->top + TOP + PLOT_H - (double)value / panel->highest * PLOT_H;
}

/* 1, 2 or 5 times a power of ten, not below `value`: the axis ends on a round number. */
static uint32_t round_up(uint32_t value)
{
	uint32_t power = 1;

	while (power < 100000000 && power * 10 < value)
		power *= 10;
	for (uint32_t factor = 1; factor <= 10; factor++) {
		if (factor * power >= value && (factor <= 2 || factor % 2 == 0 || factor == 5))
			return factor * power;
	}
	return value;
}

/* Until every queue is empty, with some room behind. */
static void measure(struct panel *panel)
{
	size_t last = 1;

	for (int i = 0; i < panel->count; i++) {
		const struct run_result *result = &panel->results[i];

		for (size_t k = 0; k < result->sample_count; k++) {
			panel->highest = MAX(panel->highest, result->samples[k]);
			if (result->samples[k] > 0)
				last = MAX(last, k);
		}
	}
	panel->end_us = (int64_t)(last + last / 50 + 1) * RUN_SAMPLE_US;
	panel->highest = round_up(MAX(4, panel->highest));
}

static void draw_bands(const struct panel *panel)
{
	int left = BANDS;

	for (uint32_t i = 0; i < panel->scene->domain_count; i++) {
		const struct scene_domain *domain = &panel->scene->domains[i];

		if (i > 0 && domain->down == domain[-1].down)
			continue; /* copies are down together */
		for (int k = 0; k < domain->down_count && left > 0; k++, left--) {
			double from = x_of(panel, domain->down[k].from_us);
			double to = x_of(panel, domain->down[k].to_us);

			buffer_printf(panel->out,
			              "<rect class=\"down\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			              "height=\"%d\"/>\n",
			              from, panel->top + TOP, MAX(0.5, to - from), PLOT_H);
		}
	}
}

static int64_t tick_us(int64_t end_us)
{
	static const int hours[] = { 1, 2, 3, 6, 12, 24, 48, 96, 168 };

	for (size_t i = 0; i < COUNT(hours); i++) {
		if (end_us / (hours[i] * US_PER_HOUR) <= 10)
			return hours[i] * US_PER_HOUR;
	}
	return end_us / 10;
}

static void draw_axes(const struct panel *panel)
{
	int64_t step_us = tick_us(panel->end_us);
	double bottom = panel->top + TOP + PLOT_H;

	for (uint32_t i = 0; i <= GRID; i++) {
		uint32_t value = panel->highest / GRID * i;
		double y = y_of(panel, value);

		buffer_printf(panel->out,
		              "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
		              "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%u</text>\n",
		              LEFT, y, LEFT + PLOT_W, y, LEFT - 8, y + 4, value);
	}
	for (int64_t at_us = 0; at_us <= panel->end_us; at_us += step_us)
		buffer_printf(panel->out,
		              "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%lld h</text>\n",
		              x_of(panel, at_us), bottom + 18, (long long)(at_us / US_PER_HOUR));
	buffer_printf(panel->out,
	              "<line class=\"axis\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", LEFT,
	              bottom, LEFT + PLOT_W, bottom);
}

static uint32_t sample_at(const struct run_result *result, size_t index)
{
	return index < result->sample_count ? result->samples[index] : (uint32_t)result->queued;
}

/* The highest of the samples that share a point, so that no peak is lost. */
static void draw_line(const struct panel *panel, int nth)
{
	const struct run_result *result = &panel->results[nth];
	size_t samples = (size_t)(panel->end_us / RUN_SAMPLE_US);
	size_t stride = samples / POINTS + 1;

	buffer_printf(panel->out,
	              "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" points=\"",
	              colours[(size_t)nth % COUNT(colours)], nth == 0 ? "2.6" : "1.3");
	for (size_t i = 0; i <= samples; i += stride) {
		uint32_t value = 0;

		for (size_t k = i; k < i + stride; k++)
			value = MAX(value, sample_at(result, k));
		buffer_printf(panel->out, "%.1f,%.1f ", x_of(panel, (int64_t)i * RUN_SAMPLE_US),
		              y_of(panel, value));
	}
	buffer_append_text(panel->out, "\"/>\n");
}

static void draw_name(const struct panel *panel, int nth)
{
	double y = panel->top + TOP + 6 + LEGEND * nth;
	int x = LEFT + PLOT_W + 14;

	buffer_printf(panel->out,
	              "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"%s\" "
	              "stroke-width=\"%s\"/><text x=\"%d\" y=\"%.1f\">",
	              x, y, x + 16, y, colours[(size_t)nth % COUNT(colours)],
	              nth == 0 ? "2.6" : "1.3", x + 22, y + 4);
	escape(panel->out, panel->results[nth].policy);
	buffer_append_text(panel->out, "</text>\n");
}

void plot_add(struct plot *plot, const char *title, const struct scene *scene,
              const struct run_result *results, int count)
{
	struct panel panel = { .out = &plot->panels,
		               .scene = scene,
		               .results = results,
		               .count = MIN(count, PLOT_POLICIES_MAX),
		               .top = (double)plot->panel_count++ * HEIGHT };

	measure(&panel);
	buffer_printf(panel.out, "<text class=\"title\" x=\"%d\" y=\"%.1f\">", LEFT,
	              panel.top + 26);
	escape(panel.out, title);
	buffer_printf(panel.out,
	              "</text>\n<text x=\"%d\" y=\"%.1f\">messages in the queue; grey: a domain is "
	              "down</text>\n",
	              LEFT, panel.top + 42);
	draw_bands(&panel);
	draw_axes(&panel);
	for (int i = panel.count - 1; i >= 0; i--) /* the first one on top */
		draw_line(&panel, i);
	for (int i = 0; i < panel.count; i++)
		draw_name(&panel, i);
}

void plot_finish(struct plot *plot, struct buffer *out)
{
	int height = MAX(1, plot->panel_count) * HEIGHT;

	buffer_printf(out,
	              "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
	              "viewBox=\"0 0 %d %d\">\n",
	              WIDTH, height, WIDTH, height);
	buffer_append_text(out, "<title>Messages in the queue over time</title>\n<style>\n"
	                        "text { font: 12px sans-serif; fill: #333; }\n"
	                        ".title { font-size: 14px; font-weight: bold; }\n"
	                        ".ground { fill: #fff; }\n"
	                        ".grid { stroke: #888; stroke-opacity: 0.25; }\n"
	                        ".axis { stroke: #888; }\n"
	                        ".down { fill: #888; fill-opacity: 0.16; }\n"
	                        "@media (prefers-color-scheme: dark) {\n"
	                        "text { fill: #ddd; } .ground { fill: #16181c; } }\n</style>\n"
	                        "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n");
	buffer_append(out, buffer_bytes(&plot->panels));
	buffer_append_text(out, "</svg>\n");
	buffer_deinit(&plot->panels);
	plot->panel_count = 0;
}
