#!/bin/bash
# cluster.sh start|stop DIR, cluster.sh restart DIR NODE: a Slurm of two nodes, n1 and n2, on this machine, for tests. Needs root.
#
# When tests/cluster/cluster.sh has made nodes n1 and n2 (CLUSTER is set), their daemons run there, and slurmctld on the head;
# else both are this machine under two names.
#
# munged, slurmctld and two slurmd of Debian's packages, installed by jobs/setup.sh when they are missing. Keys, sockets, state and
# logs are in DIR, which start makes; the daemons listen on ports of their own and have nothing to do with a Slurm that is already
# here. `start` waits until both nodes are idle; then SLURM_CONF=DIR/slurm.conf is all that sbatch and its like need. `restart`
# starts the daemon of a node that was lost. `stop` cancels the jobs, ends the daemons by their process ids and leaves DIR. The
# nodes declare four cores each, whatever this machine has.
#
# PORT=N: the first of four ports (default: some that are free)
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/../../jobs/lib.sh"
case ${1:-} in
  start | stop | restart) ;;
  *)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
cluster=$(realpath -m "${2:?expected a directory}")
export SLURM_CONF=$cluster/slurm.conf
# shellcheck source=tests/cluster/cluster.sh
. "$root/tests/cluster/cluster.sh"

# A path of a socket has at most 107 bytes.
check_place() {
  local longest=$cluster/munge/socket.placeholder
  [ ${#longest} -le 100 ] || die "$cluster: too long a path for sockets"
  [ ! -e "$cluster" ] || die "$cluster: there already"
}

# free_port: the first of four in a row that nobody listens on
free_port() {
  local port taken
  taken=$(sed -n 's/^ *[0-9]*: [0-9A-F]*:\([0-9A-F]\{4\}\) .*/\1/p' /proc/net/tcp /proc/net/tcp6 | sort -u)
  for ((port = 17100 + $$ % 1000 * 8; port < 65000; port += 8)); do
    if ! printf '%04X\n' "$port" $((port + 1)) $((port + 2)) $((port + 3)) | grep -qxF "$taken"; then
      printf '%d\n' "$port"
      return
    fi
  done
  die "no four free ports"
}

# node_line NODE PORT
node_line() {
  local place
  place="NodeHostname=$(uname -n) NodeAddr=127.0.0.1 Port=$2"
  if [ -n "${CLUSTER:-}" ]; then place="NodeHostname=$1 NodeAddr=$(address_of "$1")"; fi
  echo "NodeName=$1 $place CPUs=4 RealMemory=1000 State=UNKNOWN"
}

# start_slurmd NODE: with nothing of this shell's environment, which its jobs would have
start_slurmd() {
  if [ -n "${CLUSTER:-}" ]; then
    on "$1" env -i PATH="$PATH" SLURM_CONF="$SLURM_CONF" slurmd -f "$SLURM_CONF" -N "$1"
  else
    slurmd -f "$SLURM_CONF" -N "$1"
  fi
}

# cred_expire is also how long a requeued job waits before it starts again; 120 s by default.
write_configuration() { # PORT
  cat >"$SLURM_CONF" <<CONF
ClusterName=psdnet
SlurmctldHost=$(uname -n)($([ -n "${CLUSTER:-}" ] && address_of head || echo 127.0.0.1))
SlurmctldPort=$1
SlurmdPort=$(($1 + 1))
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmctldLogFile=$cluster/slurmctld.log
StateSaveLocation=$cluster/state
SlurmdPidFile=$cluster/%n/slurmd.pid
SlurmdLogFile=$cluster/%n/slurmd.log
SlurmdSpoolDir=$cluster/%n
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$cluster/munge/socket,cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
ReturnToService=2
SlurmctldTimeout=60
SlurmdTimeout=20
InactiveLimit=0
KillWait=5
OverTimeLimit=0
MinJobAge=300
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
$(node_line n1 $(($1 + 1)))
$(node_line n2 $(($1 + 2)))
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=UNLIMITED State=UP
CONF
}

start_munge() {
  local munge=$cluster/munge
  mkdir -m 0711 "$munge"
  head -c 1024 /dev/urandom >"$munge/key"
  chmod 400 "$munge/key"
  munged --key-file="$munge/key" --socket="$munge/socket" --pid-file="$munge/pid" --log-file="$munge/log" \
    --seed-file="$munge/seed" >"$munge/out" 2>&1 || die "munged does not start: $(tail -n 1 "$munge/out")"
}

wait_for_nodes() {
  local second
  for ((second = 0; second < 60; second++)); do
    if [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ]; then return; fi
    sleep 0.5
  done
  die "the nodes are not idle after 30 s, see $cluster/slurmctld.log and $cluster/n1/slurmd.log"
}

start() {
  local node
  [ "$(id -u)" = 0 ] || die "starting Slurm's daemons needs root"
  check_place
  "$root/jobs/setup.sh" slurm >&2
  mkdir -p "$cluster"/{state,n1,n2}
  chmod 755 "$cluster" "$cluster"/{n1,n2}
  write_configuration "${PORT:-$(free_port)}"
  trap 'stop' ERR
  start_munge
  slurmctld -f "$SLURM_CONF"
  for node in n1 n2; do start_slurmd $node; done
  trap 'stop' EXIT
  wait_for_nodes
  trap - EXIT ERR
}

# NODE
restart() { start_slurmd "$1"; }

# end FILE: the daemon whose process id is in FILE, if it lives
end() {
  local pid tick
  pid=$(cat "$1" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || return 0
  for ((tick = 0; tick < 100; tick++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

stop() {
  local tick
  if [ -e "$cluster/slurmctld.pid" ]; then
    scancel --user="$(id -un)" 2>/dev/null || true
    for ((tick = 0; tick < 100; tick++)); do
      if [ -z "$(squeue -h -t running,completing 2>/dev/null)" ]; then break; fi
      sleep 0.1
    done
  fi
  end "$cluster/n1/slurmd.pid"
  end "$cluster/n2/slurmd.pid"
  end "$cluster/slurmctld.pid"
  end "$cluster/munge/pid"
}

"$1" "${@:3}"
