#!/bin/bash
# A repair without an agent, after the clock has jumped; and an undo while another case's repair has no end.
# limit: 60
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

"$lab_bin" init "$work/lab" >"$work/init" 2>&1 && "$lab_bin" start "$work/lab" --daemon >>"$work/init" 2>&1 || { not_ok "the lab" "$(cat "$work/init")"; exit 1; }
cat >"$work/config.yaml" <<YAML
state_dir: state
sources:
  - {name: log, kind: follow, path: lab/events.xml}
hosts: [{name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $work/lab]}]
remedies:
  exchange_backend: {mode: auto, settle: 1s}
sinks: [{name: siem, kind: file, path: siem.ndjson}]
YAML
sql() { python3 -c 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); print(d.execute(sys.argv[2]).fetchall()); d.commit()' "$work/state/heal.db" "$1"; }
alone() { timeout "$1" "$evmend" repair EX1 --yes -c "$work/config.yaml" </dev/null >"$work/out" 2>&1; }

check "a healthy host" "$(tail -n 3 "$work/out" 2>/dev/null)" alone 20
"$lab_bin" break "$work/lab" unbind >/dev/null
sql "update clock set wall = wall - 3600000000" >/dev/null
alone 5
check "a clock that jumped is told" "$(cat "$work/out")" grep -qE "the clock jumped ahead by (1h|59m)" "$work/out"
check "and nothing is done meanwhile" "$(sql 'select * from repairs')" test "$(sql 'select count(*) from repairs')" = "[(0,)]"
sql "update clock set wall = wall + 3600000000" >/dev/null
check "with a right clock it is repaired" "$(tail -n 3 "$work/out")" alone 30
sql "insert into repairs (token, host, by_whom, case_id, started, ended, settle_until, result, plan_id)
	values ('t', 'ex1.lab.example', 'x', 5, 1, 0, 0, '', zeroblob(32))" >/dev/null
expect "an undo waits for what was interrupted" 6 "a repair of ex1.lab.example (case 5) was interrupted" undo 1000001
exit $bad
