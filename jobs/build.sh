#!/bin/bash
# build.sh [TARGET]: configures and builds psdnet in build/ (another directory: BUILD=DIR) on all cores.
#
# Says nothing unless it fails. TARGET: psdnet (the default), or all, which has the tests too. The build is for this machine
# (-march=native). PSDNET_WERROR=ON: warnings are errors.
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
quietly "$build/configure.log" cmake -S "$root" -B "$build" -DPSDNET_NATIVE=ON \
  -DPSDNET_WERROR="${PSDNET_WERROR:-OFF}" -DPSDNET_TESTS=$testing
quietly "$build/build.log" cmake --build "$build" --target "$target" -j "$(nproc)"
