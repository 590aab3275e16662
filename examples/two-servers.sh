#!/bin/sh
# Two servers of TFTP and FTP behind every IPv4 address of this host; the first one is twice as strong.
# Transfers use ports that a firewall can be told of. Ends with the balancer.
set -eu
exec tftp-lb \
  --vip 0.0.0.0 \
  --tid-ports 40000-49999 \
  --passive-ports 50000-51999 \
  --backend 192.0.2.11,weight=2,name=strong \
  --backend 192.0.2.12,name=small \
  --retry-not-found \
  "$@"
