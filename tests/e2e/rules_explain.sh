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
exit $bad
