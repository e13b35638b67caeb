#!/bin/bash
# The lab itself: each fault writes what tests/lab/faults.tsv says and no more, HTTP.SYS's manners hold, and a host that is told to go
# wrong goes wrong. Without this a green loop would prove little.
# limit: 240
cd "$(dirname "$0")/../.." || exit 5
set -u
lab_bin=${EVMEND_LAB:-build/evmend-lab}
work=$(mktemp -d "${TMP:-/tmp}/lab.XXXXXX") || exit 5
lab=$work/lab
bad=0
trap '"$lab_bin" stop "$lab" >/dev/null 2>&1' EXIT

ok() { echo "ok lab: $1"; }
not_ok() { echo "not ok lab: $1: $2"; bad=1; }
same() { # NAME EXPECTED SEEN
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$3', expected '$2'"; fi
}
# a fresh lab: one is made, the others are copies, since keys take long to draw
"$lab_bin" init "$work/made" >/dev/null || { not_ok init "no lab"; exit 1; }
has_ipv6() { grep -q '"ipv6":true' "$work/made/lab.json"; }
fresh() {
	"$lab_bin" stop "$lab" >/dev/null 2>&1
	rm -rf "$lab"
	cp -r "$work/made" "$lab"
	"$lab_bin" start "$lab" --daemon >/dev/null || { not_ok start "the server does not start"; exit 1; }
}
wrote() { # event ids in the log, how often, and the failures of the front end
	{
		grep -o '<EventID[^>]*>[0-9]*' "$lab/events.xml" | sed 's/.*>//'
		cat "$lab"/HttpProxy_*.LOG 2>/dev/null | grep -o 'WebExceptionStatus=[A-Za-z]*' | sed 's/WebExceptionStatus=/HttpProxy-/'
		grep -o 'FailureCategory=[^]]*' "$lab/console.txt" | sed 's/FailureCategory=//'
	} | sort | uniq -c | awk '{ printf "%s%s*%s", n++ ? " " : "", $2, $1 }'
}
status() { "$lab_bin" request "$lab" "$@" 2>/dev/null | head -n 1; }

# FAULT|OPTIONS|status of a request afterwards|all that is written after that request and one of a shell (ID*HOW-OFTEN)
while IFS='|' read -r fault options answer written; do
	fresh
	# shellcheck disable=SC2086
	"$lab_bin" break "$lab" "$fault" $options || not_ok "break $fault" "refused"
	same "$fault $options: request" "$answer" "$(status | sed 's/:.*//')"
	"$lab_bin" request "$lab" /powershell >/dev/null 2>&1
	same "$fault $options: what is written" "$written" "$(wrote)"
	grep -q "^$fault	${options:--}	" tests/lab/faults.tsv || not_ok "$fault $options" "faults.tsv does not have it"
done <<'FAULTS'
none||200|
delete-certificate||500|1004*1 12014*1 12024*1 15021*2 36870*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
delete-certificate|--deferred|200|1004*1 12014*1 12024*1
delete-certificate|--keep-key|500|1004*1 12014*1 12024*1 15021*2 36870*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
unbind||500|15300*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
drop-key||500|12014*1 15021*2 36870*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
stop-site||500|Cafe-ConnectFailure*1 HttpProxy-ConnectFailure*2
no-site-binding||500|29*1 Cafe-ConnectFailure*1 HttpProxy-ConnectFailure*2
tls-mismatch||500|36874*2 Cafe-SendFailure*1 HttpProxy-SendFailure*2
expire-soon||200|12018*1
front-end-certificate||no answer|1004*1 15021*2
foreign-name||200|15300*1 15301*1
public-certificate||200|15300*1 15301*1
public-own-name||200|15300*2 15301*2
key-access||500|12014*1 15021*2 36870*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
lost-association||500|12014*1 15021*2 36869*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
key-mismatch||500|12014*1 15021*2 36870*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
wrong-store||500|1004*1 12014*1 12024*1 15021*2 36870*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
expire||200|12015*1 12016*1
not-yet-valid||200|
weak||200|
weak-sha1||200|
weak-1024||200|
ec-key||200|12014*1
shadow-record||500|15021*2 15301*1 36870*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
stop-service||no answer|
ip-bound||500|15300*1 15301*1 Cafe-SendFailure*1 HttpProxy-SendFailure*2
host-header||400|
app-pool-down||503|
refuse||500|Cafe-ConnectFailure*1 HttpProxy-ConnectFailure*2
stale-state||500|Cafe-SendFailure*1 HttpProxy-SendFailure*2
hop-broken||500|Cafe-SendFailure*1 HttpProxy-SendFailure*2
no-exchange-site||500|Cafe-ConnectFailure*1 HttpProxy-ConnectFailure*2
not-exchange||200|
smtp-connector||200|12014*1
two-faults||500|1004*1 12014*1 12024*1 Cafe-ConnectFailure*1 HttpProxy-ConnectFailure*2
unbind+no-site-binding||500|15300*1 29*1 Cafe-ConnectFailure*1 HttpProxy-ConnectFailure*2
FAULTS

# every fault of the table can be made, and every fault that can be made is in the table
made=$("$lab_bin" --help | sed -n '/^Faults:/,$p' | tail -n +2 | tr ' ' '\n' | grep . | sort)
told=$(grep -v '^#' tests/lab/faults.tsv | cut -f1,12 | tr '+\t: ' '\n\n\n\n' | sort -u)
same "faults that no row tells of" "" "$(comm -23 <(echo "$made") <(echo "$told") | paste -sd' ')"

# two faults one after the other are two faults at once
fresh
"$lab_bin" break "$lab" unbind
"$lab_bin" break "$lab" no-site-binding
one=$(sed 's/"version":[0-9]*//' "$lab/state.json" | sed 's/"boot".*//')
fresh
"$lab_bin" break "$lab" unbind+no-site-binding
same "two breaks are as one of both" "$one" "$(sed 's/"version":[0-9]*//' "$lab/state.json" | sed 's/"boot".*//')"

# sockets that really behave so; openssl is another's eye
port() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$lab/lab.json"; }
shown() { timeout 3 openssl s_client -connect "127.0.0.1:$(port backend_port)" -cipher ALL:@SECLEVEL=0 </dev/null 2>/dev/null | openssl x509 -noout -text 2>/dev/null; }
fresh
"$lab_bin" break "$lab" hang
timeout 2 openssl s_client -connect "127.0.0.1:$(port backend_port)" </dev/null >"$work/out" 2>&1
same "hang: the connection stands and nothing comes" "124 " "$? $(grep -c refused "$work/out" | sed 's/^0$//')"
"$lab_bin" stop "$lab"
same "and a lab that hangs can be stopped" 0 $?
fresh
"$lab_bin" break "$lab" mute
printf 'GET / HTTP/1.1\r\n\r\n' | timeout 2 openssl s_client -quiet -connect "127.0.0.1:$(port backend_port)" >"$work/out" 2>/dev/null
same "mute: no answer behind the handshake" 0 "$(wc -c <"$work/out")"
fresh
"$lab_bin" break "$lab" ec-key
case $(shown) in *'id-ecPublicKey'*) ok "ec-key: is what is served" ;; *) not_ok "ec-key" "$(shown | head -n 3)" ;; esac
"$lab_bin" break "$lab" weak
case $(shown) in *'sha1WithRSA'*'1024 bit'*) ok "weak: is what is served" ;; *) not_ok "weak" "$(shown | head -n 3)" ;; esac
"$lab_bin" break "$lab" public-certificate
case $(shown) in *'Issuer:'*'evmend LAB Public CA'*'DNS:mail.lab.example'*) ok "public-certificate: somebody else issued it" ;; *) not_ok "public-certificate" "$(shown | head -n 3)" ;; esac
fresh
"$lab_bin" break "$lab" stop-service
"$lab_bin" request "$lab" >"$work/out" 2>&1
case $(cat "$work/out") in *'tcp refused'*) ok "stop-service: 443 is closed as well" ;; *) not_ok "stop-service" "$(cat "$work/out")" ;; esac
for fault in stale-state hop-broken; do
	fresh
	"$lab_bin" break "$lab" "$fault"
	"$lab_bin" restart "$lab"
	same "$fault: a restart ends it" 200 "$(status)"
done

# HTTP.SYS's cache: served until the restart
fresh
"$lab_bin" break "$lab" delete-certificate --deferred
same "a deleted certificate is served from the cache" 200 "$(status)"
"$lab_bin" restart "$lab"
same "until a restart" 500 "$(status)"

# the host protocol: one call a line
ask() { printf '%s\n' "$@" | timeout 20 "$lab_bin" host "$lab" 2>/dev/null; }
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }
old=$("$lab_bin" status "$lab" --json | sed -n 's/.*"endpoint":"0.0.0.0:444","thumbprint":"\([0-9a-f]*\)".*/\1/p')
set_record() { printf '{"id":%s,"call":"apply","deadline_ms":9000,"args":{"step":{"kind":"record_set","endpoint":"0.0.0.0:444","thumbprint":"%s","store":"MY","appid":"{4dc3e181-e14b-4a21-b022-59fc669b0914}","flags":0,"token":"t1"}}}' "$1" "$2"; }
create='{"id":1,"call":"apply","deadline_ms":9000,"args":{"step":{"kind":"cert_create","template":{"common_name":"EX1","san":["EX1","ex1.lab.example"],"key_bits":2048,"days":1826},"friendly_name":"Microsoft Exchange","token":"t1"}}}'
answer=$(ask "$(set_record 1 "$old")" | tail -n 1)
case $answer in *1312*) ok "a record of a deleted certificate cannot be set: 1312" ;; *) not_ok "a record of a deleted certificate" "$answer" ;; esac
new=$(ask "$create" | tail -n 1 | member thumbprint)
again=$(ask "$create" | tail -n 1)
same "a repeat with the same token makes no second certificate" "$new" "$(echo "$again" | member thumbprint)"
case $again in *'"did":false'*) ok "and says that it did nothing" ;; *) not_ok "and says that it did nothing" "$again" ;; esac
ask "$(set_record 1 "$new")" >/dev/null
same "the new record is in force at once" 200 "$(status)"
remove='{"id":1,"call":"apply","deadline_ms":9000,"args":{"step":{"kind":"cert_remove_ours","thumbprint":"'$new'","token":"TOKEN"}}}'
case $(ask "${remove/TOKEN/t1}") in *'"conflict"'*) ok "a bound certificate is not removed" ;; *) not_ok "a bound certificate is not removed" "it was" ;; esac
case $(ask "${remove/TOKEN/other}") in *'"conflict"'*) ok "nor one of another repair" ;; *) not_ok "nor one of another repair" "it was" ;; esac

# a host that is told to go wrong
identity='{"id":1,"call":"identity","deadline_ms":300,"args":{}}'
sabotage() { { echo "$identity"; [ "$1" = hang:1 ] && sleep 4; } | timeout 3 "$lab_bin" host "$lab" --fault "$1" 2>/dev/null | tail -n +2; echo "code ${PIPESTATUS[1]}"; }
case $(sabotage fail:1) in *'"failed"'*'code 0') ok "fail" ;; *) not_ok "fail" "no error" ;; esac
same "hang" "code 124" "$(sabotage hang:1)"
same "die" "code 1" "$(sabotage die:1)"
case $(sabotage nonsense:identity:1) in *'nonsense</body>'*) ok "nonsense" ;; *) not_ok "nonsense" "sense" ;; esac
case $(sabotage fail:2) in *'"netbios":"EX1"'*) ok "the call before the n-th is well" ;; *) not_ok "the call before the n-th is well" "it is not" ;; esac
printf '%s\n' "$(set_record 1 "$new")" | "$lab_bin" host "$lab" --fault half:1 >/dev/null 2>&1
same "half: the record is gone" 500 "$(status)"
case $(printf '%s\n' "$(set_record 1 "$new")" | "$lab_bin" host "$lab" --fault lie:1) in
*'"did":true'*) same "lie: it says done and has done nothing" 500 "$(status)" ;;
*) not_ok "lie" "no lie" ;;
esac
printf '%s\n' "$(set_record 1 "$new")" | "$lab_bin" host "$lab" --fault die-after:1 >"$work/out" 2>&1
same "die-after: it is done" 200 "$(status)"
same "and not answered" 1 "$(wc -l <"$work/out")"
"$lab_bin" host "$lab" --fault what:1 </dev/null >/dev/null 2>&1
same "an unknown fault is refused" 3 $?

# what a host does not answer, and what others do meanwhile
case $(printf '{"id":1,"call":"observe","deadline_ms":900,"args":{"parts":["sites","pools"]}}\n' | "$lab_bin" host "$lab" --without sites,probe) in
*'"can":["identity","observe","busy","apply","undo","lock"]'*'"ok":{"pools":'*) ok "without: a part and a call are not there" ;;
*) not_ok "without" "they are" ;;
esac
"$lab_bin" host "$lab" --without nothing </dev/null >/dev/null 2>&1
same "without: an unknown word is refused" 3 $?
observe='{"id":1,"call":"observe","deadline_ms":900,"args":{"parts":["sites"]}}'
case $(printf '%s\n' "$observe" "$observe" "$observe" | "$lab_bin" host "$lab" --meanwhile observe:2:stop-site | grep -o '"Exchange Back End","id":2,"started":[a-z]*' | paste -sd' ') in
*'started":true "'*'started":true "'*'started":false') ok "meanwhile: after the second call, not before" ;;
*) not_ok "meanwhile" "it came at another time" ;;
esac
case $(printf '%s\n' "$observe" | "$lab_bin" host "$lab" --fault lie:observe:1) in
*'"Exchange Back End","id":2,"started":true'*) ok "lie: a stopped site runs, it says" ;;
*) not_ok "lie:observe" "the truth" ;;
esac

# neighbours: a lab knocks at the back end of another one
"$lab_bin" init "$work/two" --name EX2 --fqdn ex2.lab.example >/dev/null && "$lab_bin" start "$work/two" --daemon >/dev/null
there=$(sed -n 's/.*"backend_port":\([0-9]*\).*/\1/p' "$work/two/lab.json")
case $(ask '{"id":1,"call":"probe","deadline_ms":9000,"args":{"kind":"backend","address":"ex2.lab.example","version":"default","path":"/owa/exhealth.check","port":'"$there"'}}') in
*'"http_status":200,"answer_header":"X-BEServer: EX2"'*) ok "a neighbour's back end is reached" ;;
*) not_ok "a neighbour's back end" "it is not reached" ;;
esac
"$lab_bin" stop "$work/two"

# two at once: the lock, and record ids
{ printf '{"id":1,"call":"lock","deadline_ms":900,"args":{"who":"first"}}\n'; sleep 2; } | "$lab_bin" host "$lab" >/dev/null &
sleep 0.5
case $(ask '{"id":1,"call":"lock","deadline_ms":900,"args":{"who":"second"}}') in *'first holds'*) ok "the lock" ;; *) not_ok "the lock" "two have it" ;; esac
for _ in 1 2 3 4; do "$lab_bin" flood "$lab" 2000 & done
wait
ids=$(grep -o '<EventRecordID>[0-9]*' "$lab/events.xml" | sed 's/.*>//')
same "record ids are unique" "$(echo "$ids" | wc -l)" "$(echo "$ids" | sort -u | wc -l)"
same "and grow" "$(echo "$ids" | sort -n | md5sum)" "$(echo "$ids" | md5sum)"
same "each event is a line" 0 "$(grep -cv '^<Event .*</Event>$' "$lab/events.xml")"
if command -v xmllint >/dev/null; then
	{ echo '<Events>'; cat "$lab/events.xml"; echo '</Events>'; } | xmllint --noout - 2>"$work/xml"
	same "the log is XML" 0 $?
fi

"$lab_bin" stop "$lab"
same "stop" stopped "$("$lab_bin" status "$lab" | grep -o 'stopped')"
exit $bad
