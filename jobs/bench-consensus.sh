#!/bin/bash
# bench-consensus.sh DATA: the consensus kernels, set-up and iterations, measured and as psdnet plan foresees them.
#
# DATA: CIFAR-10 (data_batch_*.bin), classes 0 and 1, raw pixels, 50 iterations. A Markdown table on standard output: seconds and
# rates a rank of forming the matrix (A'A or A A') and of factorising it, seconds an iteration, peak memory of the largest rank;
# planned values in brackets. Rates of dgemm, dsyrk and dpotrf are those plan measured on as many ranks. BUILD=DIR: where psdnet is
# built.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help | "")
  usage
  exit 0
  ;;
esac
data=$1
build=${BUILD:-$root/build}
iterations=50

"$root/jobs/setup.sh" >&2
BUILD=$build "$root/jobs/build.sh" psdnet
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# field FILE NAME PHASE: seconds or flops of a phase
field() { sed -n "s/.*\"$2\": {.*\"$3\": \([-+0-9.eE]*\).*/\1/p" "$1"; }

# run RANKS CONSENSUS IMAGES OPTIONS...: one line of the table
run() {
  local ranks=$1 consensus=$2 images=$3 planned=$work/plan.json found=$work/run.json
  shift 3
  "$root/jobs/launch" "$ranks" "$build/psdnet" plan -images "$images" -image 3x32x32 -class_count 2 -consensus "$consensus" \
    -iterations $iterations "$@" -report "$planned" >"$work/plan.txt"
  # status 2: the gap is not to be reached
  "$root/jobs/launch" "$ranks" "$build/psdnet" train -data "$data" -classes 0,1 -limit "$images" -consensus "$consensus" -gap 1e-15 \
    -max_it $iterations "$@" -progress none -model "$work/model.h5" -report "$found" >"$work/log" 2>&1 || [ $? = 2 ] || {
    cat "$work/log" >&2
    die "psdnet train failed"
  }
  sed -n 's/^rates *//p' "$work/plan.txt" >>"$work/rates"
  awk -v ranks="$ranks" -v consensus="$consensus" -v n="$images" -v D="$(number "$found" D)" \
    -v gram="$(field "$found" seconds gram)" -v gram_planned="$(field "$planned" seconds gram)" \
    -v gram_flops="$(field "$planned" flops gram)" -v factor="$(field "$found" seconds factor)" \
    -v factor_planned="$(field "$planned" seconds factor)" -v factor_flops="$(field "$planned" flops factor)" \
    -v solve="$(field "$found" seconds solve)" -v solve_planned="$(field "$planned" seconds solve)" \
    -v total="$(field "$found" seconds total)" -v total_planned="$(field "$planned" seconds total)" \
    -v memory="$(number "$found" peak_memory_mb)" -v memory_planned="$(number "$planned" peak_memory_mb)" \
    -v its=$iterations 'BEGIN {
      printf "| %d | %s | %d | %d | %.2f (%.2f) | %.1f | %.2f (%.2f) | %.1f | %.2f (%.2f) | %.1f (%.1f) | %.0f (%.0f) |\n",
        ranks, consensus, D, n, gram, gram_planned, gram_flops / gram / ranks / 1e9, factor, factor_planned,
        factor_flops / factor / ranks / 1e9, solve, solve_planned, total, total_planned, memory * 1.048576, memory_planned }'
}

heading "jobs/bench-consensus.sh $data"
echo "| ranks | consensus | D | n | gram s | GF/s a rank | factor s | GF/s a rank | 50 iterations s | total s | MB, largest rank |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
for ranks in 1 2; do
  run $ranks root 10000 -patch 4 -stride 1 -pool 2 -beta_rel 1e-3
  run $ranks scalapack 10000 -patch 4 -stride 1 -pool 2 -beta_rel 1e-3
  run $ranks root 5000 -patch 6 -stride 6 -beta_rel 1e-2
  run $ranks scalapack 5000 -patch 6 -stride 6 -beta_rel 1e-2
  run $ranks dual 5000 -patch 6 -stride 6 -beta_rel 1e-2
  run $ranks dual 5000 -patch 12 -stride 12 -beta_rel 1e-2
  run $ranks dual 5000 -patch 16 -stride 16 -beta_rel 1e-2
done
echo
echo "Rates, run by run:"
echo
sed 's/^/    /' "$work/rates"
