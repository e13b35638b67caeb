#!/bin/bash
# A real VictoriaLogs as bulk endpoint: restarted and frozen with 100,000 records on their way, hostile values. It says 201 to everything
# and keeps what it said so in memory for some seconds, so it is ended with SIGTERM: what SIGKILL loses there is its own.
# limit: 600
cd "$(dirname "$0")/../../.." || exit 5
. tests/lib/agent.bash
. tests/receivers/real/get.bash
if ! get_victorialogs; then
	skip "VictoriaLogs" "$why"
	exit 0
fi
. tests/receivers/real/start.bash
. tests/receivers/real/flow.bash

ask_to_end() {
	kill -TERM "$receiver"
	wait "$receiver" 2>/dev/null
	receiver=
}
check "VictoriaLogs starts" "$(tail -n 3 "$here/out")" start_victorialogs
sinks "  - {name: vl, kind: elastic, url: \"$url\", index: evmend, format: ndjson}"
end_receiver=ask_to_end
check "the agent starts" "$(tail -n 2 "$work/log")" start
arrives vl start_victorialogs
kill -STOP "$receiver"
many 5000
sleep 3
kill -CONT "$receiver"
check "frozen for a while" "$(status_of vl waiting) wait" wait_for 120 delivered vl
sleep 2 # it answers queries late
same "its query finds each record" victorialogs "http://127.0.0.1:$port/select/logsql/query"
pace vl 50000
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
