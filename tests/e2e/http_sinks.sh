#!/bin/bash
# Splunk's acknowledgement: 20,000 records count when they are indexed and not before, also when the receiver loses batches and is killed.
# Beside it a bulk endpoint whose key is wrong until SIGHUP. Hostile values come out of both as they went in.
# limit: 180
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/receivers.bash
N=${RECORDS:-20000}

(umask 077 && echo t0k >"$work/tok" && echo wrong >"$work/key")
# a batch is on disk 0.4 s after it was taken, each seventh never: killing it loses what it has said 200 to
start_hec() { receive hec hec --token t0k --ack --ack-after 0.4 --ack-lose 7 --keep; }
check "the stand-ins listen" "not up" eval 'start_hec && receive bulk bulk --token "ApiKey k3y" --index "evmend-(finding|agent)-ex" --keep'
rule 4711
echo 'evmend: {budget: 100000/1d}' >>"$work/rules/r4711.yml"
configure
sed -i "s/path: siem.ndjson/&, labels: {site: EX}/; /kind: file/a\\
  - {name: hec, kind: splunk, url: \"http://127.0.0.1:$(port_of hec)\", token_file: tok, labels: {site: EX}, ack: true, ack_timeout: 2s, batch: {records: 500}}\\
  - {name: bulk, kind: elastic, url: \"http://127.0.0.1:$(port_of bulk)\", api_key_file: key, index: \"evmend-{kind}-{label.site}\", labels: {site: EX}, format: ndjson}" "$work/config.yaml"
check "the agent starts" "not up" start
t0=$(date +%s.%N)
many $((N / 2))
hostile
for name in 'a&quot;b\c' 'line&#10;end' 'tab&#9;|=]' '&lt;/script&gt;{{7*7}}${jndi:x}' 'ü&#x1F525;' '{&quot;create&quot;:{}}'; do event 4711 "$name" >>"$work/in.xml"; done
some() { [ "$(wc -l <"$work/hec/received" 2>/dev/null || echo 0)" -ge "$1" ]; }
check "some are indexed" "$(wc -l "$work/hec/received")" patient 60 some $((N / 8))
crash hec
many $((N - records))
check "while it is away the file gets all" "$(findings)" patient 60 has_findings "$N"
check "it comes back" "not up" start_hec
trouble() { ev status; out "missing or wrong credentials (HTTP 401)"; }
check "a wrong key is told, and the records are kept" "$work/out" patient 20 trouble
check "nothing went to the bulk endpoint" "$(wc -l <"$work/bulk/received")" test ! -s "$work/bulk/received"
echo k3y >"$work/key"
kill -HUP "$agent"
total=$(wc -l <"$work/siem.ndjson")
for k in hec bulk; do
	check "$k: every record counts as delivered" "$("$evmend" status -c "$work/config.yaml" | grep "$k")" patient 120 has_all "$k" "$total"
	python3 tests/receivers/arrived.py "$work/siem.ndjson" "$work/$k" --any-order >"$work/said"
	code=$?
	check "$k: all are there, each as it was sent" "$(cat "$work/said")" test "$code" -eq 0
	echo "# $k: $(cat "$work/said")"
	check "$k: the hostile ones too" "$(cat "$work/said")" grep -qE "and (13|14|15) of" "$work/said"
	no_violations "$k"
done
echo "# $(awk -v n="$N" -v a="$t0" -v b="$(date +%s.%N)" 'BEGIN { printf "%d records in %.1f s", n, b - a }')"
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
