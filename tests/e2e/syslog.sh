#!/bin/bash
# Records over syslog to a real rsyslogd: nothing is lost when it is away for a while, and every message has its header.
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

if ! command -v rsyslogd >/dev/null; then
	skip "syslog to rsyslogd" "rsyslogd is not installed (Debian: rsyslog)"
	exit 0
fi
port=$((20000 + RANDOM % 10000))
mkdir "$work/rsyslog"
cat >"$work/rsyslog.conf" <<CONF
module(load="imtcp")
global(workDirectory="$work/rsyslog")
template(name="all" type="string" string="%timestamp:::date-rfc3339%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\n")
input(type="imtcp" port="$port" address="127.0.0.1")
action(type="omfile" file="$work/received" template="all")
CONF
receiver=
receive() {
	rsyslogd -n -f "$work/rsyslog.conf" -i "$work/rsyslog.pid" >>"$work/rsyslog.log" 2>&1 &
	receiver=$!
}
trap '[ -n "$receiver" ] && kill -KILL "$receiver" 2>/dev/null; clean_up' EXIT
got() { [ "$(grep -c '|FINDING|' "$work/received" 2>/dev/null)" -ge "$1" ]; }

rule 4711
configure
sed -i "s|{name: siem, kind: file, path: siem.ndjson}|{name: siem, kind: syslog, address: \"127.0.0.1:$port\", labels: {tenant: a}}|" "$work/config.yaml"
receive
check "the agent starts" "not up" start
event 4711 >>"$work/in.xml"
check "a finding arrives" "$(tail -n 2 "$work/rsyslog.log")" wait_for 15 got 1
check "with its header and structured data" "$(head -n 1 "$work/received" 2>/dev/null | cut -c1-300)" \
	grep -qE '^[0-9T:.-]+(Z|[+]00:00)\|ex1\.lab\.example\|evmend\|FINDING\|\[finding@32473 uid="[0-9a-f]{64}" rule="00000000-0000-4000-8000-000000004711".* tenant="a"\]\| ?\{"v":1,"kind":"finding"' "$work/received"
kill -TERM "$receiver"
wait "$receiver" 2>/dev/null
for _ in 1 2 3; do event 4711 >>"$work/in.xml"; done
check "that it is away is said" "nothing said" wait_for 10 said "they wait in the spool"
waiting() { "$evmend" status --json -c "$work/config.yaml" 2>/dev/null | grep -q '"name":"siem","waiting":[1-9]'; }
check "and status counts what waits" "nothing waits" wait_for 10 waiting
troubled() { "$evmend" status --json -c "$work/config.yaml" 2>/dev/null | grep -q '"trouble":"[^"]*refused.*"trouble_since":"20'; }
check "and says why and since when" "$("$evmend" status --json -c "$work/config.yaml" | grep -o '"sinks".*' | cut -c1-400)" wait_for 10 troubled
ev sink test siem
check "a test of a receiver that is away says so" "code $?" test $? -eq 4
check "and why" "$(tail -n 2 "$work/out")" out refused
receive
check "when it is back, everything arrives" "$(grep -c FINDING "$work/received") of 4" wait_for 20 got 4
counted() { "$evmend" status --json -c "$work/config.yaml" | grep -qE '"waiting":0,"waiting_seconds":0,"type":"syslog","sent":[0-9]+,"acknowledged":([4-9]|[1-9][0-9]+),"retried":[0-9]+,"dead":0,"last_acknowledged":"20[^}]*[}]'; }
check "and is counted" "$("$evmend" status --json -c "$work/config.yaml" | grep -o '"sinks".*' | cut -c1-400)" wait_for 10 counted
ev sink test siem
check "a test sends one record of each kind" "code $? $(tail -n 3 "$work/out")" test "$(grep -c '^accepted' "$work/out")" -eq 6
marked() { [ "$(grep -c '"test":true' "$work/received")" -eq 6 ]; }
check "each marked as a test" "$(tail -n 1 "$work/received" | cut -c1-200)" wait_for 10 marked
expect "a sink that is not there is told with those that are" 3 "there are: siem" sink test other
stop
check "the agent ends well" "code $?" test $? -eq 0
exit $bad
