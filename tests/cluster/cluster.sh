# cluster.sh: a cluster on this machine, for checks that source it after check.sh.
#
# A node is a network, UTS, IPC and mount namespace: it has a hostname, an address, /tmp and /dev/shm of its own, and shares all
# other files. The check itself is the head node, from which jobs are started, in a PID namespace: whatever is started here ends
# with the check, however that ends, and nothing outside sees any of it. Each node has a cable to a bridge, or to a switch with
# delay (switch.c).
# shellcheck shell=bash

# cluster_is_permitted: fills room with the words that make the head node's namespaces
cluster_is_permitted() {
  PATH=$PATH:/usr/sbin:/sbin
  room=(unshare --net --uts --ipc --mount --pid --fork --kill-child --mount-proc)
  # who is not root is root of a user namespace, where that is permitted
  [ "$(id -u)" = 0 ] || room+=(--user --map-root-user)
  "${room[@]}" sh -c 'ip link add b0 type bridge && ip link add v0 type veth peer name v1' >/dev/null 2>&1
}

# enter_cluster SCRIPT ARGUMENTS...: runs SCRIPT again as the head node, unless this is it already; before scratch
enter_cluster() {
  if [ -n "${PSDNET_HEAD:-}" ] && [ $$ = 1 ]; then return; fi
  cluster_is_permitted || skip "network, mount and PID namespaces (unshare), bridges and virtual cables (ip of iproute2)"
  PSDNET_HEAD=yes exec "${room[@]}" "$@"
}

# start_cluster N: nodes n1 .. nN and the head on a bridge; after scratch. Files about it are in CLUSTER.
start_cluster() {
  local k
  export CLUSTER=$TMPDIR/cluster
  mkdir "$CLUSTER"
  hostname head
  echo 127.0.0.1 localhost >"$CLUSTER/hosts"
  echo 10.77.0.254 head >>"$CLUSTER/hosts"
  for ((k = 1; k <= $1; k++)); do echo "10.77.0.$k n$k" >>"$CLUSTER/hosts"; done
  mount --bind "$CLUSTER/hosts" /etc/hosts
  start_switch
  connect head $$ 10.77.0.254
  for ((k = 1; k <= $1; k++)); do start_node "n$k" "10.77.0.$k"; done
}

# start_switch: a namespace of its own, as the head would answer for its address on all cables otherwise
start_switch() {
  unshare --net sh -c "ip link add bridge type bridge && ip link set bridge up && : >'$CLUSTER/switch.ready' && exec sleep infinity" &
  echo $! >"$CLUSTER/switch"
  until [ -e "$CLUSTER/switch.ready" ]; do sleep 0.02; done
}
at_switch() { nsenter --target "$(cat "$CLUSTER/switch")" --net "$@"; }

# start_node NAME ADDRESS: also of one that was killed
start_node() {
  local ready=$CLUSTER/$1.ready
  rm -f "$ready"
  unshare --net --uts --ipc --mount "$SOURCE/tests/cluster/node.sh" "$1" "$ready" "$SOURCE" "$SCRATCH" "$(dirname "$PSDNET")" "$TMPDIR" &
  echo $! >"$CLUSTER/$1"
  disown $! # its end, when it is killed, is no news
  until [ -e "$ready" ]; do sleep 0.02; done
  connect "$1" "$(cat "$CLUSTER/$1")" "$2"
}

# connect NAME PID ADDRESS: eth0 of the process's node, and the other end of its cable, to-NAME, on the bridge
connect() {
  # of a node that was killed
  at_switch ip link del "to-$1" 2>/dev/null || true
  at_switch ip link add "to-$1" type veth peer name eth0 netns "$2"
  at_switch ip link set "to-$1" master bridge up
  # a hardware address that is the same when a node comes back, as others remember it
  nsenter --target "$2" --net sh -ec "ip link set eth0 address 02:00:00:00:00:$(printf %02x "${3##*.}")
    ip address add $3/24 dev eth0; ip link set lo up; ip link set eth0 up"
}

# delay_cluster MICROSECONDS: from now on each frame takes so long through the switch, which takes the place of the bridge or of
# the switch before
delay_cluster() {
  local cable cables
  [ -z "${delaying:-}" ] || kill "$delaying"
  mapfile -t cables < <(at_switch ip -o link show type veth | sed 's/^[0-9]*: \([^@]*\)@.*/\1/')
  for cable in "${cables[@]}"; do at_switch ip link set "$cable" nomaster; done
  nsenter --target "$(cat "$CLUSTER/switch")" --net "${SWITCH:?}" "$1" "${cables[@]}" &
  delaying=$!
  disown $delaying
}

address_of() { sed -n "s/ $1\$//p" "$CLUSTER/hosts"; }

# on NODE COMMAND...: as a shell there would run it
on() {
  local node=$1
  shift
  nsenter --target "$(cat "$CLUSTER/$node")" --net --uts --ipc --mount --wd="$PWD" "$@"
}

# processes_on NODE: their numbers
processes_on() {
  local net process
  net=$(readlink "/proc/$(cat "$CLUSTER/$1")/ns/net") || return 0
  for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/ns/net")" = "$net" ]; then echo "${process#/proc/}"; fi
  done
}

# kill_node NODE: all that runs on it, and so the node
kill_node() {
  local processes
  while processes=$(processes_on "$1") && [ -n "$processes" ]; do
    # shellcheck disable=SC2086 # numbers
    kill -9 $processes 2>/dev/null || true
  done
}

# pull_cable NODE, plug_cable NODE
pull_cable() { at_switch ip link set "to-$1" down; }
plug_cable() { at_switch ip link set "to-$1" up; }

# bytes_from NODE: that it has sent
bytes_from() { on "$1" sed -n 's/^ *eth0: *//p' /proc/net/dev | awk '{ print $9 }'; }

# on_nodes HOSTS RANKS COMMAND...: mpirun on the head; HOSTS are n1:2,n2:2 and the like. agent takes the part of ssh.
on_nodes() {
  local hosts=$1 ranks=$2
  shift 2
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none \
    mpirun --mca plm rsh --mca plm_rsh_agent "$SOURCE/tests/cluster/agent" --host "$hosts" -np "$ranks" -x OPENBLAS_NUM_THREADS=1 "$@"
}
