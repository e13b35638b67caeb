#!/bin/bash
# kill -9 at random moments while events pour in: watch, ship, heal and main in turn. Every event of the source, and every finding that a scan of
# the same file has, is in the receivers' files afterwards, and with a receiver over HTTP that acknowledges; repeats are allowed, and counted.
# limit: 400
# EVMEND_KILLS=N: how many (100). EVMEND_KILL_SEED=N repeats roles and pauses.
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/receivers.bash

kills=${EVMEND_KILLS:-100}
seed=${EVMEND_KILL_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "# seed $seed"
writer=
trap 'if [ -n "$writer" ]; then kill -KILL "$writer" 2>/dev/null; fi; end_receivers' EXIT
(umask 077 && echo t0k >"$work/tok")
check "a stand-in listens" "not up" receive hec hec --token t0k --ack --ack-after 0.2
rule 4711
cat >"$work/config.yaml" <<YAML
state_dir: state
log: warn
rules: [rules]
tables: $root/rules
sources:
  - {name: a, path: in.xml, forward: all}
sinks:
  - {name: events, kind: file, path: events.ndjson, take: event}
  - {name: siem, kind: file, path: siem.ndjson, take: finding}
  - {name: hec, kind: splunk, url: "http://127.0.0.1:$(port_of hec)", token_file: tok, ack: true, ack_timeout: 5s, take: finding}
times: {idle_after: 1s, diagnose_every: 0}
YAML
# 40 events every 20 ms; each twentieth is found, and about another computer
: >"$work/in.xml"
python3 - "$work" <<'PY' &
import os, sys, time
work, n = sys.argv[1], 0
text = ('<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Tester"/><EventID>%d</EventID><Level>4</Level>'
        '<TimeCreated SystemTime="%s.%06dZ"/><EventRecordID>%d</EventRecordID><Channel>Application</Channel><Computer>ex%d.lab</Computer></System>'
        '<EventData><Data Name="Text">number %d</Data></EventData></Event>\n')
with open(work + "/in.xml", "ab", buffering=0) as f:
    while not os.path.exists(work + "/enough"):
        lines = []
        for _ in range(40):
            n += 1
            lines.append(text % (1 if n % 20 else 4711, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), n % 1000000, n, n if n % 20 == 0 else n % 50, n))
        f.write("".join(lines).encode())
        time.sleep(0.02)
with open(work + "/count", "w") as f:
    f.write(str(n))
PY
writer=$!

run_agent() {
	"$evmend" run -c "$work/config.yaml" >>"$work/log" 2>&1 </dev/null &
	agent=$!
}
runs() { kill -0 "$agent" 2>/dev/null; }
# The process of that role, when it is a child of our agent.
role_pid() {
	local pid
	pid=$(pid_of "$1")
	[ -n "$pid" ] && grep -qs "^PPid:[[:space:]]*$agent$" "/proc/$pid/status" && echo "$pid"
}
kill_one() { # ROLE
	local i pid
	if [ "$1" != main ]; then
		for ((i = 0; i < 100 * slow; i++)); do
			if ! runs; then # five deaths of a role in a minute end the agent, which has said so
				wait "$agent"
				run_agent
			fi
			pid=$(role_pid "$1") && kill -KILL "$pid" 2>/dev/null && return 0
			sleep 0.05
		done
		return 1
	fi
	kill -KILL "$agent" 2>/dev/null
	wait "$agent" 2>/dev/null
	run_agent
}
: >"$work/log"
run_agent
role_runs() { role_pid ship >/dev/null; }
check "the agent starts" "$(tail -n 3 "$work/log")" wait_for 20 role_runs
done_kills=0
while read -r role pause; do
	sleep "$pause"
	if ! kill_one "$role"; then not_ok "$role is there to be killed" "$(cat "$work/state/pids")"; break; fi
	done_kills=$((done_kills + 1))
done < <(awk -v seed="$seed" -v n="$kills" 'BEGIN { srand(seed); split("watch ship heal main ship watch", r, " ");
	for (i = 0; i < n; i++) printf "%s 0.%03d\n", r[1 + int(rand() * 6)], rand() * 400 }') 2>/dev/null
check "$kills kills" "$done_kills" test "$done_kills" -eq "$kills"
: >"$work/enough"
wait "$writer"
writer=
runs || { wait "$agent" 2>/dev/null; run_agent; }
count=$(cat "$work/count")
arrived() { grep -o '"record_id":[0-9]*' "$work/events.ndjson" | sort -u | wc -l; }
all_arrived() { [ "$(arrived)" -ge "$count" ]; }
check "every event has arrived" "$(arrived) of $count" wait_for 60 all_arrived
check "each under one uid" "of $count" test "$(grep -o '"kind":"event","uid":"[0-9a-f]*"' "$work/events.ndjson" | sort -u | wc -l)" -eq "$count"
"$evmend" scan --json --rules "$work/rules" --tables "$root/rules" "$work/in.xml" >"$work/scan" 2>/dev/null
uids() { grep -o '"kind":"finding","uid":"[0-9a-f]*"' "$1" | sort -u; }
uids "$work/scan" >"$work/wanted"
lost() { uids "$work/siem.ndjson" | comm -23 "$work/wanted" - | wc -l; }
none_lost() { [ "$(lost)" -eq 0 ]; }
check "a scan finds something to compare with" "$(wc -l <"$work/wanted")" test "$(wc -l <"$work/wanted")" -ge $((count / 25))
check "every finding of the scan has arrived" "$(lost) of $(wc -l <"$work/wanted") are lost" wait_for 60 none_lost
cut -d ' ' -f 1 "$work/wanted" | grep -o '[0-9a-f]\{64\}' | sort -u >"$work/wanted.hec"
hec_has() { cut -d ' ' -f 1 "$work/hec/received" | sort -u | comm -23 "$work/wanted.hec" - | wc -l; }
hec_has_all() { [ "$(hec_has)" -eq 0 ]; }
check "and at the receiver that acknowledges" "$(hec_has) of $(wc -l <"$work/wanted.hec") are lost" wait_for 60 hec_has_all
no_violations hec
check "no line is torn" "$(grep -vn '^{.*}$' "$work/events.ndjson" | head -n 3 | cut -c1-200)" eval '! grep -qv "^{.*}$" "$work/events.ndjson" "$work/siem.ndjson"'
check "the agent ends well" "code" stop
echo "# $done_kills kills, $count events, $(($(wc -l <"$work/events.ndjson") - count)) of them again; $(wc -l <"$work/wanted") findings, $(($(grep -c . "$work/siem.ndjson") - $(wc -l <"$work/wanted"))) again or updates; over HTTP, with repeats, $(wc -l <"$work/hec/received")"
exit $bad
