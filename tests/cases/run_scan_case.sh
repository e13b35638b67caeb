#!/bin/bash
# run_scan_case.sh FOLDER [EVMEND] - one folder, one case: what `evmend scan` must make of some files.
#
#   inputs   files to scan, one a line, from the root of the project; "./NAME" is beside this list, "@NAME" is what `make` made
#   make     a program that writes files into the folder that it is given (optional)
#   args     options for scan, one a line (optional)
#   expect   what must come out, one a line, in any order; '#' begins a comment
#
# Lines of expect. A kind of line that stands in expect is compared whole: nothing may be missing and nothing more may come.
#   case HOST CAUSE ASKS CONFIDENCE STATE        always compared: a file without such a line expects no case
#   count HOST CAUSE EVENTS                      events that the case stands for
#   finding HOST RULE                            a finding of that rule, however many there are
#   before HOST CAUSE RULE                       what the case lists as what happened before
#   shadow RULE COUNT                            matches of a rule on trial, counted and not told
#   malformed NUMBER                             always compared when it is not 0
#   exit CODE                                    else 1 is expected where there is a case, 0 where there is nothing at all
# Hosts are compared without regard to capitals. Speaks as tests/README.md says.
set -u
[ $# -ge 1 ] || { echo "usage: $0 FOLDER [EVMEND]" >&2; exit 3; }
folder=${1%/}
name=$(basename "$folder")
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 5
folder=$(cd "$folder" && pwd) || { echo "not ok $name: no folder $1"; exit 1; }
evmend=${2:-${EVMEND:-$root/build/evmend}}
case $evmend in /*) ;; *) evmend=$PWD/$evmend ;; esac
cd "$root" || exit 5
work=$(mktemp -d "${TMP:-/tmp}/scan-case.XXXXXX") || exit 5
trap 'rm -rf "$work"' EXIT
fail() {
	echo "not ok $name: $1"
	exit 1
}

if [ -x "$folder/make" ]; then
	mkdir "$work/made"
	"$folder/make" "$work/made" >"$work/err" 2>&1 || fail "make: $(head -n 1 "$work/err")"
fi
inputs=() args=()
while IFS= read -r line || [ -n "$line" ]; do
	[[ -z $line || $line == \#* ]] && continue
	[[ $line == ./* ]] && line=$folder/${line#./}
	[[ $line == @* ]] && line=$work/made/${line#@}
	[ -e "$line" ] || fail "inputs names $line, and there is no such file"
	inputs+=("$line")
done <"$folder/inputs" || fail "no file inputs"
if [ -f "$folder/args" ]; then mapfile -t args <"$folder/args"; fi
[ ${#inputs[@]} -gt 0 ] || fail "inputs names no file"
[ -f "$folder/expect" ] || fail "no file expect"

"$evmend" scan --json "${args[@]}" "${inputs[@]}" >"$work/out" 2>"$work/err"
code=$?
tail -n 1 "$work/out" | grep -q '"kind":"summary"' || fail "scan ended with $code and without a summary: $(head -n 1 "$work/err")"

# first(line, key): the first value of that key; our lines begin with the keys that are asked for here
awk '
function first(line, key,    s) {
	if (!match(line, "\"" key "\":(\"[^\"]*\"|[0-9]+)")) return "-"
	s = substr(line, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
	gsub("\"", "", s)
	return s == "" ? "-" : s
}
{ kind = first($0, "kind") }
kind == "case" {
	host = tolower(first($0, "host")); cause = first($0, "cause")
	print "case", host, cause, first($0, "asks"), first($0, "confidence"), first($0, "state")
	print "count", host, cause, first($0, "count")
	rest = $0
	if (match(rest, "\"before\":\\[")) {
		rest = substr(rest, RSTART + RLENGTH)
		while (match(rest, "\"rule\":(\"[^\"]*\"|\\{[^}]*\\})")) {
			one = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			print "before", host, cause, (one ~ /{/) ? first(one, "name") : first(one, "rule")
		}
	}
}
kind == "finding" {
	rule = $0
	sub(/.*"rule":\{/, "{", rule)
	print "finding", tolower(first($0, "host")), first(rule, "name")
}
kind == "summary" {
	rest = $0
	sub(/.*"shadow_rules":\[/, "", rest)
	while (match(rest, "\\{[^}]*\\}")) {
		one = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		print "shadow", first(one, "name"), first(one, "count")
	}
}
kind == "malformed" { bad++ }
END { if (bad) print "malformed", bad }
' "$work/out" | LC_ALL=C sort -u >"$work/all"
wanted_code=1
[ -s "$work/all" ] || wanted_code=0
grep -q '^case \|^finding ' "$work/all" || wanted_code=0
grep -q '^exit ' "$folder/expect" && wanted_code=$(sed -n 's/^exit //p' "$folder/expect")

grep -vE '^(#|$|exit )' "$folder/expect" | awk '{ $2 = tolower($2); print }' | LC_ALL=C sort -u >"$work/expect"
awk 'NR == FNR { kinds[$1] = 1; next } $1 == "case" || $1 == "malformed" || ($1 in kinds)' "$work/expect" "$work/all" >"$work/got"
if ! diff -u --label expected --label scan "$work/expect" "$work/got" >"$work/diff"; then
	sed 's/^/# /' "$work/diff"
	fail "$(grep -cE '^[-+][a-z]' "$work/diff") lines differ from expect"
fi
[ "$code" -eq "$wanted_code" ] || fail "scan ended with $code, expected $wanted_code"
echo "ok $name"
