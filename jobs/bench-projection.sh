#!/bin/bash
# bench-projection.sh [ORDER [POSITIVE]]: the projection of one matrix over all ranks, partial and complete, on one core and on all.
#
# A matrix of ORDER (4000) with POSITIVE (a fiftieth of it) eigenvalues around 1 and a semicircle of others below zero. A Markdown table
# on standard output. BUILD=DIR: where psdnet is built; RANKS="1 2": numbers of ranks.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help)
  usage
  exit 0
  ;;
esac
order=${1:-4000}
[[ $order =~ ^[1-9][0-9]*$ ]] || die "found '$order' as order, expected a positive number"
positive=${2:-$(((order + 49) / 50))}
build=${BUILD:-$root/build}

"$root/jobs/setup.sh" >&2
BUILD=$build "$root/jobs/build.sh" bench_projection
echo "| order | ranks | method | seconds | products | found | residual | missed | MB a rank |"
echo "|---|---|---|---|---|---|---|---|---|"
for ranks in ${RANKS:-1 $(nproc)}; do
  "$root/jobs/launch" "$ranks" "$build/bench_projection" -order "$order" -positive "$positive"
done
