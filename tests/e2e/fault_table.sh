#!/bin/bash
# The table of the faults (tests/lab/faults.tsv), row by row: a fresh lab, broken so; `evmend diagnose` must say its row, verdict, notes,
# also and plan; then the agent in auto mode must leave the case in the state that the row names. Where the row permits no repair by
# policy, or a fact above it is unknown, nothing on the server may differ afterwards: stores, keys, records and sites are hashed. What
# waits for an approval is approved then, and must be healed by it.
#
#   tests/e2e/fault_table.sh [WORD]     only rows that contain WORD
# limit: 240
cd "$(dirname "$0")/../.." || exit 5
set -u
export LC_ALL=C
evmend=${EVMEND:-build/evmend} lab_bin=${EVMEND_LAB:-build/evmend-lab} slow=${EVMEND_TEST_SLOW:-1} host=ex1.lab.example
case $evmend in /*) ;; *) evmend=$PWD/$evmend ;; esac
case $lab_bin in /*) ;; *) lab_bin=$PWD/$lab_bin ;; esac
export EVMEND=$evmend EVMEND_LAB=$lab_bin

# ---- what the programs say, as the table spells it ----

list() { sort | paste -sd, - | sed 's/^$/-/'; } # lines as a sorted list
verdict_member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$said" | head -n 1; }
also() { sed -n 's/.*"also":\[\([^]]*\)\],"not_excluded".*/\1/p' <<<"$said" | tr -d '"' | tr ',' '\n' | list; }
not_excluded() { sed -n 's/.*"not_excluded":\[\([^]]*\)\].*/\1/p' <<<"$said" | tr -d '"'; }
notes() {
	{
		sed -n 's/.*"notes":\[\(.*\)\],"smtp_name".*/\1/p' <<<"$said" | grep -o '{"name":"[A-Z0-9_]*"' | cut -d'"' -f4
		sed -n 's/.*"smtp_name":"\([A-Z_]*\)".*/\1/p' <<<"$said"
	} | list
}
plan() { grep -o '"step":{"kind":"[a-z_]*"' <<<"${said#*\"plan\":}" | cut -d'"' -f6 | paste -sd, - | sed 's/^$/-/'; }
sorted() { tr ',' '\n' <<<"$1" | list; }

# all that a repair could change; the count of writes in state.json is not state
picture() {
	{
		(cd "$work/lab" && find store keys -type f -print0 | sort -z | xargs -0 sha256sum)
		sed 's/^{"version":[0-9]*,//' "$work/lab/state.json"
	} | sha256sum
}
front() { "$lab_bin" status "$work/lab" --json | grep -o '"endpoint":"[^"]*:443","thumbprint":"[^"]*"' | sort; }
# thumbprint, key and all of what is in the stores, a file a line
things() { (cd "$work/lab" && find store keys -type f | sort); }

# ---- one row ----

no() { why="${why:+$why; }$1"; }
same() { [ "$2" = "$3" ] || no "$1 is '$3', expected '$2'"; } # WHAT EXPECTED SEEN
told() { grep -qF "$1" "$work/siem.ndjson" 2>/dev/null; }
# the states of the cases of web services' certificates; where there is none, of the others (SMTP)
states() {
	"$evmend" cases --all --json -c "$work/config.yaml" 2>/dev/null | grep '"kind":"case"' >"$work/cases"
	{ grep -E '"cause":"exchange-(backend|tls|frontend|certificate)' "$work/cases" || cat "$work/cases"; } |
		sed -n 's/.*"state":"\([a-z-]*\)".*/\1/p' | sort -u | paste -sd' '
}
configure() { # OPTIONS OF THE HOST PROGRAM
	local words='' word
	for word in $1; do words="$words, '$word'"; done
	cat >"$work/config.yaml" <<YAML
state_dir: state
sources:
  - {name: events, kind: follow, path: lab/events.xml}
  - {name: console, kind: follow, path: lab/console.txt}
hosts:
  - {name: $host, aliases: [EX1], command: [$lab_bin, host, $work/lab$words]}
remedies: {exchange_backend: {mode: auto, settle: 1s}}
sinks: [{name: siem, kind: file, path: siem.ndjson}]
times: {idle_after: 1s, diagnose_every: 1h, step: 8s, repair: 40s}
YAML
}
# healed: proven by the agent, whose case then is healed, or advised while the SMTP side is open. refuted: nothing is wrong any more, and
# the agent has not taken a step. held: the policy refuses what the verdict would permit.
arrived() { # OUTCOME STATES
	case $1 in
	refuted) ! told '"what":"intent"' && { [[ " $2 " == *" refuted "* ]] || [[ " $2 " == *" healed "* ]] ||
		grep -q '"state":"advised".*"verdict":"HEALTHY_NOW"' "$work/cases"; } ;; # advised: the SMTP side is open
	held) ! told '"what":"intent"' && told '"kind":"refusal"' ;;
	healed) told '"result":"healed"' && { [[ " $2 " == *" healed "* ]] || { [[ " $2 " == *" advised "* ]] && grep -q '"smtp":"S' "$work/siem.ndjson"; }; } ;;
	*) [[ " $2 " == *" $1 "* ]] ;;
	esac
}
run_agent() { # OUTCOME: until the case has come to it
	local want=$1 until=$((SECONDS + 25 * slow)) seen=''
	"$evmend" run -c "$work/config.yaml" >"$work/agent.out" 2>"$work/agent.log" </dev/null &
	agent=$!
	knock & # people go on using the server
	[ "$want" = - ] && until=$((SECONDS + 4 * slow))
	while [ "$SECONDS" -lt "$until" ]; do
		sleep 0.3
		seen=$(states)
		[ "$want" != - ] && arrived "$want" "$seen" && break
	done
	[ "$want" = - ] && same "the states of cases" "" "$seen"
	[ "$want" = - ] || arrived "$want" "$seen" || same "the case's state" "$want" "$seen"
	wait "$!" # those who knock
	kill -TERM "$agent"
	wait "$agent" || no "the agent ended badly"
	agent=
	"$evmend" ledger verify -c "$work/config.yaml" >"$work/ledger" 2>&1 || no "ledger: $(head -n 1 "$work/ledger")"
}
knock() { # people use the server; one that hangs keeps them waiting, so not one after the other
	local i
	for i in / /powershell; do timeout 3 "$lab_bin" request "$work/lab" "$i" >/dev/null 2>&1 & done
	wait
}
diagnosis() { # ROW VERDICT NOTES ALSO PLAN
	"$evmend" diagnose "$host" -c "$work/config.yaml" --json --events "$work/lab/events.xml" >"$work/said" 2>"$work/err" </dev/null
	said=$(cat "$work/said")
	[ -n "$said" ] || { no "diagnose: $(head -n 1 "$work/err")"; return; }
	same row "$1" "$(verdict_member row)"
	same verdict "$2" "$(sed -n 's/.*"verdict":{"name":"\([A-Z_0-9]*\)".*/\1/p' <<<"$said")"
	same notes "$(sorted "$3")" "$(notes)"
	same also "$(sorted "$4")" "$(also)"
	same plan "$5" "$(plan)"
}
one() {
	local fault=$1 options=$2 row=$6 verdict=$7 notes=$8 also=$9 plan=${10} outcome=${11} hosted=${12} start=$SECONDS
	local name=$fault before agent='' why='' said='' by_policy=no
	[ "$options" = - ] || name="$name $options"
	[ "$hosted" = - ] || name="$name, host $hosted"
	if [ "$hosted" = clock-jump ] && ! command -v sqlite3 >/dev/null; then
		echo "skip $name: without sqlite3 the agent's clock cannot be made to have jumped"
		return
	fi
	work=$(mktemp -d "${TMP:-/tmp}/fault.XXXXXX") || exit 5
	trap 'if [ -n "$agent" ]; then kill -KILL "$agent"; fi 2>/dev/null; "$lab_bin" stop "$work/lab" >/dev/null 2>&1' EXIT
	# keys take long to draw: each row has a copy of one lab, and other ports
	{ cp -r "$LAB_MADE" "$work/lab" && sed -i 's/_port":[0-9]*/_port":0/g' "$work/lab/lab.json" && "$lab_bin" start "$work/lab" --daemon; } \
		>"$work/init" 2>&1 || no "lab: $(tail -n 1 "$work/init")"
	configure "$([ "$hosted" = - ] || [ "$hosted" = clock-jump ] || echo "$hosted")"
	[ "$hosted" = clock-jump ] && jump
	# shellcheck disable=SC2046
	"$lab_bin" break "$work/lab" "$fault" $([ "$options" = - ] || echo "$options") >"$work/break" 2>&1 || no "break: $(tail -n 1 "$work/break")"
	before=$(picture)
	front >"$work/front"
	things >"$work/things"
	[ "$fault" = none ] || knock
	[ -n "$why" ] || diagnosis "$row" "$verdict" "$notes" "$also" "$plan"
	same "what diagnose left behind" "$before" "$(picture)"
	case $row in R3 | R5 | R6 | R7 | R8) [[ $hosted != --without\ * ]] || [ "$outcome" = healed ] || [ -z "$(not_excluded)" ] || by_policy=unknown
		[ "$by_policy" = unknown ] || by_policy=yes ;; esac
	if [[ $hosted == --without* ]] && [ "$outcome" != healed ] && [ "$why" = "" ]; then
		# even a person's yes starts nothing on a guess
		"$evmend" repair "$host" --yes --json -c "$work/config.yaml" >"$work/repair" 2>&1 </dev/null
		same "the exit code of repair" 6 $?
		[ "$plan" = - ] || [ "$outcome" = held ] || [ -n "$(not_excluded)" ] || no "nothing is said to be not excluded"
	fi
	run_agent "$outcome"
	if [ "$by_policy" != yes ]; then same "what the agent left behind" "$before" "$(picture)"; fi
	[ "$outcome" = healed ] && { "$lab_bin" request "$work/lab" >/dev/null 2>&1 || [[ $fault == *front-end* ]] || no "healed, and the back end does not answer"; }
	# 443 by the server's name is its public record, whatever became of 127.0.0.1:443
	if [ "$outcome" = healed ] && [[ $fault != *front-end* ]]; then told 'is reached through the front end; 443 is unchanged' || no "the hop is not proven"; fi
	if [ "$outcome" = waiting-approval ] && [ -z "$why" ]; then
		"$evmend" repair "$host" --yes -c "$work/config.yaml" >"$work/repair" 2>&1 </dev/null
		same "the exit code of the approved repair" 0 $?
		[ "$("$evmend" diagnose "$host" --json -c "$work/config.yaml" | grep -o '"healthy":true')" = '"healthy":true' ] || no "approved and repaired, and not well"
	fi
	# whatever was repaired: 443 is as it was, and what existed exists
	same "the records of 443" "$(cat "$work/front")" "$(front)"
	same "what has vanished" "" "$(comm -23 "$work/things" <(things) | grep -v '\.closed$' | paste -sd' ')"
	if [ -z "$why" ]; then
		echo "ok $name: $row $verdict, plan $plan, $outcome ($((SECONDS - start)) s)"
		"$lab_bin" stop "$work/lab" >/dev/null 2>&1
		rm -rf "$work"
	else
		echo "not ok $name: $why (files: $work)"
		exit 1
	fi
}
# The agent has known this clock for a while; then it jumps.
jump() {
	run_agent - && sqlite3 "$work/state/heal.db" 'UPDATE clock SET wall = wall - 7200000000' || no "the clock cannot jump"
}

if [ "${1:-}" = --one ]; then
	shift
	one "$@"
	exit
fi
LAB_MADE=$(mktemp -d "${TMP:-/tmp}/made.XXXXXX") || exit 5
LAB_MADE=$LAB_MADE/lab
export LAB_MADE
"$lab_bin" init "$LAB_MADE" >/dev/null || exit 4
workers=${EVMEND_TEST_JOBS:-6} # a row mostly waits
grep -v '^#' tests/lab/faults.tsv | { [ -n "${1:-}" ] && grep -F -- "$1" || cat; } | tr '\t\n' '\0\0' |
	xargs -0 -r -n 12 -P "$workers" bash "$0" --one
exit $((PIPESTATUS[3] != 0))
