#!/bin/bash
# Records over HTTP to strict stand-ins that answer badly: every record arrives once it is told apart by uid, what is refused for good is
# left out alone, and the file beside them waits for nobody.
# limit: 180
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

receivers=()
trap 'for p in "${receivers[@]}"; do kill -KILL "$p" 2>/dev/null; done; clean_up' EXIT
receive() { # KIND OPTIONS...
	python3 tests/receivers/http_receiver.py "$1" "$work/$1" --faults "$work/faults" "${@:2}" 2>>"$work/$1.log" &
	receivers+=($!)
	wait_for 10 test -s "$work/$1/port"
}
printf '%s\n' "3 ok" "1 status 429:1" "2 ok" "1 reset-body" "2 ok" "1 reset-answer" "1 status 503" "2 ok" "1 busy-items 0.1" >"$work/faults"
check "a stand-in for HEC listens" "$(tail -n 2 "$work/hec.log")" receive hec --token t0k --refuse ex13.lab
check "a stand-in for bulk listens" "$(tail -n 2 "$work/bulk.log")" receive bulk --token "ApiKey k3y" --index logs-evmend-default --refuse ex14.lab
echo t0k >"$work/tok"
echo k3y >"$work/key"
chmod 600 "$work/tok" "$work/key"
rule 4711
configure
sed -i "/kind: file/a\\
  - {name: hec, kind: splunk, url: \"http://127.0.0.1:$(cat "$work/hec/port")\", token_file: tok, compress: gzip, batch: {records: 100}, take: [finding]}\\
  - {name: bulk, kind: elastic, url: \"http://127.0.0.1:$(cat "$work/bulk/port")/\", api_key_file: key, batch: {records: 100}, take: [finding]}" "$work/config.yaml"
expect "check reaches both" 0 "it answers" check
check "the agent starts" "not up" start
events=1000
for ((i = 0; i < events; i++)); do event 4711; done >>"$work/in.xml"
uids() { cut -d' ' -f1 "$work/$1/received" "$work/$1/refused" 2>/dev/null | sort -u | wc -l; }
all() { [ "$(uids "$1")" -ge "$events" ]; }
check "the file has all, whatever the others do" "$(findings)" wait_for 20 has_findings "$events"
for k in hec bulk; do
	check "$k: every record was taken or refused" "$(uids "$k") of $events" wait_for 60 all "$k"
	check "$k: only what it refuses was refused" "$(wc -l <"$work/$k/refused")" test "$(sort -u "$work/$k/refused" | wc -l)" -eq 1
	check "$k: nothing was sent that must not be" "$(head -n 3 "$work/$k/violations" 2>/dev/null)" test ! -s "$work/$k/violations"
done
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
