#!/bin/bash
# The probe against real servers: openssl s_server in its ways, the lab, and ports that behave badly.
# limit: 180
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash

servers=()
end_servers() { for p in "${servers[@]}"; do kill "$p" 2>/dev/null; done; clean_up; }
trap end_servers EXIT
# serve ARGUMENTS...: an s_server on a free port of 127.0.0.1, or of $on; its port in $port
serve() {
	: >"$work/s_server"
	openssl s_server -accept "${on:-127.0.0.1}:0" -www "$@" >"$work/s_server" 2>"$work/s_server.err" </dev/null &
	servers+=($!)
	wait_for 10 grep -q ACCEPT "$work/s_server" || { cat "$work/s_server.err" >&2; return 1; }
	port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/s_server")
}
# rude MANNER: a port that behaves so; its port in $port
rude() {
	: >"$work/rude"
	"$lab_bin" listen "$1" >"$work/rude" </dev/null &
	servers+=($!)
	wait_for 10 test -s "$work/rude"
	port=$(cat "$work/rude")
}
probe() { "$evmend" probe "$@" >"$work/out" 2>"$work/err"; code=$?; }
# says TEXT...: each is in what the probe printed
says() { for t in "$@"; do grep -qF -- "$t" "$work/out" || { echo "# lacks: $t" >&2; cat "$work/out" "$work/err" >&2; return 1; }; done; }
# expect NAME CODE TEXT...
expect() {
	local name=$1 want=$2
	shift 2
	if [ "$code" -eq "$want" ] && says "$@"; then ok "$name"; else not_ok "$name" "code $code instead of $want, or a text is missing"; fi
}

# --- certificates ---
make_key() { openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1" 2>/dev/null || openssl genrsa -out "$1" 2048 2>/dev/null; }
cd "$work" || exit 5
{
	make_key rsa.key
	openssl ecparam -name prime256v1 -genkey -noout -out ec.key
	openssl req -x509 -new -key rsa.key -subj /CN=EX1 -addext subjectAltName=DNS:EX1,DNS:ex1.contoso.example -days 30 -out rsa.pem
	openssl req -x509 -new -key ec.key -subj /CN=EX-EC -days 30 -out ec.pem
	openssl req -x509 -new -key rsa.key -sha1 -subj /CN=OLD -days 30 -out sha1.pem
	openssl req -x509 -new -key rsa.key -subj "/CN=Root of the test" -days 30 -out root.pem
	openssl req -new -key rsa.key -subj "/CN=Issuer of the test" -out issuer.csr
	printf 'basicConstraints=CA:true\n' >ca.ext
	openssl x509 -req -in issuer.csr -CA root.pem -CAkey rsa.key -set_serial 2 -days 20 -extfile ca.ext -out issuer.pem
	openssl req -new -key rsa.key -subj /CN=mail.contoso.example -out leaf.csr
	openssl x509 -req -in leaf.csr -CA issuer.pem -CAkey rsa.key -set_serial 3 -days 10 -out leaf.pem
	cat issuer.pem root.pem >chain.pem
	mkdir ca && : >ca/index.txt && echo 01 >ca/serial
	printf '[ca]\ndefault_ca=d\n[d]\ndir=ca\ndatabase=ca/index.txt\nserial=ca/serial\nnew_certs_dir=ca\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >ca.conf
	openssl req -new -key rsa.key -subj /CN=EXPIRED -out expired.csr
	openssl ca -batch -config ca.conf -selfsign -keyfile rsa.key -in expired.csr -startdate 20200101000000Z -enddate 20210101000000Z -notext -out expired.pem
	for i in $(seq 1 30); do cat root.pem; done >long.pem
} >certs.log 2>&1
cd "$root" || exit 5
thumb() { openssl x509 -in "$work/$1" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g' | tr A-F a-f; }

# --- servers of every kind ---
serve -cert "$work/rsa.pem" -key "$work/rsa.key"
probe "127.0.0.1:$port" --path /
expect "a server with TLS 1.2 and 1.3" 0 "default  ok       TLSv1.3" "TLS 1.2  ok       TLSv1.2" "$(thumb rsa.pem)" "EX1, ex1.contoso.example" \
	"RSA 2048 bit, sha256WithRSAEncryption" "itself (self-signed)" "200"
probe "localhost:$port" --json
expect "by its name, as JSON" 0 '"kind":"probe","address":"localhost"' '"attempts":[{"address":"127.0.0.1","version":"default","tcp":"ok","tls":"ok"' \
	'"version":"1.2"' '"chain":[{"thumbprint":"'"$(thumb rsa.pem)"
probe "127.0.0.1:$port" --default --json
expect "one attempt keeps its members" 0 '"tls_version":"TLSv1.3"' '"certificate":{"thumbprint":"' '"chain_length":1' '"took_ms":'

serve -cert "$work/rsa.pem" -key "$work/rsa.key" -tls1_2
probe "127.0.0.1:$port"
expect "a server with TLS 1.2 only" 0 "default  ok       TLSv1.2" "TLS 1.2  ok       TLSv1.2"
serve -cert "$work/rsa.pem" -key "$work/rsa.key" -tls1_3
probe "127.0.0.1:$port"
expect "a server with TLS 1.3 only: the other offer meets an alert" 1 "TLSv1.3" "alert 70 (protocol_version)"
probe "127.0.0.1:$port" --tls12
expect "and alone it fails" 4 "alert 70 (protocol_version)"

serve -cert "$work/ec.pem" -key "$work/ec.key"
probe "127.0.0.1:$port"
expect "an EC certificate" 0 "EC 256 bit, ecdsa-with-SHA256"
serve -cert "$work/sha1.pem" -key "$work/rsa.key" -cipher ALL:@SECLEVEL=0
probe "127.0.0.1:$port"
expect "a SHA-1 certificate is shown, not refused" 0 "sha1WithRSAEncryption"
serve -cert "$work/expired.pem" -key "$work/rsa.key"
probe "127.0.0.1:$port"
expect "an expired certificate is shown as over" 0 "2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z (over)"
serve -cert "$work/leaf.pem" -key "$work/rsa.key" -cert_chain "$work/chain.pem"
probe "127.0.0.1:$port"
expect "a chain of three, in the order sent" 0 "CN=mail.contoso.example" "chain 1      CN=Issuer of the test" \
	"chain 2      CN=Root of the test (self-signed)" "$(thumb issuer.pem)" "$(thumb root.pem)"
probe "127.0.0.1:$port" --json
expect "and as JSON" 0 '"chain_length":3' '"chain":[{"thumbprint":"'"$(thumb leaf.pem)" "{\"thumbprint\":\"$(thumb issuer.pem)"
serve -cert "$work/leaf.pem" -key "$work/rsa.key" -cert_chain "$work/long.pem"
probe "127.0.0.1:$port"
expect "a chain of 31 still fits a screen" 0 "31 certificates were sent in all"
check "at most 24 lines" "$(wc -l <"$work/out") lines" test "$(wc -l <"$work/out")" -le 24
serve -cert "$work/rsa.pem" -key "$work/rsa.key" -verify 1
probe "127.0.0.1:$port" --path /
expect "a client certificate that is wished for" 0 "asked for a client certificate"
serve -cert "$work/rsa.pem" -key "$work/rsa.key" -Verify 1 -verify_return_error
probe "127.0.0.1:$port" --path / --default
expect "one that is demanded: TLS 1.3 tells after the handshake" 4 "asked for a client certificate" "alert 116 (certificate_required)"
probe "127.0.0.1:$port" --tls12
expect "one that is demanded: TLS 1.2 tells in the handshake" 4 "alert 40 (handshake_failure)"

on='[::1]'
if serve -cert "$work/rsa.pem" -key "$work/rsa.key" 2>/dev/null; then
	probe "[::1]:$port"
	expect "IPv6" 0 "[::1]:$port" "$(thumb rsa.pem)"
else
	skip "IPv6" "this machine has no ::1"
fi
on=

# --- ports that are none ---
for pair in "reset:reset" "eof:eof" "plain:plain HTTP" "alert:alert 80 (internal_error)"; do
	rude "${pair%%:*}"
	probe "127.0.0.1:$port"
	expect "a port that answers with ${pair%%:*}" 4 "${pair#*:}"
done
for manner in hang drip; do
	rude $manner
	start=$(date +%s%N)
	probe "127.0.0.1:$port" --timeout 1 --path /
	took=$((($(date +%s%N) - start) / 1000000))
	expect "a port that does $manner" 4 "timeout"
	check "one deadline holds for all of it ($manner)" "$took ms" test "$took" -lt $((5000 * slow))
done
kill "${servers[-1]}"
wait "${servers[-1]}" 2>/dev/null
probe "127.0.0.1:$port" --json
expect "a port where nobody listens" 4 '"tcp":"refused","tls":"not-tried"'
probe "nobody.invalid:443" --timeout 5
expect "a name that is none" 4 "unresolvable"

# --- what is refused ---
for wrong in "::1:444" "host:0" "host:70000" "[::1]444" ":443" "127.0.0.1:443 --path x" "localhost:1 --tls12 --default"; do
	# shellcheck disable=SC2086
	probe $wrong
	check "'$wrong' is a usage error" "code $code: $(cat "$work/err")" test "$code" -eq 3
done

# --- the lab ---
"$lab_bin" init "$work/lab" >/dev/null && "$lab_bin" start "$work/lab" --daemon >/dev/null
port=$("$lab_bin" status "$work/lab" --json | grep -o '"backend_port":[0-9]*' | cut -d: -f2)
probe "127.0.0.1:$port" --path /owa/exhealth.check
expect "the lab's back end" 0 "X-BEServer: EX1" "200"
"$lab_bin" break "$work/lab" delete-certificate >/dev/null
probe "127.0.0.1:$port"
expect "without its certificate" 4 "reset"
exit $bad
