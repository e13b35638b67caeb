#!/bin/bash
# demo.sh [FAULT] - the whole loop against the lab, in nine steps. Each says what was expected and what was seen; when they differ the
# run fails. `make demo` calls it; EVMEND and EVMEND_LAB name the programs.
#
#   FAULT  delete-certificate (default), keep-key, unbind, drop-key, stop-site, tls-mismatch, none
#
# Promises: everything happens in one scratch folder and on loopback ports; the agent and the lab end with the script; a run that
# failed keeps the folder and names it.
set -u
cd "$(dirname "$0")/.." || exit 5
fault=${1:-delete-certificate}
evmend=${EVMEND:-build/evmend} lab_bin=${EVMEND_LAB:-build/evmend-lab}
case $evmend in /*) ;; *) evmend=$PWD/$evmend ;; esac
case $lab_bin in /*) ;; *) lab_bin=$PWD/$lab_bin ;; esac
host=ex1.lab.example
flags='' repaired=yes created=0 hop_breaks=yes cause=exchange-backend-certificate
case $fault in
delete-certificate) title='its back-end certificate is deleted, with its key' verdict=BE_CERT_DELETED created=1 events='1004 12014 12024 15021 36870' ;;
keep-key) title='its back-end certificate is deleted; key and public copy are left' verdict=BE_CERT_DELETED events='1004 12014 12024 15021 36870'
	fault=delete-certificate flags=--keep-key ;;
unbind) title='the record of port 444 is removed; the certificate is not touched' verdict=SSL_RECORD_MISSING events='15300' ;;
drop-key) title='the private key of its back-end certificate is lost' verdict=BE_KEY_MISSING created=1 events='12014 15021 36870' ;;
stop-site) title='its back-end site is stopped' verdict=BE_SITE_DOWN repaired=no events='' cause=exchange-backend-site ;;
tls-mismatch) title='its back end takes TLS 1.0 only' verdict=TLS_CONFIG_MISMATCH repaired=no events='36874' cause=exchange-tls-configuration ;;
none) title='nothing is broken' verdict=HEALTHY_NOW repaired=no hop_breaks=no events='' cause='' ;;
*)
	echo "demo: there is no fault '$fault'; take delete-certificate, keep-key, unbind, drop-key, stop-site, tls-mismatch or none" >&2
	exit 3
	;;
esac

for program in "$evmend" "$lab_bin"; do
	[ -x "$program" ] || { echo "demo: $program is not built; run make demo" >&2; exit 3; }
done
started=$(date +%s)
work=$(mktemp -d "${TMPDIR:-/tmp}/evmend-demo.XXXXXX") || exit 4
lab=$work/lab config=$work/config.yaml agent='' bad=0 step=0

clean_up() {
	[ -n "$agent" ] && { kill -TERM "$agent" 2>/dev/null; wait "$agent" 2>/dev/null; }
	[ -d "$lab" ] && "$lab_bin" stop "$lab" >/dev/null 2>&1
	if [ "$bad" -eq 0 ]; then rm -rf "${work:?}"; else echo "Everything of this run is kept in $work"; fi
}
trap clean_up EXIT
trap 'bad=1; exit 130' INT TERM

# ---- saying and comparing ----
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'; else bold='' red='' green='' plain=''; fi
step() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"
}
# compare EXPECTED SEEN [WHETHER]: WHETHER is a status; without it the two must be the same
compare() {
	local fits=${3:-}
	if [ -z "$fits" ]; then [ "$1" = "$2" ]; fits=$?; fi
	printf '   expected  %s\n' "$1"
	if [ "$fits" -eq 0 ]; then
		printf '   seen      %s%s%s\n' "$green" "$2" "$plain"
	else
		printf '   seen      %s%s   <-- differs%s\n' "$red" "$2" "$plain"
		bad=1
	fi
}
indent() { sed 's/^/             /' | cut -c1-150; }
wait_for() { # SECONDS COMMAND...
	local tries=$(($1 * 10))
	shift
	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.1
	done
}

# ---- looking ----
lab_member() { "$lab_bin" status "$lab" --json | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
thumbprint() { # what port 444 of the lab shows to openssl
	local pem
	pem=$(timeout 5 openssl s_client -tls1_2 -connect "127.0.0.1:$backend_port" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha1 2>/dev/null)
	if [ -n "$pem" ]; then echo "$pem" | sed 's/.*=//; s/://g' | tr A-F a-f; else echo 'no certificate, the connection is broken'; fi
}
request() { # status and who answered, on one line
	"$lab_bin" request "$lab" "$@" 2>/dev/null | tr -d '\r' | tr '\n' ' ' | sed 's/X-FEServer: [^ ]* *//; s/X-CalculatedBETarget: [^ ]* *//; s/ *$//'
}
certificates() { "$lab_bin" status "$lab" --json | grep -o '"thumbprint":"[^"]*","store":"MY"' | sort; }
event_ids() { grep -o '<EventID[^>]*>[0-9]*' "$lab/events.xml" | sed 's/.*>//' | sort | uniq -c; }
cases() { "$evmend" cases --all --json -c "$config" 2>/dev/null; }
the_case() { cases | grep "\"cause\":\"$cause\"" | tail -n 1; }
text_of() { sed -n "s/.*\"$1\":\"\(\([^\"\\\\]\|\\\\.\)*\)\".*/\1/p" | sed 's/\\"/"/g; s/\\\\/\\/g'; }
case_id() { the_case | sed -n 's/.*"id":\([0-9]*\).*/\1/p'; }
has_case() { [ -n "$(case_id)" ]; }
ledger_of_case() { "$evmend" explain "$(case_id)" --json -c "$config" 2>/dev/null | grep '"ledger":{'; }
has_ended() { ledger_of_case | grep -q '"kind":"repair-end"'; }
has_verdict() { [ -n "$(the_case | text_of verdict)" ]; }
agent_runs() { "$evmend" status --json -c "$config" 2>/dev/null | grep -q '"running":true'; }

printf '%sevmend demo: a miniature Exchange server (a LAB on loopback, nothing else is touched); %s%s\n' "$bold" "$title" "$plain"

# ---- 1 ----
step 'The lab is healthy, and the agent watches it'
"$lab_bin" init "$lab" >"$work/out" 2>&1 || { cat "$work/out"; bad=1; exit 4; }
"$lab_bin" start "$lab" --daemon >"$work/out" 2>&1 || { cat "$work/out"; bad=1; exit 4; }
backend_port=$(lab_member backend_port)
httpproxy=$lab/HttpProxy_$(date -u +%Y%m%d%H)-1.LOG
: >"$httpproxy"
cat >"$config" <<YAML
state_dir: state
sources:
  - {name: events, kind: follow, path: lab/events.xml}
  - {name: console, kind: follow, path: lab/console.txt}
  - {name: httpproxy, kind: follow, path: lab/$(basename "$httpproxy")}
hosts:
  - name: $host
    aliases: [EX1]
    command: [$lab_bin, host, $lab]
remedies:
  exchange_backend:
    mode: auto
    settle: 5s       # a demo does not wait the usual 60 s
sinks:
  - {name: siem, kind: file, path: siem.ndjson}
times:
  idle_after: 1s
YAML
"$evmend" run -c "$config" >"$work/agent.out" 2>"$work/agent.log" &
agent=$!
if ! wait_for 15 agent_runs; then
	compare 'the agent runs' "it does not: $(tail -n 1 "$work/agent.log")"
	exit 4
fi
compare '200 X-BEServer: EX1' "$(request)"
before=$(thumbprint)
certificates >"$work/certificates.before"
grep -q "$before" "$work/certificates.before"
compare 'the back end shows a certificate that is in the store' "$before" $?
"$evmend" diagnose "$host" --json -c "$config" >"$work/healthy" 2>&1
compare 'a diagnosis says HEALTHY_NOW' "a diagnosis says $(grep -o '"verdict":{"name":"[A-Z_]*' "$work/healthy" | sed 's/.*"//')"

# ---- 2 ----
step "What happens: $title"
# shellcheck disable=SC2086
"$lab_bin" break "$lab" "$fault" $flags || { bad=1; exit 4; }
# look at once: the agent does not wait until we have told
now_shows=$(thumbprint)
user=$(request)
shell=$(request /powershell)
if [ "$hop_breaks" = no ]; then
	compare "port 444 still shows $before" "port 444 still shows $now_shows"
else
	compare 'no certificate, the connection is broken' "$now_shows"
fi

# ---- 3 ----
if [ "$hop_breaks" = yes ]; then
	step 'The front end fails: every user has an error, and the shell speaks of something else'
	compare '500' "$user"
	compare '500' "$shell"
	spoken=$(grep -o '\[FailureCategory=[^]]*\]' "$lab/console.txt" | tail -n 1)
	compare 'the Exchange Management Shell shows [FailureCategory=Cafe-...]' "the Exchange Management Shell shows $spoken" \
		"$(echo "$spoken" | grep -q Cafe-; echo $?)"
else
	step 'The front end goes on'
	compare '200 X-BEServer: EX1' "$user"
	compare '401 X-BEServer: EX1' "$shell"
fi

# ---- 4 ----
step 'Events were written'
found=yes
for id in $events; do event_ids | grep -q " $id\$" || found="no $id"; done
if [ "$fault" = none ]; then [ -s "$lab/events.xml" ] && found='some'; fi
compare "events: ${events:-none of their own}" "events: $(event_ids | awk '{ printf "%s%s x %s", n++ ? ", " : "", $2, $1 }')" "$([ "$found" = yes ]; echo $?)"

# ---- 5 ----
if [ -n "$cause" ]; then
	step 'One case, with a hint'
	wait_for 20 has_case
	compare "one case: $cause on $host" "$(cases | grep -c '"kind":"case"' | sed 's/^1$/one/') case: $(the_case | text_of cause) on $(the_case | text_of host)"
	wait_for 5 grep -q '"kind":"finding"' "$work/siem.ndjson"
	grep '"kind":"finding"' "$work/siem.ndjson" | text_of hint | awk 'length > length(best) { best = $0 } END { print best }' | fold -s -w 120 | indent
else
	step 'No case'
	sleep 5
	compare 'no case after 5 s' "$(cases | wc -l | sed 's/^0$/no case after 5 s/')"
fi

# ---- 6 ----
step 'Facts, verdict, plan'
if [ -n "$cause" ]; then
	wait_for 20 has_verdict
	compare "$verdict" "$(the_case | text_of verdict)"
	ledger_of_case | grep '"kind":"diagnosis"' | head -n 1 >"$work/diagnosis"
else
	"$evmend" diagnose "$host" --json -c "$config" >"$work/diagnosis" 2>/dev/null
	compare "$verdict" "$(grep -o '"verdict":{"name":"[A-Z_]*' "$work/diagnosis" | sed 's/.*"//')"
fi
# the facts that led to it; `diagnose --full` shows them all
needed=$(grep -o '"needed":\[[^]]*' "$work/diagnosis" | tr -d '["' | sed 's/needed://')
grep -o '{"name":"[a-z0-9_]*","value":"[a-z]*","seen":"[^"]*"' "$work/diagnosis" |
	awk -F'"' -v needed=",$needed," '{ all++ } index(needed, "," $4 ",") { printf "%-22s %-8s %s\n", $4, $8, $12; shown++ }
	END { printf "and %d facts more\n", all - shown }' | indent
plan=$(grep -o '"what":"[^"]*","why"' "$work/diagnosis" | sed 's/"what":"//; s/","why"//')
if [ "$repaired" = yes ]; then
	compare 'a plan with steps' "$(echo "$plan" | grep -c . | sed 's/^0$/no steps/; s/^\([0-9]*\)$/a plan with \1 steps/')" "$([ -n "$plan" ]; echo $?)"
	echo "$plan" | indent
else
	compare 'a plan without steps' "${plan:-a plan without steps}"
	[ -n "$cause" ] && the_case | text_of advice | fold -s -w 120 | indent
fi

# ---- 7 ----
step 'The repair, step by step, as the ledger has it'
if [ "$repaired" = yes ]; then
	wait_for 30 has_ended
	ledger_of_case >"$work/ledger"
	sed 's/.*"time":"[^T]*T\([0-9:]*\)[^"]*","kind":"\([a-z-]*\)".*/& \1 \2/' "$work/ledger" |
		awk '{ kind = $NF; at = $(NF - 1); what = "" }
			match($0, /"what":"[^"]*"/) { what = substr($0, RSTART + 8, RLENGTH - 9) }
			kind == "intent" { print at, "  intent:  " what }
			kind == "outcome" { print at, "  outcome: " ($0 ~ /"ok":true/ ? "done" : "failed") }
			kind == "verify" { match($0, /"summary":"[^"]*"/); print at, "  proof:   " substr($0, RSTART + 11, RLENGTH - 12) }
			kind == "repair-end" { match($0, /"result":"[^"]*"/); print at, "  end:     " substr($0, RSTART + 10, RLENGTH - 11) }' | indent
	compare 'healed' "$(grep '"kind":"repair-end"' "$work/ledger" | tail -n 1 | text_of result)"
	intents=$(grep -c '"kind":"intent"' "$work/ledger") outcomes=$(grep '"kind":"outcome"' "$work/ledger" | grep -c '"ok":true')
	compare "each intent has its outcome" "$intents intents, $outcomes outcomes" "$([ "$intents" -gt 0 ] && [ "$intents" = "$outcomes" ]; echo $?)"
else
	sleep 2
	steps=$("$evmend" ledger --json -c "$config" 2>/dev/null | grep -c '"kind":"intent"')
	compare 'no step was done' "$(echo "$steps" | sed 's/^0$/no step was done/; s/^\([0-9]*\)$/\1 steps were done/')"
fi
certificates >"$work/certificates.after"
compare "certificates created: $created" "certificates created: $(comm -13 "$work/certificates.before" "$work/certificates.after" | wc -l)"

# ---- 8 ----
step 'Proof: openssl s_client on the back end, and a request through the front end'
after=$(thumbprint)
if [ "$repaired" = yes ]; then
	wanted=$(grep '"kind":"repair-end"' "$work/ledger" | tail -n 1 | text_of wanted)
	if [ "$created" -gt 0 ]; then
		compare "another thumbprint than before ($before)" "$after" "$([ "$after" != "$before" ] && [ ${#after} -eq 40 ]; echo $?)"
	else
		compare "the thumbprint of before ($before)" "$after" "$([ "$after" = "$before" ]; echo $?)"
	fi
	compare "the ledger's thumbprint ($wanted)" "$after" "$([ "$after" = "$wanted" ]; echo $?)"
	compare '200 X-BEServer: EX1' "$(request)"
elif [ "$fault" = none ]; then
	compare "the thumbprint of before ($before)" "$after" "$([ "$after" = "$before" ]; echo $?)"
	compare '200 X-BEServer: EX1' "$(request)"
else
	compare 'no certificate was to blame: it fails until a person acts' "$(request)" "$(request | grep -q '^500$'; echo $?)"
	compare 'nothing in the store has changed' "$(cmp -s "$work/certificates.before" "$work/certificates.after" && echo 'nothing in the store has changed')"
fi

# ---- 9 ----
step 'The ledger is verified, and the SIEM was told'
kill -TERM "$agent"
wait "$agent"
compare 'the agent drains and ends with 0' "the agent drains and ends with $?"
agent=''
"$evmend" ledger verify -c "$config" >"$work/verify" 2>&1
code=$?
compare 'ledger verify ends with 0' "ledger verify ends with $code: $(head -n 1 "$work/verify")" "$code"
if [ -n "$cause" ]; then
	told=$(sed -n 's/.*"kind":"\([a-z]*\)".*/\1/p' "$work/siem.ndjson" | sort | uniq -c | awk '{ printf "%s%s x %s", n++ ? ", " : "", $2, $1 }')
	compare 'findings and the case are in the SIEM file' "$told" "$(echo "$told" | grep -q finding && echo "$told" | grep -q case; echo $?)"
fi

seconds=$(($(date +%s) - started))
compare 'under 60 s' "$seconds s" "$([ "$seconds" -lt 60 ]; echo $?)"
if [ "$bad" -eq 0 ]; then printf '\n%sAll nine steps as expected.%s\n' "$green" "$plain"; else printf '\n%sThis run was not as expected.%s\n' "$red" "$plain"; fi
exit "$bad"
