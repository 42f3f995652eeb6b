#!/bin/bash
# bench-convergence.sh [DATA [OPTIONS...]]: iterations to a certified gap, for every loss and beta from 1e-1 to 1e-6 of beta_max.
#
# Without DATA: 60 synthetic images of 3 classes (scaling/images.py), -patch 3 -pool 2. With it: those images, cut as OPTIONS say.
# One rank; a Markdown table on standard output, in which > means that the gap was not reached within MAX_IT iterations (5000) or
# SECONDS_EACH (none), and what was reached stands beside it. BUILD=DIR: where psdnet is built; BASE=PROGRAM: another psdnet, whose
# iterations come first, as in "300 -> 120"; GAP (1e-4), LOSSES, BETAS: others. Iterations are counts: nothing else may disturb them.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help)
  usage
  exit 0
  ;;
esac
build=${BUILD:-$root/build}
gap=${GAP:-1e-4}
most=${MAX_IT:-5000}
read -ra losses <<<"${LOSSES:-squared logistic softmax hinge huber l1}"
read -ra betas <<<"${BETAS:-1e-1 1e-2 1e-3 1e-4 1e-5 1e-6}"

"$root/jobs/setup.sh" tests >&2 # NumPy and h5py, for images.py
BUILD=$build "$root/jobs/build.sh" psdnet
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
if [ $# = 0 ]; then
  mkdir "$work/data"
  "${PYTHON:-/usr/bin/python3}" "$root/jobs/scaling/images.py" "$work/data/train.h5" -images 60 -image 1x8x8 -classes 3
  options=(-data "$work/data" -patch 3 -pool 2)
else
  options=(-data "$1" "${@:2}")
fi

# iterations PROGRAM LOSS BETA: what a run took, or how far it came
iterations() {
  local status=0 limit=()
  rm -f "$work/report.json"
  if [ -n "${SECONDS_EACH:-}" ]; then limit=(-time_limit "$SECONDS_EACH"); fi
  "$root/jobs/launch" 1 "$1" train "${options[@]}" -loss "$2" -beta_rel "$3" -gap "$gap" -max_it "$most" "${limit[@]}" \
    -progress none -model "$work/model.h5" -report "$work/report.json" >"$work/log" 2>&1 || status=$?
  case $status in
  0) printf '%d' "$(number "$work/report.json" iterations)" ;;
  2) printf '>%d (%.0e)' "$(number "$work/report.json" iterations)" "$(number "$work/report.json" gap)" ;;
  *) printf 'failed' ;;
  esac
}

heading "${BASE:+BASE=... }${GAP:+GAP=$GAP }${MAX_IT:+MAX_IT=$MAX_IT }${SECONDS_EACH:+SECONDS_EACH=$SECONDS_EACH }jobs/bench-convergence.sh $*"
say "| loss |$(printf ' %s |' "${betas[@]}")"
say "|---|$(printf -- '---|%.0s' "${betas[@]}")"
for loss in "${losses[@]}"; do
  printf '| %s |' "\`$loss\`"
  for beta in "${betas[@]}"; do
    if [ -n "${BASE:-}" ]; then printf ' %s ->' "$(iterations "$BASE" "$loss" "$beta")"; fi
    printf ' %s |' "$(iterations "$build/psdnet" "$loss" "$beta")"
  done
  echo
done
