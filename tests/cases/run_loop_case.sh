#!/bin/bash
# run_loop_case.sh FOLDER - one folder, one case of the whole loop against a lab of its own.
#
# The file `case` in the folder, NAME=VALUE a line, '#' begins a comment:
#   fault=delete-certificate   what `evmend-lab break` does
#   flags=--deferred           its options
#   act=run                    run: the agent, until the case is in `state`; diagnose: `evmend diagnose`; repair: `evmend repair`
#   mode=auto                  observe, approve or auto (default auto)
#   first=break                break before the agent starts (default: the agent is running when it breaks)
#   every=0                    diagnose_every (default 0: only events start a diagnosis)
#   approve=yes                a person approves when the case waits for it
#   events=FILE                appended to the lab's event log after the fault (from the root of the project), as if written now by this server
#   busy=maintenance           what the server says it is doing
#   verdict=BE_CERT_DELETED    what must come out; of `cases`, or of `diagnose`
#   note=FRONTEND_CERT         a note that must be beside it
#   repair=healed              the agent must repair (act=run): the result in its ledger; none (the default) is: it must not even begin
#   state=advised              the state of the case (act=run). A repaired case is healed, or advised when the SMTP side is open
#   exit=6                     the exit code (act=diagnose, act=repair)
#   created=1                  certificates that were in the store neither before nor right after the fault (default 0)
#   backend=works              works or fails: one request through the front end afterwards
#   changed=no                 whether records, sites or certificates may differ after the fault (default: yes when repair is healed)
# Speaks as tests/README.md says.
set -u
folder=${1%/}
name=$(basename "$folder")
cd "$(dirname "$0")/../.." || exit 5
work=$(mktemp -d "${TMP:-/tmp}/loop.XXXXXX") || exit 5
evmend=${EVMEND:-build/evmend}
lab_bin=${EVMEND_LAB:-build/evmend-lab}
case $lab_bin in /*) ;; *) lab_bin=$PWD/$lab_bin ;; esac
slow=${EVMEND_TEST_SLOW:-1}
host=ex1.lab.example
agent=
cleanup() {
	if [ -n "$agent" ]; then kill -KILL "$agent" 2>/dev/null; wait "$agent" 2>/dev/null; fi
	"$lab_bin" stop "$work/lab" >/dev/null 2>&1
}
trap cleanup EXIT
fail() {
	echo "not ok $name: $1"
	[ -f "$work/agent.log" ] && tail -n 15 "$work/agent.log" >&2
	exit 1
}

fault=none flags='' act=run mode=auto first=agent every=0 approve=no events='' busy='' verdict='' note='' repair=none state='' exit='' created=0 backend='' changed=''
while IFS='=' read -r key value; do
	case $key in
	'' | \#*) ;;
	fault | flags | act | mode | first | every | approve | events | busy | verdict | note | repair | state | exit | created | backend | changed)
		printf -v "$key" %s "${value%%[[:space:]]#*}" ;;
	*) fail "case knows no '$key'" ;;
	esac
done <"$folder/case" || fail "there is no file case"
[ -n "$changed" ] || { [ "$repair" = healed ] && changed=yes || changed=no; }

lab() { "$lab_bin" "$1" "$work/lab" "${@:2}"; }
# what a repair may change, as lines; certificates by thumbprint, records by endpoint
picture() {
	lab status --json >"$work/status" || fail "the lab has no status"
	grep -o '"endpoint":"[^"]*","thumbprint":"[^"]*"' "$work/status" | sort
	grep -o '"thumbprint":"[^"]*","store":"[^"]*"' "$work/status" | sort
	grep -o '"backend_open":[a-z]*' "$work/status"
}
breaks() {
	# shellcheck disable=SC2086
	lab break "$fault" $flags >"$work/break.out" 2>&1 || fail "the lab could not be broken: $(cat "$work/break.out")"
	[ -n "$busy" ] && { lab busy "$busy" || fail "the lab cannot be busy"; }
	picture >"$work/broken"
	# people knock: what follows from the fault is written because somebody used the server
	for _ in 1 2; do
		lab request >/dev/null 2>&1
		lab request /powershell >/dev/null 2>&1
	done
	# of this server and of now: events of long ago are a replay and start nothing
	[ -n "$events" ] && sed "s/[Ee][Xx]1\.cloud\.frankysweb\.de/$host/g; s/SystemTime='[^']*'/SystemTime='$(date -u +%FT%T.%6NZ)'/" "$events" >"$work/events.now"
	[ -n "$events" ] && cat "$work/events.now" >>"$work/lab/events.xml" # at once, as one piece of news
	return 0
}

lab init >"$work/init.out" 2>&1 || fail "the lab could not be made: $(cat "$work/init.out")"
lab start --daemon >"$work/start.out" 2>&1 || fail "the lab did not start: $(cat "$work/start.out")"
lab request >/dev/null 2>&1 || fail "the lab does not answer before anything is broken"
picture >"$work/before"
cat >"$work/config.yaml" <<YAML
state_dir: state
log: info
sources:
  - {name: events, kind: follow, path: lab/events.xml}
  - {name: console, kind: follow, path: lab/console.txt}
hosts:
  - name: $host
    aliases: [EX1]
    command: [$lab_bin, host, $work/lab]
remedies:
  exchange_backend:
    mode: $mode
    settle: 1s
sinks:
  - {name: siem, kind: file, path: siem.ndjson}
times:
  idle_after: 1s
  diagnose_every: $every
YAML

wait_for() { # SECONDS WHAT COMMAND...
	local until=$((SECONDS + $1 * slow)) what=$2
	shift 2
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || fail "$what did not happen in time; cases: $("$evmend" cases --all --json -c "$work/config.yaml" 2>&1 | cut -c1-300 | tail -n 3)"
		sleep 0.2
	done
}
running() { "$evmend" status --json -c "$work/config.yaml" 2>/dev/null | grep -q '"running":true'; }
told() { grep -qF "$1" "$work/siem.ndjson" 2>/dev/null; }
in_state() { "$evmend" cases --all --json -c "$work/config.yaml" 2>/dev/null | grep -q "\"state\":\"$1\""; }

case $act in
run)
	[ "$first" = break ] && breaks
	"$evmend" run -c "$work/config.yaml" >"$work/agent.out" 2>"$work/agent.log" &
	agent=$!
	wait_for 15 "the start of the agent" running
	[ "$first" = break ] || breaks
	if [ "$approve" = yes ]; then
		wait_for 40 "a case that waits for an approval" in_state waiting-approval
		id=$("$evmend" cases --json -c "$work/config.yaml" | sed -n 's/.*"state":"waiting-approval".*/&/p' | sed -n 's/.*"id":\([0-9]*\).*/\1/p' | head -n 1)
		"$evmend" approve "$id" -c "$work/config.yaml" >"$work/approve.out" 2>&1 || fail "approve: $(cat "$work/approve.out")"
	fi
	if [ "$state" = none ]; then
		sleep 5
		[ -z "$("$evmend" cases --all --json -c "$work/config.yaml" 2>/dev/null)" ] || fail "there is a case, and nothing is wrong"
	else
		[ "$repair" = none ] || wait_for 50 "a repair with the result $repair" told "\"result\":\"$repair\""
		wait_for 50 "the state $state" in_state "$state"
		wait_for 5 "the verdict $verdict" told "\"verdict\":{\"name\":\"$verdict\""
		[ "$repair" != none ] || ! told '"what":"repair-begin"' || fail "a repair was begun"
		"$evmend" cases --all --json -c "$work/config.yaml" >"$work/cases" 2>&1
		[ -z "$note" ] || grep -q "$note" "$work/cases" || "$evmend" diagnose --json "$host" -c "$work/config.yaml" | grep -q "$note" || fail "there is no note $note"
	fi
	kill -TERM "$agent"
	wait "$agent"
	code=$?
	agent=
	[ "$code" -eq 0 ] || fail "the agent ended with $code"
	"$evmend" ledger verify -c "$work/config.yaml" >"$work/ledger.out" 2>&1 || fail "the ledger: $(cat "$work/ledger.out")" ;;
diagnose | repair)
	breaks
	# shellcheck disable=SC2086
	"$evmend" "$act" --json "$host" -c "$work/config.yaml" >"$work/out" 2>"$work/err" </dev/null
	code=$?
	[ -z "$exit" ] || [ "$code" -eq "$exit" ] || fail "$act ended with $code, expected $exit: $(head -n 1 "$work/err")"
	got=$(grep -o '"verdict":[^,]*"[A-Z_]*"' "$work/out" | grep -o '[A-Z][A-Z_]*' | head -n 1)
	[ "$got" = "$verdict" ] || fail "the verdict is '$got', expected '$verdict': $(head -n 1 "$work/err")"
	[ -z "$note" ] || grep -q "$note" "$work/out" || fail "there is no note $note" ;;
*) fail "act=$act is neither run, diagnose nor repair" ;;
esac

picture >"$work/after"
new=$(grep '"store":"MY"' "$work/after" | grep -vxFf <(cat "$work/before" "$work/broken") | wc -l)
[ "$new" -eq "$created" ] || fail "$new certificates were created, expected $created"
if [ "$changed" = no ]; then
	diff "$work/broken" "$work/after" >"$work/diff" || fail "something was changed: $(head -n 2 "$work/diff" | tail -n 1)"
fi
# what was there and survived the fault must be there still, whatever was repaired
gone=$(grep '"store":"MY"' "$work/broken" | grep -vxFf "$work/after" | wc -l)
[ "$gone" -eq 0 ] || fail "$gone certificates have vanished"
front() { grep '"endpoint":"[^"]*:443"' "$1"; }
[ "$(front "$work/broken")" = "$(front "$work/after")" ] || fail "a record of port 443 has changed"
if [ -n "$backend" ]; then
	lab request >/dev/null 2>&1 && answers=works || answers=fails
	[ "$answers" = "$backend" ] || fail "a request through the front end $answers, expected that it $backend"
fi
echo "ok $name"
rm -rf "${work:?}/state"
