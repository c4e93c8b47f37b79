// SPDX-License-Identifier: GPL-2.0
/*
 * The space-time diagram: a lane a task, the ring's fill between them, time to the
 * right, an arrow from each wake-up to whom it woke
 *
 * What is drawn has a place in time, and the page's script may move it along
 * (report.js); an SVG alone stays as it is.  As many points as one can look at are
 * drawn each; of more, columns say what they hold, and the picture says so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "points.h"
#include "report.h"

/* Above this, points are not drawn one by one. */
#define MOST_POINTS  1500
#define MOST_LANES   48
#define MOST_CELLS   16000
#define MOST_COLUMNS 600

/* Places, in pixels. */
#define GUTTER	     168
#define STEP	     13
#define TOP	     44
#define LABELS	     108
#define BAR	     14
#define LANE	     (LABELS + BAR + 10)
#define LANE_FLAT    40
#define BAND	     52
#define PLAIN_WIDTH  1200

/* What stands in a row of the picture. */
struct row {
	bool is_task;
	size_t n;
	double y;
	double height;
};

struct picture {
	const struct report *r;
	FILE *to;
	__u64 from; /* absolute */
	__u64 span;
	bool steps;
	bool single; /* each point is drawn */
	size_t first; /* the points of the view: [first, end) */
	size_t end;
	size_t nrows;
	struct row *rows;
	double *y_of_task; /* the middle of its bar; < 0: it has no lane */
	size_t left_out; /* lanes */
	double width;
	double bottom;
};

void put_xml(FILE *to, const char *text)
{
	size_t n;

	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", to);
			break;
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		default:
			n = utf8_length(text);
			/* No control character may stand in XML */
			if (!n || ((unsigned char)*text < ' ' && *text != '\n'))
				putc('?', to);
			else
				fwrite(text, 1, n, to);
			text += n ? n - 1 : 0;
		}
	}
}

/* What is true at a point, in the words of module/points.h. */
static const char *sentence_of(const char *name)
{
#define ROW(symbol, token, name, kind, unit, hold, sentence) {name, sentence},
	static const struct {
		const char *name, *sentence;
	} points[] = {IPC_POINTS(ROW)};
#undef ROW
	size_t i;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		if (!strcmp(points[i].name, name))
			return points[i].sentence;
	return "";
}

static const char *class_of(const char *name)
{
	static const char *const classes[] = {"read", "write", "wake", "page"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (!strncmp(name, classes[i], strlen(classes[i])))
			return classes[i];
	if (!strcmp(name, "word.wake") || !strcmp(name, "word.task"))
		return "wake";
	return "other";
}

/* ---- who comes in which row --------------------------------------------------- */

struct order {
	const struct report *r;
	bool *shown;
	bool *placed;
	size_t n;
	size_t *tasks;
};

static bool writes_to(const struct report *r, size_t task, size_t object,
		      bool reads)
{
	const struct report_use *u;
	size_t i;

	for (i = 0; i < r->nuses; i++) {
		u = &r->uses[i];
		if (u->task == task && u->object == object)
			return reads ? u->reads || u->read
				     : u->writes || u->written;
	}
	return false;
}

/* Does somebody who is not placed yet write what the task reads? */
static bool has_source(const struct order *o, size_t task)
{
	const struct report *r = o->r;
	const struct report_use *u, *v;
	size_t i, j;

	for (i = 0; i < r->nuses; i++) {
		u = &r->uses[i];
		if (u->task != task || !(u->reads || u->read) ||
		    r->objects[u->object].region)
			continue;
		for (j = 0; j < r->nuses; j++) {
			v = &r->uses[j];
			if (v->object == u->object && v->task != task &&
			    (v->writes || v->written) && o->shown[v->task] &&
			    !o->placed[v->task])
				return true;
		}
	}
	return false;
}

/* Writers before readers, where there is no circle; else who came first. */
static void order_tasks(struct order *o)
{
	size_t i, next, any;

	for (;;) {
		next = NOBODY;
		any = NOBODY;
		for (i = 0; i < o->r->ntasks; i++) {
			if (!o->shown[i] || o->placed[i])
				continue;
			if (any == NOBODY)
				any = i;
			if (next == NOBODY && !has_source(o, i))
				next = i;
		}
		if (any == NOBODY)
			return;
		if (next == NOBODY)
			next = any;
		o->placed[next] = true;
		o->tasks[o->n++] = next;
	}
}

/* The lane below which the ring of an object is drawn: its last writer's. */
static size_t lane_of_ring(const struct order *o, size_t object)
{
	size_t i, last = NOBODY, user = NOBODY, j;

	for (i = 0; i < o->n; i++) {
		if (writes_to(o->r, o->tasks[i], object, false))
			last = i;
		for (j = 0; j < o->r->nuses; j++)
			if (o->r->uses[j].task == o->tasks[i] &&
			    o->r->uses[j].object == object)
				user = i;
	}
	return last != NOBODY ? last : user;
}

/* The busiest tasks get the lanes that there are. */
static void choose_tasks(struct picture *p, struct order *o)
{
	const struct report *r = p->r;
	__u64 *points = calloc(r->ntasks + 1, sizeof(*points));
	size_t i, best, lanes = 0, all = 0;

	for (i = p->first; points && i < p->end; i++)
		points[r->points[i].task]++;
	for (i = 0; points && i < r->ntasks; i++)
		all += points[i] > 0;
	while (points && lanes < MOST_LANES) {
		best = NOBODY;
		for (i = 0; i < r->ntasks; i++)
			if (!o->shown[i] && points[i] &&
			    (best == NOBODY || points[i] > points[best]))
				best = i;
		if (best == NOBODY)
			break;
		o->shown[best] = true;
		lanes++;
	}
	p->left_out = all - lanes;
	free(points);
}

static void add_row(struct picture *p, bool is_task, size_t n, double height)
{
	p->rows[p->nrows++] = (struct row){is_task, n, p->bottom, height};
	p->bottom += height;
}

static bool object_is_in_view(const struct picture *p, size_t object)
{
	size_t i;

	for (i = p->first; i < p->end; i++)
		if (p->r->points[i].object == object)
			return true;
	return false;
}

static bool lay_out(struct picture *p)
{
	const struct report *r = p->r;
	struct order o = {
		.r = r,
		.shown = calloc(r->ntasks + 1, sizeof(bool)),
		.placed = calloc(r->ntasks + 1, sizeof(bool)),
		.tasks = calloc(r->ntasks + 1, sizeof(size_t)),
	};
	double lane = p->single ? LANE : LANE_FLAT;
	size_t i, j, bands = 0;

	p->rows = calloc(r->ntasks + r->nobjects + 1, sizeof(*p->rows));
	p->y_of_task = calloc(r->ntasks + 1, sizeof(*p->y_of_task));
	p->bottom = TOP;
	if (o.shown && o.placed && o.tasks && p->rows && p->y_of_task) {
		choose_tasks(p, &o);
		order_tasks(&o);
		for (i = 0; i < r->ntasks; i++)
			p->y_of_task[i] = -1;
		for (i = 0; i < o.n; i++) {
			p->y_of_task[o.tasks[i]] =
				p->bottom + lane - 10 - BAR / 2.0;
			add_row(p, true, o.tasks[i], lane);
			for (j = 0; j < r->nobjects && bands < MOST_LANES;
			     j++) {
				if (r->objects[j].region ||
				    lane_of_ring(&o, j) != i ||
				    !object_is_in_view(p, j))
					continue;
				add_row(p, false, j, BAND);
				bands++;
			}
		}
	}
	free(o.shown);
	free(o.placed);
	free(o.tasks);
	return p->rows && p->y_of_task && p->nrows;
}

/* ---- where a moment is ---------------------------------------------------------- */

static __u64 since(const struct picture *p, __u64 t)
{
	if (t < p->from)
		return 0;
	return t - p->from > p->span ? p->span : t - p->from;
}

/* Its place among the points, which lie 1 apart; as rank() of report.js. */
static double rank(const struct picture *p, __u64 t)
{
	size_t low = p->first, high = p->end, mid;
	__u64 before, after;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (p->r->points[mid].event->t <= t)
			low = mid + 1;
		else
			high = mid;
	}
	before = low > p->first ? p->r->points[low - 1].event->t : p->from;
	after = low < p->end ? p->r->points[low].event->t : p->from + p->span;
	return (double)(low - p->first) - 1 +
	       (after > before ? (double)(t - before) / (after - before) : 0);
}

static double x_of(const struct picture *p, __u64 t)
{
	size_t n = p->end - p->first;

	if (t < p->from)
		t = p->from;
	if (t > p->from + p->span)
		t = p->from + p->span;
	if (!p->steps)
		return GUTTER + (double)(t - p->from) / p->span * p->width;
	return GUTTER + (rank(p, t) + 1) / (n + 1) * p->width;
}

static double x_of_point(const struct picture *p, size_t point)
{
	if (!p->steps)
		return x_of(p, p->r->points[point].event->t);
	return GUTTER + (double)(point - p->first + 1) /
				(p->end - p->first + 1) * p->width;
}

static bool is_in_view(const struct picture *p, __u64 from, __u64 to)
{
	return to >= p->from && from <= p->from + p->span;
}

/* ---- the pieces ------------------------------------------------------------------ */

static void put_rows(const struct picture *p)
{
	const struct row *row;
	size_t i;

	for (i = 0; i < p->nrows; i++) {
		row = &p->rows[i];
		if (row->is_task)
			fprintf(p->to,
				"<rect class=\"line wide\" x=\"0\" y=\"%.1f\" width=\"%.1f\" height=\"0.5\"/>\n",
				p->y_of_task[row->n], GUTTER + p->width + 20);
		else
			fprintf(p->to,
				"<rect class=\"band wide\" x=\"0\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n",
				row->y + 3, GUTTER + p->width + 20, BAND - 6);
	}
}

/* How many slots the height of a band stands for: few are to be seen, too. */
static __u32 scale_of(const struct report_object *o)
{
	__u32 scale = 2 * o->most > 4 ? 2 * o->most : 4;

	return scale < o->slots ? scale : o->slots;
}

/* The outline of a fill, as it is drawn: so many corners, the last at a height. */
struct outline {
	FILE *path;
	FILE *data;
	double y;
	double high; /* of a slot */
	__u32 scale;
	double at;
	size_t n;
};

static void put_step(const struct picture *p, struct outline *o,
		     const struct report_fill *f)
{
	double x = x_of(p, f->t);

	fprintf(o->path, o->n ? "L%.1f %.1f" : "M%.1f %.1f", x,
		o->n ? o->at : o->y);
	o->at = o->y - o->high * f->used;
	fprintf(o->path, "L%.1f %.1f", x, o->at);
	fprintf(o->data, "%s%llu,%.4f", o->n ? ";" : "", since(p, f->t),
		(double)f->used / o->scale);
	o->n++;
}

static void put_steps(const struct picture *p, struct outline *o, size_t object)
{
	const struct report *r = p->r;
	const struct report_fill *f, *before = NULL, *skipped = NULL;
	double last_x = -1, most = 0, x;
	size_t i;

	for (i = 0; i < r->nfills; i++) {
		f = &r->fills[i];
		if (f->object != object || f->t > p->from + p->span)
			continue;
		if (f->t < p->from) {
			before = f;
			continue;
		}
		if (before && !o->n++) {
			o->at = o->y - o->high * before->used;
			fprintf(o->path, "M%d %.1fV%.1f", GUTTER, o->y, o->at);
			fprintf(o->data, "0,%.4f",
				(double)before->used / o->scale);
		}
		x = x_of(p, f->t);
		/* Of what is nearer than a pixel the most is drawn, and the last */
		if (!p->single && x - last_x < 1 && f->used <= most) {
			skipped = f;
			continue;
		}
		if (skipped)
			put_step(p, o, skipped);
		skipped = NULL;
		last_x = x;
		most = f->used;
		put_step(p, o, f);
	}
	if (skipped)
		put_step(p, o, skipped);
}

static void put_fill(const struct picture *p, const struct row *row)
{
	const struct report_object *object = &p->r->objects[row->n];
	char *d = NULL, *moments = NULL;
	double high = BAND - 8;
	size_t dlen, mlen;
	struct outline o = {
		.path = open_memstream(&d, &dlen),
		.data = open_memstream(&moments, &mlen),
		.y = row->y + BAND - 3,
		.scale = scale_of(object),
	};

	o.at = o.y;
	if (o.path && o.data && o.scale) {
		o.high = high / o.scale;
		put_steps(p, &o, row->n);
	}
	if (o.path)
		fclose(o.path);
	if (o.data)
		fclose(o.data);
	if (o.n && d && moments)
		fprintf(p->to,
			"<path class=\"fill\" data-y=\"%.1f\" data-h=\"%.1f\" data-fill=\"%s\" d=\"%sL%.1f %.1fV%.1fZ\"><title>%s %u: slots that hold bytes, of %u</title></path>\n",
			o.y, high, moments, d, GUTTER + p->width, o.at, o.y,
			"pipe", object->id, object->slots);
	free(d);
	free(moments);
}

static void put_span(const struct picture *p, const struct report_span *s)
{
	double y = p->y_of_task[s->task], x = x_of(p, s->from);
	char a[32], label[64];

	if (y < 0 || !is_in_view(p, s->from, s->to))
		return;
	fprintf(p->to,
		"<rect class=\"%s\" data-a=\"%llu\" data-b=\"%llu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"><title>",
		life_names[s->life], since(p, s->from), since(p, s->to), x,
		y - BAR / 2.0, x_of(p, s->to) - x, BAR);
	put_xml(p->to, task_label(p->r, s->task, label, sizeof(label)));
	fprintf(p->to, ": %s, %s</title></rect>\n", life_names[s->life],
		duration(s->to - s->from, a, sizeof(a)));
}

static void put_point(const struct picture *p, size_t i)
{
	const struct report_point *point = &p->r->points[i];
	const struct rec_event *e = point->event;
	double y = p->y_of_task[point->task];
	char a[64], b[32];

	if (y < 0)
		return;
	fprintf(p->to,
		"<g class=\"e %s\" data-a=\"%llu\" data-i=\"%zu\" data-y=\"%.1f\" data-at=\"",
		class_of(point->name), since(p, e->t), i - p->first, y);
	put_xml(p->to, point->name);
	fprintf(p->to, "\" data-id=\"%u\" data-pid=\"%d\"", e->id, e->pid);
	if (e->len >= 0)
		fprintf(p->to, " data-len=\"%lld\"", e->len);
	fprintf(p->to, " transform=\"translate(%.1f %.1f)\"><title>",
		x_of_point(p, i), y);
	put_xml(p->to, point->name);
	fputs(": ", p->to);
	put_xml(p->to, sentence_of(point->name));
	fprintf(p->to, "\n");
	put_xml(p->to, task_label(p->r, point->task, a, sizeof(a)));
	fprintf(p->to, ", %s", object_label(p->r, point->object, b, sizeof(b)));
	fprintf(p->to, ", at %s", duration(e->t - p->r->from, b, sizeof(b)));
	if (e->len >= 0)
		fprintf(p->to, "\nlen %lld", e->len);
	if (e->slot >= 0)
		fprintf(p->to, "\nslot %lld, offset %lld", e->slot, e->offset);
	if (e->head >= 0 && e->tail >= 0)
		fprintf(p->to, "\nhead %lld, tail %lld: %u of %u slots",
			e->head, e->tail, (__u32)e->head - (__u32)e->tail,
			e->nr);
	if (e->decided != -1)
		fprintf(p->to, "\ndecided %lld", e->decided);
	if (e->other)
		fprintf(p->to, "\nchose %d", e->other);
	if (e->wait_ns)
		fprintf(p->to, "\nwaited %s",
			duration(e->wait_ns, b, sizeof(b)));
	fputs("</title><circle r=\"3.5\"/><text transform=\"translate(3.5 -11) rotate(-90)\">",
	      p->to);
	put_xml(p->to, point->name);
	fputs("</text></g>\n", p->to);
}

static void put_arrow(const struct picture *p, const struct report_arrow *a)
{
	double from = p->y_of_task[a->from], to = p->y_of_task[a->to];
	const struct report_point *point;
	char who[64], whom[64];
	size_t i, low = p->first;

	if (from < 0 || to < 0 || !is_in_view(p, a->at, a->woken_at))
		return;
	/* It begins at its own point, also where several are of one moment */
	for (i = p->first; i < p->end; i++) {
		point = &p->r->points[i];
		if (point->event->t > a->at)
			break;
		if (point->task == a->from &&
		    (point->event->t < a->at ||
		     point->event->other == p->r->tasks[a->to].pid))
			low = i;
	}
	fprintf(p->to,
		"<path class=\"arrow%s\" data-a=\"%llu\" data-b=\"%llu\" data-i=\"%zu\" data-y=\"%.1f\" data-z=\"%.1f\" marker-end=\"url(#head)\" d=\"M%.1f %.1fL%.1f %.1f\"><title>",
		a->useless ? " useless" : "", since(p, a->at),
		since(p, a->woken_at), low - p->first, from, to,
		x_of_point(p, low), from, x_of(p, a->woken_at), to);
	put_xml(p->to, task_label(p->r, a->from, who, sizeof(who)));
	fputs(" woke ", p->to);
	put_xml(p->to, task_label(p->r, a->to, whom, sizeof(whom)));
	fprintf(p->to, "%s</title></path>\n",
		a->useless ? ", which found nothing to do" : "");
}

static void put_names(const struct picture *p)
{
	const struct report *r = p->r;
	const struct report_object *o;
	const struct report_task *t;
	const struct row *row;
	char label[64];
	size_t i;

	fputs("<g id=\"names\">\n", p->to);
	fprintf(p->to,
		"<rect class=\"paper\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%.1f\" fill-opacity=\"0.92\"/>\n",
		TOP, GUTTER - 12, p->bottom - TOP);
	for (i = 0; i < p->nrows; i++) {
		row = &p->rows[i];
		if (row->is_task) {
			t = &r->tasks[row->n];
			fprintf(p->to,
				"<text class=\"bold\" x=\"8\" y=\"%.1f\">",
				p->y_of_task[row->n] + 4);
			put_xml(p->to,
				task_label(r, row->n, label, sizeof(label)));
			fputs("<title>", p->to);
			put_xml(p->to, *t->names ? t->names : t->name);
			fputs("</title></text>\n", p->to);
			continue;
		}
		o = &r->objects[row->n];
		fprintf(p->to, "<text x=\"8\" y=\"%.1f\">pipe %u<title>",
			row->y + BAND / 2.0 - 3, o->id);
		put_xml(p->to, o->name);
		fprintf(p->to,
			"</title></text>\n<text class=\"small\" x=\"8\" y=\"%.1f\">at most %u of %u slots</text>\n<text class=\"small\" x=\"%d\" y=\"%.1f\">%u</text>\n",
			row->y + BAND / 2.0 + 11, o->most, o->slots,
			GUTTER - 28, row->y + 12, scale_of(o));
	}
	fputs("</g>\n", p->to);
}

/* Moments of one axis have one unit, and are told apart: as in report.js. */
static const char *moment(const struct picture *p, __u64 ns, char *buf,
			  size_t size)
{
	if (p->from + p->span - p->r->from < 1000000)
		snprintf(buf, size, "%.1f us", ns / 1e3);
	else
		snprintf(buf, size, "%.3f ms", ns / 1e6);
	return buf;
}

static void put_axis(const struct picture *p)
{
	size_t i, n = p->end - p->first, every = 9;
	double x;
	char a[32];

	fputs("<g id=\"axis\">\n", p->to);
	for (i = 0; i < (p->steps ? n : 11); i += p->steps ? every : 1) {
		__u64 t = p->steps ? p->r->points[p->first + i].event->t
				   : p->from + p->span / 10 * i;

		x = p->steps ? x_of_point(p, p->first + i) : x_of(p, t);
		fprintf(p->to,
			"<line class=\"tick\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%.1f\"/><text class=\"small\" x=\"%.1f\" y=\"%d\">%s</text>\n",
			x, x, TOP, p->bottom, x + 3, TOP - 4,
			moment(p, t - p->r->from, a, sizeof(a)));
	}
	fputs("</g>\n", p->to);
}

static void put_legend(const struct picture *p)
{
	static const enum life lives[] = {LIFE_RUNNING, LIFE_COPYING,
					  LIFE_WAITING, LIFE_MUTEX};
	double x = GUTTER, y = p->bottom + 10;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lives); i++, x += 90)
		fprintf(p->to,
			"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"10\"/><text class=\"small\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			life_names[lives[i]], x, y, x + 17, y + 9,
			life_names[lives[i]]);
	fprintf(p->to,
		"<path class=\"arrow\" marker-end=\"url(#head)\" d=\"M%.1f %.1fh22\"/><text class=\"small\" x=\"%.1f\" y=\"%.1f\">woke</text>\n",
		x, y + 5, x + 30, y + 9);
	x += 80;
	fprintf(p->to,
		"<path class=\"arrow useless\" marker-end=\"url(#head)\" d=\"M%.1f %.1fh22\"/><text class=\"small\" x=\"%.1f\" y=\"%.1f\">for nothing</text>\n",
		x, y + 5, x + 30, y + 9);
}

/* ---- many points: columns ---------------------------------------------------------- */

struct cell {
	__u64 ns[NR_LIVES];
	__u64 points;
	__u64 wakes;
};

static void put_cell(const struct picture *p, const struct cell *c, size_t task,
		     __u64 from, __u64 to)
{
	double y = p->y_of_task[task] + BAR / 2.0, x = x_of(p, from);
	double width = x_of(p, to) - x, high;
	char a[32], b[32], label[64];
	int life;

	for (life = LIFE_RUNNING; life < NR_LIVES; life++) {
		high = (double)BAR * c->ns[life] / (to - from);
		if (high < 0.1)
			continue;
		y -= high;
		fprintf(p->to,
			"<rect class=\"%s\" data-a=\"%llu\" data-b=\"%llu\" x=\"%.1f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>\n",
			life_names[life], since(p, from), since(p, to), x, y,
			width, high);
	}
	if (!c->points)
		return;
	fprintf(p->to,
		"<rect class=\"cell\" data-a=\"%llu\" data-b=\"%llu\" data-points=\"%llu\" x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\"><title>",
		since(p, from), since(p, to), c->points, x,
		p->y_of_task[task] - BAR / 2.0, width, BAR);
	put_xml(p->to, task_label(p->r, task, label, sizeof(label)));
	fprintf(p->to, ", %s to %s: %llu points, %llu wake-ups made",
		duration(from - p->r->from, a, sizeof(a)),
		duration(to - p->r->from, b, sizeof(b)), c->points, c->wakes);
	for (life = LIFE_RUNNING; life < NR_LIVES; life++)
		fprintf(p->to, "\n%s %.0f %%", life_names[life],
			100.0 * c->ns[life] / (to - from));
	fputs("</title></rect>\n", p->to);
}

static void add_to_cells(const struct picture *p, struct cell *cells,
			 size_t columns, const struct report_span *s)
{
	__u64 from = since(p, s->from), to = since(p, s->to), left, right;
	size_t c = (double)from / p->span * columns;

	for (; c < columns; c++) {
		left = (double)p->span / columns * c;
		right = (double)p->span / columns * (c + 1);
		if (left >= to)
			break;
		if (left < from)
			left = from;
		if (right > to)
			right = to;
		if (right > left)
			cells[s->task * columns + c].ns[s->life] +=
				right - left;
	}
}

static bool put_cells(const struct picture *p)
{
	const struct report *r = p->r;
	size_t i, c, lanes = 0, columns;
	struct cell *cells;

	for (i = 0; i < p->nrows; i++)
		lanes += p->rows[i].is_task;
	columns = MOST_CELLS / lanes;
	if (columns > MOST_COLUMNS)
		columns = MOST_COLUMNS;
	cells = calloc(r->ntasks * columns, sizeof(*cells));
	if (!cells)
		return false;
	for (i = 0; i < r->nspans; i++)
		if (is_in_view(p, r->spans[i].from, r->spans[i].to))
			add_to_cells(p, cells, columns, &r->spans[i]);
	for (i = p->first; i < p->end; i++) {
		c = (double)since(p, r->points[i].event->t) / p->span * columns;
		if (c >= columns)
			c = columns - 1;
		cells[r->points[i].task * columns + c].points++;
		cells[r->points[i].task * columns + c].wakes +=
			r->points[i].event->other != 0;
	}
	for (i = 0; i < r->ntasks; i++)
		for (c = 0; p->y_of_task[i] >= 0 && c < columns; c++)
			put_cell(p, &cells[i * columns + c], i,
				 p->from + (double)p->span / columns * c,
				 p->from + (double)p->span / columns * (c + 1));
	free(cells);
	return true;
}

/* ---- the whole ------------------------------------------------------------------------ */

static void put_style(FILE *to, const char *start, const char *end)
{
	fputs("<style>\n", to);
	fwrite(start, 1, end - start, to);
	fputs("</style>\n", to);
}

/* What the picture leaves out, and how to see it. */
static void put_note(const struct picture *p, FILE *to)
{
	const struct report *r = p->r;
	size_t i, n = p->end - p->first, arrows = 0;
	char a[32], b[32];

	if (!n) {
		fprintf(to, "No point was passed %s.",
			r->npoints ? "in this part of the recording"
				   : "while the command ran");
		return;
	}
	fprintf(to, "%zu of %zu points, from %s to %s.", n, r->npoints,
		duration(p->from - r->from, a, sizeof(a)),
		duration(p->from + p->span - r->from, b, sizeof(b)));
	for (i = 0; i < r->narrows; i++)
		arrows += is_in_view(p, r->arrows[i].at, r->arrows[i].woken_at);
	if (!p->single)
		fprintf(to,
			" They are too many to be drawn one by one: each column adds up what is in it, and %zu arrows of wake-ups are left out. A part with at most %d points is drawn in full: --from and --to choose one.",
			arrows, MOST_POINTS);
	if (p->left_out)
		fprintf(to,
			" %zu tasks with fewer points than those here are left out.",
			p->left_out);
	if (r->rec->lost_points)
		fprintf(to, " %llu points were lost, and are missing here.",
			r->rec->lost_points);
}

static void put_svg(const struct picture *p)
{
	const struct report *r = p->r;
	size_t i;

	fprintf(p->to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"ipcdemo\" width=\"%.0f\" height=\"%.0f\">\n",
		GUTTER + p->width + 30, p->bottom + 30);
	put_style(p->to, css_start, css_end);
	fputs("<title>", p->to);
	put_xml(p->to, r->rec->command);
	fputs("</title>\n<desc>", p->to);
	put_note(p, p->to);
	fputs("</desc>\n"
	      "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\"\n"
	      "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\n"
	      "<path class=\"head\" d=\"M0 0L8 4L0 8Z\"/></marker></defs>\n",
	      p->to);
	fputs("<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n",
	      p->to);
	fputs("<text class=\"bold\" x=\"8\" y=\"17\">", p->to);
	put_xml(p->to, r->rec->command);
	fputs("</text>\n", p->to);
	put_rows(p);
	put_axis(p);
	for (i = 0; i < p->nrows; i++)
		if (!p->rows[i].is_task)
			put_fill(p, &p->rows[i]);
	if (p->single) {
		for (i = 0; i < r->nspans; i++)
			put_span(p, &r->spans[i]);
		for (i = 0; i < r->narrows; i++)
			put_arrow(p, &r->arrows[i]);
		for (i = p->first; i < p->end; i++)
			put_point(p, i);
	} else {
		put_cells(p);
	}
	put_names(p);
	put_legend(p);
	fputs("</svg>\n", p->to);
}

static bool prepare(struct picture *p, const struct report *r,
		    const struct view *view)
{
	const struct report_point *points = r->points;
	size_t n;

	*p = (struct picture){.r = r};
	p->from = r->from + view->from;
	p->span = view->to > view->from ? view->to - view->from : 1;
	while (p->first < r->npoints && points[p->first].event->t < p->from)
		p->first++;
	p->end = p->first;
	while (p->end < r->npoints &&
	       points[p->end].event->t <= p->from + p->span)
		p->end++;
	n = p->end - p->first;
	p->single = n <= MOST_POINTS;
	p->steps = view->steps && p->single;
	p->width = p->steps ? (n + 1) * (double)STEP : PLAIN_WIDTH;
	return !n || lay_out(p);
}

static void drop(struct picture *p)
{
	free(p->rows);
	free(p->y_of_task);
}

static FILE *open_picture(const char *path)
{
	FILE *to = fopen(path, "we");

	if (!to)
		fail("cannot write %s: %s", path, strerror(errno));
	return to;
}

static int close_picture(FILE *to, const char *path)
{
	bool bad = ferror(to);

	if (fclose(to) || bad)
		return fail("cannot write %s: %s", path, strerror(errno));
	return DONE;
}

int report_svg(const struct report *r, const struct view *view,
	       const char *path)
{
	struct picture p;

	if (!prepare(&p, r, view)) {
		drop(&p);
		return fail("out of memory");
	}
	if (p.first == p.end) {
		drop(&p);
		return fail("there is nothing to draw: no point was passed");
	}
	p.to = open_picture(path);
	if (p.to)
		put_svg(&p);
	drop(&p);
	return p.to ? close_picture(p.to, path) : FAILED;
}

static void put_data(const struct picture *p)
{
	size_t i;

	fprintf(p->to,
		"<script type=\"application/json\" id=\"data\">{\"from\":%llu,\"span\":%llu,\"steps\":%s,\"single\":%s,\"gutter\":%d,\"step\":%d,\"top\":%d,\"bottom\":%.1f,\"times\":[",
		p->from - p->r->from, p->span, p->steps ? "true" : "false",
		p->single ? "true" : "false", GUTTER, STEP, TOP, p->bottom);
	for (i = p->first; p->single && i < p->end; i++)
		fprintf(p->to, "%s%llu", i > p->first ? "," : "",
			since(p, p->r->points[i].event->t));
	fputs("]}</script>\n<script>\n", p->to);
	fwrite(js_start, 1, js_end - js_start, p->to);
	fputs("</script>\n", p->to);
}

int report_html(const struct report *r, const struct view *view,
		const char *path)
{
	struct picture p;
	FILE *to;

	if (!prepare(&p, r, view)) {
		drop(&p);
		return fail("out of memory");
	}
	to = open_picture(path);
	p.to = to;
	if (!to) {
		drop(&p);
		return FAILED;
	}
	fputs("<!DOCTYPE html>\n"
	      "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<title>",
	      to);
	put_xml(to, r->rec->command);
	fputs("</title>\n", to);
	put_style(to, page_start, page_end);
	fputs("</head><body>\n<h1><code>", to);
	put_xml(to, r->rec->command);
	fputs("</code></h1>\n<p id=\"note\">", to);
	put_note(&p, to);
	fputs("</p>\n", to);
	if (p.first < p.end) {
		fputs("<div id=\"controls\">\n"
		      "<button id=\"steps\">a point a step</button>\n"
		      "<button id=\"time\">true to time</button>\n"
		      "<button id=\"out\">zoom out</button>\n"
		      "<button id=\"in\">zoom in</button>\n"
		      "<button id=\"fit\">fit</button>\n"
		      "<span id=\"drawn\"></span></div>\n"
		      "<div id=\"diagram\">\n",
		      to);
		put_svg(&p);
		fputs("</div>\n", to);
		put_data(&p);
	}
	report_tables(r, to);
	fputs("</body></html>\n", to);
	drop(&p);
	return close_picture(to, path);
}
