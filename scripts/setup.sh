#!/bin/bash
# setup.sh - the Debian packages that building and testing need. As root it installs them and asks nothing; else it prints the one
# command. It removes nothing: where apt would have to, it says what stands in the way and stops.
set -u
packages="gcc make git pkg-config libc6-dev libxml2-dev libyaml-dev libjansson-dev libssl-dev libsqlite3-dev zlib1g-dev liblzma-dev
	libzstd-dev libcurl4-openssl-dev librdkafka-dev
	libcmocka-dev libpcre2-dev sqlite3 openssl xz-utils zstd libxml2-utils clang-14 clang-tidy-14 libclang-rt-14-dev cppcheck valgrind man-db procps tzdata kcat
	rsyslog rsyslog-gnutls libivykis0 libglib2.0-0 libjson-c5 libnet1 libpcre3 libwrap0
	python3 python3-jsonschema python3-yaml"
packages=$(echo $packages)

missing=()
for p in $packages; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)
	[ "$state" = installed ] || missing+=("$p")
done
# syslog-ng, for tests: unpacked beside the other receivers, for as a package it would drive rsyslog out. Where it cannot be had the tests say so.
unpack_syslog_ng() {
	local cache=${EVMEND_RECEIVERS:-${XDG_CACHE_HOME:-$HOME/.cache}/evmend-receivers} new
	[ -x "$cache/syslog-ng/usr/sbin/syslog-ng" ] && return
	mkdir -p "$cache" && new=$(mktemp -d "$cache/syslog-ng.XXXXXX") || return
	if (cd "$new" && apt-get download -qq syslog-ng-core && dpkg -x syslog-ng-core_*.deb root) >"$new/log" 2>&1; then
		rm -rf "$cache/syslog-ng"
		mv "$new/root" "$cache/syslog-ng"
	else
		echo "setup: syslog-ng cannot be had, its tests will be skipped: $(tail -n 1 "$new/log")" >&2
	fi
	rm -rf "$new"
}
done_with_packages() {
	unpack_syslog_ng
	exit 0
}
[ ${#missing[@]} -eq 0 ] && done_with_packages

if ! command -v apt-get >/dev/null; then
	echo "setup: these packages of Debian 12 are missing, and there is no apt-get here: ${missing[*]}" >&2
	exit 4
fi
command="apt-get install -y --no-remove --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
	echo "setup: ${#missing[@]} packages are missing; run this once, then make again:" >&2
	echo "  sudo $command" >&2
	exit 4
fi

export DEBIAN_FRONTEND=noninteractive
echo "setup: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
simulate() { apt-get -s install --no-install-recommends "${missing[@]}" >"$log" 2>&1; }
# A fresh machine has no package lists yet, an old one has stale ones: fetch them when the packages cannot be found.
if ! simulate; then
	if ! apt-get update -q >"$log" 2>&1; then
		tail -n 5 "$log" >&2
		echo "setup: apt-get update failed; is there a network, and is /etc/apt/sources.list right?" >&2
		exit 4
	fi
	if ! simulate; then
		grep -v '^NOTE' "$log" | tail -n 15 >&2
		echo "setup: apt cannot install these packages here; the lines above say why" >&2
		exit 4
	fi
fi
removals=$(sed -n 's/^Remv \([^ ]*\).*/\1/p' "$log" | tr '\n' ' ')
if [ -n "$removals" ]; then
	echo "setup: apt would have to remove: $removals" >&2
	echo "setup: nothing was changed. Decide on those packages yourself, then run: $command" >&2
	exit 4
fi
if ! $command >"$log" 2>&1; then
	# the lists may name versions that the mirror has replaced
	if ! { apt-get update -q >"$log" 2>&1 && $command >"$log" 2>&1; }; then
		tail -n 15 "$log" >&2
		echo "setup: apt-get failed; the lines above say why" >&2
		exit 4
	fi
fi
echo "setup: done"
done_with_packages
