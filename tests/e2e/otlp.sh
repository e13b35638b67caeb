#!/bin/bash
# 100,000 records to a strict stand-in for a collector of OpenTelemetry: busy, too large, broken connections, a page of a proxy, killed, frozen,
# records that it will never take or throws away; and the role ship is killed. Every record arrives, each host's in order, or was refused.
# limit: 300
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/receivers.bash
N=${RECORDS:-100000}
cat >"$work/faults" <<'END'
6 ok
1 status 429:1
8 ok
1 reset-body
1 partial 2
8 ok
1 reset-answer
8 ok
1 status 503
8 ok
1 page 502
8 ok
1 freeze 5
END
mkdir "$work/otel"
: >"$work/otel/thrown"
start_otel() { receive otel otlp --token "Bearer s3cret" --refuse '"stringValue": "0010' --max-bytes 100000 --faults "$work/faults"; }
check "a stand-in listens" "not up" start_otel
(umask 077 && printf '# of the collector\nAuthorization: Bearer s3cret\nX-Scope-OrgID: tenant-a\n' >"$work/headers")
rule 4711
configure
sed -i "/kind: file/a\\
  - {name: otel, kind: otlp, url: \"http://127.0.0.1:$(port_of otel)\", headers_file: headers, compress: gzip, timeout: 4s, labels: {site: muc1}}" "$work/config.yaml"
: >"$work/in.xml"
expect "check reaches it" 0 "it answers" check
sed -i "s#headers_file: headers#headers_file: none#" "$work/config.yaml"
expect "a file of headers that is not there is told" 4 "the secret in" check
sed -i "s#headers_file: none, ##" "$work/config.yaml"
expect "and that they are missing" 6 "it refuses our credentials" check
sed -i "s#kind: otlp, #&headers_file: headers, #" "$work/config.yaml"
"$(dirname "$evmend")/tests/receivers/fill_spool" "$work/state" "$N" || not_ok "records are in the spool" "$?"
has() { [ "$(wc -l <"$work/otel/received")" -ge "$1" ]; }
t0=$(date +%s.%N)
check "the agent starts" "not up" start
check "some arrive" "$(wc -l <"$work/otel/received")" wait_for 30 has $((N / 20))
crash otel
sleep 1
check "it comes back" "not up" start_otel
check "more arrive" "$(wc -l <"$work/otel/received")" patient 60 has $((N / 4))
kill -STOP "${receiver[otel]}"
sleep 1
kill -KILL "$(pid_of ship)"
check "one is frozen: the file has all" "$(findings)" patient 60 has_findings "$N"
kill -CONT "${receiver[otel]}"
check "every record was taken or refused" "$("$evmend" status -c "$work/config.yaml" | grep otel)" patient 180 has_all otel "$N"
t1=$(date +%s.%N)
# what was thrown away did not arrive, and is not lost without a word
thrown=$(wc -l <"$work/otel/thrown")
cp "$work/otel/refused" "$work/refused"
cut -d' ' -f1 "$work/otel/received" | sort -u >"$work/have"
sort -u "$work/otel/thrown" | comm -23 - "$work/have" >>"$work/otel/refused"
python3 tests/receivers/arrived.py "$work/siem.ndjson" "$work/otel" >"$work/said"
check "nothing is lost, each host in order" "$(cat "$work/said")" test $? -eq 0
echo "# $(cat "$work/said") (of the refused $(sort -u "$work/refused" | wc -l) one by one, the others thrown away from $((thrown / 2)) requests, unnamed)"
echo "# $(awk -v n="$N" -v a="$t0" -v b="$t1" 'BEGIN { printf "%d records in %.1f s, with all faults", n, b - a }')"
"$evmend" spool list --sink otel --json -c "$work/config.yaml" >"$work/dead"
bad_ones=$(grep -c '"uid":"0010' "$work/siem.ndjson")
check "exactly what it refused is a dead letter, with its reason" "$(head -n 3 "$work/dead" | cut -c1-300)" eval \
	'[ "$(grep -c . "$work/dead")" -eq "$bad_ones" ] && [ "$(grep -c "a record is not acceptable (HTTP 400)" "$work/dead")" -eq "$bad_ones" ]'
"$evmend" status --json -c "$work/config.yaml" >"$work/status"
check "what was thrown away is counted" "$(grep -o '"unnamed":[0-9]*' "$work/status" | tr '\n' ' ') of $thrown" grep -q "\"unnamed\":$thrown[,}]" "$work/status"
check "and told" "nothing" said "threw records away"
check "no secret is in the log" "it is" test "$(grep -c s3cret "$work/log")" -eq 0
no_violations otel
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
