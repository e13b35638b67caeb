#!/bin/bash
# A real OpenTelemetry Collector: Splunk's event collector with acknowledgement and OTLP, over TLS with a token; killed with 100,000 records
# on their way, hostile values.
# limit: 600
cd "$(dirname "$0")/../../.." || exit 5
. tests/lib/agent.bash
. tests/receivers/real/get.bash
if ! get_collector; then
	skip "OpenTelemetry Collector" "$why"
	exit 0
fi
. tests/receivers/real/start.bash
. tests/receivers/real/flow.bash

check "the collector starts" "$(tail -n 3 "$here/out")" start_collector
(umask 077 && printf '%s\n' "$token" >"$work/token")
sinks "  - {name: hec, kind: splunk, url: \"$url\", token_file: token, tls: {ca: receiver/pki/ca.pem}, compress: gzip${ACK:+, ack: true}}"
end_receiver=crash_receiver
check "the agent starts" "$(tail -n 2 "$work/log")" start
arrives hec start_collector
same "each record is in what the collector wrote, as it was sent" hec "$here/hec.jsonl"
pace hec 50000
same "and those" hec "$here/hec.jsonl"
printf 'wrong\n' >"$work/token"
ev sink test hec
check "a wrong token is told" "code $? $(tail -n 2 "$work/out")" out 401
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
