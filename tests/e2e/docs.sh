#!/bin/bash
# The manual page and the help say the same, and the manual page has no mistakes that man can see.
set -u
cd "$(dirname "$0")/../.." || exit 5
page=docs/evmend.1
if ! command -v man >/dev/null; then
	echo "skip the manual page has no mistakes: man-db is not installed; make setup installs it"
else
	said=$(MANWIDTH=100 man --warnings=w -E UTF-8 -l "$page" 2>&1 >"$TMP/page")
	if [ -z "$said" ] && [ -s "$TMP/page" ]; then echo "ok the manual page has no mistakes"; else echo "not ok the manual page has no mistakes: $(head -n 1 <<<"$said")"; fi
fi
verbs=$("$EVMEND" help | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p')
[ "$(wc -w <<<"$verbs")" -ge 15 ] || echo "not ok the help lists the verbs: $(wc -w <<<"$verbs")"
for verb in $verbs; do
	missing=
	grep -q "^\.It Cm $verb\b" "$page" || missing="the verb itself"
	"$EVMEND" "$verb" --help >"$TMP/help" || missing="$missing its help ends with $?"
	grep -q '^Example' "$TMP/help" || missing="$missing an example in its help"
	# the part of the page that speaks of this verb, to the next one
	awk -v v="$verb" '/^\.It Cm / { on = $3 == v } on' "$page" >"$TMP/part"
	for option in $(sed -n 's/^  \(-[a-z], \)\? *\(--[a-z][a-z0-9-]*\).*/\2/p' "$TMP/help" | sort -u); do
		case $option in --json | --quiet | --no-colour | --help | --config | --at) continue ;; esac
		grep -qE "Fl -${option#--}( |$)" "$TMP/part" || missing="$missing $option"
	done
	if [ -z "$missing" ]; then echo "ok $verb is in the manual page"; else echo "not ok $verb is in the manual page: missing: $missing"; fi
done
# each page that is linked to is there
broken=
for f in README.md docs/*.md tests/README.md; do
	for link in $(grep -o ']([^)#]*)' "$f" | sed 's/](\(.*\))/\1/' | grep -v '^http'); do
		[ -e "$(dirname "$f")/$link" ] || broken="$broken $f:$link"
	done
done
if [ -z "$broken" ]; then echo "ok links lead somewhere"; else echo "not ok links lead somewhere:$broken"; fi
# files that the README names are there
broken=
for f in $(grep -oE '`(agent|rules|tests|docs|scripts)/[A-Za-z0-9_./-]*`' README.md docs/*.md | sed 's/.*`\(.*\)`/\1/' | sort -u); do
	[ -e "$f" ] || broken="$broken $f"
done
if [ -z "$broken" ]; then echo "ok files that the documentation names are there"; else echo "not ok files that the documentation names are there:$broken"; fi
