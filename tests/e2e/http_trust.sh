#!/bin/bash
# Whom a sink over HTTP trusts, who trusts it, and what it does when something else answers there: certificates, names, pins, client
# certificates, proxies, credentials, addresses. Each line is one `evmend sink test`.
# limit: 120
cd "$(dirname "$0")/../.." || exit 5
. tests/lib/agent.bash
. tests/lib/receivers.bash

secret() { (umask 077 && printf '%s\n' "$2" >"$work/$1"); }
rule 4711
secret tok t0k
secret wrong nonsense
secret pass 'pa ss:word'
check "certificates" "openssl" eval 'make_pki && : >"$work/pki/nothing.pem"'
check "stand-ins" "not up" eval 'receive tls bulk --tls "$work/pki/here.pem" "$work/pki/here.key" &&
	receive named bulk --tls "$work/pki/there.pem" "$work/pki/there.key" &&
	receive client bulk --tls "$work/pki/here.pem" "$work/pki/here.key" --client-ca "$work/pki/ca.pem" &&
	receive key bulk --token "ApiKey t0k" --index "evmend-(finding|case|refusal|repair|ledger|agent)" &&
	receive basic bulk --token "Basic $(printf "j:pa ss:word" | base64)" &&
	receive hec hec --token t0k && receive hec_ack hec --token t0k --ack && receive mute hec --token t0k --mute'
check "and what is none" "not up" eval 'receive page_bulk bulk --page 400 && receive page_hec hec --page 400 &&
	proxy proxy && proxy proxy_refuses --refuse 407'

# try NAME CODE TEXT KEYS: the outcome of one sink
try() {
	local name=$1
	configure
	sed -i "s#^sinks:#&\n  - {name: s, $4}#" "$work/config.yaml"
	expect "$name" "$2" "$3" sink test s --wait 10s
	! grep -rqE "t0k|nonsense|pa ss" "$work/out" || not_ok "$name: no secret is told" "$(cat "$work/out")"
}
bulk() { echo "kind: elastic, url: \"$1://127.0.0.1:$(port_of "$2")\""; }
hec() { echo "kind: splunk, url: \"http://127.0.0.1:$(port_of "$1")${2:-}\""; }

https=$(bulk https tls)
try "our own authority" 0 accepted "$https, tls: {ca: pki/ca.pem}"
try "the system's authorities do not know it" 4 certificate "$https"
try "another authority" 4 certificate "$https, tls: {ca: pki/other.pem}"
try "no authority at all is not the system's" 4 "nothing.pem is empty" "$https, tls: {ca: pki/nothing.pem}"
try "tls that would not be" 3 "write https" "$(bulk http key), tls: {ca: pki/ca.pem}"
try "verification switched off" 0 accepted "$https, tls: {verify: false}"
try "the certificate names another host" 4 "127.0.0.1" "$(bulk https named), tls: {ca: pki/ca.pem}"
try "the name that was expected" 0 accepted "$(bulk https named), tls: {ca: pki/ca.pem, name: there.example}"
try "another name than was expected" 4 elsewhere.example "$(bulk https named), tls: {ca: pki/ca.pem, name: elsewhere.example}"
try "pin and authority" 0 accepted "$https, tls: {ca: pki/ca.pem, pin: $(pin_of here)}"
try "a pin does not replace the authority" 4 certificate "$https, tls: {pin: $(pin_of here)}"
try "the pin alone" 0 accepted "$https, tls: {verify: false, pin: $(pin_of here)}"
try "another certificate than the pinned one" 4 tls.pin "$https, tls: {ca: pki/ca.pem, pin: $(pin_of there)}"
try "another certificate, and verification off" 4 tls.pin "$https, tls: {verify: false, pin: $(pin_of there)}"
asks=$(bulk https client)
try "a client certificate" 0 accepted "$asks, tls: {ca: pki/ca.pem, cert: pki/client.pem, key: pki/client.key}"
try "none where one is asked for" 4 "" "$asks, tls: {ca: pki/ca.pem}"
try "a client certificate of another authority" 4 "" "$asks, tls: {ca: pki/ca.pem, cert: pki/stranger.pem, key: pki/stranger.key}"
cp "$work/pki/client.key" "$work/pki/open.key" && chmod 644 "$work/pki/open.key"
try "a key that everybody may read" 4 "open.key (tls.key) is a key, and everybody may read it" "$asks, tls: {ca: pki/ca.pem, cert: pki/client.pem, key: pki/open.key}"
try "a certificate file that is not there" 4 nowhere.pem "$https, tls: {ca: pki/nowhere.pem}"
check "nobody was taken from without the right certificate" "$(wc -l <"$work/client/received")" test "$(wc -l <"$work/client/received")" -eq 6

key=$(bulk http key)
template='index: "evmend-{kind}"'
try "an API key; an index for each kind" 0 accepted "$key, api_key_file: tok, $template"
try "an API key that is wrong" 4 401 "$key, api_key_file: wrong, $template"
try "no credentials" 4 401 "$key, $template"
try "user and password, gzip" 0 accepted "$(bulk http basic), user: j, password_file: pass, compress: gzip"
try "a password that is wrong" 4 401 "$(bulk http basic), user: j, password_file: wrong"
try "a token, gzip" 0 accepted "$(hec hec), token_file: tok, compress: gzip"
try "a token that is wrong" 4 "Invalid token (HTTP 403, code 4)" "$(hec hec), token_file: wrong"
try "acknowledgement" 0 accepted "$(hec hec_ack), token_file: tok, ack: true"
try "a receiver that does not acknowledge" 4 "leave out ack" "$(hec mute), token_file: tok, ack: true"
chmod 604 "$work/wrong"
try "a token that everybody may read" 4 "open to everybody" "$(hec hec), token_file: wrong"

try "an address that is none, bulk" 4 "HTTP 400" "kind: elastic, url: \"http://127.0.0.1:$(port_of key)/nowhere\", api_key_file: tok, $template"
try "an address that is none, HEC" 4 404 "$(hec hec /nowhere), token_file: tok"
try "another server's page instead of bulk" 4 "HTTP 400" "$(bulk http page_bulk)"
try "another server's page instead of HEC" 4 "HTTP 400" "$(hec page_hec), token_file: tok"
try "a bulk endpoint is no HEC" 4 "" "$(hec basic), token_file: tok"
try "plain HTTP where TLS is" 4 "" "$(bulk http tls)"
try "TLS where plain HTTP is" 4 "" "$(bulk https key)"

via="proxy: \"http://127.0.0.1:$(port_of proxy)\""
try "through a proxy, TLS" 0 accepted "$https, tls: {ca: pki/ca.pem}, $via"
try "through a proxy, plain" 0 accepted "$key, api_key_file: tok, $template, $via"
try "a proxy that refuses" 4 407 "$https, tls: {ca: pki/ca.pem}, proxy: \"http://127.0.0.1:$(port_of proxy_refuses)\""
try "a proxy that is not there" 4 "" "$https, tls: {ca: pki/ca.pem}, proxy: \"http://127.0.0.1:1\""
check "the proxy saw no credentials of a receiver behind TLS" "$(cat "$work/proxy/seen")" eval 'grep -q "^CONNECT" "$work/proxy/seen" &&
	! grep "^CONNECT" "$work/proxy/seen" | grep -q " authorization"'
check "the proxy of the environment is not used" "$(cat "$work/proxy/seen")" eval 'n=$(wc -l <"$work/proxy/seen")
	export http_proxy=http://127.0.0.1:$(port_of proxy); ev sink test s; [ "$(wc -l <"$work/proxy/seen")" -eq "$n" ]'

# check says the same without a record
ask() { # NAME CODE TEXT KEYS
	configure
	sed -i "s#^sinks:#&\n  - {name: s, $4}#" "$work/config.yaml"
	expect "$1" "$2" "$3" check
}
before=$(cat "$work"/*/received | wc -l)
ask "check: a good one" 0 "it answers" "$(hec hec_ack), token_file: tok, ack: true"
ask "check: another server" 4 "HTTP 400" "$(bulk http page_bulk)"
ask "check: an address that is none" 4 "HTTP 400" "kind: elastic, url: \"http://127.0.0.1:$(port_of key)/nowhere\", api_key_file: tok"
ask "check: credentials" 6 "refuses our credentials" "$(bulk http basic), api_key_file: tok"
ask "check: a certificate" 4 certificate "$https, tls: {ca: pki/other.pem}"
check "check sends no record" "$before" test "$(cat "$work"/*/received | wc -l)" -eq "$before"
for r in tls named client key basic hec hec_ack; do no_violations "$r"; done
exit $bad
