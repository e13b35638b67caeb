/* sink_kafka.c - records to Apache Kafka, through librdkafka.
 *
 * Why: large sites carry their events there. Promises: an idempotent producer with acks=all, so a record counts as delivered when all replicas
 * in sync have it; the key is the host, so that those of one host stay in order in one partition; records wait as long as it takes, and what a
 * broker refuses for good is told for the one record that it means, never for those that shared a batch with it; librdkafka's threads
 * touch nothing of ours: results, errors and its log come through its queue when poll asks. Refuses: properties that
 * would break these (kafka_options.c, kafka_producer.c). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/text.h"
#include "ship/formats.h"
#include "ship/kafka_producer.h"
#include "ship/sink_kinds.h"
#include "ship/template.h"

#define TOPIC_MOST 249         /* Kafka's own limit for a name */
#define STALL (15 * US_SECOND) /* without any acknowledgement: that is told */
#define REPORTS US_SECOND      /* a producer that failed because of a batch has this long to say which one */
#define BATCH_LEAST 4096
#define END_MS 250             /* so long the end of a producer is waited for; it takes less but for a look-up of a name */
#define ENDING_MOST 4          /* producers whose end takes longer */

enum state { FREE, SENT, DONE };

struct slot { /* a record on its way; librdkafka gives its address back */
	int64_t seq;
	enum state state;
	rd_kafka_resp_err_t error;
};

struct kafka_sink {
	const struct sink *sink;
	rd_kafka_t *rk;         /* NULL: not open */
	rd_kafka_queue_t *queue;
	int wake[2];            /* librdkafka writes a byte when its queue has something */
	int over;               /* counts producers that have ended */
	size_t n_ending;        /* those that have not */
	struct slot slots[KAFKA_SLOTS];
	unsigned free_slots[KAFKA_SLOTS], done[KAFKA_SLOTS]; /* done: a ring */
	size_t n_free, done_at, n_done, n_sent;
	int64_t since;          /* something was acknowledged, or there was nothing to acknowledge */
	char reason[400];       /* the last trouble that librdkafka told; "": none since an acknowledgement */
	bool down, told;        /* nothing works now; that was said */
	bool refused, fatal;    /* a batch, the producer; poll makes it anew */
	int64_t fatal_at;
	rd_kafka_resp_err_t stale; /* a topic failed so, which the library believes until it asks again; 0: none */
	char dropped[160];      /* why records were taken back */
	/* A broker judges batches. One that it refused is sent again one by one, which shows the record that it means. */
	bool alone, alone_found;
	size_t suspects;        /* records that this has to judge yet */
	int64_t batch_bytes;
};

/* --- what librdkafka tells, always out of rd_kafka_poll --- */

/* Refusals of what is in a batch, not of us. */
static bool is_refusal(rd_kafka_resp_err_t error)
{
	switch ((int)error) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
		return true;
	default:
		return false;
	}
}

/* A person has to make the topic, or to give us a right to it. */
static bool is_of_topic(rd_kafka_resp_err_t error)
{
	switch ((int)error) {
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		return true;
	default:
		return false;
	}
}

static void done_with(struct kafka_sink *k, struct slot *t, rd_kafka_resp_err_t error)
{
	t->state = DONE;
	t->error = error;
	if (error && !is_refusal(error))
		k->stale = error;
	k->done[(k->done_at + k->n_done++) % KAFKA_SLOTS] = (unsigned)(t - k->slots);
	k->n_sent--;
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct kafka_sink *k = opaque;
	struct slot *t = m->_private;

	(void)rk;
	if (t->state != SENT)
		return;
	if (is_refusal(m->err) && !k->alone) {
		k->refused = true; /* it stays: the producer is made anew and takes back everything */
		return;
	}
	k->alone_found = k->alone_found || is_refusal(m->err);
	if (k->suspects && (!m->err || is_refusal(m->err)))
		k->suspects--;
	if (!m->err) {
		k->down = k->told = false;
		k->reason[0] = '\0';
	}
	k->since = clock_monotonic(k->sink->clock);
	done_with(k, t, m->err);
}

static void told_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
	struct kafka_sink *k = opaque;

	(void)rk;
	if (error == RD_KAFKA_RESP_ERR__FATAL) {
		k->fatal = true;
		k->fatal_at = clock_monotonic(k->sink->clock);
		return;
	}
	if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL)
		k->down = true;
	if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !k->reason[0])
		kafka_trouble(k->sink->config, error, reason, k->reason, sizeof k->reason);
}

static void told_log(const rd_kafka_t *rk, int level, const char *part, const char *text)
{
	const struct kafka_sink *k = rd_kafka_opaque(rk);

	if (k->sink->log)
		log_say(k->sink->log, level <= 3 ? LOG_INFO : LOG_DEBUG, "librdkafka says", "sink", k->sink->config->name, "part", part, "text", text, NULL);
}

/* --- the producer --- */

/* Those that have ended meanwhile. */
static void count_ended(struct kafka_sink *k)
{
	eventfd_t n = 0;

	if (k->n_ending && eventfd_read(k->over, &n) == 0)
		k->n_ending -= n;
}

static int begin(struct kafka_sink *k, struct err *e)
{
	const struct kafka_wishes wishes = { .alone = k->alone, .batch_bytes = k->batch_bytes, .opaque = k, .delivered = delivered,
		.told_error = told_error, .told_log = told_log };

	count_ended(k);
	if (k->n_ending >= ENDING_MOST)
		return err_set(e, ERR_IO, "sink %s: %zu producers before this one still look up a name; does the name server answer?", k->sink->config->name,
			k->n_ending);
	k->rk = kafka_producer_new(k->sink, &wishes, e);
	if (!k->rk)
		return -1;
	k->queue = rd_kafka_queue_get_main(k->rk);
	rd_kafka_queue_io_event_enable(k->queue, k->wake[1], "!", 1);
	k->fatal = k->refused = k->down = k->told = false;
	k->stale = RD_KAFKA_RESP_ERR_NO_ERROR;
	k->reason[0] = '\0';
	return 0;
}

/* What is on its way comes back as to be sent again. Waits neither for brokers nor for a name server. */
static void drop(struct kafka_sink *k, const char *why)
{
	struct os_poll ended = { .fd = k->over, .want_read = true };

	if (!k->rk)
		return;
	rd_kafka_queue_io_event_enable(k->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(k->queue);
	count_ended(k);
	k->n_ending += kafka_producer_end(k->rk, k->over);
	if (k->n_ending)
		os_process.wait_ready(&ended, 1, END_MS); /* what it sends now would come behind what the next one sends */
	count_ended(k);
	k->rk = NULL;
	k->queue = NULL;
	text_copy(k->dropped, sizeof k->dropped, why);
	for (size_t i = 0; i < KAFKA_SLOTS && k->n_sent; i++)
		if (k->slots[i].state == SENT)
			done_with(k, &k->slots[i], RD_KAFKA_RESP_ERR__PURGE_INFLIGHT);
}

static struct kafka_sink *self_of(struct sink *s, struct err *e)
{
	struct kafka_sink *k = s->self;

	if (k)
		return k;
	k = xcalloc(1, sizeof *k);
	k->over = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (k->over < 0 || pipe2(k->wake, O_NONBLOCK | O_CLOEXEC) != 0) {
		if (k->over >= 0)
			close(k->over);
		free(k);
		err_set(e, ERR_IO, "sink %s: no descriptors are left", s->config->name);
		return NULL;
	}
	k->sink = s;
	k->batch_bytes = s->config->batch.bytes;
	for (unsigned i = 0; i < KAFKA_SLOTS; i++)
		k->free_slots[k->n_free++] = KAFKA_SLOTS - 1 - i;
	s->self = k;
	return k;
}

static int kafka_open(struct sink *s, struct err *e)
{
	struct kafka_sink *k = self_of(s, e);

	if (!k)
		return -1;
	return k->rk ? 0 : begin(k, e);
}

/* --- records --- */

struct texts { /* of one record; kept for the next */
	struct buf topic, key, value;
};

/* Ours until the library takes the message: those that it makes itself it frees twice when a topic cannot be used (2.0.2). */
static rd_kafka_headers_t *headers_of(const struct sink_config *c, const struct record_view *v)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(4);

	rd_kafka_header_add(h, "uid", -1, v->uid, -1);
	rd_kafka_header_add(h, "type", -1, v->kind, -1);
	rd_kafka_header_add(h, "content-type", -1, "application/json", -1);
	rd_kafka_header_add(h, "schema", -1, c->format->name, -1);
	return h;
}

static void memory(rd_kafka_vu_t *v, rd_kafka_vtype_t type, const struct buf *b)
{
	v->vtype = type;
	v->u.mem.ptr = b->n ? b->p : NULL;
	v->u.mem.size = b->n;
}

/* When it happened, ms. A clock that is ahead of ours does not count: brokers refuse times to come. */
static int64_t timestamp(const struct sink *s, const struct record_view *v)
{
	int64_t now = clock_wall(s->clock), t;

	if (!time_parse(v->time, strlen(v->time), &t) || t > now)
		t = now;
	return t > 0 ? t / 1000 : 0;
}

static rd_kafka_resp_err_t send_one(struct kafka_sink *k, const struct spool_record *r, struct slot *slot, struct texts *t)
{
	const struct sink_config *c = k->sink->config;
	rd_kafka_vu_t v[7] = { 0 };
	rd_kafka_resp_err_t code;
	struct record_view view;
	rd_kafka_error_t *error;

	view_open(&view, r);
	buf_reset(&t->topic);
	buf_reset(&t->key);
	buf_reset(&t->value);
	template_fill(c->kafka.topic, c, &view, template_name, &t->topic);
	if (t->topic.n > TOPIC_MOST)
		t->topic.p[TOPIC_MOST] = '\0';
	buf_str(&t->key, view.host);
	c->format->write(c, &view, FORMAT_ANY, &t->value);
	v[0].vtype = RD_KAFKA_VTYPE_TOPIC;
	v[0].u.cstr = buf_text(&t->topic);
	memory(&v[1], RD_KAFKA_VTYPE_KEY, &t->key);
	memory(&v[2], RD_KAFKA_VTYPE_VALUE, &t->value);
	v[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
	v[3].u.i = RD_KAFKA_MSG_F_COPY;
	v[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
	v[4].u.i64 = timestamp(k->sink, &view);
	v[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
	v[5].u.ptr = slot;
	v[6].vtype = RD_KAFKA_VTYPE_HEADERS;
	v[6].u.headers = headers_of(c, &view);
	error = rd_kafka_produceva(k->rk, v, sizeof v / sizeof v[0]);
	view_close(&view);
	if (!error)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_headers_destroy(v[6].u.headers);
	code = rd_kafka_error_code(error);
	rd_kafka_error_destroy(error);
	return code;
}

/* Those that had to go one by one are through: in batches again, smaller ones when it was no single record that was refused. */
static int together_again(struct kafka_sink *k, struct err *e)
{
	int64_t was = k->batch_bytes ? k->batch_bytes : 1000000;

	drop(k, "");
	if (!k->alone_found)
		k->batch_bytes = was / 2 > BATCH_LEAST ? was / 2 : BATCH_LEAST;
	k->alone = false;
	return begin(k, e);
}

static int kafka_submit(struct sink *s, const struct spool_record *r, size_t n, struct err *e)
{
	struct kafka_sink *k = s->self;
	struct texts t;
	size_t did = 0;

	if (!k || !k->rk)
		return err_set(e, ERR_IO, "sink %s: %s", s->config->name, k ? k->dropped : "not open");
	if (k->fatal || k->refused)
		return 0; /* poll takes care */
	if (k->stale && !k->n_sent) {
		drop(k, "");
		if (begin(k, e) < 0)
			return -1;
	}
	if (k->alone && k->n_sent >= k->suspects) {
		if (k->n_sent)
			return 0;
		if (together_again(k, e) < 0)
			return -1;
	}
	if (k->alone && n > k->suspects - k->n_sent)
		n = k->suspects - k->n_sent;
	if (!k->n_sent)
		k->since = clock_monotonic(s->clock);
	buf_init(&t.topic, 65536);
	buf_init(&t.key, 65536);
	buf_init(&t.value, 64u << 20);
	for (; did < n && k->n_free; did++) {
		struct slot *slot = &k->slots[k->free_slots[k->n_free - 1]];
		rd_kafka_resp_err_t error;

		*slot = (struct slot){ .seq = r[did].seq, .state = SENT };
		error = send_one(k, &r[did], slot, &t);
		if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL || (error && rd_kafka_fatal_error(k->rk, NULL, 0))) { /* poll takes care */
			slot->state = FREE;
			break;
		}
		k->n_free--;
		k->n_sent++;
		if (error) { /* before any broker saw it: its own limit, message.max.bytes */
			k->suspects -= k->suspects && is_refusal(error);
			done_with(k, slot, error);
		}
	}
	buf_free(&t.topic);
	buf_free(&t.key);
	buf_free(&t.value);
	return (int)did;
}

static void result_of(const struct kafka_sink *k, const struct slot *t, struct sink_result *to)
{
	bool back = t->error == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT || t->error == RD_KAFKA_RESP_ERR__PURGE_QUEUE;

	*to = (struct sink_result){ .seq = t->seq, .outcome = SINK_ACCEPTED };
	if (!t->error)
		return;
	to->outcome = is_refusal(t->error) ? SINK_DEAD : SINK_RETRY;
	to->alone = is_of_topic(t->error) && !template_fixed(k->sink->config->kafka.topic); /* others may go elsewhere */
	if (back && k->dropped[0])
		text_copy(to->why, sizeof to->why, k->dropped);
	else
		kafka_trouble(k->sink->config, t->error, rd_kafka_err2str(t->error), to->why, sizeof to->why);
}

/* The suspects of a refused batch are all that was on its way: the others do not say to which batch they belong. */
static void go_alone(struct kafka_sink *k)
{
	k->alone = true;
	k->alone_found = false;
	k->suspects = k->n_sent;
	drop(k, "the broker refused a batch; its records are sent again one by one");
}

/* What cannot go on as it is. */
static void look_after(struct kafka_sink *k)
{
	char why[200], text[300];

	if (k->refused) {
		go_alone(k);
	} else if (k->stale && k->n_sent && template_fixed(k->sink->config->kafka.topic)) {
		/* nothing newer may arrive before those; other topics need not wait */
		kafka_trouble(k->sink->config, k->stale, rd_kafka_err2str(k->stale), text, sizeof text);
		drop(k, text);
	} else if (k->fatal) {
		rd_kafka_resp_err_t code = rd_kafka_fatal_error(k->rk, why, sizeof why);

		if (code == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE && !k->stale && clock_monotonic(k->sink->clock) - k->fatal_at < REPORTS)
			return; /* the report about the batch that it means is on its way */
		(void)snprintf(text, sizeof text, "the producer failed and is made anew: %s", why);
		drop(k, text);
	}
}

static int kafka_poll(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e)
{
	struct kafka_sink *k = s->self;
	char bytes[256];

	*got = 0;
	if (!k)
		return 0;
	while (read(k->wake[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes)
		;
	if (k->rk) {
		rd_kafka_poll(k->rk, 0);
		look_after(k);
	}
	for (; *got < n && k->n_done; (*got)++, k->n_done--) {
		unsigned i = k->done[k->done_at];

		result_of(k, &k->slots[i], &to[*got]);
		k->slots[i].state = FREE;
		k->free_slots[k->n_free++] = i;
		k->done_at = (k->done_at + 1) % KAFKA_SLOTS;
	}
	if (*got || !k->n_sent || k->told || !(k->down || clock_monotonic(s->clock) - k->since > STALL))
		return 0;
	k->told = true; /* librdkafka goes on trying; its records stay on their way */
	return err_set(e, ERR_IO, "%s", k->reason[0] ? k->reason : "nothing was acknowledged for a while");
}

static int kafka_wait_fd(struct sink *s, bool *write)
{
	const struct kafka_sink *k = s->self;

	*write = false;
	return k ? k->wake[0] : -1;
}

static int kafka_flush(struct sink *s, struct err *e)
{
	struct kafka_sink *k = s->self;

	if (k && k->rk)
		rd_kafka_flush(k->rk, 0);
	return k && k->n_sent ? err_set(e, ERR_IO, "sink %s: %zu records are not acknowledged", s->config->name, k->n_sent) : 0;
}

static void kafka_close(struct sink *s)
{
	struct kafka_sink *k = s->self;

	if (!k)
		return;
	drop(k, "closed");
	close(k->over);
	close(k->wake[0]);
	close(k->wake[1]);
	free(k);
	s->self = NULL;
}

const struct sink_ops sink_kafka_ops = {
	.open = kafka_open,
	.submit = kafka_submit,
	.poll = kafka_poll,
	.wait_fd = kafka_wait_fd,
	.flush = kafka_flush,
	.check = kafka_check,
	.close = kafka_close,
};
