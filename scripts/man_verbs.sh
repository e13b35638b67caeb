#!/bin/bash
# man_verbs.sh - writes the part "VERBS" of docs/evmend.1 anew from what `evmend VERB --help` says.
# Run it when an option changes; tests/e2e/docs.sh notices when it was forgotten.
set -eu
cd "$(dirname "$0")/.."
evmend=${EVMEND:-build/evmend}
page=docs/evmend.1
new=$(mktemp)
trap 'rm -f "$new"' EXIT
awk '{ print } /^\.Sh VERBS/ { exit }' "$page" >"$new"
echo ".Bl -tag -width Ds" >>"$new"
for verb in $("$evmend" help | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p'); do
	"$evmend" "$verb" --help | awk -v verb="$verb" '
	function text(s) { gsub(/\\/, "\\e", s); sub(/^[.\x27]/, "\\\\\\&&", s); return s }
	NR == 1 { sub(/^evmend [a-z]+ ?/, ""); print ".It Cm " verb; if ($0 != "") usage = $0; next }
	NR == 2 { print text(toupper(substr($0, 1, 1)) substr($0, 2) (($0 ~ /[?.]$/) ? "" : ".")); if (usage != "") print ".br\nUsage:\n.Ic evmend " verb " \\&" text(usage); next }
	/^Options/ { part = 1; next }
	/^Example/ { if (items) print ".El"; items = 0; part = 2; next }
	part == 0 && /^$/ { if (seen) print ".Pp"; next }
	part == 0 { if (!seen) print ".Pp"; seen = 1; print text($0) }
	part == 1 && /^  / {
		line = $0; sub(/^ +/, "", line)
		n = match(line, /  +/)
		left = n ? substr(line, 1, n - 1) : line; right = n ? substr(line, n + RLENGTH) : ""
		if (left ~ /--(json|quiet|no-colour|help|config|at)( |$)/) next
		item = ""
		if (left ~ /^-[a-z], /) { item = "Fl " substr(left, 2, 1) " , "; left = substr(left, 5) }
		split(left, w, " ")
		item = item "Fl -" substr(w[1], 3)
		if (w[2] != "") item = item " Ar " tolower(w[2])
		if (!items++) print ".Bl -tag -width Ds -compact"
		print ".It " item; print text(right)
	}
	part == 2 && /^  / { if (!shown++) print ".Pp"; sub(/^ +/, ""); print ".Dl " text($0) }
	END { if (items) print ".El" }' >>"$new"
done
echo ".El" >>"$new"
awk '/^\.Sh ENVIRONMENT/ { on = 1 } on' "$page" >>"$new"
cat "$new" >"$page"
