#!/bin/bash
# A fleet of three labs: who reaches whom, whose fault it is, and that the server which the facts name is repaired and no other.
# limit: 240
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

end_labs() { for i in 1 2 3; do "$lab_bin" stop "$work/ex$i" >/dev/null 2>&1; done; clean_up; }
trap end_labs EXIT
lab() { "$lab_bin" "$1" "$work/ex$2" "${@:3}"; }
for i in 1 2 3; do
	lab init $i --name EX$i --fqdn ex$i.lab.example >/dev/null && lab start $i --daemon >/dev/null || { not_ok "three labs" "lab $i does not start"; exit 1; }
done
# configure_fleet: $third is the command of ex3, $more is put at the end
third="[$lab_bin, host, $work/ex3]"
more=
configure_fleet() {
	cat >"$work/config.yaml" <<YAML
state_dir: state
log: info
sources:
  - {name: events, kind: follow, path: ex1/events.xml}
sinks:
  - {name: siem, kind: file, path: siem.ndjson}
hosts:
  - {name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $work/ex1]}
  - {name: ex2.lab.example, aliases: [EX2], command: [$lab_bin, host, $work/ex2]}
  - {name: ex3.lab.example, aliases: [EX3], command: $third}
remedies: {exchange_backend: {mode: auto, settle: 1s}}
$more
YAML
}
matrix() { "$evmend" diagnose --all -c "$work/config.yaml" >"$work/out" 2>"$work/err"; code=$?; }
matrix_json() { "$evmend" diagnose --all --json -c "$work/config.yaml" 2>"$work/err" | tail -n 1 >"$work/json"; }
# row FRONT: its marks and its verdict
row() { sed -n "s/^ *[0-9]* ex$1 *//p" "$work/out" | tr -s ' '; }
# expect NAME CODE ROW1 ROW2 ROW3 TEXT...: the table, and sentences below it
expect() {
	local name=$1 want=$2 i t why=
	[ "$code" -eq "$want" ] || why="code $code instead of $want"
	for i in 1 2 3; do
		shift
		[ "$(row $i)" = "$2" ] || why="row $i is '$(row $i)' instead of '$2'"
	done
	shift 2
	for t in "$@"; do grep -qF -- "$t" "$work/out" || why="it does not say '$t'"; done
	[ -z "$why" ] || cat "$work/out" "$work/err" >&2
	check "$name" "$why" test -z "$why"
}
mend() { lab break "$1" none >/dev/null 2>&1; } # says nothing: only faults that the lab can take back
renew() { # a lab anew: what was broken for good is gone
	lab stop "$1" >/dev/null
	rm -rf "$work/ex$1"
	lab init "$1" --name "EX$1" --fqdn "ex$1.lab.example" >/dev/null && lab start "$1" --daemon >/dev/null
}
well="HEALTHY_NOW"

configure_fleet
matrix
expect "all is well" 0 "ok ok ok $well" "ok ok ok $well" "ok ok ok $well" "Every front end reaches every back end."
matrix_json
check "the same as JSON" "$(cut -c1-200 "$work/json")" eval 'grep -q "\"kind\":\"matrix\"" "$work/json" && grep -q "\"ok\":9,\"bad\":0,\"unknown\":0,\"remarks\":\[\]" "$work/json"'
"$evmend" diagnose --all --json -c "$work/config.yaml" >"$work/all"
check "with a diagnosis of each host" "$(wc -l <"$work/all") lines" eval '[ "$(grep -c "\"kind\":\"diagnosis\"" "$work/all")" -eq 3 ]'
check "it fits a screen" "$(wc -l <"$work/out") lines" test "$(wc -l <"$work/out")" -le 24

# --- one back end after the other ---
for i in 1 2 3; do
	lab break $i delete-certificate >/dev/null
	matrix
	line="ok ok ok" rows=()
	read -ra marks <<<"$line"
	marks[i - 1]=rst
	for k in 1 2 3; do rows+=("${marks[*]} $([ $k -eq $i ] && echo BE_CERT_DELETED || echo $well)"); done
	expect "ex$i without its certificate: its own port" 1 "${rows[@]}" \
		"ex$i is not reached by anybody, itself included (the handshake is reset): its own port 444, BE_CERT_DELETED."
	renew $i
done

# --- it is not the back end ---
echo "127.0.0.2 ex2.lab.example" >"$work/ex1/hosts"
matrix
expect "a front end whose name resolution leads elsewhere" 1 "ok ref ok $well" "ok ok ok $well" "ok ok ok $well" \
	"only ex1 cannot reach ex2 (refused): network, firewall or name resolution of ex1."
printf '127.0.0.2 ex2.lab.example\n127.0.0.2 ex3.lab.example\n' >"$work/ex1/hosts"
matrix
expect "a front end that reaches nobody else" 1 "ok ref ref $well" "ok ok ok $well" "ok ok ok $well" \
	"ex1 reaches none of the others, though they are reached from elsewhere (refused): its own network, firewall or name resolution."
rm "$work/ex1/hosts"

lab break 2 tls-mismatch >/dev/null
matrix
expect "a back end that speaks old TLS only" 1 "ok old ok $well" "ok old ok TLS_CONFIG_MISMATCH" "ok old ok $well" \
	"ex2 speaks nothing newer than TLSv1: a hardened front end does not reach it"
renew 2
lab break 3 stop-site >/dev/null
echo "127.0.0.2 ex2.lab.example" >"$work/ex1/hosts"
matrix
expect "two troubles at once" 1 "ok ref ref $well" "ok ok ref $well" "ok ok ref BE_SITE_DOWN" \
	"only ex1 cannot reach ex2 (refused)" "ex3 is not reached by anybody, itself included (refused): its own port 444, BE_SITE_DOWN."
rm "$work/ex1/hosts"
renew 3

# --- one that does not answer ---
more='times: {step: 4s}'
for manner in hang die nonsense; do
	third="[$lab_bin, host, $work/ex3, --fault, '$manner:1']"
	configure_fleet
	start_at=$(date +%s%N)
	matrix
	took=$((($(date +%s%N) - start_at) / 1000000))
	# nobody knows where its back end listens, so it is asked at 444, where no lab is
	expect "a host that does $manner is a row of unknown, the others go on" 4 "ok ok ref $well" "ok ok ref $well" "? ? ? not diagnosed" \
		"ex3 could not be asked: " "ex3 is not reached by anybody (refused), and its own access does not answer either"
	check "within its deadline ($manner)" "$took ms" test "$took" -lt $((15000 * slow))
done
third="[$lab_bin, host, $work/ex3, --fault, 'hang:probe:2']"
configure_fleet
start_at=$(date +%s%N)
matrix
took=$((($(date +%s%N) - start_at) / 1000000))
check "one that hangs in its row: the other cells are known" "$(row 3)" eval 'row 3 | grep -q "^ok ? "'
check "and the others are well" "$(row 1), $(row 2)" test "$(row 1)$(row 2)" = "ok ok ok ${well}ok ok ok $well"
check "and it ends in time" "$took ms" test "$took" -lt $((40000 * slow))
third="[/nonexistent/program]"
configure_fleet
matrix
check "a program that is not there" "code $code" eval '[ "$code" -eq 4 ] && grep -q "ex3 could not be asked" "$work/out" && [ "$(row 1)" = "ok ok ref $well" ]'
third="[$lab_bin, host, $work/ex3]"

lab break 2 hang >/dev/null
matrix_json # its own configuration is whole again below
configure_fleet
start_at=$(date +%s%N)
matrix
took=$((($(date +%s%N) - start_at) / 1000000))
check "a back end that accepts and never answers" "$(row 1)" eval 'row 1 | grep -q "^ok time ok " && grep -q "ex2 is not reached by anybody, itself included (no answer in time)" "$work/out"'
check "costs no more than its deadlines" "$took ms" test "$took" -lt $((60000 * slow))
renew 2

"$evmend" diagnose --all --html "$work/page.html" -c "$work/config.yaml" >/dev/null 2>&1
check "--html wants one host" "code $?" test $? -eq 3

# --- the agent: the matrix without any event, and the right host ---
more='times: {idle_after: 1s, diagnose_every: 0, matrix_every: 1s}'
configure_fleet
echo "127.0.0.2 ex2.lab.example" >"$work/ex3/hosts"
check "the agent starts" "not up" start
matrix_records() { cat "$work/siem.ndjson" 2>/dev/null | grep -c '"what":"matrix"'; }
check "what is bad is told without any event" "no record" wait_for 15 eval '[ "$(matrix_records)" -ge 1 ]'
check "in words" "$(grep '"what":"matrix"' "$work/siem.ndjson" | tail -n 1 | cut -c1-300)" grep -q 'only ex3 cannot reach ex2 (refused)' "$work/siem.ndjson"
check "status tells when and what" "$("$evmend" status --json -c "$work/config.yaml" | grep -o '"matrix":.*' | cut -c1-200)" \
	eval '"$evmend" status --json -c "$work/config.yaml" | grep -q "\"matrix\":{\"last\":\"2[^}]*\"cells_bad\":1,\"cells_unknown\":0,\"remarks\":\[\"only ex3"'
sleep 3
check "and only once" "$(matrix_records) records" test "$(matrix_records)" -eq 1
rm "$work/ex3/hosts"
check "that it is well again is told" "$(matrix_records) records" wait_for 15 eval '[ "$(matrix_records)" -eq 2 ]'
check "ends" "code $?" stop

more='times: {idle_after: 1s, diagnose_every: 0, matrix_every: 0}'
configure_fleet
picture() { lab status "$1" --json | grep -o '"endpoint":"[^"]*","thumbprint":"[^"]*"\|"thumbprint":"[^"]*","store":"[^"]*"' | sort; }
lab break 2 delete-certificate >/dev/null
picture 1 >"$work/before1"
picture 3 >"$work/before3"
rm -f "$work/siem.ndjson"
check "the agent starts again" "not up" start
# ex1 reports, and names ex2; six minutes ago, since the rule waits five for a sign that it is the TLS configuration
sed "s/cloud\.frankysweb\.de/lab.example/g; s/SystemTime='[^']*'/SystemTime='$(date -u -d '6 minutes ago' +%FT%T.%6NZ)'/" tests/data/samples/stories/S-REMOTE.xml >>"$work/ex1/events.xml"
check "the server that the facts name is repaired" "$(grep -c '"what":"repair' "$work/siem.ndjson") records of repairs" \
	wait_for 40 grep -q '"what":"repair-end","host":"ex2.lab.example".*"result":"healed"' "$work/siem.ndjson"
check "its back end answers again" "it does not" eval 'lab request 2 >/dev/null'
check "nobody else was repaired" "$(grep -o '"what":"repair-begin","host":"[^"]*"' "$work/siem.ndjson" | sort -u | tr '\n' ' ')" \
	eval '! grep "\"what\":\"\(repair-begin\|intent\)\"" "$work/siem.ndjson" | grep -qv "\"host\":\"ex2.lab.example\""'
check "nothing on ex1 has changed, which reported" "$(picture 1 | diff "$work/before1" - | head -n 2)" eval 'picture 1 | cmp -s - "$work/before1"'
check "nor on ex3" "$(picture 3 | diff "$work/before3" - | head -n 2)" eval 'picture 3 | cmp -s - "$work/before3"'
check "the case is one of ex2, reported by ex1" "$("$evmend" cases --all --json -c "$work/config.yaml" | cut -c1-200)" \
	eval '"$evmend" cases --all --json -c "$work/config.yaml" | grep "\"host\":\"ex2.lab.example\"" | grep -q "ex1.lab.example"'
check "it ends" "code $?" stop
exit $bad
