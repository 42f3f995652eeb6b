#!/bin/bash
# build.sh [TARGET]: configures and builds psdnet in build/ (another directory: BUILD=DIR) on all cores.
#
# Says nothing unless it fails. TARGET: psdnet (the default), or all, which has the tests too.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help)
  usage
  exit 0
  ;;
esac
build=${BUILD:-$root/build}
target=${1:-psdnet}
testing=OFF
if pkg-config --exists cmocka; then testing=ON; fi
mkdir -p "$build"
quietly "$build/configure.log" cmake -S "$root" -B "$build" -DBUILD_TESTING=$testing
quietly "$build/build.log" cmake --build "$build" --target "$target" -j "$(nproc)"
