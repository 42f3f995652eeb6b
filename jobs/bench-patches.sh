#!/bin/bash
# bench-patches.sh DATA [PATCH...]: time and memory against the size of the patch, with ADMM and with the low-rank solver.
#
# CIFAR-10's classes 0 and 1 in DATA, stride = patch, one region, beta_max/100, to a certified gap of 1e-3, on all cores. A
# Markdown table on standard output, and rows of solver, f, seconds and MB in FILE when TABLE=FILE; with PICTURE=FILE.png the
# figure of them as well, by gnuplot. PATCH: default 4 6 8 12 16 32. IMAGES=N (10000). SOLVERS="lowrank admm". RANKS=N: other
# than all cores. SECONDS_EACH=N: a run ends then (none); the figure has what came to the gap. BUILD=DIR: where psdnet is built; PSDNET=PROGRAM: one that is there.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:--h} in -h | --help)
  usage
  exit 0
  ;;
esac
data=$1
patches=("${@:2}")
if [ ${#patches[@]} = 0 ]; then patches=(4 6 8 12 16 32); fi
for patch in "${patches[@]}"; do [[ $patch =~ ^[1-9][0-9]*$ ]] || die "found '$patch', expected the size of a patch"; done
[ -e "$data" ] || die "$data: not there"
read -ra solvers <<<"${SOLVERS:-lowrank admm}"
images=${IMAGES:-10000}
ranks=${RANKS:-$(nproc)}
build=${BUILD:-$root/build}
if [ -n "${PSDNET:-}" ]; then
  psdnet=$PSDNET
  work=$(mktemp -d)
else
  "$root/jobs/setup.sh" >&2
  BUILD=$build "$root/jobs/build.sh" psdnet
  psdnet=$build/psdnet
  work=$(mktemp -d "$build/bench.XXXXXX")
fi
trap 'rm -rf "$work"' EXIT
table=${TABLE:-$work/table}
limit=()
if [ -n "${SECONDS_EACH:-}" ]; then limit=(-time_limit "$SECONDS_EACH"); fi

# line SOLVER PATCH: a run and its row; one that does not come to the gap in time has its gap said all the same
line() {
  local status=0 phase
  "$root/jobs/launch" "$ranks" "$psdnet" train -data "$data" -classes 0,1 -limit "$images" -solver "$1" -patch "$2" -stride "$2" \
    -pool 1 -beta_rel 1e-2 -gap 1e-3 "${limit[@]}" -progress none -model "$work/model.h5" -report "$work/report.json" \
    >"$work/log" 2>&1 || status=$?
  case $status in
  0 | 2) ;;
  *)
    cat "$work/log" >&2
    die "psdnet train -solver $1 -patch $2 failed"
    ;;
  esac
  printf '| %s | %d | %d | %.1e |' "$1" "$(number "$work/report.json" f)" "$(number "$work/report.json" D)" \
    "$(number "$work/report.json" gap)"
  for phase in lift gram factor solve certify total; do printf ' %.1f |' "$(number "$work/report.json" "$phase")"; done
  printf ' %d | %.0f |\n' "$(number "$work/report.json" neurons)" "$(number "$work/report.json" peak_memory_mb)"
  [ $status = 0 ] || return 0
  printf '%s %s %s %s\n' "$1" "$(number "$work/report.json" f)" "$(number "$work/report.json" total)" \
    "$(number "$work/report.json" peak_memory_mb)" >>"$table"
}

heading "${IMAGES:+IMAGES=$IMAGES }${SOLVERS:+SOLVERS=\"$SOLVERS\" }jobs/bench-patches.sh $*"
say "psdnet train -classes 0,1 -limit $images -patch P -stride P -pool 1 -beta_rel 1e-2 -gap 1e-3 on $ranks ranks."
say
say "| solver | f | D | certified gap | lift | gram | factor | solve | certify | total | neurons | MB a rank |"
say "|---|---|---|---|---|---|---|---|---|---|---|---|"
printf '# solver f seconds MB\n' >"$table"
for patch in "${patches[@]}"; do for solver in "${solvers[@]}"; do line "$solver" "$patch"; done; done
if [ -n "${PICTURE:-}" ]; then gnuplot -e "table='$table'; output='$PICTURE'" "$root/jobs/plots/patches.gp"; fi
