#!/usr/bin/env bash
# Fetches the programs that the tests talk to and unpacks them without installing anything: several of them exclude
# each other as installed packages. Needs Debian or Ubuntu. Run again at will: what is there is left alone.
#
#   fetch-peers.sh [PREFIX]
#
# PREFIX is where the tests look: $TFTPLB_PEERS, or else .peers in the repository.
set -euo pipefail

# package, its program, and what else is unpacked beside it
peers=(
  'tftpd-hpa     usr/sbin/in.tftpd'
  'atftpd        usr/sbin/atftpd'
  'dnsmasq-base  usr/sbin/dnsmasq'
  'busybox       bin/busybox'
  'tftp-hpa      usr/bin/tftp'
  'atftp         usr/bin/atftp'
  'curl          usr/bin/curl'
  'nginx         usr/sbin/nginx  libnginx-mod-stream'
)

prefix=${1:-${TFTPLB_PEERS:-$(cd "$(dirname "$0")/../.." && pwd)/.peers}}
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
trap 'echo "fetch-peers: stopped, not every peer is there" >&2' ERR

installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The sandbox user may not write into a private directory, so root downloads as itself.
download() {
  apt-get download --quiet=2 -o APT::Sandbox::User=root "$@"
}

update_lists() {
  if [[ $(id --user) != 0 ]]; then
    echo "fetch-peers: no usable package lists, or no network; run 'apt-get update' as root first" >&2
    return 1
  fi
  apt-get update --quiet=2
}

# unpack ROOT PACKAGE...
unpack() {
  local root=$1 downloads=$prefix/.downloads
  shift
  rm -rf "$downloads"
  mkdir "$downloads"
  cd "$downloads"
  # Lists that are missing or older than the archive are the usual reason for a failure.
  if ! download "$@" 2>/dev/null; then
    update_lists
    download "$@"
  fi
  for deb in ./*.deb; do dpkg --extract "$deb" "$root"; done
  cd "$prefix"
  rm -rf "$downloads"
}

# missing_libraries ROOT PROGRAM: those that neither the system nor ROOT has.
missing_libraries() {
  LD_LIBRARY_PATH=$(printf '%s:' "$1"/lib/*-linux-gnu "$1"/usr/lib/*-linux-gnu) ldd "$1/$2" |
    grep 'not found' || true
}

# libraries_of PACKAGE...: the library packages that they depend on directly and that are not installed.
libraries_of() {
  local library
  apt-cache depends --important "$@" | sed --quiet 's/^ *|\?Depends: \(lib[^:]*\).*/\1/p' | sort --unique |
    while read -r library; do installed "$library" || echo "$library"; done
}

# fetch PACKAGE PROGRAM [PACKAGE...]: each peer gets a root of its own, since packages that exclude each other share
# file names. Libraries are added one level of dependencies at a time, until none is missing.
fetch() {
  local package=$1 program=$2 root=$prefix/.unfinished level=("$1")
  shift 2
  rm -rf "$root"
  mkdir "$root"
  unpack "$root" "$package" "$@"
  while [[ -n $(missing_libraries "$root" "$program") ]]; do
    mapfile -t level < <(libraries_of "${level[@]}")
    if [[ ${#level[@]} == 0 ]]; then
      echo "fetch-peers: libraries that $package needs are in none of its dependencies:" >&2
      missing_libraries "$root" "$program" >&2
      return 1
    fi
    unpack "$root" "${level[@]}"
  done
  mv "$root" "$prefix/$package"
  echo "fetched $package"
}

for peer in "${peers[@]}"; do
  read -r package program companions <<<"$peer"
  if [[ ! -d $prefix/$package ]] && ! installed "$package"; then
    # shellcheck disable=SC2086 # the companions are words
    fetch "$package" "$program" $companions
  fi
done
