#!/bin/bash
# 100,000 records into librdkafka's mock cluster while it refuses, throttles, moves leaders, resets connections, loses a broker and freezes, and
# while the role ship is killed: every one arrives, those of a host in order, and the file beside it waits for nobody.
# limit: 150
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
programs=$(dirname "$evmend")/tests/receivers
RECORDS=${RECORDS:-100000}
large=10000

if ! command -v kcat >/dev/null; then
	skip "records to Kafka" "kcat is not installed (Debian: kcat)"
	exit 0
fi
mock=
trap '[ -n "$mock" ] && kill -KILL "$mock" 2>/dev/null; clean_up' EXIT
mkfifo "$work/commands"
"$programs/kafka_mock" 3 found 16 <"$work/commands" >"$work/brokers" 2>"$work/mock.log" &
mock=$!
exec 7>"$work/commands"
tell() { printf '%s\n' "$@" >&7; }
check "a mock cluster listens" "$(cat "$work/mock.log")" wait_for 10 test -s "$work/brokers"
brokers=$(cat "$work/brokers")
status() { "$evmend" status --json -c "$work/config.yaml" 2>/dev/null | python3 -c '
import json, sys
print(next(s for s in json.load(sys.stdin)["sinks"] if s["name"] == "kafka")[sys.argv[1]])' "$1" 2>/dev/null; }
acknowledged() { sleep 0.15; [ "$(status acknowledged || echo 0)" -ge "$1" ]; }
# at PERCENT NAME: waits until so many have arrived; what comes next happens in the middle of the rest
at() { check "at $1 %: $2" "$(status acknowledged) acknowledged: $(status trouble)" wait_for 60 acknowledged $((RECORDS / 100 * $1)); }
idle() { sleep 0.15; [ "$(status waiting)" = 0 ]; }

rule 4711
configure
# The mock cluster does not look at sequence numbers, as brokers do; so one request at a time keeps the order here.
sed -i "/kind: file/a\\
  - {name: kafka, kind: kafka, brokers: [\"${brokers//,/\", \"}\"], topic: found, compress: lz4, timeout: 2s, rate: $((RECORDS / 10)), options: {max.in.flight.requests.per.connection: 1, message.max.bytes: 50000}}" "$work/config.yaml"
: >"$work/in.xml"
expect "check asks the brokers" 0 "3 brokers, topic found with 16 partitions" check
expect "a test sends one of each kind" 0 "accepted" sink test kafka
"$programs/fill_spool" "$work/state" "$RECORDS" "$large" || not_ok "records are in the spool" "$?"
# NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, THROTTLING_QUOTA_EXCEEDED, MESSAGE_TOO_LARGE: a batch
tell "error 0 6 3" "error 0 7 2" "error 0 89 2" "error 0 0 4" "error 0 10 1"
t0=$(date +%s.%N)
check "the agent starts" "not up" start
at 10 "a broker dies, its partitions move"
tell "down 1" "sleep 1500" "leader 1 2" "leader 2 3" "up 1" "rtt 2 300" "sleep 500" "rtt 2 0"
at 25 "connections are reset"
tell "down 2" "sleep 50" "up 2" "sleep 300" "down 3" "sleep 50" "up 3" "sleep 300" "down 2" "sleep 50" "up 2"
at 35 "a right is missing" # TOPIC_AUTHORIZATION_FAILED
tell "error 0 29 2"
at 45 "the role ship is killed"
kill -KILL "$(pid_of ship)"
at 55 "all brokers freeze"
kill -STOP "$mock"
event 4711 >>"$work/in.xml"
file_has() { grep -q 'ex1\.lab\.example.*"title":"Tester says 4711"' "$work"/siem.ndjson*; }
check "the file gets a new finding meanwhile" "$(grep -c Tester "$work"/siem.ndjson*)" wait_for 20 file_has
sleep 3
kill -CONT "$mock"
at 65 "a batch is too large for the broker"
tell "error 0 10 1"
sleep 0.3
kill -KILL "$(pid_of ship)"
check "and nothing waits in the end" "$(status waiting) wait: $(status trouble)" wait_for 90 idle
echo "# $(awk -v n="$RECORDS" -v a="$t0" -v b="$(date +%s.%N)" 'BEGIN { printf "%d records in %.1f s, with faults, at most %d a second", n, b - a, n / 10 }')"
check "the file has all" "$(findings)" test "$(findings)" -ge $((RECORDS + 1))
check "exactly those beyond message.max.bytes were refused for good" "$(status dead_letters)" test "$(status dead_letters)" -eq $((RECORDS / large))
check "the counter has each, and what was refused again after the role was killed" "$(status dead)" test "$(status dead)" -ge $((RECORDS / large))
check "with the reason" "$(grep -m 1 'refused records for good' "$work/log")" said "Message size too large"
kcat -C -b "$brokers" -t found -o beginning -e -q -f '%p %o %k %h %s\n' 2>"$work/kcat.log" | grep -v 'evmend.test' |
	python3 tests/receivers/kafka_seen.py "$RECORDS" "$large" >"$work/seen"
code=${PIPESTATUS[2]}
check "every other record is there, those of a host in order" "$(head -n 3 "$work/seen"; tail -n 2 "$work/kcat.log")" test "$code" -eq 0
echo "# $(head -n 1 "$work/seen")"
check "what librdkafka says comes through the log" "$(tail -n 2 "$work/log")" said "librdkafka says"
check "and only there" "$(grep -m 1 '^%' "$work/log")" test "$(grep -c '^%' "$work/log")" -eq 0
stop
check "the agent ends well" "code $?" test $? -eq 0
exec 7>&-
exit $bad
