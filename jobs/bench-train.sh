#!/bin/bash
# bench-train.sh DATA [REPETITIONS [RANKS...]]: the main job on the CIFAR-10 images in DATA, phase by phase.
#
# Ten classes, patches 4 x 4 at stride 1 normalised and whitened, pool 2, beta_rel 1e-4, to a certified gap of 1e-3. A
# Markdown table on standard output: medians of REPETITIONS runs (default 3) on 1 rank and on all cores, or on RANKS; and
# the speed-up over the first of them. EXTRA="-limit 2000": more options. BUILD=DIR: where psdnet is built.
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
options=(-patch 4 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 1e-4 -gap 1e-3)
columns=(read lift gram factor solve certify write total peak_memory_mb iterations gap)

"$root/jobs/setup.sh" >&2
BUILD=$build "$root/jobs/build.sh" psdnet
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# train RANKS FILE: one run, reported in FILE
train() {
  "$root/jobs/launch" "$1" "$build/psdnet" train -data "$data" "${options[@]}" "${extra[@]}" -progress none \
    -model "$work/model.h5" -report "$2" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "psdnet train failed on $1 ranks"
  }
}

# medians RANKS: the columns, one a line
medians() {
  local column file
  for column in "${columns[@]}"; do
    for file in "$work"/"$1".*.json; do number "$file" "$column"; done | median
  done
}

# row RANKS: a line of the table; speed-ups over the first number of ranks, up to the solve and in it
row() {
  medians "$1" >"$work/medians.$1"
  awk -v ranks="$1" 'FNR == 1 { file++ } { x[file, FNR] = $1 }
    END {
      printf "| %d |", ranks
      for (k = 1; k <= 8; k++) printf " %.2f |", x[2, k]
      printf " %.0f | %.0f | %.2e |", x[2, 9], x[2, 10], x[2, 11]
      for (k = 1; k <= 4; k++) { first += x[1, k]; this += x[2, k] }
      printf " %.2f | %.2f |\n", first / this, x[1, 5] / x[2, 5]
    }' "$work/medians.${ranks[0]}" "$work/medians.$1"
}

heading "${EXTRA:+EXTRA=\"$EXTRA\" }jobs/bench-train.sh $*"
say "psdnet train ${options[*]} ${EXTRA:-}"
say
say "Seconds of the slowest rank, medians of $repetitions runs. Speed-up: up to the solve (read, lift, gram, factor), and in it."
say
say "| ranks | read | lift | gram | factor | solve | certify | write | total | MB a rank | iterations | gap | up to it | solve |"
say "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
# runs on different numbers of ranks take turns, so that a machine that slows down does so for all of them
for ((run = 0; run < repetitions; run++)); do
  for r in "${ranks[@]}"; do train "$r" "$work/$r.$run.json"; done
done
for r in "${ranks[@]}"; do row "$r"; done
