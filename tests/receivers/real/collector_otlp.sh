#!/bin/bash
# A real OpenTelemetry Collector: OTLP over HTTP in JSON, over TLS with a token; killed with 100,000 records on their way, hostile values.
# limit: 600
cd "$(dirname "$0")/../../.." || exit 5
. tests/lib/agent.bash
. tests/receivers/real/get.bash
if ! get_collector; then
	skip "OpenTelemetry Collector, OTLP" "$why"
	exit 0
fi
. tests/receivers/real/start.bash
. tests/receivers/real/flow.bash

check "the collector starts" "$(tail -n 3 "$here/out")" start_otlp
(umask 077 && echo "Authorization: Bearer $token" >"$work/headers")
sinks "  - {name: otel, kind: otlp, url: \"$url\", headers_file: headers, compress: gzip, tls: {ca: receiver/pki/ca.pem}}"
end_receiver=crash_receiver
ev check
check "check reaches it" "$(tail -n 2 "$work/out")" out "it answers"
check "the agent starts" "$(tail -n 2 "$work/log")" start
arrives otel start_otlp
same "each record is in what the collector wrote, as it was sent" otlp "$here/otlp.jsonl"
pace otel 50000
same "and those" otlp "$here/otlp.jsonl"
(umask 077 && echo "Authorization: Bearer wrong" >"$work/headers")
ev sink test otel
check "a wrong token is told" "code $? $(tail -n 2 "$work/out")" out 401
sed -i 's#url: "https://[^"]*#&/nowhere/v1/logs#' "$work/config.yaml"
ev check
check "so is a wrong path" "code $? $(tail -n 2 "$work/out")" out "HTTP 40"
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
