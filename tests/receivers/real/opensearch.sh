#!/bin/bash
# A real OpenSearch as bulk endpoint: killed with 100,000 records on their way, mappings that refuse some documents, hostile values.
# limit: 1200
cd "$(dirname "$0")/../../.." || exit 5
. tests/lib/agent.bash
. tests/receivers/real/get.bash
if ! get_opensearch; then
	skip "OpenSearch" "$why"
	exit 0
fi
. tests/receivers/real/start.bash
. tests/receivers/real/flow.bash

check "OpenSearch starts" "$(tail -n 3 "$here/out")" start_opensearch
# a document about a broken event does not fit this index: its offset is no boolean
curl -sf -XPUT "$url/strict" -H 'content-type: application/json' -o "$work/curl" \
	-d '{"mappings":{"properties":{"offset":{"type":"boolean"}}},"settings":{"number_of_replicas":0}}' || not_ok "an index with a mapping" "$(cat "$work/curl")"
# the stream that a sink writes to when nothing else is said, in ECS
curl -sf -XPUT "$url/_index_template/logs" -H 'content-type: application/json' -o "$work/curl" \
	-d '{"index_patterns":["logs-*-*"],"data_stream":{},"priority":200}' || not_ok "a data stream" "$(cat "$work/curl")"
sinks "  - {name: stream, kind: elastic, url: \"$url\"}\n  - {name: os, kind: elastic, url: \"$url\", index: records, format: ndjson}\n  - {name: strict, kind: elastic, url: \"$url\", index: strict, format: ndjson, take: [agent]}"
end_receiver=crash_receiver
check "the agent starts" "$(tail -n 2 "$work/log")" start
arrives os start_opensearch
same "OpenSearch's search finds each record once, as it was sent" opensearch "$url" records
stream_done() { [ "$(status_of stream waiting)" = 0 ]; }
check "the data stream has everything, too" "$(status_of stream waiting) wait" wait_for 120 stream_done
same "in ECS" ecs "$url" logs-evmend-default
broken=$(grep -c '"kind":"malformed"' "$work/siem.ndjson")
check "there are hostile values among them" "$broken" test "$broken" -ge 10
all_dead() { [ "$(status_of strict dead)" = "$broken" ] && [ "$(status_of strict waiting)" = 0 ]; }
check "what a mapping refuses is a dead letter, and nothing else" "dead: $(status_of strict dead) of $broken" wait_for 60 all_dead
pace os 50000
same "and those" opensearch "$url" records
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
