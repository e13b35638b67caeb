#!/bin/bash
# Records to webhooks, one a request: a chat whose address is a secret, signed, and a program that takes JSON; strict stand-ins that are busy,
# break connections, answer with pages, are killed and refuse some. Every record arrives in its order or is a dead letter.
# limit: 180
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/receivers.bash
N=${RECORDS:-400}
cat >"$work/faults" <<END
$((N / 10)) ok
1 status 429:1
$((N / 10)) ok
1 reset-body
$((N / 10)) ok
1 reset-answer
$((N / 10)) ok
1 status 503
$((N / 10)) ok
1 page 502
END
start_chat() { receive chat hook --path /services/T0/s3cretpath --key k3y --chat --refuse 'uid: 01' --faults "$work/faults"; }
start_json() { receive json hook --path /in --refuse '"uid":"01' --faults "$work/faults"; }
check "the stand-ins listen" "not up" eval 'start_chat && start_json'
(umask 077 && echo "http://127.0.0.1:$(port_of chat)/services/T0/s3cretpath" >"$work/address" && echo k3y >"$work/hmac")
rule 4711
configure
sed -i "/kind: file/a\\
  - {name: chat, kind: webhook, url_file: address, template: slack, hmac_file: hmac, timeout: 3s, rate: $((960 + N / 10)), take: [finding]}\\
  - {name: json, kind: webhook, url: \"http://127.0.0.1:$(port_of json)/in\", timeout: 3s, rate: $((960 + N / 10)), take: [finding]}\\
  - {name: quiet, kind: webhook, url: \"http://127.0.0.1:$(port_of json)/in\"}" "$work/config.yaml"
: >"$work/in.xml"
expect "check reaches them" 0 "it answers" check
check "and does not tell the address" "$(cat "$work/out")" test "$(grep -c s3cret "$work/out")" -eq 0
"$(dirname "$evmend")/tests/receivers/fill_spool" "$work/state" "$N" || not_ok "records are in the spool" "$?"
has() { [ "$(wc -l <"$work/$1/received")" -ge "$2" ]; }
t0=$(date +%s.%N)
check "the agent starts" "not up" start
check "some arrive" "$(wc -l "$work"/*/received)" patient 30 has chat $((N / 10))
crash chat
check "the file has all" "$(findings)" patient 30 has_findings "$N"
check "it comes back" "not up" start_chat
kill -KILL "$(pid_of ship)"
for k in chat json; do
	check "$k: every record was taken or refused" "$("$evmend" status -c "$work/config.yaml" | grep -A 2 "$k")" patient 120 has_all "$k" "$N"
done
t1=$(date +%s.%N)
bad_ones=$(grep -c '"uid":"01' "$work/siem.ndjson")
for k in chat json; do
	python3 tests/receivers/arrived.py "$work/siem.ndjson" "$work/$k" >"$work/said"
	check "$k: nothing is lost, each host in order" "$(cat "$work/said")" test $? -eq 0
	echo "# $k: $(cat "$work/said")"
	"$evmend" spool list --sink "$k" --json -c "$work/config.yaml" >"$work/dead"
	check "$k: exactly what it refused is a dead letter" "$(head -n 2 "$work/dead" | cut -c1-300)" test "$(grep -c 'HTTP 400 invalid_payload' "$work/dead")" -eq "$bad_ones"
	no_violations "$k"
done
echo "# $(awk -v n="$N" -v a="$t0" -v b="$t1" 'BEGIN { printf "%d records to each in %.1f s, with faults", n, b - a }'), $bad_ones refused"
"$evmend" status --json -c "$work/config.yaml" >"$work/status"
check "one that was told nothing takes no finding of low level" "$(grep -o '"name":"quiet"[^}]*' "$work/status")" grep -q '"name":"quiet"[^}]*"sent":0' "$work/status"
check "the address and the key are in no log and no status" "they are" test "$(cat "$work/log" "$work/status" "$work/dead" | grep -cE 's3cretpath|k3y')" -eq 0
crash chat
: >"$work/faults"
check "it comes back, and is well" "not up" start_chat
expect "a test sends one of each kind" 0 "accepted" sink test chat
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
