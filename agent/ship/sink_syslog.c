/* sink_syslog.c - records as syslog messages over TCP or TLS (RFC 5425), framed by octet counting or line ends (RFC 6587).
 *
 * Why: log servers take it. Promises: syslog has no acknowledgement, so a record counts as delivered when the receiver's TCP has confirmed
 * all of its bytes and the receiver has had a second since the handshake to refuse us (tls/stream.h); when a connection breaks, what was not
 * confirmed is sent again, and before it the last bytes that were: those that waited in the receiver's TCP for its program, and `resend` bytes
 * that it may have read and not written (the uid lets it drop a repeat); a message is never longer than frame_max. Refuses nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ship/formats.h"
#include "ship/frames.h"
#include "ship/sink_kinds.h"
#include "tls/stream.h"

/* A receiver that confirms nothing for so long is given up. Where its machine still says that there is no room, it is left more time: the bytes
 * that it has wait there, and those of another connection might be read before them. */
#define SILENT_LIMIT (150 * US_SECOND) /* Linux asks for room every 120 s at least */
#define STUCK_LIMIT (10 * US_MINUTE)

struct syslog_sink {
	struct stream_config to;
	struct stream *stream;
	bool open;
	struct frames *frames;
	struct buf one;     /* a message */
	struct buf frame;   /* with its frame */
	uint64_t confirmed; /* of this connection */
	int64_t since;      /* the last time that more was confirmed, or there was nothing to confirm */
	char why[240];      /* why the last connection ended */
	bool told;          /* the pump knows, or need not */
};

static struct syslog_sink *begin(struct sink *s)
{
	const struct sink_config *c = s->config;
	struct syslog_sink *y = s->self;

	if (y)
		return y;
	y = s->self = xcalloc(1, sizeof *y);
	y->to = (struct stream_config){ .address = c->syslog.address, .tls = c->tls.on, .ca = c->tls.ca, .cert = c->tls.cert, .key = c->tls.key,
		.name = c->tls.name, .pin = c->tls.pin, .no_verify = c->tls.no_verify, .timeout = c->timeout };
	y->stream = stream_new(&y->to, s->clock, s->files);
	y->frames = frames_new((size_t)c->syslog.resend);
	buf_init(&y->one, 1u << 20);
	buf_init(&y->frame, 1u << 20);
	y->told = true;
	return y;
}

/* The connection is of no use any more: everything on its way is to be sent again. */
static void drop(struct sink *s, const char *why)
{
	struct syslog_sink *y = s->self;

	stream_shut(y->stream);
	y->open = false;
	text_copy(y->why, sizeof y->why, why);
	frames_again(y->frames);
	y->told = !frames_open(y->frames); /* with nothing to send again there is time until the next record */
}

static int syslog_open(struct sink *s, struct err *e)
{
	struct syslog_sink *y = begin(s);
	struct err why = { 0 };

	if (y->open)
		return 0;
	if (stream_open(y->stream, &why) < 0)
		return err_set(e, why.code, "sink %s: %s", s->config->name, why.text);
	y->open = true;
	y->confirmed = 0;
	y->since = clock_monotonic(s->clock);
	return 0;
}

/* Goes on with whatever there is to do. true: the connection is up. */
static bool drive(struct sink *s)
{
	struct syslog_sink *y = s->self;
	struct err e = { 0 };
	int r = y->open ? stream_drive(y->stream, &e) : 0;
	size_t n;
	const char *p = frames_unsent(y->frames, &n);

	while (r > 0 && n) {
		ssize_t did = stream_write(y->stream, p, n, &e);

		if (did < 0)
			r = -1;
		if (did <= 0)
			break;
		frames_sent(y->frames, (size_t)did, stream_given(y->stream));
		p = frames_unsent(y->frames, &n);
	}
	if (r < 0)
		drop(s, e.text);
	return r > 0;
}

static void format_one(struct syslog_sink *y, const struct sink_config *c, const struct spool_record *r)
{
	const struct format *format = c->format ? c->format : format_find("rfc5424");
	bool json = format->write == format_rfc5424;
	bool old = c->syslog.header == SYSLOG_BY_FORMAT ? !json : c->syslog.header == SYSLOG_3164;
	size_t max = c->syslog.frame_max ? (size_t)c->syslog.frame_max : RFC5424_MAX;
	struct record_view v;

	buf_reset(&y->one);
	buf_reset(&y->frame);
	view_open(&v, r);
	format_syslog(c, &v, json ? format_find("ndjson") : format, old, max, &y->one);
	view_close(&v);
	if (c->syslog.framing == SYSLOG_OCTET)
		buf_printf(&y->frame, "%zu ", y->one.n);
	buf_add(&y->frame, y->one.p, y->one.n);
	if (c->syslog.framing == SYSLOG_LINE)
		buf_char(&y->frame, '\n');
}

static int syslog_submit(struct sink *s, const struct spool_record *r, size_t n, struct err *e)
{
	struct syslog_sink *y = s->self;
	size_t did = 0;

	if (y && y->open && !drive(s) && y->open)
		return 0; /* not connected yet */
	if (!y || !y->open) {
		if (y)
			y->told = true;
		return err_set(e, ERR_IO, "sink %s: %s", s->config->name, y ? y->why : "not connected");
	}
	if (!frames_open(y->frames))
		y->since = clock_monotonic(s->clock);
	for (; did < n && frames_room(y->frames); did++) {
		format_one(y, s->config, &r[did]);
		frames_add(y->frames, r[did].seq, y->frame.p, y->frame.n);
	}
	drive(s);
	return (int)did;
}

/* What the receiver's TCP has confirmed, once it has had the time to refuse us. */
static size_t take_confirmed(struct sink *s, struct sink_result *to, size_t n)
{
	struct syslog_sink *y = s->self;
	int64_t now = clock_monotonic(s->clock), seq;
	uint64_t confirmed = stream_confirmed(y->stream);
	size_t did = 0;

	if (confirmed > y->confirmed || !frames_open(y->frames) || !stream_settled(y->stream))
		y->since = now;
	y->confirmed = confirmed;
	if (s->config->syslog.resend) /* what waits in its TCP dies with it; so may what its program has read */
		frames_keep(y->frames, (size_t)s->config->syslog.resend + stream_unread(y->stream));
	if (now - y->since > STUCK_LIMIT || (now - y->since > SILENT_LIMIT && stream_silence(y->stream) > SILENT_LIMIT)) {
		struct err e = { 0 };

		stream_late(y->stream, &e);
		drop(s, e.text);
		return 0;
	}
	while (did < n && stream_settled(y->stream) && (seq = frames_confirm(y->frames, confirmed, now)))
		to[did++] = (struct sink_result){ .seq = seq, .outcome = SINK_ACCEPTED };
	return did;
}

static int syslog_poll(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e)
{
	struct syslog_sink *y = s->self;
	size_t did = 0;
	int64_t seq;

	*got = 0;
	if (!y)
		return 0;
	if (drive(s))
		did = take_confirmed(s, to, n);
	while (did < n && (seq = frames_lost(y->frames))) {
		to[did] = (struct sink_result){ .seq = seq, .outcome = SINK_RETRY };
		text_copy(to[did++].why, sizeof to->why, y->why);
		y->told = true;
	}
	*got = did;
	if (y->told || did)
		return 0;
	y->told = true;
	return err_set(e, ERR_IO, "sink %s: %s", s->config->name, y->why);
}

static int syslog_wait_fd(struct sink *s, bool *write)
{
	struct syslog_sink *y = s->self;

	*write = false;
	return y && y->open ? stream_wait_fd(y->stream, write) : -1;
}

static int syslog_flush(struct sink *s, struct err *e)
{
	struct syslog_sink *y = s->self;

	if (y)
		drive(s);
	return y && frames_open(y->frames) ? err_set(e, ERR_IO, "sink %s: %zu records are not confirmed", s->config->name, frames_open(y->frames)) : 0;
}

/* A syslog receiver is there when the connection is made and it does not refuse us. */
static int syslog_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	struct syslog_sink *y = begin(s);
	struct err why = { 0 };
	int r = stream_open(y->stream, &why);

	buf_str(says, s->config->syslog.address);
	while (r >= 0 && !stream_settled(y->stream) && clock_monotonic(s->clock) < until) {
		struct os_poll p = { .fd = -1, .want_read = true };

		r = stream_drive(y->stream, &why);
		p.fd = stream_wait_fd(y->stream, &p.want_write);
		if (r >= 0)
			os_process.wait_ready(&p, 1, 20);
	}
	if (r >= 0)
		r = stream_drive(y->stream, &why);
	if (r == 0)
		r = stream_late(y->stream, &why);
	if (r > 0 && *stream_peer(y->stream))
		buf_printf(says, " %s", stream_peer(y->stream));
	stream_shut(y->stream);
	return r > 0 ? 0 : err_set(e, why.code, "%s", why.text);
}

static void syslog_close(struct sink *s)
{
	struct syslog_sink *y = s->self;

	if (!y)
		return;
	stream_free(y->stream);
	frames_free(y->frames);
	buf_free(&y->one);
	buf_free(&y->frame);
	free(y);
	s->self = NULL;
}

const struct sink_ops sink_syslog_ops = {
	.open = syslog_open,
	.submit = syslog_submit,
	.poll = syslog_poll,
	.wait_fd = syslog_wait_fd,
	.flush = syslog_flush,
	.check = syslog_check,
	.close = syslog_close,
};
