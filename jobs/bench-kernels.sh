#!/bin/bash
# bench-kernels.sh [REPETITIONS]: lifting and A'A against the machine's own dgemm and dsyrk, on one core and on all.
#
# 15,000 images of random pixels, 32 x 32 x 3; patches 4 x 4, stride 1, pool 2, normalised, whitened. A Markdown table on
# standard output; medians of REPETITIONS runs (default 3). BUILD=DIR: where psdnet is built.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help)
  usage
  exit 0
  ;;
esac
repetitions=${1:-3}
[[ $repetitions =~ ^[1-9][0-9]*$ ]] || die "found '$repetitions' repetitions, expected a positive number"
build=${BUILD:-$root/build}
images=15000

"$root/jobs/setup.sh" >&2
BUILD=$build "$root/jobs/build.sh" psdnet
BUILD=$build "$root/jobs/build.sh" bench_product
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
read -ra blas < <(pkg-config --libs openblas 2>/dev/null || echo -lblas)
compile "$root/jobs/bench/kernels.c" "$work/kernels" "$build" "${blas[@]}"

# write_images FILE COUNT: CIFAR-10 records, a label and 3072 pixels put together from random runs of 64
write_images() {
  LC_ALL=C awk -v count="$2" 'BEGIN {
    srand(1)
    for (r = 0; r < 512; r++)
      for (k = 0; k < 64; k++) run[r] = run[r] sprintf("%c", 1 + int(255 * rand()))
    for (i = 0; i < count; i++) {
      printf "%c", i % 10
      for (k = 0; k < 48; k++) printf "%s", run[int(512 * rand())]
    }
  }' >"$1"
}

# measure RANKS: one repetition, BLAS and psdnet in turn, as a line
#   dgemm, small dgemm, lifting (GFLOP/s), lifting/dgemm (%), dsyrk, A'A (GFLOP/s), A'A/dsyrk (%)
measure() {
  "$root/jobs/launch" "$1" "$work/kernels" >"$work/kernels.txt"
  # status 2: not converged, which one iteration never is
  "$root/jobs/launch" "$1" "$build/psdnet" train -data "$work/images" -patch 4 -stride 1 -pool 2 -patch_normalize 10 \
    -whiten 0.1 -memory 4096 -max_it 1 -progress none -model "$work/model.h5" -report "$work/report.json" \
    >"$work/log" 2>&1 || [ $? = 2 ] || {
    cat "$work/log" >&2
    die "psdnet train failed"
  }
  awk -v n=$images -v lift="$(number "$work/report.json" lift)" -v gram="$(number "$work/report.json" gram)" '
    { rate[$1 " " $2] = $3 }
    END {
      q = f = 48; G = 4; C = 10; positions = 29 * 29; D = G * (f + 1) * (f + 2) / 2
      lifting = n * (positions * q * (q + 2) + G * (2 * q * q * f + q * f * f)) / lift / 1e9
      gramian = n * D * (D + 2 * C) / gram / 1e9
      dgemm = rate["dgemm 1024x1024x1024"]; dsyrk = rate["dsyrk 4900x1024"]
      print dgemm, rate["dgemm 48x48x256"], lifting, 100 * lifting / dgemm, dsyrk, gramian, 100 * gramian / dsyrk
    }' "$work/kernels.txt"
}

# row RANKS: medians of all columns
row() {
  local run column
  for ((run = 0; run < repetitions; run++)); do measure "$1"; done >"$work/rates.txt"
  printf '| %d' "$1"
  for column in 1 2 3 4 5 6 7; do
    printf ' | %.1f' "$(awk -v k=$column '{ print $k }' "$work/rates.txt" | median)"
  done
  say " |"
}

mkdir "$work/images"
for k in 1 2 3 4 5; do write_images "$work/images/data_batch_$k.bin" $((images / 5)); done
heading jobs/bench-kernels.sh "$repetitions"
say "GFLOP/s of all ranks together; medians of $repetitions repetitions. dgemm: order 1024; small: 48 x 48 x 256;"
say "dsyrk: order 4900 from 1024 rows. Lifting: 40 % of dgemm is wanted; A'A: 75 % of dsyrk."
say
say "| ranks | dgemm | small dgemm | lifting | % of dgemm | dsyrk | A'A | % of dsyrk |"
say "|---|---|---|---|---|---|---|---|"
row 1
if [ "$(nproc)" -gt 1 ]; then row "$(nproc)"; fi
say
say "Patches of a region with themselves, on one rank: psdnet's product against dsyrk, microseconds."
say
say "| q | patches | psdnet | dsyrk | ratio |"
say "|---|---|---|---|---|"
"$root/jobs/launch" 1 "$build/bench_product"
