# agent.bash - what the e2e scripts share: a scratch folder, a configuration, events, starting and stopping the agent.
# Source it from the project's root folder. Ends the agent and the lab that a script started, whatever happens.
set -u
evmend=${EVMEND:-build/evmend}
lab_bin=${EVMEND_LAB:-build/evmend-lab}
case $evmend in /*) ;; *) evmend=$PWD/$evmend ;; esac
case $lab_bin in /*) ;; *) lab_bin=$PWD/$lab_bin ;; esac
root=$PWD
slow=${EVMEND_TEST_SLOW:-1}
work=$(mktemp -d "${TMP:-/tmp}/agent.XXXXXX") || exit 5
agent=
bad=0

clean_up() {
	if [ -n "$agent" ]; then kill -KILL "$agent" 2>/dev/null; wait "$agent" 2>/dev/null; fi
	if [ -d "$work/lab" ]; then "$lab_bin" stop "$work/lab" >/dev/null 2>&1; fi
}
trap clean_up EXIT

ok() { echo "ok $1"; }
not_ok() { # NAME REASON
	echo "not ok $1: $2"
	if [ -f "$work/log" ]; then tail -n 15 "$work/log" >&2; fi
	bad=1
}
skip() { echo "skip $1: $2"; }
# check NAME REASON COMMAND...: ok when the command succeeds
check() {
	local name=$1 reason=$2
	shift 2
	if "$@"; then ok "$name"; else not_ok "$name" "$reason"; fi
}
# wait_for SECONDS COMMAND...
wait_for() {
	local i=$(($1 * slow * 20))
	shift
	while ! "$@"; do
		[ $((i -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}
now() { date -u +%FT%T.%6NZ; }
# event ID [COMPUTER]: one event of our tester, of now. Each is of another computer, for one of the same counts only as one more.
records=0
event() {
	records=$((records + 1))
	printf '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Tester"/><EventID>%s</EventID><Level>2</Level><TimeCreated SystemTime="%s"/><EventRecordID>%s</EventRecordID><Channel>Application</Channel><Computer>%s</Computer></System><EventData><Data Name="Text">hello</Data></EventData></Event>\n' \
		"$1" "$(now)" "$records" "${2:-ex$records.lab.example}"
}
# many N: events of now, of 200 computers
many() {
	awk -v n="$1" -v first="$records" -v now="$(now)" 'BEGIN {
		for (i = first + 1; i <= first + n; i++)
			printf "<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"><System><Provider Name=\"Tester\"/><EventID>4711</EventID><Level>2</Level><TimeCreated SystemTime=\"%s\"/><EventRecordID>%d</EventRecordID><Channel>Application</Channel><Computer>ex%d.lab.example</Computer></System><EventData><Data Name=\"Text\">hello</Data></EventData></Event>\n", now, i, i % 200
	}' >>"$work/in.xml"
	records=$((records + $1))
}
# What no receiver may take for anything but a value. Each is a broken event: its bytes are told in a record of kind agent.
hostile() {
	python3 - >>"$work/in.xml" <<'PY'
import sys
for v in (b"a\\nb\\\\n", b"\xe2\x80\xa8\xe2\x80\xa9 lines", b"pipe|equals=semi;colon", b"tab\tcr\rvt\x0b", b"'quotes\" &quot; </script>", b"\x1b[31mred\x1b[0m", b"\xff\xfe\xc3( no UTF-8",
          b"\xed\xa0\x80 surrogate", b"{\"create\":{}}", b"]]> %s %n ${jndi:x} {{7*7}}", b"\xf0\x9f\x94\xa5" * 40, b"9" * 60000, b"\x00nul"):
    sys.stdout.buffer.write(b"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><a></b>" + v + b"</System></Event>\n")
PY
}
# rule ID: a rule of ours for that event id, in $work/rules
rule() {
	mkdir -p "$work/rules"
	cat >"$work/rules/r$1.yml" <<YAML
title: Tester says $1
id: 00000000-0000-4000-8000-00000000$1
logsource:
  product: windows
  service: application
detection:
  selection:
    Provider_Name: Tester
    EventID: $1
  condition: selection
level: low
YAML
}
# the configuration: $1 is put at its end
configure() {
	cat >"$work/config.yaml" <<YAML
state_dir: state
log: info
rules: [rules]
tables: $root/rules
sources:
  - {name: log, kind: follow, path: in.xml}
sinks:
  - {name: siem, kind: file, path: siem.ndjson}
times: {idle_after: 1s, diagnose_every: 0}
YAML
	printf '%s\n' "${1:-}" >>"$work/config.yaml"
}
is_up() { grep -q 'all roles are up' "$work/log"; }
start() {
	: >"$work/log"
	"$evmend" run -c "$work/config.yaml" >>"$work/log" 2>&1 </dev/null &
	agent=$!
	wait_for 10 is_up
}
# ends the agent with SIGTERM; its exit code
stop() {
	local code
	kill -TERM "$agent" 2>/dev/null
	wait "$agent"
	code=$?
	agent=
	return "$code"
}
pid_of() { sed -n "s/^$1 //p" "$work/state/pids" 2>/dev/null; }
findings() { cat "$work"/siem.ndjson* 2>/dev/null | grep -c '"kind":"finding"'; }
has_findings() { [ "$(findings)" -ge "$1" ]; }
said() { grep -qF -- "$1" "$work/log"; }
# For scripts about verbs: ev runs one with $work/config.yaml, out looks at what it said.
ev() { "$evmend" "$@" -c "$work/config.yaml" >"$work/out" 2>&1; }
out() { grep -qF -- "$1" "$work/out"; }
expect() { # NAME CODE TEXT VERB...
	local name=$1 want=$2 text=$3
	shift 3
	ev "$@"
	local code=$?
	if [ "$code" -eq "$want" ] && out "$text"; then ok "$name"; else not_ok "$name" "code $code, expected $want and '$text': $(tail -n 3 "$work/out" | cut -c1-300)"; fi
}
