#!/bin/bash
# What a receiver refuses for good: kept with its reason, seen, sent again to that receiver alone or dropped, with an agent and without one.
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

receiver=
trap 'if [ -n "$receiver" ]; then kill -KILL "$receiver" 2>/dev/null; fi; clean_up' EXIT
receive() { # PORT OPTIONS...
	python3 tests/receivers/http_receiver.py bulk "$work/bulk" --index logs-evmend-default --port "$@" 2>>"$work/bulk.log" &
	receiver=$!
	wait_for 10 test -s "$work/bulk/port"
}
check "a stand-in for bulk listens" "$(tail -n 2 "$work/bulk.log")" receive 0 --refuse bad-host
rule 4711
configure
port=$(cat "$work/bulk/port")
sed -i "/kind: file/a\\
  - {name: bulk, kind: elastic, url: \"http://127.0.0.1:$port/\", take: [finding]}" "$work/config.yaml"
expect "there is no spool before an agent ran" 4 "no agent has run" spool list
check "the agent starts" "not up" start
expect "nothing was refused yet" 0 "nothing was refused" spool list
for h in good1 bad-host1 good2 bad-host2 bad-host3; do event 4711 "$h.lab"; done >>"$work/in.xml"
kept() { [ "$("$evmend" spool list --json -c "$work/config.yaml" 2>/dev/null | grep -c '"kind":"dead-letter"')" -eq "$1" ]; }
check "three are refused and kept" "$("$evmend" spool list --json -c "$work/config.yaml" 2>&1 | head -c 300)" wait_for 20 kept 3
expect "list tells sink, kind, host" 0 "bulk  finding  bad-host1.lab" spool list
expect "list --json has reason and record" 0 '"sink":"bulk","record":"finding"' spool list --json
check "the reason is the receiver's" "$(head -c 300 "$work/out")" eval 'grep -q "\"reason\":\"document_parsing" "$work/out" && grep -q "\"json\":{\"v\":1,\"kind\":\"finding\"" "$work/out"'
expect "a sink that refused nothing" 0 "nothing was refused for good by siem" spool list --sink siem
expect "status counts them" 0 '"dead_letters":3' status --json
expect "and for Nagios" 1 "sink bulk has 3 dead letters | " status --check
expect "status says what to do" 0 "evmend spool list --sink bulk" status
expect "retry asks which" 3 "name their numbers" spool retry
expect "a number that is none" 3 "is no number" spool drop one
expect "a dead letter that is none" 3 "there is no dead letter 99" spool retry 99
expect "a sink that is none, and refused nothing" 3 "there is no sink 'nix'" spool list --sink nix
expect "nor is anything sent to it" 3 "there is no sink 'nix'" spool retry --all --sink nix
expect "one of two is none" 3 "there is no dead letter 99" spool retry "$("$evmend" spool list --json -c "$work/config.yaml" | sed -n '1s/.*"id":\([0-9]*\),"sink".*/\1/p')" 99
check "so nothing is done" "$("$evmend" spool list -c "$work/config.yaml")" kept 3
expect "spool knows three words" 3 "no word of spool" spool show
kill "$receiver"
wait "$receiver" 2>/dev/null
rm "$work/bulk/port"
check "the receiver is mended" "$(tail -n 2 "$work/bulk.log")" receive "$port"
id() { "$evmend" spool list --json -c "$work/config.yaml" | sed -n "/$1/s/.*\"id\":\([0-9]*\),\"sink\".*/\1/p"; }
received() { [ "$(grep -c "$1" "$work/bulk/received")" -eq 1 ]; }
expect "one is sent again beside the agent" 0 "1 records" spool retry "$(id bad-host1)"
check "and arrives" "$(cat "$work/bulk/received")" wait_for 20 received bad-host1
expect "one is dropped" 0 '"drop":1' spool drop "$(id bad-host2)" --json
check "the agent ends" "code" stop
expect "the last is sent again without an agent" 0 "1 records" spool retry --all --sink bulk
sed -i 's/take: \[finding\]/take: [refusal]/' "$work/config.yaml" # what is sent again goes, though the sink would not take it now
check "the agent starts again" "not up" start
check "and sends it" "$(cat "$work/bulk/received")" wait_for 20 received bad-host3
check "nothing is kept any more" "$(id .)" kept 0
expect "for Nagios neither" 0 "EVMEND OK" status --check
check "the dropped one never came, the others once" "$(cat "$work/bulk/received")" test "$(cut -d' ' -f1 "$work/bulk/received" | sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" = "1 1 1 1 "
check "the other sink has each of them once" "$(findings)" test "$(findings)" -eq 5
check "the agent ends well" "code" stop
exit $bad
