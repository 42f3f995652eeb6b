#!/bin/bash
# bench-solvers.sh DATA [REPETITIONS]: planes and cars of CIFAR-10, psdnet against solvers of other people's.
#
# One program, that of the 2021 configuration with the last fifth of the images held out, by psdnet on two ranks (the
# whole job, from mpiexec to its end: reading, lifting, solving to a certified gap of 1e-4, writing) and by CVXOPT,
# CSDP, SDPA and SCS (the solve alone, on an A'A made beforehand, a thread a core). What the others find is judged by
# solvers/program.py, which makes a network of it and a bound from its residual. A solver that is not there is left out:
# Debian has all but SCS (Python's scs). Then psdnet's larger networks, which are beyond the others, as their A'A is of
# order 2,300 to 5,000 and there are 18 to 36 matrices.
#
# psdnet's seconds are medians of REPETITIONS runs (default 5), the others' of one. DATA: directory of CIFAR-10's binary
# files. A Markdown table on standard output. PICTURE=FILE.png: seconds and accuracy. BETA=1.9: weight of the
# regularisation of the first program. SOLVERS="CVXOPT CSDP SDPA SCS": the others. BUILD=DIR: where psdnet is built.
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
python=${PYTHON:-/usr/bin/python3}

"$root/jobs/setup.sh" bench ${PICTURE:+plots} >&2
BUILD=$build "$root/jobs/build.sh" psdnet
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# run_psdnet OPTIONS...: seconds of one whole job, which leaves its report
run_psdnet() {
  local begin end
  begin=$(date +%s.%N)
  "$root/jobs/launch" 2 "$build/psdnet" train -data "$data" -classes 0,1 -validation 0.2 "$@" -progress none \
    -model "$work/model.h5" -report "$work/report.json" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "psdnet train failed"
  }
  end=$(date +%s.%N)
  awk -v begin="$begin" -v end="$end" 'BEGIN { print end - begin }'
}

# add_psdnet NAME OPTIONS...: a row of the table
add_psdnet() {
  local name=$1 seconds run
  shift
  for ((run = 0; run < repetitions; run++)); do run_psdnet "$@"; done >"$work/seconds"
  seconds=$(median <"$work/seconds")
  awk -v name="$name" -v seconds="$seconds" -v iterations="$(number "$work/report.json" iterations)" \
    -v primal="$(number "$work/report.json" objective_primal)" -v dual="$(number "$work/report.json" objective_dual)" \
    -v gap="$(number "$work/report.json" gap)" -v accuracy="$(number "$work/report.json" accuracy_validation)" 'BEGIN {
      printf "%s,%.2f,%d,%.4f,%.4f,%.1e,%.2f\n", name, seconds, iterations, primal, dual, gap, 100 * accuracy }' >>"$work/table.csv"
}

present=()
for solver in ${SOLVERS:-CVXOPT CSDP SDPA SCS}; do
  case $solver in
    CSDP | SDPA) command -v "${solver,,}" >/dev/null || { warn "$solver is not there and left out" && continue; } ;;
    *) "$python" -c "import ${solver,,}" 2>/dev/null || { warn "$solver is not there and left out" && continue; } ;;
  esac
  present+=("$solver")
done

add_psdnet "psdnet" -patch 4 -stride 4 -pool 1 -beta "$beta" -gap 1e-4
for solver in "${present[@]}"; do
  # each in a process of its own, which leaves no memory to the next
  OPENBLAS_NUM_THREADS=$(nproc) OMP_NUM_THREADS=$(nproc) "$python" "$root/jobs/solvers/compare.py" "$data" 1e-4 "$beta" "$solver" |
    tail -n 1 | awk -v OFS=, '{ print $1, $3, $4, $5, $6, $7, $8 }' >>"$work/table.csv"
done
one=(-patch 6 -patch_normalize 10 -pca 30 -pool 3 -whiten 0.03 -flip -beta_rel 1e-3 -gap 1e-3 -crops 9)
add_psdnet "psdnet (defaults)" -gap 1e-3
add_psdnet "psdnet (mirror images)" "${one[@]}"
add_psdnet "psdnet (mirror images and two branches)" "${one[@]}" -branches 2 -branch2_patch 5 -branch2_reduce 2 -branch2_pool 3 \
  -branch2_pca 30 -branch2_patch_normalize 10 -branch2_whiten 0.03

heading "${BETA:+BETA=$BETA }${PICTURE:+PICTURE=$PICTURE }jobs/bench-solvers.sh $*"
say "| | seconds | iterations | objective | at least | gap | held out |"
say "|---|---|---|---|---|---|---|"
awk -F, '{ printf "| %s | %s | %s | %s | %s | %s | %s %% |\n", $1, $2, $3, $4, $5, $6, $7 }' "$work/table.csv"
if [ -n "${PICTURE:-}" ]; then
  gnuplot -e "table='$work/table.csv'; output='$PICTURE'" "$root/jobs/plots/solvers.gp"
fi
