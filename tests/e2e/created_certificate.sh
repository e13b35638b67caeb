#!/bin/bash
# A repair that creates a certificate, judged by the openssl program: both names are accepted, another is refused, every field is as
# Exchange's setup makes it. And the plan that was shown is the plan that was run. The lab adds its own organization to the subject.
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

if ! command -v openssl >/dev/null; then skip "a created certificate" "there is no openssl program"; exit 0; fi
"$lab_bin" init "$work/lab" >"$work/init" 2>&1 && "$lab_bin" start "$work/lab" --daemon >>"$work/init" 2>&1 ||
	{ not_ok "the lab" "$(cat "$work/init")"; exit 1; }
cat >"$work/config.yaml" <<YAML
state_dir: state
sources: [{name: log, kind: follow, path: lab/events.xml}]
hosts: [{name: ex1.lab.example, aliases: [EX1], command: [$lab_bin, host, $work/lab]}]
remedies: {exchange_backend: {mode: approve, settle: 1s}}
YAML
plan_of() { "$evmend" diagnose ex1.lab.example --json -c "$work/config.yaml" 2>/dev/null | sed -n 's/.*"plan":{"id":"\([0-9a-f]*\)".*/\1/p'; }
stores() { (cd "$work/lab/store/MY" && ls -- *.pem) | sort; }

"$lab_bin" break "$work/lab" delete-certificate >/dev/null
stores >"$work/before"
plan=$(plan_of)
check "a plan is shown" "none" test -n "$plan"
sleep 1.1
check "a second later the same one" "$(plan_of)" test "$(plan_of)" = "$plan"
"$evmend" repair ex1.lab.example --plan "$plan" --yes -c "$work/config.yaml" >"$work/log" 2>&1
code=$?
check "and that one is run" "code $code" test "$code" -eq 0
"$evmend" repair ex1.lab.example --plan "$plan" --yes -c "$work/config.yaml" >"$work/again" 2>&1
check "but not once more, in another state" "$(grep step "$work/again")" eval '! grep -q "step 1" "$work/again"'
new=$(stores | comm -13 "$work/before" -)
check "one certificate was created" "$new" test "$(wc -w <<<"$new")" -eq 1
check "none is gone" "$(stores | comm -23 "$work/before" -)" test -z "$(stores | comm -23 "$work/before" -)"
c=$work/lab/store/MY/$new
for who in EX1 ex1.lab.example; do
	check "openssl verify accepts $who" "$(openssl verify -CAfile "$c" -verify_hostname "$who" "$c" 2>&1)" \
		eval 'openssl verify -purpose sslserver -CAfile "$c" -verify_hostname "$who" "$c" >/dev/null 2>&1'
done
for who in ex2.lab.example lab.example EX11; do
	check "openssl verify refuses $who" "it does not" eval '! openssl verify -CAfile "$c" -verify_hostname "$who" "$c" >/dev/null 2>&1'
done
openssl x509 -in "$c" -noout -text >"$work/text"
has() { check "$1" "$(grep -i -A1 -- "$2" "$work/text" | head -n 2)" grep -qzP -- "$3" "$work/text"; }
has "version 3" 'Version' 'Version: 3'
has "its subject is the NetBIOS name" 'Subject:' 'Subject:.*CN ?= ?EX1\n'
has "RSA 2048" 'Public-Key' 'Public-Key: \(2048 bit\)'
has "SHA-256" 'Signature Algorithm' 'Signature Algorithm: sha256WithRSAEncryption'
has "both names, not critical" 'Alternative Name' 'Subject Alternative Name: \n +DNS:EX1, DNS:ex1\.lab\.example\n'
has "key usage, critical" 'Key Usage' 'Key Usage: critical\n +Digital Signature, Key Encipherment\n'
has "server authentication only" 'Extended Key Usage' 'Extended Key Usage: \n +TLS Web Server Authentication\n'
has "no authority, critical" 'Basic Constraints' 'Basic Constraints: critical\n +CA:FALSE\n'
check "no key identifiers" "$(grep 'Key Identifier' "$work/text")" eval '! grep -q "Key Identifier" "$work/text"'
seconds() { date -u -d "$(openssl x509 -in "$c" -noout "-$1" | cut -d= -f2)" +%s; }
days=$((($(seconds enddate) - $(seconds startdate)) / 86400))
check "60 months" "$days days" test "$days" -ge 1826 -a "$days" -le 1827
check "from a little earlier" "$(openssl x509 -in "$c" -noout -startdate)" test "$(($(date +%s) - $(seconds startdate)))" -ge 60
exit $bad
