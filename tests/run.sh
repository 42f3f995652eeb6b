#!/bin/bash
# run.sh [CTEST OPTIONS...]: installs what is missing (Debian), builds psdnet and its tests in build/, and runs all tests.
#
# Ends with ctest's closing lines and its exit status. `tests/run.sh -R network` runs the tests whose names match. Three processors are
# given to ctest, as tests wait for disks and for each other: one of two ranks beside one of one rank.
# BUILD=DIR builds elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=jobs/lib.sh
. jobs/lib.sh
case ${1:-} in -h | --help)
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' tests/run.sh
  exit 0
  ;;
esac
build=${BUILD:-$root/build}
jobs/setup.sh formats onnx tests plots
say "building in $build"
PSDNET_WERROR=ON BUILD=$build jobs/build.sh all
cd "$build"
exec ctest -j 3 --output-on-failure "$@"
