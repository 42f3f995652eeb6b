#!/bin/bash
# bench-lowrank.sh DATA [ROWS...]: the low-rank solver on whole CIFAR-10 images in DATA, against the rates of the same machine.
#
# Raw pixels, squared loss, on all cores. A Markdown table on standard output, a line for each of ROWS, classes:images:beta_rel;
# default: planes and cars with three betas, and ten classes with 10,000 and with all images. Passes over the samples are
# gradients + products with the Hessian. Then the rates that products of matrices have at the same time, on all cores at once.
# RANKS=N: other than all cores. EXTRA="-gap 1e-3": more options. BUILD=DIR: where psdnet is built.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:--h} in -h | --help)
  usage
  exit 0
  ;;
esac
data=$1
rows=("${@:2}")
if [ ${#rows[@]} = 0 ]; then rows=('0,1:10000:1e-1' '0,1:10000:1e-2' '0,1:10000:1e-3' 'all:10000:1e-2' 'all:50000:1e-2'); fi
[ -d "$data" ] || die "$data: no such directory"
for row in "${rows[@]}"; do
  [[ $row =~ ^(all|[0-9,]+):[1-9][0-9]*:[0-9.e-]+$ ]] || die "found '$row', expected classes:images:beta_rel"
done
build=${BUILD:-$root/build}
ranks=${RANKS:-$(nproc)}
[[ $ranks =~ ^[1-9][0-9]*$ ]] || die "RANKS: found '$ranks', expected a positive number"
read -ra extra <<<"${EXTRA:-}"

"$root/jobs/setup.sh" >&2
BUILD=$build "$root/jobs/build.sh" psdnet bench_rates
work=$(mktemp -d "$build/bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

# train CLASSES IMAGES BETA_REL: one run, with PETSc's count of flops
train() {
  local classes=()
  [ "$1" = all ] || classes=(-classes "$1")
  "$root/jobs/launch" "$ranks" "$build/psdnet" train -data "$data" -solver lowrank -patch 32 -stride 32 -pool 1 \
    "${classes[@]}" -limit "$2" -beta_rel "$3" "${extra[@]}" -progress none -model "$work/model.h5" \
    -report "$work/report.json" -log_view ":$work/view" -info "$work/info" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    die "psdnet train failed on $1:$2:$3"
  }
}

# teraflops: of all ranks together
teraflops() { awk '$1 == "Flops:" || $1 == "Flop:" { printf "%.2f", $5 / 1e12; exit }' "$work/view"; }

# passes: gradients and products with the Hessian on levels, then in spans
passes() { awk '/so far [0-9]+ gradients/ { sub(/.*so far /, ""); line = $1 "+" $4 " | " $8 "+" $10 } END { print line }' "$work/info.0"; }

# column NAME FORMAT
column() {
  printf ' '
  number "$work/report.json" "$1" | awk -v format="$2" '{ printf format, $1 }'
  printf ' |'
}

line() {
  IFS=: read -r classes images beta <<<"$1"
  train "$classes" "$images" "$beta"
  printf '| %s | %s | %s |' "$classes" "$images" "$beta"
  column gap '%.1e'
  for phase in lift solve certify total; do column "$phase" '%.1f'; done
  printf ' %s | %.0f |' "$(teraflops)" "$(awk -v t="$(teraflops)" -v s="$(number "$work/report.json" total)" 'BEGIN { print 1e3 * t / s }')"
  printf ' %s |' "$(passes)"
  column neurons '%.0f'
  column peak_memory_mb '%.0f'
  say
}

heading "${EXTRA:+EXTRA=\"$EXTRA\" }jobs/bench-lowrank.sh $*"
say "psdnet train -solver lowrank -patch 32 -stride 32 -pool 1 ${EXTRA:-} on $ranks ranks; seconds of the slowest rank."
say
say "| classes | images | beta_rel | certified gap | lift | solve | certify | total | TFlop | GFlop/s | passes on levels | passes in spans | neurons | MB a rank |"
say "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
for row in "${rows[@]}"; do line "$row"; done
say
"$root/jobs/launch" "$ranks" "$build/bench_rates"
