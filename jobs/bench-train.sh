#!/bin/bash
# bench-train.sh DATA [REPETITIONS [RANKS...]]: the main job on the CIFAR-10 images in DATA, phase by phase.
#
# Ten classes, patches 4 x 4 at stride 1 normalised and whitened, pool 2, beta_rel 1e-4, to a certified gap of 1e-3.
# Markdown tables on standard output: medians of REPETITIONS runs (default 3) on 1 rank and on all cores, or on RANKS, in
# double and in mixed precision, which take turns; the speed-up over the first number of ranks; and how much of a phase its
# operations take at the best rates of the machine, measured right before each run. EXTRA="-limit 2000": more options.
# PRECISIONS="mixed": of these. BUILD=DIR: where psdnet is built.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:--h} in -h | --help)
  usage
  exit 0
  ;;
esac
data=$1
repetitions=${2:-3}
ranks=("${@:3}")
if [ ${#ranks[@]} = 0 ]; then
  ranks=(1)
  if [ "$(nproc)" -gt 1 ]; then ranks+=("$(nproc)"); fi
fi
[ -d "$data" ] || die "$data: no such directory"
for count in "$repetitions" "${ranks[@]}"; do
  [[ $count =~ ^[1-9][0-9]*$ ]] || die "found '$count', expected a positive number"
done
build=${BUILD:-$root/build}
read -ra extra <<<"${EXTRA:-}"
read -ra precisions <<<"${PRECISIONS:-double mixed}"
options=(-patch 4 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 1e-4)
columns=(read lift gram factor solve certify write total peak_memory_mb iterations gap)

"$root/jobs/setup.sh" >&2
BUILD=$build "$root/jobs/build.sh" psdnet
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# train RANKS PRECISION NAME: one run, reported in NAME.json, and what a plan says of it at rates that it measures, in NAME.plan
train() {
  local common=(-data "$data" "${options[@]}" "${extra[@]}" -precision "$2")
  "$root/jobs/launch" "$1" "$build/psdnet" plan "${common[@]}" >"$3.plan" 2>&1 || {
    cat "$3.plan" >&2
    die "psdnet plan failed on $1 ranks"
  }
  "$root/jobs/launch" "$1" "$build/psdnet" train "${common[@]}" -gap 1e-3 -progress none -model "$work/model.h5" \
    -report "$3.json" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "psdnet train failed on $1 ranks"
  }
}

# medians KIND: the columns, one a line
medians() {
  local column file
  for column in "${columns[@]}"; do
    for file in "$work/$1".*.json; do number "$file" "$column"; done | median
  done
}

# row RANKS PRECISION: a line of the table; speed-ups over the first number of ranks, up to the solve and in it
row() {
  medians "$1.$2" >"$work/medians.$1.$2"
  awk -v ranks="$1" -v precision="$2" 'FNR == 1 { file++ } { x[file, FNR] = $1 }
    END {
      printf "| %d | %s |", ranks, precision
      for (k = 1; k <= 8; k++) printf " %.2f |", x[2, k]
      printf " %.0f | %.0f | %.2e |", x[2, 9], x[2, 10], x[2, 11]
      for (k = 1; k <= 4; k++) { first += x[1, k]; this += x[2, k] }
      printf " %.2f | %.2f |\n", first / this, x[1, 5] / x[2, 5]
    }' "$work/medians.${ranks[0]}.$2" "$work/medians.$1.$2"
}

# limits NAME RANKS: of one run the rates, and of each phase the share that its operations, or, in the solve, its passes over
# memory for as many iterations as there were, take of its seconds at these rates
limits() {
  awk -v ranks="$2" -v single="$(grep -c 'precision mixed' "$1.plan")" -v iterations="$(number "$1.json" iterations)" \
    -v lift="$(number "$1.json" lift)" -v gram="$(number "$1.json" gram)" -v factor="$(number "$1.json" factor)" \
    -v solve="$(number "$1.json" solve)" -v certify="$(number "$1.json" certify)" '
    $1 == "rates" {
      gsub(/[^0-9. ]/, " ")
      dgemm = $1; dsyrk = $2; dpotrf = $3; memory = $4; ssyrk = $7
    }
    /iterations$/ { planned = $(NF - 1) }
    $1 == "lift" || $1 == "gram" || $1 == "factor" || $1 == "certify" { gflop[$1] = $4 / ranks }
    $1 == "solve" { seconds = $2 - $3 }
    END {
      printf "%.1f %.1f %.1f %.1f %.1f ", dgemm, dsyrk, ssyrk, dpotrf, memory
      printf "%.3f %.3f %.3f ", gflop["lift"] / dgemm / lift, gflop["gram"] / (single ? ssyrk : dsyrk) / gram, gflop["factor"] / dpotrf / factor
      printf "%.3f %.3f\n", seconds * iterations / planned / solve, gflop["certify"] / dgemm / certify
    }' "$1.plan"
}

# shares RANKS PRECISION: a line of medians of these
shares() {
  local run column
  for ((run = 0; run < repetitions; run++)); do limits "$work/$1.$2.$run" "$1"; done >"$work/limits"
  printf '| %s | %s |' "$1" "$2"
  for column in 1 2 3 4 5; do printf ' %.1f |' "$(awk -v k=$column '{ print $k }' "$work/limits" | median)"; done
  for column in 6 7 8 9 10; do printf ' %.0f %% |' "$(awk -v k=$column '{ print 100 * $k }' "$work/limits" | median)"; done
  echo
}

heading "${EXTRA:+EXTRA=\"$EXTRA\" }jobs/bench-train.sh $*"
say "psdnet train ${options[*]} -gap 1e-3 ${EXTRA:-}"
say
say "Seconds of the slowest rank, medians of $repetitions runs. Speed-up: up to the solve (read, lift, gram, factor), and in it."
say
say "| ranks | precision | read | lift | gram | factor | solve | certify | write | total | MB a rank | iterations | gap | up to it | solve |"
say "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
# all kinds of runs take turns, so that a machine that slows down does so for all of them
for ((run = 0; run < repetitions; run++)); do
  for r in "${ranks[@]}"; do
    for precision in "${precisions[@]}"; do train "$r" "$precision" "$work/$r.$precision.$run"; done
  done
done
for precision in "${precisions[@]}"; do
  for r in "${ranks[@]}"; do row "$r" "$precision"; done
done
say
say "Rates of a rank right before the runs, in GFLOP/s and GB/s, and of each phase what its operations take at them: lift and"
say "certify at dgemm's, gram at dsyrk's or ssyrk's, factor at dpotrf's; and of solve what its passes over memory do."
say
say "| ranks | precision | dgemm | dsyrk | ssyrk | dpotrf | memory | lift | gram | factor | solve | certify |"
say "|---|---|---|---|---|---|---|---|---|---|---|---|"
for precision in "${precisions[@]}"; do
  for r in "${ranks[@]}"; do shares "$r" "$precision"; done
done
