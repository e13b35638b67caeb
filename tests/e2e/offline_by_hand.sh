#!/bin/bash
# What people send by hand: each folder of tests/data/offline with the verdict that its NAME.expected names (netsh's text in several
# languages and encodings, applicationHost.config, certificates), and the folders and command lines that are refused, each with its reason.
# limit: 180
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
export EVMEND_CONFIG=/nowhere/evmend.yaml # a folder needs no configuration

field() { sed -n "s/^$1: *//p" "$2"; }
one() { # NAME
	local name=$1 data=tests/data/offline/$1 expected=tests/data/offline/$1.expected why='' word record
	# shellcheck disable=SC2046
	"$evmend" diagnose --from "$data" $(field args "$expected") --json >"$work/said" 2>"$work/errors"
	case $? in 0 | 1) ;; *) not_ok "$name" "$(tail -n 1 "$work/errors")"; return ;; esac
	grep -q "\"verdict\":{\"name\":\"$(field verdict "$expected")\"" "$work/said" || why="$(grep -o '"verdict":{"name":"[A-Z_]*"' "$work/said")"
	for word in $(field excluded "$expected" | tr ',' ' '); do
		grep -q "\"not_excluded\":\[[^]]*\"$word\"" "$work/said" || why="$why; $word is excluded"
	done
	grep -q "\"unknown\":\[[^]]*\"$(field unknown "$expected")\"" "$work/said" || why="$why; not named: $(field unknown "$expected")"
	grep -q '"why":"offline: no policy"' "$work/said" || why="$why; a policy speaks"
	record=$(field record "$expected")
	[ -z "$record" ] || grep -q "\"name\":\"record_present\",\"value\":\"yes\",\"seen\":\"[^\"]*$record" "$work/said" || why="$why; not seen: $record"
	if [ -n "$why" ]; then not_ok "$name" "$why"; else ok "$name: $(field verdict "$expected")"; fi
}
for expected in tests/data/offline/*.expected; do
	one "$(basename "$expected" .expected)"
done
[ "$("$evmend" diagnose --from tests/data/offline/stores --json | grep -o '"id":"[0-9a-f]*"')" = \
	"$("$evmend" diagnose --from tests/data/offline/stores/ --json | grep -o '"id":"[0-9a-f]*"')" ] && ok "the path is not in the plan id" || not_ok "the path" "is in the plan id"

# refused CODE PART-OF-THE-REASON OPTIONS...
refused() {
	local code=$1 reason=$2 got
	shift 2
	timeout $((30 * slow)) "$evmend" diagnose "$@" >"$work/said" 2>"$work/errors" </dev/null
	got=$?
	if [ "$got" -ne "$code" ]; then not_ok "refused: $reason" "exit code $got: $(head -n 1 "$work/errors")"
	elif ! grep -qF -- "$reason" "$work/errors"; then not_ok "refused: $reason" "$(head -n 1 "$work/errors")"
	else ok "refused: $reason"
	fi
}
folder() { # NAME: an empty folder
	rm -rf "${work:?}/$1" && mkdir "$work/$1" && printf '%s' "$work/$1"
}
good='"evmend_folder":1,"collected_at":"2026-03-02T08:15:00Z","identity":{"netbios":"EX1","fqdn":"ex1.contoso.example"}'
d=$(folder f)
refused 4 "no such file" --from "$work/nowhere"
refused 4 "is no folder" --from tests/data/offline/stores.expected
refused 3 "has no facts.json" --from "$d"
refused 3 "add --host" --from tests/data/offline/english
refused 3 "write the server's full name" --from tests/data/offline/english --host EX1
refused 3 "write the server's full name" --from tests/data/offline/english --host 'ex1.contoso.example;x'
refused 3 "--from FOLDER stands alone" --from "$d" ex1
refused 3 "--from FOLDER stands alone" --from "$d" --all
refused 3 "--from FOLDER stands alone" --from "$d" -c x.yaml
refused 3 "--host and --at are for --from" ex1 --at 2026-01-01
refused 3 "--host and --at are for --from" ex1 --host ex1.contoso.example
facts() { printf '%s' "$1" >"$d/facts.json"; }
facts 'x'; refused 4 "facts.json" --from "$d"
facts '[]'; refused 4 "it is no JSON object" --from "$d"
facts '{}'; refused 4 "no number 'evmend_folder'" --from "$d"
facts '{"evmend_folder":2}'; refused 4 "it is of version 2" --from "$d"
facts '{"evmend_folder":1}'; refused 4 "no 'collected_at'" --from "$d"
facts '{"evmend_folder":1,"collected_at":"2026-03-02T08:15:00Z"}'; refused 4 "no 'identity'" --from "$d"
facts "{$good,\"records\":\"System.Object[]\"}"; refused 4 "records must be a list" --from "$d"
facts "{$good,\"sites\":[{\"name\":\"x\",\"bindings\":\"@{protocol=https}\"}]}"; refused 4 "sites[0].bindings must be a list" --from "$d"
facts "{$good,\"services\":[{\"name\":\"x\",\"running\":\"maybe\"}]}"; refused 4 "services[0].running must be a true or false" --from "$d"
facts "{$good,\"services\":[{\"name\":\"x\"}]}"; refused 4 "does not say whether it is 'running'" --from "$d"
facts "{$good,\"probes\":[{\"kind\":\"knock\",\"address\":\"x\",\"tcp\":\"ok\",\"tls\":\"ok\"}]}"; refused 4 "probe.kind" --from "$d"
facts "{$good,\"certs\":{\"pem\":\"AAAA\",\"store\":\"MY\"}}"; refused 4 "not a PEM certificate" --from "$d"
facts "{$good,\"services\":[]}"; refused 3 "the folder is of ex1.contoso.example (EX1), not of ex2" --from "$d" --host ex2
facts "{$good}"; refused 3 "has no facts.json, nor" --from "$d"
facts "{$good,\"services\":[]}"
"$evmend" diagnose --from "$d" --host ex1 --json >"$work/said" 2>&1
grep -q '"verdict":{"name":"UNKNOWN"' "$work/said" && ok "a folder that says next to nothing: UNKNOWN" || not_ok "next to nothing" "$(head -c 200 "$work/said")"

d=$(folder g)
echo secret >"$work/elsewhere"
ln -s "$work/elsewhere" "$d/facts.json"; refused 4 "is a link that leaves the folder" --from "$d"
rm "$d/facts.json"; ln -s /dev/zero "$d/facts.json"; refused 4 "is a link that leaves the folder" --from "$d"
rm "$d/facts.json"; mkfifo "$d/facts.json"; refused 4 "is no plain file" --from "$d"
rm "$d/facts.json"; mkdir "$d/facts.json"; refused 4 "is no plain file" --from "$d"
rmdir "$d/facts.json"; truncate -s 9M "$d/facts.json"; refused 4 "is larger than" --from "$d"
rm "$d/facts.json"; cp tests/data/offline/english/netsh-sslcert.txt "$d"
mkdir "$d/events"; ln -s /etc/passwd "$d/events/x.xml"; refused 4 "is no plain file inside the folder" --from "$d" --host ex1.contoso.example
rm -r "$d/events"; mkdir "$d/certs"; printf 'garbage' >"$d/certs/x.cer"; refused 4 "certs/x.cer: this is not a DER certificate" --from "$d" --host ex1.contoso.example
rm -r "$d/certs"; echo 'no table' >"$d/netsh-sslcert.txt"; refused 4 "not what \`netsh http show sslcert\` prints" --from "$d" --host ex1.contoso.example
head -c 190 tests/data/offline/english/netsh-sslcert.txt >"$d/netsh-sslcert.txt"; refused 4 "send the whole text" --from "$d" --host ex1.contoso.example
rm "$d/netsh-sslcert.txt"; { printf '<!DOCTYPE a [<!ENTITY b "c">]>'; cat tests/data/offline/english/applicationHost.config; } >"$d/applicationHost.config"
refused 4 "applicationHost.config: " --from "$d" --host ex1.contoso.example
echo '<configuration><other/></configuration>' >"$d/applicationHost.config"; refused 4 "no <sites>" --from "$d" --host ex1.contoso.example

# every file cut short, and overwritten in the middle: an answer or a reason, never a crash
hurt=0 odd=
for name in stores utf16 english; do
	cp -r "tests/data/offline/$name" "$work/$name"
	for file in $(cd "$work/$name" && find . -type f); do
		size=$(stat -c %s "$work/$name/$file")
		for at in 0 1 2 3 7 19 $((size / 5)) $((size / 3)) $((size / 2)) $((size - 30)) $((size - 1)); do
			for how in cut spoil; do
				cp "tests/data/offline/$name/$file" "$work/$name/$file"
				if [ $how = cut ]; then truncate -s "$at" "$work/$name/$file"
				else printf '\377\0<{[%%9:' | dd of="$work/$name/$file" bs=1 seek="$at" conv=notrunc 2>/dev/null
				fi
				timeout $((30 * slow)) "$evmend" diagnose --from "$work/$name" --host ex1.contoso.example >"$work/said" 2>"$work/errors" </dev/null
				case $? in 0 | 1) ;; 3 | 4) [ -s "$work/errors" ] || odd="$odd $file:$how:$at" ;; *) odd="$odd $file:$how:$at" ;; esac
				hurt=$((hurt + 1))
			done
		done
		cp "tests/data/offline/$name/$file" "$work/$name/$file"
	done
done
if [ -z "$odd" ] && [ $hurt -gt 100 ]; then ok "$hurt hurt files"; else not_ok "hurt files" "$odd"; fi
exit $bad
