#!/bin/bash
# lint_powershell.sh - the PowerShell of this project: ASCII, Unix lines, the shared parts word for word in every script, and a real
# grammar over each file where one is installed (pip install tree-sitter tree-sitter-powershell; PYTHON names the interpreter).
#
#   scripts/lint_powershell.sh           prints "ok", "not ok" and "skip" lines; exit code 1 when something is wrong
#   scripts/lint_powershell.sh --write   puts scripts/powershell/look.ps1 and act.ps1 into the scripts that carry them
set -u
shopt -s nullglob
cd "$(dirname "$0")/.." || exit 5
parts=(look act)
carriers_look="scripts/collect.ps1 scripts/host.ps1"
carriers_act="scripts/host.ps1"
files=(scripts/*.ps1 scripts/powershell/*.ps1 tests/golden/repair/*.ps1)
failed=0
say() { # NAME PLACES
	if [ -z "$2" ]; then echo "ok $1"; else
		echo "$2" >&2
		echo "not ok $1: $(head -n 1 <<<"$2")"
		failed=1
	fi
}

# with_part FILE PART: the file, with the part as it is now between its first and last line
with_part() {
	local part=scripts/powershell/$2.ps1
	awk -v part="$part" -v first="$(head -n 1 "$part")" -v last="$(tail -n 1 "$part")" '
	$0 == first { while ((getline line < part) > 0) print line; inside = 1; n++; next }
	inside { if ($0 == last) inside = 0; next }
	{ print }
	END { if (n != 1 || inside) exit 1 }' "$1"
}

found=
for part in "${parts[@]}"; do
	carriers=carriers_$part
	for f in ${!carriers}; do
		if ! now=$(with_part "$f" "$part"; echo "$?."); then found="$found$f: no room for $part"$'\n'; fi
		if [ "${now##*$'\n'}" != "0." ]; then
			found="$found$f: the part $part does not stand in it from its first to its last line"$'\n'
		elif [ "${now%0.}" != "$(cat "$f"; echo)" ] && [ "${now%0.}" != "$(cat "$f")"$'\n' ]; then
			if [ "${1:-}" = --write ]; then printf '%s' "${now%0.}" >"$f"; else found="$found$f: the part $part is another one; scripts/lint_powershell.sh --write"$'\n'; fi
		fi
	done
done
say "PowerShell: the shared parts are the same everywhere" "${found%$'\n'}"
say "PowerShell: ASCII" "$(LC_ALL=C grep -nP '[^\x20-\x7E\t]' "${files[@]}" /dev/null)"
say "PowerShell: lines of at most 150 columns, but for data and commands" \
	"$(awk 'length($0) > 150 && !/^\$Was/ && !/^ *#/ { print FILENAME ":" FNR ": " length($0) " columns" }' "${files[@]}")"

python=${PYTHON:-python3}
if ! "$python" -c 'import tree_sitter, tree_sitter_powershell' 2>/dev/null; then
	echo "skip PowerShell: grammar: $python has no tree_sitter_powershell; pip install tree-sitter tree-sitter-powershell"
	exit $failed
fi
grammar() { "$python" scripts/grammar_powershell.py "$@"; }
say "PowerShell: grammar of ${#files[@]} files" "$(grammar "${files[@]}")"
bad=$(mktemp)
printf 'function f { if ($a { }\n' >"$bad"
if [ -n "$(grammar "$bad")" ]; then echo "ok PowerShell: grammar can fail"; else
	echo "not ok PowerShell: grammar can fail: a broken script passes"
	failed=1
fi
rm -f "$bad"
exit $failed
