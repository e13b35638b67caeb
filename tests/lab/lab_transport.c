/* lab_transport.c - what the SMTP services notice about certificates: 12014, 12018, 12023, 12024.
 *
 * They look when the store changes and say each thing once, since Windows suppresses repeats. The search is Exchange's: a
 * certificate in MY with the server's name and a key that can be used. */
#include <string.h>

#include "lab/server.h"
#include "os/os.h"

static const struct store_cert *own_certificate(const struct lab *l, const struct store_cert *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cert_has_name(&c[i].cert.info, l->fqdn) && is_usable(&c[i]))
			return &c[i];
	return NULL;
}

static bool has(const struct store_cert *c, size_t n, const uint8_t thumbprint[20])
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(c[i].cert.info.thumbprint, thumbprint, 20) == 0)
			return true;
	return false;
}

/* The internal transport certificate is named in the directory; when the store lacks it another is taken, or one made in memory. */
static void look_for_itc(struct server *s, const struct lab_state *st, const struct store_cert *own)
{
	struct event_args a = {.thumb = st->is.itc};
	uint8_t ephemeral[20];

	if (own) {
		a.thumb2 = own->cert.info.thumbprint;
	} else {
		os_random(ephemeral, sizeof ephemeral);
		a.thumb2 = ephemeral;
	}
	lab_event(s->lab, own ? EV_12023 : EV_12024, &a);
}

void transport_look(struct server *s, const struct lab_state *st)
{
	struct store_cert *all;
	size_t n = store_list(s->lab, "MY", &all);
	const struct store_cert *own = own_certificate(s->lab, all, n);
	bool missing = st->is.itc_known && !has(all, n, st->is.itc);
	bool ending = own && own->cert.info.not_after - clock_wall(&s->lab->clock) < 90 * US_DAY;

	if (missing && !s->said_itc)
		look_for_itc(s, st, own);
	if (!own && !s->said_12014)
		lab_event(s->lab, EV_12014, NULL);
	if (ending && !s->said_12018)
		lab_event(s->lab, EV_12018, &(struct event_args){.cert = &own->cert.info});
	s->said_itc = missing;
	s->said_12014 = !own;
	s->said_12018 = ending;
	store_free(all, n);
}
