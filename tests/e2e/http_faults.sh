#!/bin/bash
# 100,000 records over HTTP to Splunk's collector and to a bulk endpoint, strict stand-ins both: too large, busy, full, broken connections,
# killed, frozen, items that it will never take; and the role ship is killed. Every record arrives, each host's in order.
# limit: 300
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/receivers.bash
N=${RECORDS:-100000}
declare -A why=([hec]="Event field cannot be blank (HTTP 400, code 13)" [bulk]="document_parsing_exception: failed to parse field \[x\]: For input string")

cat >"$work/faults" <<'END'
9 ok
1 status 429:1
9 ok
1 status 503
9 ok
1 reset-body
9 ok
1 reset-answer
9 ok
1 status 507
9 ok
1 busy-items 0.02
END
(umask 077 && echo t0k >"$work/tok" && echo k3y >"$work/key")
start_hec() { receive hec hec --token t0k --max-bytes 400000 --refuse bad.lab.example --faults "$work/faults"; }
start_bulk() { receive bulk bulk --token "ApiKey k3y" --max-bytes 1000000 --refuse bad.lab.example --faults "$work/faults"; }
check "the stand-ins listen" "not up" eval 'start_hec && start_bulk'
rule 4711
echo 'evmend: {budget: 100000/1d}' >>"$work/rules/r4711.yml"
configure
sed -i "/kind: file/a\\
  - {name: hec, kind: splunk, url: \"http://127.0.0.1:$(port_of hec)\", token_file: tok, timeout: 2s, take: [finding]}\\
  - {name: bulk, kind: elastic, url: \"http://127.0.0.1:$(port_of bulk)\", api_key_file: key, format: ndjson, compress: gzip, timeout: 2s, take: [finding]}" "$work/config.yaml"
# events with one of a host that the receivers will not take in each of N/20
batch() {
	many $((N / 20 - 1))
	event 4711 bad.lab.example >>"$work/in.xml"
}
batches() { for ((i = 0; i < $1; i++)); do batch; done; }
has() { [ "$(wc -l <"$work/$1/received")" -ge "$2" ]; }
check "the agent starts" "not up" start
t0=$(date +%s.%N)
batches 5
check "some arrive at both" "$(wc -l "$work"/*/received)" eval 'wait_for 30 has hec $((N / 10)) && wait_for 30 has bulk $((N / 10))'
crash hec
kill -STOP "${receiver[bulk]}"
batches 5
sleep 3
check "one is gone, one is frozen: the file has all" "$(findings)" patient 60 has_findings $((N / 2))
check "the first comes back" "not up" start_hec
kill -CONT "${receiver[bulk]}"
batches 5
check "more arrive" "$(wc -l "$work"/*/received)" patient 90 has hec $((N / 4))
kill -KILL "$(pid_of ship)"
batches 5
check "more arrive, after ship was killed" "$(wc -l "$work"/*/received)" patient 90 has bulk $((N / 2))
crash bulk
check "the other is killed and comes back" "not up" start_bulk
check "the file has all" "$(findings)" patient 90 has_findings "$N"
for k in hec bulk; do
	check "$k: every record was taken or refused" "$("$evmend" status -c "$work/config.yaml" | grep "$k")" patient 180 has_all "$k" "$N"
done
t1=$(date +%s.%N)
for k in hec bulk; do
	python3 tests/receivers/arrived.py "$work/siem.ndjson" "$work/$k" >"$work/said"
	code=$?
	check "$k: nothing is lost, each host in order" "$(cat "$work/said")" test "$code" -eq 0
	echo "# $k: $(cat "$work/said")"
	"$evmend" spool list --sink "$k" --json -c "$work/config.yaml" >"$work/dead"
	check "$k: exactly what it refused is a dead letter, with its reason" "$(head -n 3 "$work/dead" | cut -c1-300)" eval \
		'[ "$(grep -c . "$work/dead")" -eq 20 ] && [ "$(grep -c "${why[$k]}" "$work/dead")" -eq 20 ] && [ "$(grep -c bad.lab.example "$work/dead")" -eq 20 ]'
	no_violations "$k"
done
echo "# $(awk -v n="$N" -v a="$t0" -v b="$t1" 'BEGIN { printf "%d records to each in %.1f s, with all faults", n, b - a }')"
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
