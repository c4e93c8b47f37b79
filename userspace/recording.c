// SPDX-License-Identifier: GPL-2.0
/* A recording, written and read: recording.h says what stands in it */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "recording.h"

/* ---- writing -------------------------------------------------------------- */

static int put_line(struct rec_writer *w, json_object *line)
{
	const char *text =
		json_object_to_json_string_ext(line,
					       JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE);
	int err = 0;

	if (!text)
		err = -ENOMEM;
	else if (fputs(text, w->file) < 0 || putc('\n', w->file) < 0)
		err = -errno;
	else
		w->lines++;
	json_object_put(line);
	return err;
}

static void add_signed(json_object *to, const char *key, __s64 value)
{
	json_object_object_add(to, key, json_object_new_int64(value));
}

int rec_begin(struct rec_writer *w, const char *path,
	      const struct recording *head, char *const *argv)
{
	json_object *line, *command;
	int err;

	*w = (struct rec_writer){.file = fopen(path, "we")};
	if (!w->file)
		return -errno;
	line = json_object_new_object();
	command = json_object_new_array();
	add_string(line, "ipcdemo", "recording");
	add_number(line, "version", RECORDING_VERSION);
	add_string(line, "module", head->module);
	add_string(line, "clock", "mono");
	add_number(line, "cpus", head->cpus);
	add_number(line, "buffer", head->buffer);
	add_string(line, "pipes", head->ours ? "ours" : "kernel");
	add_number(line, "start", head->start);
	for (; *argv; argv++)
		json_object_array_add(command, new_string(*argv));
	json_object_object_add(line, "command", command);
	err = put_line(w, line);
	/* What cannot be written at all is known before the command runs */
	if (!err && fflush(w->file))
		err = -errno;
	if (err)
		fclose(w->file);
	return err;
}

/*
 * Events are many: their lines are printed, not built.  A point's name has no
 * character that JSON would escape.
 */
static void put_known(FILE *file, const char *key, __s64 value, __s64 nothing)
{
	if (value != nothing)
		fprintf(file, ",\"%s\":%lld", key, value);
}

static void put_point(FILE *file, const struct rec_event *e, const char *word)
{
	fprintf(file,
		"{\"t\":%llu,\"at\":\"%s\",\"cpu\":%d,\"pid\":%d,\"kind\":\"%s\",\"id\":%u",
		e->t, word, e->cpu, e->pid, e->region ? "region" : "pipe",
		e->id);
	put_known(file, "slot", e->slot, -1);
	put_known(file, "offset", e->offset, -1);
	put_known(file, "len", e->len, -1);
	put_known(file, "head", e->head, -1);
	put_known(file, "tail", e->tail, -1);
	put_known(file, "decided", e->decided, -1);
	put_known(file, "other", e->other, 0);
	put_known(file, "wait", e->wait_ns, 0);
	put_known(file, "nr", e->nr, 0);
	fputs("}\n", file);
}

static int put_exec(struct rec_writer *w, const struct rec_event *e,
		    const char *word)
{
	json_object *line = json_object_new_object();

	add_number(line, "t", e->t);
	add_signed(line, "exec", e->pid);
	add_string(line, "command", word);
	return put_line(w, line);
}

int rec_event(struct rec_writer *w, const struct rec_event *e, const char *word)
{
	errno = EIO;
	switch (e->type) {
	case REC_POINT:
		put_point(w->file, e, word);
		break;
	case REC_SWITCH:
		fprintf(w->file,
			"{\"t\":%llu,\"switch\":%d,\"to\":%d,\"state\":\"%c\",\"cpu\":%d}\n",
			e->t, e->pid, e->other, e->state, e->cpu);
		break;
	case REC_FORK:
		fprintf(w->file, "{\"t\":%llu,\"fork\":%d,\"child\":%d}\n",
			e->t, e->pid, e->other);
		break;
	case REC_EXIT:
		fprintf(w->file, "{\"t\":%llu,\"exit\":%d}\n", e->t, e->pid);
		break;
	case REC_EXEC:
		return put_exec(w, e, word);
	}
	w->lines++;
	return ferror(w->file) ? -errno : 0;
}

int rec_object(struct rec_writer *w, const struct rec_object *object)
{
	json_object *line = json_object_new_object();

	add_number(line, "object", object->id);
	add_string(line, "kind", object->region ? "region" : "pipe");
	add_string(line, "name", object->name);
	if (!object->region) {
		add_number(line, "slots", object->slots);
		add_number(line, "used", object->used);
	}
	return put_line(w, line);
}

int rec_task(struct rec_writer *w, __s32 pid, char *const *commands, int n)
{
	json_object *line = json_object_new_object();
	json_object *array = json_object_new_array();
	int i;

	add_signed(line, "task", pid);
	for (i = 0; i < n; i++)
		json_object_array_add(array, new_string(commands[i]));
	json_object_object_add(line, "commands", array);
	return put_line(w, line);
}

static json_object *numbers(const __u64 *n, int count)
{
	json_object *array = json_object_new_array();
	int i;

	for (i = 0; i < count; i++)
		json_object_array_add(array, json_object_new_uint64(n[i]));
	return array;
}

int rec_end(struct rec_writer *w, __u64 t, int status, const __u64 *points,
	    const __u64 *sched, int cpus)
{
	json_object *line = json_object_new_object();
	json_object *lost = json_object_new_object();
	int err;

	add_number(line, "end", t);
	add_signed(line, "status", status);
	add_number(line, "lines", w->lines);
	json_object_object_add(lost, "points", numbers(points, cpus));
	json_object_object_add(lost, "sched", numbers(sched, cpus));
	json_object_object_add(line, "lost", lost);
	err = put_line(w, line);
	if (fclose(w->file) && !err)
		err = -errno;
	w->file = NULL;
	return err;
}

/* ---- reading -------------------------------------------------------------- */

/* A recording that is being read; room is what its arrays have of it. */
struct reader {
	struct recording *rec;
	const char *path;
	char *why;
	size_t size;
	__u64 line;
	__u64 lines; /* that the last line says were before it */
	bool ended;
	size_t event_room, object_room, task_room;
	int word_room;
	int *hash; /* of words; -1: none */
	int hash_size;
};

__printf(2, 3) static int bad(struct reader *r, const char *fmt, ...)
{
	int n = snprintf(r->why, r->size, "%s, line %llu: ", r->path, r->line);
	va_list ap;

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < r->size)
		vsnprintf(r->why + n, r->size - n, fmt, ap);
	va_end(ap);
	return -1;
}

/* Room for one more of @size bytes each; NULL: out of memory. */
static void *more(void *array, size_t n, size_t *room, size_t size)
{
	void *larger;

	if (n < *room)
		return array;
	*room = *room ? 2 * *room : 64;
	larger = realloc(array, *room * size);
	if (!larger)
		free(array);
	return larger;
}

static unsigned int hash_of(const char *word)
{
	unsigned int h = 2166136261u;

	for (; *word; word++)
		h = (h ^ (unsigned char)*word) * 16777619u;
	return h;
}

static void enter_word(struct reader *r, int word)
{
	unsigned int h = hash_of(r->rec->words[word]);

	while (r->hash[h % r->hash_size] >= 0)
		h++;
	r->hash[h % r->hash_size] = word;
}

static bool grow_words(struct reader *r)
{
	struct recording *rec = r->rec;
	int i, room = r->word_room ? 2 * r->word_room : 256;
	char **words = realloc(rec->words, room * sizeof(*words));
	int *hash;

	if (!words)
		return false;
	rec->words = words;
	hash = realloc(r->hash, 2 * room * sizeof(*hash));
	if (!hash)
		return false;
	r->hash = hash;
	r->word_room = room;
	r->hash_size = 2 * room;
	for (i = 0; i < r->hash_size; i++)
		hash[i] = -1;
	for (i = 0; i < rec->nwords; i++)
		enter_word(r, i);
	return true;
}

/* The number of a word; -1: out of memory. */
static int intern(struct reader *r, const char *word)
{
	struct recording *rec = r->rec;
	unsigned int h = hash_of(word);
	int at;

	if (rec->nwords == r->word_room && !grow_words(r))
		return -1;
	for (; (at = r->hash[h % r->hash_size]) >= 0; h++)
		if (!strcmp(rec->words[at], word))
			return at;
	rec->words[rec->nwords] = strdup(word);
	if (!rec->words[rec->nwords])
		return -1;
	enter_word(r, rec->nwords);
	return rec->nwords++;
}

/* A member that is a number; false, with the reason, if there is none such. */
static bool need_number(struct reader *r, json_object *line, const char *key,
			__s64 least, __s64 most, __s64 *value)
{
	json_object *member;

	if (!json_object_object_get_ex(line, key, &member) ||
	    !json_object_is_type(member, json_type_int)) {
		bad(r, "it has no number \"%s\"", key);
		return false;
	}
	*value = json_object_get_int64(member);
	if (*value < least || *value > most) {
		bad(r, "\"%s\" cannot be %lld", key, *value);
		return false;
	}
	return true;
}

static bool may_number(struct reader *r, json_object *line, const char *key,
		       __s64 least, __s64 most, __s64 *value)
{
	if (!json_object_object_get_ex(line, key, NULL))
		return true;
	return need_number(r, line, key, least, most, value);
}

static const char *need_string(struct reader *r, json_object *line,
			       const char *key)
{
	json_object *member;

	if (json_object_object_get_ex(line, key, &member) &&
	    json_object_is_type(member, json_type_string))
		return json_object_get_string(member);
	bad(r, "it has no string \"%s\"", key);
	return NULL;
}

static json_object *need_array(struct reader *r, json_object *line,
			       const char *key)
{
	json_object *member;

	if (json_object_object_get_ex(line, key, &member) &&
	    json_object_is_type(member, json_type_array))
		return member;
	bad(r, "it has no array \"%s\"", key);
	return NULL;
}

static const char *word_at(json_object *array, size_t i)
{
	const char *word;

	word = json_object_get_string(json_object_array_get_idx(array, i));
	return word ? word : "";
}

static int read_command(struct reader *r, json_object *array)
{
	size_t i, n = json_object_array_length(array), len = 0;
	FILE *to = open_memstream(&r->rec->command, &len);
	const char *word;

	if (!to)
		return bad(r, "out of memory");
	for (i = 0; i < n; i++) {
		word = word_at(array, i);
		/* Words as one would have typed them, nearly */
		fprintf(to, strpbrk(word, " |&;<>$\t\n") ? "%s'%s'" : "%s%s",
			i ? " " : "", word);
	}
	return fclose(to) ? bad(r, "out of memory") : 0;
}

static int read_head(struct reader *r, json_object *line)
{
	struct recording *rec = r->rec;
	__s64 version, cpus, buffer, start;
	const char *word;
	json_object *command;

	if (!json_object_object_get_ex(line, "ipcdemo", NULL))
		return bad(r, "this is no recording of ipcdemo record");
	if (!need_number(r, line, "version", 1, INT64_MAX, &version))
		return -1;
	if (version > RECORDING_VERSION)
		return bad(r,
			   "it has version %lld, this program knows %d: use the ipcdemo that recorded it",
			   version, RECORDING_VERSION);
	if (!need_number(r, line, "cpus", 1, 1 << 20, &cpus) ||
	    !need_number(r, line, "buffer", 0, INT64_MAX, &buffer) ||
	    !need_number(r, line, "start", 0, INT64_MAX, &start))
		return -1;
	rec->cpus = cpus;
	rec->buffer = buffer;
	rec->start = start;
	word = need_string(r, line, "module");
	if (!word)
		return -1;
	snprintf(rec->module, sizeof(rec->module), "%s", word);
	word = need_string(r, line, "pipes");
	if (!word)
		return -1;
	rec->ours = !strcmp(word, "ours");
	command = need_array(r, line, "command");
	return command ? read_command(r, command) : -1;
}

static bool read_kind(struct reader *r, json_object *line, bool *region)
{
	const char *kind = need_string(r, line, "kind");

	if (!kind)
		return false;
	*region = !strcmp(kind, "region");
	if (*region || !strcmp(kind, "pipe"))
		return true;
	/* What else stands there is not said: the terminal would obey it */
	bad(r, "\"kind\" is neither \"pipe\" nor \"region\"");
	return false;
}

static int read_object(struct reader *r, json_object *line)
{
	struct recording *rec = r->rec;
	struct rec_object *object = NULL;
	__s64 id, slots = 0, used = 0;
	const char *name;
	bool region;
	size_t i;

	if (!need_number(r, line, "object", 1, UINT32_MAX, &id) ||
	    !read_kind(r, line, &region) ||
	    !may_number(r, line, "slots", 0, UINT32_MAX, &slots) ||
	    !may_number(r, line, "used", 0, UINT32_MAX, &used))
		return -1;
	name = need_string(r, line, "name");
	if (!name)
		return -1;
	for (i = 0; i < rec->nobjects && !object; i++)
		if (rec->objects[i].id == id)
			object = &rec->objects[i];
	if (!object) {
		rec->objects = more(rec->objects, rec->nobjects,
				    &r->object_room, sizeof(*object));
		if (!rec->objects)
			return bad(r, "out of memory");
		object = &rec->objects[rec->nobjects++];
		*object = (struct rec_object){
			.id = id,
			.region = region,
			.slots = slots,
			.used = used,
		};
	}
	if (*name)
		snprintf(object->name, sizeof(object->name), "%s", name);
	return 0;
}

static int read_task(struct reader *r, json_object *line)
{
	struct recording *rec = r->rec;
	struct rec_task *task;
	json_object *commands;
	const char *word;
	size_t i, n, first;
	__s64 pid;

	commands = need_array(r, line, "commands");
	if (!commands || !need_number(r, line, "task", 0, INT32_MAX, &pid))
		return -1;
	rec->tasks =
		more(rec->tasks, rec->ntasks, &r->task_room, sizeof(*task));
	if (!rec->tasks)
		return bad(r, "out of memory");
	task = &rec->tasks[rec->ntasks++];
	*task = (struct rec_task){.pid = pid};
	n = json_object_array_length(commands);
	first = n > ARRAY_SIZE(task->commands) ? n - ARRAY_SIZE(task->commands)
					       : 0;
	for (i = first; i < n; i++) {
		word = word_at(commands, i);
		task->commands[task->ncommands] = intern(r, word);
		if (task->commands[task->ncommands++] < 0)
			return bad(r, "out of memory");
	}
	return 0;
}

static bool read_point(struct reader *r, json_object *line, struct rec_event *e)
{
	__s64 cpu, pid, id, other = 0, nr = 0, wait = 0;
	const char *word = need_string(r, line, "at");

	if (!word || !need_number(r, line, "cpu", 0, 1 << 20, &cpu) ||
	    !need_number(r, line, "pid", 0, INT32_MAX, &pid) ||
	    !need_number(r, line, "id", 1, UINT32_MAX, &id) ||
	    !read_kind(r, line, &e->region) ||
	    !may_number(r, line, "slot", 0, INT64_MAX, &e->slot) ||
	    !may_number(r, line, "offset", 0, INT64_MAX, &e->offset) ||
	    !may_number(r, line, "len", 0, INT64_MAX, &e->len) ||
	    !may_number(r, line, "head", 0, INT64_MAX, &e->head) ||
	    !may_number(r, line, "tail", 0, INT64_MAX, &e->tail) ||
	    !may_number(r, line, "decided", INT64_MIN, INT64_MAX,
			&e->decided) ||
	    !may_number(r, line, "other", 0, INT32_MAX, &other) ||
	    !may_number(r, line, "wait", 0, INT64_MAX, &wait) ||
	    !may_number(r, line, "nr", 0, UINT32_MAX, &nr))
		return false;
	e->cpu = cpu;
	e->pid = pid;
	e->id = id;
	e->other = other;
	e->wait_ns = wait;
	e->nr = nr;
	e->word = intern(r, word);
	return e->word >= 0 || !bad(r, "out of memory");
}

/* What the scheduler did: @key is what the line has of it. */
static bool read_sched(struct reader *r, json_object *line, const char *key,
		       const char *other_key, struct rec_event *e)
{
	__s64 pid, other = 0, cpu = -1;
	const char *word;

	if (!need_number(r, line, key, 0, INT32_MAX, &pid) ||
	    (other_key &&
	     !need_number(r, line, other_key, 0, INT32_MAX, &other)) ||
	    !may_number(r, line, "cpu", 0, 1 << 20, &cpu))
		return false;
	e->pid = pid;
	e->other = other;
	e->cpu = cpu;
	if (e->type == REC_SWITCH) {
		word = need_string(r, line, "state");
		if (!word)
			return false;
		e->state = *word;
	}
	if (e->type == REC_EXEC) {
		word = need_string(r, line, "command");
		if (!word)
			return false;
		e->word = intern(r, word);
		if (e->word < 0)
			return !bad(r, "out of memory");
	}
	return true;
}

static int read_event(struct reader *r, json_object *line)
{
	static const struct {
		const char *key, *other;
		enum rec_type type;
	} kinds[] = {
		{"switch", "to", REC_SWITCH},
		{"fork", "child", REC_FORK},
		{"exec", NULL, REC_EXEC},
		{"exit", NULL, REC_EXIT},
	};
	struct rec_event e = {
		.slot = -1,
		.offset = -1,
		.len = -1,
		.head = -1,
		.tail = -1,
		.decided = -1,
		.word = -1,
	};
	struct recording *rec = r->rec;
	bool known = false;
	__s64 t;
	size_t i;

	if (!need_number(r, line, "t", 0, INT64_MAX, &t))
		return -1;
	e.t = t;
	if (json_object_object_get_ex(line, "at", NULL)) {
		known = true;
		if (!read_point(r, line, &e))
			return -1;
	}
	for (i = 0; i < ARRAY_SIZE(kinds) && !known; i++) {
		if (!json_object_object_get_ex(line, kinds[i].key, NULL))
			continue;
		known = true;
		e.type = kinds[i].type;
		if (!read_sched(r, line, kinds[i].key, kinds[i].other, &e))
			return -1;
	}
	if (!known)
		return 0;
	rec->events =
		more(rec->events, rec->nevents, &r->event_room, sizeof(e));
	if (!rec->events)
		return bad(r, "out of memory");
	rec->events[rec->nevents++] = e;
	return 0;
}

static bool sum_lost(struct reader *r, json_object *lost, const char *key,
		     __u64 *sum)
{
	json_object *array = need_array(r, lost, key), *number;
	size_t i;

	if (!array)
		return false;
	for (i = 0; i < json_object_array_length(array); i++) {
		number = json_object_array_get_idx(array, i);
		*sum += json_object_get_uint64(number);
	}
	return true;
}

static int read_end(struct reader *r, json_object *line)
{
	struct recording *rec = r->rec;
	__s64 end, status, lines;
	json_object *lost;

	if (!need_number(r, line, "end", 0, INT64_MAX, &end) ||
	    !need_number(r, line, "status", 0, 255, &status) ||
	    !need_number(r, line, "lines", 0, INT64_MAX, &lines))
		return -1;
	if (!json_object_object_get_ex(line, "lost", &lost))
		return bad(r, "it does not say what was lost");
	if (!sum_lost(r, lost, "points", &rec->lost_points) ||
	    !sum_lost(r, lost, "sched", &rec->lost_sched))
		return -1;
	rec->end = end;
	rec->status = status;
	r->lines = lines;
	r->ended = true;
	return 0;
}

static int read_line(struct reader *r, json_tokener *tokener, const char *text,
		     size_t len)
{
	json_object *line;
	int err = 0;

	json_tokener_reset(tokener);
	line = json_tokener_parse_ex(tokener, text, len);
	if (!line || !json_object_is_type(line, json_type_object)) {
		json_object_put(line);
		if (r->line == 1)
			return bad(r, "this is no recording of ipcdemo record");
		return bad(r, "this is no JSON object");
	}
	if (r->ended)
		err = bad(r, "there is more behind the end of the recording");
	else if (r->line == 1)
		err = read_head(r, line);
	else if (json_object_object_get_ex(line, "t", NULL))
		err = read_event(r, line);
	else if (json_object_object_get_ex(line, "object", NULL))
		err = read_object(r, line);
	else if (json_object_object_get_ex(line, "task", NULL))
		err = read_task(r, line);
	else if (json_object_object_get_ex(line, "end", NULL))
		err = read_end(r, line);
	json_object_put(line);
	return err;
}

static int read_lines(struct reader *r, FILE *file)
{
	json_tokener *tokener = json_tokener_new();
	__u64 bytes = 0;
	char *text = NULL;
	size_t room = 0;
	ssize_t len;
	int err = 0;

	if (!tokener)
		return bad(r, "out of memory");
	while (!err && (len = getline(&text, &room, file)) > 0) {
		r->line++;
		bytes += len;
		if (text[len - 1] != '\n' && r->line > 1)
			err = bad(r,
				  "it ends within this line, at byte %llu: the recording is not whole",
				  bytes);
		else
			err = read_line(r, tokener, text, len);
	}
	free(text);
	json_tokener_free(tokener);
	if (err)
		return err;
	if (ferror(file))
		return bad(r, "%s", strerror(errno));
	if (!r->line)
		return bad(r, "the file is empty");
	if (!r->ended)
		return bad(r,
			   "it ends here, at byte %llu, without a last line: the recording is not whole",
			   bytes);
	if (r->lines != r->line - 1)
		return bad(r, "%llu lines should stand before it, %llu do",
			   r->lines, r->line - 1);
	return 0;
}

/* Places are compared last: what came first of one moment stays first. */
static int compare(const void *one, const void *two)
{
	const struct rec_event *a = *(const struct rec_event *const *)one;
	const struct rec_event *b = *(const struct rec_event *const *)two;

	if (a->t != b->t)
		return a->t < b->t ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int sort_events(struct recording *rec)
{
	struct rec_event **order, *sorted;
	size_t i;

	for (i = 1; i < rec->nevents; i++)
		if (rec->events[i].t < rec->events[i - 1].t)
			break;
	if (i >= rec->nevents)
		return 0;
	order = malloc(rec->nevents * sizeof(*order));
	sorted = malloc(rec->nevents * sizeof(*sorted));
	if (order && sorted) {
		for (i = 0; i < rec->nevents; i++)
			order[i] = &rec->events[i];
		qsort(order, rec->nevents, sizeof(*order), compare);
		for (i = 0; i < rec->nevents; i++)
			sorted[i] = *order[i];
	}
	free(order);
	if (!order || !sorted) {
		free(sorted);
		return -1;
	}
	free(rec->events);
	rec->events = sorted;
	return 0;
}

int recording_read(const char *path, struct recording *rec, char *why,
		   size_t size)
{
	struct reader r = {.rec = rec, .path = path, .why = why, .size = size};
	FILE *file = fopen(path, "re");
	int err;

	*rec = (struct recording){0};
	if (!file) {
		snprintf(why, size, "cannot open %s: %s", path,
			 strerror(errno));
		return -1;
	}
	err = read_lines(&r, file);
	fclose(file);
	free(r.hash);
	if (!err && sort_events(rec))
		err = bad(&r, "out of memory");
	if (err)
		recording_free(rec);
	return err;
}

void recording_free(struct recording *rec)
{
	int i;

	for (i = 0; i < rec->nwords; i++)
		free(rec->words[i]);
	free(rec->words);
	free(rec->events);
	free(rec->objects);
	free(rec->tasks);
	free(rec->command);
	*rec = (struct recording){0};
}
