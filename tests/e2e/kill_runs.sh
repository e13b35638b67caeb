#!/bin/bash
# Forty crashes: each role (main, watch, heal, ship) is killed with SIGKILL while one of them stands at one of ten named points, with a back
# end whose certificate was deleted. Each run must end repaired: the lab works, at most one certificate was made, one repair is in an
# intact ledger, and the receiver's file has every finding that a fresh agent in observe mode finds in the same log.
# limit: 600
# EVMEND_KILL_SEED=N repeats the order and the pauses of a run; EVMEND_KILL_ONLY="heal heal.in-step" does one of them, and keeps its files.
cd "$(dirname "$0")/../.." || exit 5
kill_bin=${EVMEND_KILL:-build/evmend-kill}
case $kill_bin in /*) ;; *) kill_bin=$PWD/$kill_bin ;; esac
lab_bin=${EVMEND_LAB:-build/evmend-lab}
case $lab_bin in /*) ;; *) lab_bin=$PWD/$lab_bin ;; esac
slow=${EVMEND_TEST_SLOW:-1}
work=$(mktemp -d "${TMP:-/tmp}/kill.XXXXXX") || exit 5
seed=${EVMEND_KILL_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "# seed $seed"
points="watch.before-position watch.after-position ship.before-spool ship.after-spool heal.before-intent heal.after-intent heal.in-step
heal.after-outcome heal.in-verify heal.in-settle"
workers=2

wait_for() { # SECONDS COMMAND...
	local i=$(($1 * slow * 20))
	shift
	while ! "$@"; do
		[ $((i -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# All of one run happens in $w; its agent's pid is $agent.
write_config() { # NAME MODE
	cat >"$w/$1.yaml" <<YAML
state_dir: state-$1
log: info
rules: [$PWD/rules]
tables: $PWD/rules
sources:
  - {name: events, kind: follow, path: lab/events.xml}
hosts:
  - {name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $w/lab]}
remedies:
  exchange_backend: {mode: $2, settle: 1s}
sinks:
  - {name: siem, kind: file, path: $1.ndjson}
times: {idle_after: 1s, diagnose_every: 0}
YAML
}
is_up() { [ "$(grep -c 'all roles are up' "$w/log")" -gt "$ups" ]; }
start_agent() { # NAME
	ups=$(grep -cs 'all roles are up' "$w/log")
	"$kill_bin" run -c "$w/$1.yaml" >>"$w/log" 2>&1 </dev/null &
	agent=$!
	wait_for 20 is_up
}
stop_agent() {
	kill -TERM "$agent" 2>/dev/null
	wait "$agent"
	code=$?
	agent=
	return $code
}
pid_of() { sed -n "s/^$1 //p" "$w/state-agent/pids" 2>/dev/null; }
stopped() { grep -q '^State:.T' "/proc/$1/status" 2>/dev/null; }
repair_has_ended() { grep -q '"what":"repair-end"' "$w/agent.ndjson" 2>/dev/null; }
uids() { grep '"kind":"finding"' "$1" | sed 's/.*"kind":"finding","uid":"\([0-9a-f]*\)".*/\1/' | sort -u; }
thumbprints() { "$lab_bin" status "$w/lab" --json | grep -o '"thumbprint":"[0-9a-f]*","store":"MY"' | sort; }

# A lab like the template, on three free ports below those that the system gives to clients.
start_lab() { # TEMPLATE
	local front=$((10000 + RANDOM % 10000 * 2))
	rm -rf "$w/lab"
	cp -r "$1" "$w/lab"
	sed -i "s/\"frontend_port\":[0-9]*,\"local_port\":[0-9]*,\"backend_port\":[0-9]*/\"frontend_port\":$front,\"local_port\":$((front + 1)),\"backend_port\":$((front - 1))/" "$w/lab/lab.json"
	"$lab_bin" start "$w/lab" --daemon >"$w/lab.out" 2>&1
}
# Sets $why and returns 1 when the run is not as it must be.
one_run() { # ROLE POINT TEMPLATE PAUSE
	local role=$1 point=$2 holder victim n
	holder=${point%%.*}
	mkdir "$w/kill"
	write_config agent auto
	write_config fresh observe
	: >"$w/log"
	wait_for 5 start_lab "$3" || { why="the lab did not start: $(cat "$w/lab.out")"; return 1; }
	thumbprints >"$w/before"
	export EVMEND_KILL_POINT=$point EVMEND_KILL_DIR=$w/kill
	start_agent agent || { why="the agent did not start"; return 1; }
	"$lab_bin" break "$w/lab" delete-certificate >/dev/null || { why="the lab could not be broken"; return 1; }
	"$lab_bin" request "$w/lab" >/dev/null 2>&1
	wait_for 15 test -e "$w/kill/$point.hit" || { why="$point was never reached"; return 1; }
	holder=$(pid_of "$holder")
	wait_for 5 stopped "$holder" || { why="$point: nobody stands there"; return 1; }
	sleep "$4"
	if [ "$role" = main ]; then victim=$agent; else victim=$(pid_of "$role"); fi
	kill -KILL "$victim" || { why="$role could not be killed"; return 1; }
	if [ "$role" = main ]; then wait "$agent" 2>/dev/null; fi
	[ "$victim" = "$holder" ] || kill -CONT "$holder"
	if [ "$role" = main ]; then
		start_agent agent || { why="the agent did not start again"; return 1; }
	fi
	"$lab_bin" request "$w/lab" >/dev/null 2>&1
	wait_for 40 repair_has_ended || { why="no repair has ended: $(tail -n 1 "$w/log")"; return 1; }
	"$lab_bin" request "$w/lab" >"$w/request" 2>&1 || { why="the lab does not work: $(cat "$w/request")"; return 1; }
	stop_agent || { why="the agent ended with $code"; return 1; }
	thumbprints >"$w/after"
	n=$(comm -13 "$w/before" "$w/after" | wc -l)
	[ "$n" -eq 1 ] || { why="$n certificates were made"; return 1; }
	"$kill_bin" ledger verify -c "$w/agent.yaml" >"$w/ledger" 2>&1 || { why="ledger: $(cat "$w/ledger")"; return 1; }
	n=$(grep -o '"what":"repair-begin"' "$w/agent.ndjson" | wc -l)
	[ "$n" -eq 1 ] || { why="$n repairs have begun"; return 1; }
	n=$(grep '"what":"repair-end"' "$w/agent.ndjson" | grep -c '"result":"healed"')
	[ "$n" -eq 1 ] || { why="$n repairs have ended well"; return 1; }
	# what should have been found: a fresh agent, the same log, nothing but looking
	start_agent fresh || { why="the fresh agent did not start"; return 1; }
	sleep 2.5 # reading, and idle_after
	stop_agent || { why="the fresh agent ended with $code"; return 1; }
	uids "$w/fresh.ndjson" >"$w/wanted"
	uids "$w/agent.ndjson" >"$w/told"
	[ "$(wc -l <"$w/wanted")" -ge 3 ] || { why="the fresh agent found almost nothing"; return 1; }
	n=$(comm -23 "$w/wanted" "$w/told" | wc -l)
	[ "$n" -eq 0 ] || { why="$n of $(wc -l <"$w/wanted") findings were lost"; return 1; }
}

worker() { # NUMBER
	local me=$1 i=0 role point pause
	agent=
	trap 'if [ -n "$agent" ]; then kill -KILL "$agent" 2>/dev/null; fi; if [ -d "${w:-/none}/lab" ]; then "$lab_bin" stop "$w/lab" >/dev/null 2>&1; fi' EXIT
	"$lab_bin" init "$work/template$me" >"$work/init$me" 2>&1 || { echo "not ok kill runs: $(cat "$work/init$me")"; exit 1; }
	while read -r role point pause; do
		[ $((i++ % workers)) -eq "$me" ] || continue
		w=$work/$role-$point
		mkdir "$w"
		why=
		if one_run "$role" "$point" "$work/template$me" "$pause"; then
			echo "ok $role killed at $point"
			"$lab_bin" stop "$w/lab" >/dev/null 2>&1
			[ -n "${EVMEND_KILL_ONLY:-}" ] || rm -rf "$w"
		else
			echo "not ok $role killed at $point: $why"
			{ echo "--- $role $point"; tail -n 12 "$w/log"; } >&2
			if [ -n "$agent" ]; then kill -KILL "$agent" 2>/dev/null; wait "$agent" 2>/dev/null; fi
			agent=
			"$lab_bin" stop "$w/lab" >/dev/null 2>&1
		fi
	done <"$work/list"
}

for role in main watch heal ship; do
	for point in $points; do
		echo "$role $point"
	done
done | awk -v seed="$seed" 'BEGIN { srand(seed) } { printf "%.6f %s 0.%02d\n", rand(), $0, rand() * 20 }' | sort | cut -d' ' -f2- >"$work/list"
if [ -n "${EVMEND_KILL_ONLY:-}" ]; then
	sed -i "/^$EVMEND_KILL_ONLY /!d" "$work/list"
	echo "# files: $work"
fi
for ((k = 0; k < workers; k++)); do worker $k & done | tee "$work/said"
wait
[ "$(grep -c '^ok ' "$work/said")" -eq "$(wc -l <"$work/list")" ]
