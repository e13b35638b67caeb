# receivers.bash - starting the stand-ins for receivers over HTTP. Sourced after agent.bash.
declare -A receiver=()
end_receivers() {
	local p
	for p in "${receiver[@]}"; do kill -KILL "$p" 2>/dev/null; done
	clean_up
}
trap end_receivers EXIT

# receive NAME KIND OPTIONS...: http_receiver.py KIND in $work/NAME; on the port it had before, when it is started again
receive() {
	local name=$1 kind=$2 old
	shift 2
	mkdir -p "$work/$name"
	old=$(cat "$work/$name/port" 2>/dev/null)
	rm -f "$work/$name/port"
	python3 tests/receivers/http_receiver.py "$kind" "$work/$name" ${old:+--port "$old"} "$@" 2>>"$work/$name/err" &
	receiver[$name]=$!
	wait_for 20 test -s "$work/$name/port"
}
proxy() { # NAME OPTIONS...
	local name=$1
	shift
	mkdir -p "$work/$name"
	python3 tests/receivers/http_proxy.py "$work/$name" "$@" 2>>"$work/$name/err" &
	receiver[$name]=$!
	wait_for 20 test -s "$work/$name/port"
}
patient() { # SECONDS COMMAND...: as wait_for, for what costs something to ask
	local until=$((SECONDS + $1 * slow))
	shift
	while ! "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep 1
	done
}
# Each record of the agent has an outcome at that sink
has_all() { "$evmend" status --json -c "$work/config.yaml" 2>/dev/null | python3 -c 'import json, sys
s = next(s for s in json.load(sys.stdin)["sinks"] if s["name"] == sys.argv[1])
sys.exit(s["acknowledged"] + s["dead"] < int(sys.argv[2]) or s["waiting"])' "$1" "$2" 2>/dev/null; }
port_of() { cat "$work/$1/port"; }
crash() { # NAME
	kill -KILL "${receiver[$1]}"
	wait "${receiver[$1]}" 2>/dev/null
}
no_violations() { # NAME
	check "$1: nothing was sent that must not be" "$(head -n 3 "$work/$1/violations" 2>/dev/null)" test ! -s "$work/$1/violations"
}

# certificates in $work/pki: an authority, another one; servers here.example (127.0.0.1) and there.example; clients of both authorities
make_pki() {
	local d=$work/pki ca name san
	mkdir "$d"
	for ca in ca other; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$d/$ca.key" -out "$d/$ca.pem" -days 30 -subj "/O=$ca" \
			-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
	done
	while read -r name ca san; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$d/$name.key" -out "$d/$name.csr" -subj "/CN=$name" 2>/dev/null
		openssl x509 -req -in "$d/$name.csr" -CA "$d/$ca.pem" -CAkey "$d/$ca.key" -CAcreateserial -days 30 -extfile <(echo "subjectAltName=$san") \
			-out "$d/$name.pem" 2>/dev/null || return 1
	done <<-END
		here ca DNS:here.example,IP:127.0.0.1
		there ca DNS:there.example
		client ca DNS:client.example
		stranger other DNS:client.example
	END
}
pin_of() { openssl x509 -in "$work/pki/$1.pem" -outform der | sha256sum | cut -d' ' -f1; }
