#!/bin/bash
# run.sh [HOURS | -seconds S] [TARGET...]: fuzzes every reader, or the targets named, with clang's libFuzzer.
#
# Each target (target_NAME.c) gets the same part of HOURS (1), or S seconds, JOBS of them at a time (JOBS=N: all cores). What is
# found is in build-fuzz/findings/NAME (BUILD=DIR: another directory): copy it to regressions/NAME once the reader is mended, and the
# tests replay it from then on. Inputs that reached something new stay in build-fuzz/corpus/NAME for the next run. Ends with a
# table, and with status 1 when anything was found. Without clang and its libFuzzer it says so and ends with status 77.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=../../jobs/lib.sh
. jobs/lib.sh
build=${BUILD:-$root/build-fuzz} jobs=${JOBS:-$(nproc)} hours=1 seconds=''
case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  -seconds)
    seconds=${2:?"-seconds needs a number"}
    shift 2
    ;;
  [0-9]*)
    hours=$1
    shift
    ;;
esac
read -ra targets < <(sed -n 's/^set(PSDNET_FUZZ_TARGETS \(.*\))/\1/p' tests/fuzz/CMakeLists.txt)
if [ $# -gt 0 ]; then targets=("$@"); fi

compiler=''
for name in ${CLANG:-clang-14 clang}; do
  if command -v "$name" >/dev/null && [ -e "$("$name" -print-file-name=libclang_rt.fuzzer-"$(uname -m)".a)" ]; then
    compiler=$name
    break
  fi
done
if [ -z "$compiler" ]; then
  warn "skipped: no clang with libFuzzer (jobs/setup.sh checks)"
  exit 77
fi

# An offset of zero from NULL is undefined to clang alone; no access follows.
flags="-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=pointer-overflow"
mkdir -p "$build"
quietly "$build/configure.log" cmake -S . -B "$build" -DPSDNET_FUZZ=ON -DPSDNET_TESTS=OFF -DCMAKE_C_COMPILER="$compiler" \
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="$flags -fno-sanitize-recover=undefined"
quietly "$build/build.log" cmake --build "$build" -j "$(nproc)" --target "${targets[@]/#/fuzz_}"
/usr/bin/python3 -B tests/fuzz/make_seeds.py "$build/seeds"

if [ -z "$seconds" ]; then
  seconds=$(awk -v hours="$hours" -v jobs="$jobs" -v targets=${#targets[@]} 'BEGIN { print int(hours * 3600 * jobs / targets) }')
fi
PATH=$PATH:$(dirname "$(readlink -f "$(command -v "$compiler")")") # where llvm-symbolizer may be
scratch=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" psdnet_fuzz_run_XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch OPENBLAS_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader OMPI_MCA_ess_singleton_isolated=1
# a crash is AddressSanitizer's to report, not psdnet's
export ASAN_OPTIONS=handle_segv=2:handle_abort=2:allocator_may_return_null=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
# HDF5 does not free all that it has allocated for a file that it then refuses; target_hdf5.c counts what psdnet leaves open
{ cat .ci/lsan.supp && echo leak:libhdf5; } >"$build/lsan.supp"
export LSAN_OPTIONS=suppressions=$build/lsan.supp:print_suppressions=0

# fuzz TARGET: its log is TARGET.log
# shellcheck disable=SC2317 # xargs calls it
fuzz() {
  local target=$1 directory=$build
  mkdir -p "$directory/corpus/$target" "$directory/findings/$target"
  rm -f "$directory/findings/$target"/*
  # -malloc_limit_mb: inputs are of kilobytes; but work space for large images is reserved, and not touched before there is one.
  # -close_fd_mask: readers print.
  local most=256
  case $target in options | model | certificate) most=90000 ;; esac
  "$directory/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb="$most" \
    -close_fd_mask=1 -print_final_stats=1 -dict="$directory/seeds/options.dict" -artifact_prefix="$directory/findings/$target/" \
    "$directory/corpus/$target" "$directory/seeds/$target" "$root/tests/fuzz/regressions/$target" >"$directory/$target.log" 2>&1 </dev/null
}
export -f fuzz
export build root seconds

status=0
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I TARGET bash -c 'fuzz TARGET || true'
printf '%-14s %12s %8s %9s\n' target executions corpus findings
for target in "${targets[@]}"; do
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log" | tail -n 1)
  findings=$(find "$build/findings/$target" -type f ! -name 'slow-unit*' | wc -l)
  # one that ends without its statistics has not begun
  if [ -z "$executions" ] && [ "$findings" = 0 ]; then findings=1; fi
  printf '%-14s %12s %8s %9s\n' "$target" "${executions:-0}" "$(find "$build/corpus/$target" -type f | wc -l)" "$findings"
  if [ "$findings" != 0 ]; then
    status=1
    grep -m 1 -A 12 -E 'ERROR: |runtime error|^fuzz: ' "$build/$target.log" || tail -n 20 "$build/$target.log"
  fi
done
exit $status
