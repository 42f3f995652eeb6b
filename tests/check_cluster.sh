#!/bin/bash
# Nodes with a network between them (cluster/cluster.sh): one node, two and four find the same objective, with and without 1 ms of
# delay in the network; a run stands still while a node's cable is out and goes on when it is back; when a node dies or
# vanishes the run ends, and goes on from its checkpoint on other nodes.
. "$SOURCE/tests/check.sh"
. "$SOURCE/tests/cluster/cluster.sh"
need_python
command -v mpirun >/dev/null || skip mpirun
mpirun --version 2>/dev/null | grep -q 'Open MPI' || skip "Open MPI, for its launch agent"
[ -x "$SWITCH" ] || skip Linux
enter_cluster "$0"
scratch
start_cluster 4
make_images data
export OMPI_MCA_odls_base_sigkill_timeout=0
options="-solver admm -data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -consensus scalapack -progress none"

# train NAME HOSTS RANKS OPTIONS...: its status; a relative gap of 2e-9 makes objectives agree to 1e-8
train() {
  local name=$1 hosts=$2 ranks=$3
  shift 3
  # options are words
  # shellcheck disable=SC2086
  on_nodes "$hosts" "$ranks" "$PSDNET" train $options -model "$name.h5" "$@" >"$name.log" 2>&1
}
same() { # NAME HOSTS RANKS OPTIONS...: as on one node
  train "$@" -gap 2e-9 || fail "$1: exit status $?" "$1.log"
  python judge_same reference.h5 "$1.h5" 1e-8
}
# wait_until WHAT COMMAND...: within a minute
wait_until() {
  local tick what=$1
  shift
  for ((tick = 0; tick < 1200; tick++)); do
    if "$@"; then return; fi
    sleep 0.05
  done
  fail "not within a minute: $what" long.log
}

train reference n1:4 4 -gap 2e-9 || fail "one node: exit status $?" reference.log
before=$(bytes_from n2)
same two n1:2,n2:2 4
[ $(($(bytes_from n2) - before)) -gt 1000000 ] || fail "two nodes did not use the network between them"
same four n1:1,n2:1,n3:1,n4:1 4

# long HOSTS RANKS: a run that does not look at its bounds and has no end, in the background, once it has a new checkpoint
long() {
  touch run.ck
  cp run.ck old.ck
  [ -s run.ck ] || rm run.ck
  train long "$1" "$2" -check_every 1000000 -max_it 1000000 -checkpoint run.ck -checkpoint_every 0.1 -resume &
  run=$!
  wait_until "a checkpoint on $1" is_newer
}
is_newer() { [ -s run.ck ] && ! cmp -s run.ck old.ck; }
# comes_to_an_end EXPECTED WHAT
comes_to_an_end() {
  local status=0
  wait_until "the end: $2" has_ended
  wait $run || status=$?
  [ $status = "$1" ] || { [ "$1" = failure ] && [ $status != 0 ]; } || fail "$2: exit status $status, expected $1" long.log
}
no_ranks() { ! pgrep -f 'psdnet train .*run.ck' >/dev/null; }
has_ended() { ! kill -0 $run 2>/dev/null; }

# the cable of a node is out, and in again
long n1:1,n2:1 2
pull_cable n2
sleep 0.5 # what is under way arrives
cp run.ck old.ck
sleep 1
! is_newer || fail "a run goes on without the network" long.log
plug_cable n2
wait_until "the run goes on when the cable is back" is_newer
pkill -USR1 -P $run -x mpirun
comes_to_an_end 75 "a signal after the cable was out"

# of four nodes one dies
goes_on() { # NAME HOSTS RANKS
  wait_until "no ranks of a run with a dead node" no_ranks
  same "$@" -checkpoint run.ck -resume
  grep -q '^resume  *iteration' "$1.log" || fail "a run with a dead node left nothing to go on from" "$1.log"
}
long n1:1,n2:1,n3:1,n4:1 4
cp run.ck first.ck
kill_node n4
comes_to_an_end failure "a node has died"
goes_on three n1:1,n2:1,n3:1 3

# without a word: nobody closes its connections, and the launcher asks after it every second
mv first.ck run.ck
export OMPI_MCA_oob_tcp_keepalive_time=1 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=2
long n1:1,n2:1,n3:1 3
pull_cable n3
kill_node n3
comes_to_an_end failure "a node has gone"
goes_on remaining n1:2 2

# a millisecond each way
delay_cluster 1000
on n2 /usr/bin/python3 "$SOURCE/tests/cluster/round_trip.py" answer &
round_trip=$(on n1 /usr/bin/python3 "$SOURCE/tests/cluster/round_trip.py" n2)
[ "$round_trip" -ge 2000 ] || fail "a delay of 1000 us, and there and back takes $round_trip"
same slow n1:2,n2:2 4
