#!/bin/bash
# bench-cluster.sh DATA [NODES [RANKS]]: the main job on NODES nodes of RANKS ranks (default 4 of 4), which are namespaces of this
# machine (tests/cluster/cluster.sh), through a bridge, and through a switch with a delay of a millisecond.
#
# A Markdown table on standard output, phase by phase: seconds, and megabytes that the busiest node sends to the others. Ranks share
# the cores of this machine: seconds say what a delay costs, not how fast nodes are. EXTRA="-limit 2000": more options.
# BUILD=DIR: where psdnet is built.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cluster/cluster.sh
. "$root/tests/cluster/cluster.sh"
case ${1:--h} in -h | --help)
  usage
  exit 0
  ;;
esac
data=$1 nodes=${2:-4} ranks=${3:-4}
[ -d "$data" ] || die "$data: no such directory"
for count in "$nodes" "$ranks"; do
  [[ $count =~ ^[1-9][0-9]?$ ]] || die "found '$count', expected a number from 1 to 99"
done
skip() { die "this needs $1"; }
build=${BUILD:-$root/build}
options=(-patch 4 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 1e-4 -gap 1e-3 -consensus scalapack)
read -ra extra <<<"${EXTRA:-}"
phases=(read lift gram factor solve certify write)

if [ -z "${PSDNET_HEAD:-}" ]; then
  "$root/jobs/setup.sh" >&2
  BUILD=$build "$root/jobs/build.sh" psdnet psdnet_switch
fi
enter_cluster "$0" "$@"
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
export SOURCE=$root SCRATCH=$work PSDNET=$build/psdnet SWITCH=$build/tests/psdnet_switch TMPDIR=$work
compile "$root/jobs/bench/wire.c" "$work/wire.so" "$build" -shared -fPIC -ldl
start_cluster "$nodes"
hosts=$(for ((k = 1; k <= nodes; k++)); do printf 'n%d:%d,' "$k" "$ranks"; done)

# train NAME
train() {
  on_nodes "${hosts%,}" $((nodes * ranks)) -x LD_PRELOAD="$work/wire.so" -x WIRE="$work/$1.wire" "$PSDNET" train -data "$(realpath "$data")" \
    "${options[@]}" "${extra[@]}" -progress none -model "$work/model.h5" -report "$work/$1.json" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "psdnet train failed"
  }
}

# sent NAME PHASE: megabytes of the busiest node
sent() { awk -v phase="$2" '$1 == phase && $2 > most { most = $2 } END { printf "%.1f", most / 1e6 }' "$work/$1".wire.*; }

row() { # PHASE
  say "| $1 | $(number "$work/0.json" "$1") | $(number "$work/1000.json" "$1") | $(sent 0 "$1") |"
}

heading "${EXTRA:+EXTRA=\"$EXTRA\" }jobs/bench-cluster.sh $*"
say "psdnet train ${options[*]} ${EXTRA:-}, $nodes nodes of $ranks ranks"
say
train 0
delay_cluster 1000
train 1000
say "| phase | seconds | with 1 ms | MB a node sends |"
say "|---|---|---|---|"
for phase in "${phases[@]}"; do row "$phase"; done
say
say "Iterations: $(number "$work/0.json" iterations) and $(number "$work/1000.json" iterations). The objectives are" \
  "$(number "$work/0.json" objective_primal) and $(number "$work/1000.json" objective_primal)."
