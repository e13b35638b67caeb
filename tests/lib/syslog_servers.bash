# syslog_servers.bash - real log servers for the scripts about syslog: certificates, rsyslogd and syslog-ng with the configurations that
# docs/sinks.md tells people to copy. Sourced after agent.bash. Servers that a script started end with it.
receivers=()
# A server that is stopped hears SIGKILL too.
trap 'for p in "${receivers[@]}"; do kill -KILL "$p" 2>/dev/null; done; clean_up' EXIT
pki=$work/pki
mkdir -p "$pki" "$work/spool"

# --- certificates ---
ec=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
ca() { # NAME
	openssl req -x509 "${ec[@]}" -keyout "$pki/$1.key" -out "$pki/$1.pem" -days 30 -subj "/CN=$1" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
}
# certificate FILE NAME CA DAYS: for both ends
certificate() {
	openssl req "${ec[@]}" -keyout "$pki/$1.key" -out "$pki/$1.csr" -subj "/CN=$2" 2>/dev/null
	printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$2" >"$pki/ext"
	openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$3.pem" -CAkey "$pki/$3.key" -CAcreateserial -days "$4" -extfile "$pki/ext" \
		-out "$pki/$1.pem" 2>/dev/null
	chmod 600 "$pki/$1.key"
}
pin_of() { openssl x509 -in "$pki/$1.pem" -outform DER | sha256sum | cut -c1-64; }

# --- what people copy ---
# copied LANGUAGE HEADING: the block of that language below that heading of docs/sinks.md
copied() {
	awk -v fence="\`\`\`$1" -v heading="### $2" \
		'/^##/ { on = index($0, heading) == 1 } $0 == "```" { in_it = 0 } in_it { print } on && $0 == fence { in_it = 1 }' docs/sinks.md
}
# here PORT: a copied configuration with our paths, that port and this machine's address
here() {
	sed -e "s#/etc/rsyslog.d/#$pki/#; s#/etc/syslog-ng/#$pki/#g; s#/etc/evmend/#$pki/#; s#/var/spool/rsyslog#$work/spool/$1#; s#/var/log/evmend#$work/$1#" \
		-e "s#port=\"[0-9]*\"#port=\"$1\" address=\"127.0.0.1\"#; s#ip(0.0.0.0) port([0-9]*)#ip(127.0.0.1) port($1)#" \
		-e "s#address: [a-z]*.contoso.example:[0-9]*#address: 127.0.0.1:$1#"
}
# sink_here HEADING PORT: the agent's side, as an item of sinks. The certificate is for the name that stood in the address.
sink_here() { copied yaml "$1" | sed -n '/^  - name/,$p' | here "$2" | sed 's#^      ca:#      name: siem.contoso.example\n&#'; }

# --- servers ---
ports=$((20000 + RANDOM % 9000)) # below the ports of outgoing connections
port() { # sets $port to one that nobody listens on
	while listens $((ports += 1)); do :; done
	port=$ports
}
listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# rsyslogd_on PORT [COMMAND...]: with $work/PORT.conf, run by that command; sets $receiver
rsyslogd_on() {
	local on=$1
	shift
	mkdir -p "$work/spool/$on"
	"$@" rsyslogd -n -f "$work/$on.conf" -i "$work/$on.pid" >>"$work/$on.log" 2>&1 &
	receiver=$!
	receivers+=($!)
	wait_for 10 listens "$on"
}
have_rsyslog() { command -v rsyslogd >/dev/null && ls /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1; }
# Unpacked by scripts/setup.sh: as a package it would drive rsyslog out.
syslog_ng=${EVMEND_RECEIVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/evmend-receivers}/syslog-ng
# Becomes it: for a shell of its own, whose number is then its number.
exec_syslog_ng() {
	LD_LIBRARY_PATH=$syslog_ng/usr/lib/syslog-ng exec "$syslog_ng/usr/sbin/syslog-ng" --module-path="$(echo "$syslog_ng"/usr/lib/syslog-ng/[0-9]*)" "$@"
}
have_syslog_ng() { [ -x "$syslog_ng/usr/sbin/syslog-ng" ] && (exec_syslog_ng --version) >/dev/null 2>&1; }
# syslog_ng_on PORT: with $work/PORT.conf behind the line that Debian's own configuration begins with; sets $receiver
syslog_ng_on() {
	echo '@version: 3.38' | cat - "$work/$1.conf" >"$work/$1.whole"
	exec_syslog_ng -F --no-caps -f "$work/$1.whole" -R "$work/$1.persist" -c "$work/$1.ctl" -p "$work/$1.pid" >>"$work/$1.log" 2>&1 &
	receiver=$!
	receivers+=($!)
	wait_for 10 listens "$1"
}
