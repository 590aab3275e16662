#!/bin/sh
# TFTP alone, for clients behind NAT, Docker or Kubernetes port maps: all is answered from the listening port.
# The options are given as variables here, as a container would. Ends with the balancer.
set -eu
export TFTP_LB_VIP=0.0.0.0
export TFTP_LB_FTP=false
export TFTP_LB_TFTP_PORT=6969
export TFTP_LB_SINGLE_PORT=true
export TFTP_LB_BACKEND="192.0.2.11 192.0.2.12"
export TFTP_LB_READ_ONLY=true
exec tftp-lb "$@"
