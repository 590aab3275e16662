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
  'tftpd-hpa          usr/sbin/in.tftpd'
  'atftpd             usr/sbin/atftpd'
  'dnsmasq-base       usr/sbin/dnsmasq'
  'busybox            bin/busybox'
  'tftp-hpa           usr/bin/tftp'
  'atftp              usr/bin/atftp'
  'curl               usr/bin/curl'
  'nginx              usr/sbin/nginx  libnginx-mod-stream'
  'vsftpd             usr/sbin/vsftpd'
  'proftpd-core       usr/sbin/proftpd  proftpd-mod-proxy proftpd-mod-crypto'
  'pure-ftpd          usr/sbin/pure-ftpd'
  'python3-pyftpdlib  usr/lib/python3/dist-packages/pyftpdlib/__main__.py  python3-openssl python3-cryptography python3-cffi-backend'
  'lftp               usr/bin/lftp'
  'tnftp              usr/bin/tnftp'
  'inetutils-ftp      usr/bin/inetutils-ftp'
  'openssl            usr/bin/openssl'
)

prefix=${1:-${TFTPLB_PEERS:-$(cd "$(dirname "$0")/../.." && pwd)/.peers}}
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
# What is being fetched; it gets its name when it is complete.
root=$prefix/.unfinished
downloads=$prefix/.downloads
trap '[[ $? == 0 ]] || echo "fetch-peers: stopped, not every peer is there" >&2' EXIT

# installed PACKAGE...: true if the system has them all.
installed() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || return 1
  done
}

# fetched PACKAGE...: true if the root of the first has them all. Every package has its documentation in a place of its
# own by Debian's policy.
fetched() {
  local package
  for package in "$@"; do
    [[ -e $prefix/$1/usr/share/doc/$package || -L $prefix/$1/usr/share/doc/$package ]] || return 1
  done
}

# The sandbox user may not write into a private directory, so root downloads as itself.
download() {
  apt-get download --quiet=2 -o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::http::Timeout=30 "$@"
}

update_lists() {
  if [[ $(id --user) != 0 ]]; then
    echo "fetch-peers: no usable package lists, or no network; run 'apt-get update' as root first" >&2
    return 1
  fi
  apt-get update --quiet=2
}

# unpack PACKAGE...: adds them to what is downloaded and unpacked already.
unpack() {
  cd "$downloads"
  # Lists that are missing or older than the archive are the usual reason for a failure.
  if ! download "$@" 2>/dev/null; then
    update_lists
    download "$@"
  fi
  for deb in ./*.deb; do dpkg --extract "$deb" "$root"; done
  cd "$prefix"
}

# missing_libraries PROGRAM: those that it or a module needs and that neither the system nor the root has.
missing_libraries() {
  find "$root" -name '*.so' -print0 |
    LD_LIBRARY_PATH=$(printf '%s:' "$root"/lib/*-linux-gnu "$root"/usr/lib/*-linux-gnu) \
      xargs --null ldd "$root/$1" 2>/dev/null | grep 'not found' | sort --unique || true
}

# libraries_of PACKAGE...: the library packages that they depend on directly and that are nowhere yet.
libraries_of() {
  local library
  apt-cache depends --important "$@" | sed --quiet 's/^ *|\?Depends: \(lib[^:]*\).*/\1/p' | sort --unique |
    while read -r library; do
      installed "$library" || compgen -G "$downloads/${library}_*" >/dev/null || echo "$library"
    done
}

# fetch PACKAGE PROGRAM [PACKAGE...]: each peer gets a root of its own, since packages that exclude each other share
# file names. Libraries are added one level of dependencies at a time, until none is missing.
fetch() {
  local package=$1 program=$2 libraries
  shift 2
  libraries="$package $*"
  rm -rf "$root" "$downloads"
  mkdir "$root" "$downloads"
  unpack "$package" "$@"
  while [[ -n $(missing_libraries "$program") ]]; do
    # shellcheck disable=SC2086 # the libraries are words
    libraries=$(libraries_of $libraries)
    if [[ -z $libraries ]]; then
      echo "fetch-peers: libraries that $package needs are in none of its dependencies:" >&2
      missing_libraries "$program" >&2
      return 1
    fi
    # shellcheck disable=SC2086
    unpack $libraries
  done
  rm -rf "$downloads"
  rm -rf "${prefix:?}/$package"
  mv "$root" "$prefix/$package"
  echo "fetched $package"
}

for peer in "${peers[@]}"; do
  read -r package program companions <<<"$peer"
  # shellcheck disable=SC2086 # the companions are words
  if ! fetched "$package" $companions && ! installed "$package" $companions; then
    fetch "$package" "$program" $companions
  fi
done
