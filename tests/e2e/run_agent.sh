#!/bin/bash
# The agent as people run it: it starts, tells, drains, comes back, reloads, refuses a second one, and survives the death of any role.
# limit: 180
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

rule 4711
configure
event 4711 >"$work/in.xml"
check "the agent starts" "not up within 10 s" start
event 4711 >>"$work/in.xml"
check "findings reach the receiver" "$(findings) of 2" wait_for 10 has_findings 2

EVMEND_CONFIG=$work/config.yaml "$evmend" run >"$work/second" 2>&1
code=$?
check "a second agent on the same folder is refused" "code $code: $(tail -n 1 "$work/second")" \
	eval '[ "$code" -eq 4 ] && grep -q "another agent runs" "$work/second"'

# half of an event, then the rest: it is one event
event 4711 >"$work/half"
head -c 200 "$work/half" >>"$work/in.xml"
sleep 1
tail -c +201 "$work/half" >>"$work/in.xml"
check "an event that is written in two parts" "$(findings) of 3" wait_for 10 has_findings 3

for role in watch ship heal; do
	before=$(pid_of $role)
	kill -KILL "$before"
	event 4711 >>"$work/in.xml"
	case $role in watch) n=4 ;; ship) n=5 ;; *) n=6 ;; esac
	check "after the death of $role the next finding is told" "$(findings) of $n" wait_for 15 has_findings $n
	check "$role has come back" "no other pid than $before" wait_for 10 eval '[ -n "$(pid_of $role)" ] && [ "$(pid_of $role)" != "$before" ]'
done

# the log is replaced by another one while it is read
mv "$work/in.xml" "$work/in.xml.1"
event 4711 >>"$work/in.xml.1"
sleep 0.5
event 4711 >"$work/in.xml"
check "a log that is rotated: both ends are read" "$(findings) of 8" wait_for 10 has_findings 8
: >"$work/in.xml" # cut, and written anew
sleep 0.5
event 4711 >>"$work/in.xml"
check "a log that is cut is read from its beginning" "$(findings) of 9" wait_for 10 has_findings 9

# rotation of the receiver's file
mv "$work/siem.ndjson" "$work/siem.ndjson.1"
kill -HUP "$agent"
check "SIGHUP opens the receiver's file anew" "no new file" wait_for 10 eval 'event 4711 >>"$work/in.xml"; sleep 0.5; [ -s "$work/siem.ndjson" ]'

rule 4712
kill -HUP "$agent"
check "SIGHUP takes a good rule set" "$(tail -n 2 "$work/log")" wait_for 10 said 'reloaded rules=2'
n=$(findings)
event 4712 >>"$work/in.xml"
check "the new rule works" "$(findings), before $n" wait_for 10 has_findings $((n + 1))

echo "title: [broken" >"$work/rules/r4711.yml"
rule 4713
kill -HUP "$agent"
check "SIGHUP with a bad rule set says so" "nothing said" wait_for 10 said 'reload refused'
event 4712 >>"$work/in.xml"
check "and leaves the good one running" "$(findings)" wait_for 10 has_findings $((n + 2))
rule 4711
cp "$work/config.yaml" "$work/good.yaml"
echo "sinkz: []" >>"$work/config.yaml"
kill -HUP "$agent"
check "SIGHUP with a bad configuration says so, with the nearest name" "nothing said" wait_for 10 said "did you mean 'sinks'"
cp "$work/good.yaml" "$work/config.yaml"

# main dies: so do the roles, and the next start goes on
n=$(findings)
pids="$(pid_of watch) $(pid_of heal) $(pid_of ship)"
kill -KILL "$agent"
wait "$agent" 2>/dev/null
agent=
roles_are_gone() { for p in $pids; do [ ! -d "/proc/$p" ] || grep -q '^State:.Z' "/proc/$p/status" || return 1; done; }
check "main's death ends the roles" "some are left" wait_for 10 roles_are_gone
event 4711 >>"$work/in.xml"
check "it starts again on the same folder" "not up" start
check "and tells what came meanwhile" "$(findings), before $n" wait_for 10 has_findings $((n + 1))
stop
check "SIGTERM ends it with code 0" "code $?" test $? -eq 0
check "nothing was told twice" "$(cat "$work"/siem.ndjson* | grep '"kind":"finding"' | sort | uniq -d | head -n 1 | cut -c1-120)" \
	eval '[ -z "$(cat "$work"/siem.ndjson* | grep -o "\"uid\":\"[0-9a-f]*\",\"time\"" | sort | uniq -d)" ]'

# a role that dies again and again ends the agent, which says so
check "it starts once more" "not up" start
for _ in 1 2 3 4 5; do
	p=$(pid_of ship)
	kill -KILL "$p" 2>/dev/null
	wait_for 10 eval '[ "$(pid_of ship)" != "$p" ]'
done
wait "$agent"
code=$?
agent=
check "five deaths in a minute end the agent, which says so" "code $code" eval '[ "$code" -ne 0 ] && said "five times in a minute"'
exit $bad
