#!/bin/bash
# rules explain: the example of docs/rules.md as it stands there, and how a rule may be named.
set -u
cd "$(dirname "$0")/../.." || exit 5
bad=0
is() { # is NAME GOT WANT
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: '$2', not '$3'"; bad=1; fi
}
mkdir -p "$TMP/rules" && cd "$TMP" || exit 5
awk '/^```yaml$/ { on = 1; next } /^```$/ { exit } on' "$OLDPWD/docs/rules.md" >rules/spooler-stopped.yml
cat >one-event.xml <<'X'
<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Service Control Manager'/><EventID>7036</EventID><TimeCreated SystemTime='2026-01-31T10:00:00Z'/><EventRecordID>1</EventRecordID><Channel>System</Channel><Computer>EX1</Computer></System><EventData><Data Name='param1'>Print Spooler</Data><Data Name='param2'>running</Data></EventData></Event>
X
run() { "$EVMEND" rules explain --rules rules --event one-event.xml "$@" 2>err; }
run spooler-stopped >got
is "an event that does not match ends with 0" $? 0
sed -n '/^    one-event.xml, event/,/^    *because/s/^    //p' "$OLDPWD/docs/rules.md" >want
sed -n '/^one-event.xml, event/,/because/p' got >part
is "docs/rules.md shows what it prints" "$(diff want part && wc -l <want)" "$(wc -l <part)"
for name in 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3c11 "the print spooler has stopped" spooler-stopped.yml rules/spooler-stopped.yml; do
	is "found by '$name'" "$(run "$name" | grep -c '^> no     param2')" 1
done
cp rules/spooler-stopped.yml elsewhere.yml
sed -i 's/^name: .*/name: elsewhere/; s/^title: .*/title: Elsewhere/; s/^id: .*/id: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3c12/' elsewhere.yml
is "a file beside the rules" "$(run elsewhere.yml | head -n 1)" Elsewhere
run spooler-stoped >/dev/null
is "a typing error ends with 3 and the nearest name" "$? $(grep -c "did you mean 'spooler-stopped'" err)" "3 1"
sed -i 's/running/stopped/' one-event.xml
run spooler-stopped >got
is "an event that matches ends with 1" $? 1
is "JSON is a tree" "$(run --json spooler-stopped | grep -c '"holds":true,"tree":{"kind":"rule".*"parts":\[{"kind":"logsource"')" 1
is "an event has its time, host and record" "$(grep -c '^one-event.xml, event 7036 of EX1, record 1, 2026-01-31T10:00:00.000000Z: the rule holds$' got)" 1
is "the same in JSON" "$(run --json spooler-stopped | grep -c '"time":"2026-01-31T10:00:00.000000Z","host":"EX1","event_id":7036,"record_id":1,')" 1
is "the beginning of an id" "$(run 3A3A8B8E | head -n 1)" "The print spooler has stopped"
run 3a3 >/dev/null
is "too little of an id" "$? $(grep -c "there is no rule '3a3'" err)" "3 1"
cp elsewhere.yml rules/elsewhere.yml
run 3a3a8b8e >/dev/null
is "the beginning of two ids" "$? $(grep -c "2 rules have an id that begins with '3a3a8b8e', those above" err)" "3 1"
rm rules/elsewhere.yml
"$EVMEND" rules explain --rules rules spooler-stopped >got 2>err
is "without events the rule as it was understood" "$? $(sed -n '/logsource/,$p' got | tr '\n' '|')" \
	"0   logsource: channel 'System'|  selection: all of|    Provider_Name: 'Service Control Manager'|    EventID: '7036'|    param1: 'Print Spooler'|    param2: 'stopped'|"
sed 's/^level: .*/level: hihg/; s/^id: .*/id: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3c13/; s/^name: .*/name: refused-one/; s/^title: .*/title: Refused/; s/param2:/param2|contans:/' rules/spooler-stopped.yml >rules/refused.yml
run refused-one >/dev/null
is "a refused rule is told with each place and reason" "$? $(grep -c '^\(evmend rules: .*\)\?rules/refused.yml:[0-9]*:[0-9]*: \|: rules/refused.yml:[0-9]*:[0-9]*: ' err)" "2 2"
rm rules/refused.yml
event=$(cat one-event.xml)
for i in $(seq 1 30); do
	if [ $((i % 10)) = 0 ]; then echo "$event"; else sed 's/stopped/running/' <<<"$event"; fi
done | sed 's/^/<!-- -->/' >many.xml
"$EVMEND" rules explain --rules rules --event many.xml spooler-stopped >got 2>err
is "of many events those that hold are shown" "$? $(grep -c ', event 7036 of EX1, record 1, .*: the rule holds$' got) $(grep -c 'does not hold$' got) $(tail -n 2 got | tr '\n' '|')" \
	"1 3 0 the rule holds for 3 of 30 events|27 events for which it does not hold are not shown; --all shows them|"
is "--all shows the others" "$("$EVMEND" rules explain --rules rules --event many.xml --all spooler-stopped 2>err | grep -c 'does not hold$')" 27
is "in JSON, too" "$("$EVMEND" rules explain --rules rules --event many.xml --json spooler-stopped 2>err | grep -c '"kind":"explanation"') $("$EVMEND" rules explain --rules rules --event many.xml --json --all spooler-stopped 2>err | grep -c '"kind":"explanation"')" "3 30"
# correlations: each firing with its group and events, or how near it came; the second example stands in docs/rules.md
mkdir corr
logon() { # logon MINUTE EVENT USER NUMBER
	printf "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='P'/><EventID>%s</EventID><TimeCreated SystemTime='2026-01-31T10:%02d:00Z'/><EventRecordID>%s</EventRecordID><Channel>Security</Channel><Computer>EX1</Computer></System><EventData><Data Name='User'>%s</Data><Data Name='N'>%s</Data></EventData></Event>\n" \
		"$2" "$1" "$1" "$3" "$4"
}
{ logon 1 4625 ann 5; logon 2 4625 bob 6; logon 3 4625 Ann 7; logon 4 4624 ann 8; logon 30 4625 ANN 1; logon 31 4624 carl 3; } >logons.xml
rule() { printf 'title: %s\nid: 3a3a8b8e-8f5e-4d5c-9d0f-0f0d2f6d3f0%s\nname: %s\nlogsource: {product: windows}\ndetection: {s: {EventID: %s}, condition: s}\n' "$1" "$2" "$3" "$4" >"corr/$3.yml"; }
rule "A failed logon" 1 failed 4625
rule "A logon" 2 logon 4624
corr() { printf 'title: %s\nname: %s\ncorrelation: {%s, timespan: %s}\n' "$1" "$1" "$2" "$3" >"corr/$1.yml"; }
corr three "type: event_count, rules: [failed], group-by: [User], condition: {gte: 3}" 10m
corr two "type: event_count, rules: [failed], group-by: [User], condition: {gte: 2}" 10m
corr values "type: value_count, rules: [failed, logon], group-by: [host], condition: {field: User, gte: 3}" 10m
corr sum "type: value_sum, rules: [failed, logon], condition: {field: N, gte: 30}" 10m
corr mean "type: value_avg, rules: [failed, logon], group-by: [User], condition: {field: N, gte: 30}" 10m
corr order "type: temporal_ordered, rules: [logon, failed], group-by: [User]" 10m
corr both "type: temporal, rules: [logon, failed], group-by: [User]" 30s
corr none "type: absent, rules: [failed, logon], group-by: [host]" 10m
corr above "type: temporal, rules: [two, logon], group-by: [User]" 30s
tried() { "$EVMEND" rules explain --rules corr --event logons.xml "$@" 2>err; }
nearest() { tried "$1" | sed -n "s/^it came nearest for \(.*\); it needs .*/\1/p"; }
tried three >got
is "a correlation that did not fire ends with 0" $? 0
is "docs/rules.md shows how near it came" "$(tail -n 4 got)" "$(sed -n "/^    it came nearest/,/fired 0 times/s/^    //p" "$OLDPWD/docs/rules.md")"
is "different values" "$(nearest values)" "host 'EX1': 2 different values in one window"
is "a sum" "$(nearest sum)" "all events together: a sum of 26 in one window"
is "a mean" "$(nearest mean | cut -c1-42)" "User 'ann': 3 events in its fullest window"
is "an order" "$(nearest order)" "User 'ann': all 2 rules in one window, but not in their order"
is "rules" "$(nearest both)" "User 'ann': 1 of its 2 rules in one window"
is "absent" "$(nearest none | cut -c1-34)" "host 'EX1': 4 events of its rules,"
is "a correlation of correlations" "$(tried above | grep -c '^    2026-01-31T10:03:00.000000Z  two$')" 1
tried two >got
is "each firing has its group and its events" "$? $(sed -n '/^fired/,$p' got | tr '\n' '|')" \
	"1 fired for User 'ann', from 2026-01-31T10:01:00.000000Z to 2026-01-31T10:03:00.000000Z, with 2 events|    2026-01-31T10:01:00.000000Z  event 4625 of EX1, record 1: A failed logon|    2026-01-31T10:03:00.000000Z  event 4625 of EX1, record 3: A failed logon|4 of 6 events count; the correlation fired 1 times|"
exit $bad
