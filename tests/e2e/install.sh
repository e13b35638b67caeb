#!/bin/bash
# What `make install` puts down works where it stands: program, rules, manual page, example.
set -u
cd "$(dirname "$0")/../.." || exit 5
try() { # NAME COMMAND...
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then echo "ok $name"; else echo "not ok $name: $(head -n 1 <<<"$said")"; fi
}
build=$(dirname "$EVMEND")
if ! said=$(make -s install BUILD="$build" DESTDIR="$TMP/root" PREFIX=/opt/evmend 2>&1); then
	echo "not ok make install: $(tail -n 1 <<<"$said")"
	exit 0
fi
echo "ok make install"
root=$TMP/root/opt/evmend
cd "$TMP" || exit 5
try "the installed program runs" "$root/bin/evmend" version
try "it is a position-independent program without a path in it" bash -c "! grep -q '$OLDPWD/rules' '$root/bin/evmend'"
try "no tests of rules are installed" bash -c "[ -z \"\$(find '$root' -path '*tests*')\" ]"
# its own rules: those beside bin/, not those of the source
"$root/bin/evmend" rules list --json >"$TMP/list" 2>"$TMP/list.err"
n=$(grep -c '"' "$TMP/list")
if [ "$n" -gt 30 ]; then echo "ok the installed rules are found"; else echo "not ok the installed rules are found: $n lines; $(head -n 1 "$TMP/list.err")"; fi
try "the manual page is there" test -s "$root/share/man/man1/evmend.1"
try "the example is there" test -s "$root/share/doc/evmend/config.example.yaml"
for f in rule config; do
	try "the $f schema is there" cmp -s "$root/share/evmend/schema/$f.schema.json" "$OLDPWD/docs/schema/$f.schema.json"
done
try "the scripts for a server are there" cmp -s "$root/share/evmend/scripts/collect.ps1" "$OLDPWD/scripts/collect.ps1"
try "the script that answers on a server is there" cmp -s "$root/share/evmend/scripts/host.ps1" "$OLDPWD/scripts/host.ps1"
