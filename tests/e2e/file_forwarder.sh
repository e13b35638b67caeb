#!/bin/bash
# A forwarder reads the file while the agent rotates and packs it: rsyslog's imfile, as docs/sinks.md configures it, gets every line once.
# limit: 120
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

if ! command -v rsyslogd >/dev/null; then
	skip "a forwarder" "rsyslogd is not installed (Debian: rsyslog)"
	exit 0
fi
mkdir "$work/rsyslog"
cat >"$work/rsyslog.conf" <<CONF
global(workDirectory="$work/rsyslog" maxMessageSize="64k")
module(load="imfile")
template(name="line" type="string" string="%msg%\n")
input(type="imfile" file="$work/siem.ndjson" tag="evmend:" ruleset="evmend")
ruleset(name="evmend") { action(type="omfile" file="$work/received" template="line") }
CONF
rule 4711
configure
sed -i "s/path: siem.ndjson}/path: siem.ndjson, take: [finding], rotate: {size: 64KB, compress: gzip}}/" "$work/config.yaml"
: >"$work/siem.ndjson"
rsyslogd -n -f "$work/rsyslog.conf" -i "$work/rsyslog.pid" >"$work/rsyslog.log" 2>&1 &
forwarder=$!
trap 'kill -KILL "$forwarder" 2>/dev/null; clean_up' EXIT
check "the agent starts" "not up" start
received() { grep -o '"uid":"[0-9a-f]\{64\}"' "$work/received" 2>/dev/null; }
has() { [ "$(received | wc -l)" -ge "$1" ]; }
# by and by: what is rotated twice before a forwarder looks, it finds by its folder only
total=0
for _ in 1 2 3 4 5 6; do
	for ((i = 0; i < 60; i++)); do event 4711; done >>"$work/in.xml"
	total=$((total + 60))
	check "$total lines have arrived" "$(received | wc -l)" wait_for 20 has $total
done
stop
check "the agent ends well" "code $?" test $? -eq 0
echo "# $total findings, $(find "$work" -name 'siem.ndjson.*' | wc -l) rotations: $(received | sort -u | wc -l) arrived, $(($(received | wc -l) - $(received | sort -u | wc -l))) repeats"
check "each once" "$(received | sort | uniq -d | wc -l) twice" test "$(received | sort -u | wc -l)" -eq "$(received | wc -l)"
check "there were rotations" "$(ls "$work")" test "$(find "$work" -name 'siem.ndjson.*.gz' | wc -l)" -ge 2
exit $bad
