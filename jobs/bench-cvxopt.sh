#!/bin/bash
# bench-cvxopt.sh DATA [REPETITIONS]: the 2021 configuration, psdnet's whole job against an interior-point solve alone.
#
# psdnet train on two ranks, from mpiexec to its end (reading, lifting, solving to a certified gap of 1e-4, writing): the
# median of REPETITIONS runs (default 5). CVXOPT: one solve on a Gram matrix made beforehand, with a thread a core. DATA:
# directory of CIFAR-10's binary files. Needs python3-numpy and python3-cvxopt. A Markdown table on standard output.
# BETA=1.9: weight of the regularisation. BUILD=DIR: where psdnet is built.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:--h} in -h | --help)
  usage
  exit 0
  ;;
esac
data=$1
repetitions=${2:-5}
[ -d "$data" ] || die "$data: no such directory"
[[ $repetitions =~ ^[1-9][0-9]*$ ]] || die "found '$repetitions' repetitions, expected a positive number"
beta=${BETA:-1.9}
build=${BUILD:-$root/build}

"$root/jobs/setup.sh" bench >&2
BUILD=$build "$root/jobs/build.sh" psdnet
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# run_psdnet: seconds of one whole job, which leaves its report
run_psdnet() {
  local begin end
  begin=$(date +%s.%N)
  "$root/jobs/launch" 2 "$build/psdnet" train -data "$data" -classes 0,1 -patch 4 -stride 4 -pool 1 -beta "$beta" \
    -gap 1e-4 -progress none -model "$work/model.h5" -report "$work/report.json" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "psdnet train failed"
  }
  end=$(date +%s.%N)
  awk -v begin="$begin" -v end="$end" 'BEGIN { print end - begin }'
}

for ((run = 0; run < repetitions; run++)); do run_psdnet; done >"$work/seconds"
psdnet_seconds=$(median <"$work/seconds")
OPENBLAS_NUM_THREADS=$(nproc) "${PYTHON:-/usr/bin/python3}" "$root/jobs/bench-cvxopt.py" "$data" "$beta" >"$work/cvxopt"
read -r optimum bound iterations cvxopt_seconds <"$work/cvxopt"

heading "${BETA:+BETA=$BETA }jobs/bench-cvxopt.sh $*"
say "| | objective | at least | iterations | seconds |"
say "|---|---|---|---|---|"
awk -v primal="$(number "$work/report.json" objective_primal)" -v dual="$(number "$work/report.json" objective_dual)" \
  -v iterations="$(number "$work/report.json" iterations)" -v seconds="$psdnet_seconds" 'BEGIN {
    printf "| psdnet, 2 ranks, whole job | %.4f | %.4f | %d | %.2f |\n", primal, dual, iterations, seconds }'
awk -v optimum="$optimum" -v bound="$bound" -v iterations="$iterations" -v seconds="$cvxopt_seconds" -v cores="$(nproc)" 'BEGIN {
    printf "| CVXOPT, %d threads, solve alone | %.4f | %.4f | %d | %.2f |\n", cores, optimum, bound, iterations, seconds }'
say
say "CVXOPT's solve took $(awk -v a="$cvxopt_seconds" -v b="$psdnet_seconds" 'BEGIN { printf "%.1f", a / b }') times as long."
