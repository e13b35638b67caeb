#!/bin/bash
# watch is killed while it holds a count back that receivers hear once a minute: the count is told all the same.
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
rule 4711
configure
: >"$work/in.xml"
check "the agent starts" "not up" start
for _ in $(seq 60); do event 4711 ex1.lab.example; done >>"$work/in.xml"
counted() { grep -o '"count":[0-9]*' "$work/siem.ndjson" | sort -t: -k2 -n | tail -n 1; }
many() { grep -c '"kind":"finding"' "$work/siem.ndjson"; }
told() { [ "$(many)" -ge 20 ]; }
check "what is over the budget is one finding more" "$(many)" wait_for 10 told
sleep 2.5 # the engine's second, and a commit
check "its count is held back" "$(counted)" test "$(counted)" = '"count":1'
kill -KILL "$(pid_of watch)"
all() { [ "$(counted)" = '"count":41' ]; }
check "after the crash it is told" "$(counted)" wait_for 20 all
stop
check "the agent ends well" "code $?" test $? -eq 0
check "and once" "$(grep '"count":41' "$work/siem.ndjson")" test "$(grep -c '"count":41' "$work/siem.ndjson")" -eq 1
exit $bad
