#!/bin/bash
# bench-cone.sh DATA [PATCH...]: a sweep over patch sizes, and the projection against LAPACK's own on the same blocks.
#
# DATA: CIFAR-10 (data_batch_*.bin), of which classes 0 and 1 are used; raw pixels, stride = patch, G = 1, gap 1e-3. Patches: 4 6 8
# 12 16 32 unless others are given. Two ranks. Then, at patch 12, the solvers of partial projections. A Markdown table on standard
# output. At every check LAPACK's dsyevd and dsyevr (range of positive eigenvalues) project the same blocks once more; their totals
# are the mean of those times the number of projections. BUILD=DIR: where psdnet is built; LIMIT32=N: images at patch 32 (2000).
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help | "")
  usage
  exit 0
  ;;
esac
data=$1
shift
patches=("$@")
if [ ${#patches[@]} = 0 ]; then patches=(4 6 8 12 16 32); fi
build=${BUILD:-$root/build}
limit32=${LIMIT32:-2000}

"$root/jobs/setup.sh" >&2
BUILD=$build "$root/jobs/build.sh" bench_cone
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# run PATCH OPTIONS...: one line of the table
run() {
  local patch=$1 beta=1e-2 more=()
  shift
  # whole images as patches: slower to converge, and 2,000 of them to keep the time down
  if [ "$patch" -ge 32 ]; then beta=1e-1 more=(-limit "$limit32"); fi
  "$root/jobs/launch" 2 "$build/bench_cone" -data "$data" -classes 0,1 -patch "$patch" -stride "$patch" -beta_rel $beta -gap 1e-3 \
    -max_it 1000 -progress none "${more[@]}" "$@"
}

echo "| f | D | consensus | cone | iterations | gap | lift + gram s | factor s | solve s | projection s | dsyevd s | dsyevr s | better of them/projection | MB a rank | certify s | rank |"
echo "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
for patch in "${patches[@]}"; do run "$patch"; done
echo
echo "Solvers of partial projections (-cone_partial block, krylovschur, gd, lobpcg, jd), patch 12, 2,000 images:"
echo
echo "| f | D | consensus | cone | iterations | gap | lift + gram s | factor s | solve s | projection s | dsyevd s | dsyevr s | better of them/projection | MB a rank | certify s | rank |"
echo "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
for partial in block krylovschur gd lobpcg jd; do
  run 12 -limit 2000 -cone partial -cone_partial $partial
done
