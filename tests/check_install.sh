#!/bin/bash
# What is installed is enough for another program, wherever it was moved to: the examples of tests/examples are built by find_package, by
# pkg-config and with psdnet as a part of its own project, and do the same on one and two ranks; C++ reads the headers; the command runs.
set -o pipefail
. "$SOURCE/tests/check.sh"
command -v pkg-config mpicc mpicxx cmake >/dev/null || skip "pkg-config, mpicc, mpicxx and cmake"
scratch
build=$(dirname "$PSDNET") prefix=$SCRATCH/moved
nm -D --undefined-only "$build/libpsdnet.so" | grep -q '__asan_\|__ubsan_' && skip "a library without sanitizers"

# loudly_if_it_fails NAME COMMAND...
loudly_if_it_fails() {
  local name=$1
  shift
  "$@" >"$name.log" 2>&1 || fail "$name: $*" "$name.log"
}

# train NAME PROGRAM RANKS: the example certifies the gap asked for and saves, loads and applies its network
train() {
  printed=$("$LAUNCH" "$3" "$2" -gap 1e-5 2>&1) || fail "$1 on $3 ranks: $printed"
  [[ $printed =~ gap\ ([0-9.]*e-[0-9]*).*accuracy\ ([0-9.]*)% ]] || fail "$1 on $3 ranks printed '$printed'"
  awk -v gap="${BASH_REMATCH[1]}" -v accuracy="${BASH_REMATCH[2]}" 'BEGIN { exit !(gap <= 1e-5 && accuracy >= 95) }' ||
    fail "$1 on $3 ranks: a gap of 1e-5 and 95 % expected, found '$printed'"
  [ -s stripes.h5 ] || fail "$1 on $3 ranks: no stripes.h5"
  rm stripes.h5
}

# project PROGRAM RANKS: the nearest semidefinite matrix of a matrix of distances, which has one positive eigenvalue, by either method
project() {
  local method printed
  for method in complete partial; do
    printed=$("$LAUNCH" "$2" "$1" -order 200 -projection $method 2>&1) || fail "$1 on $2 ranks: $printed"
    [[ $printed =~ :\ 1\ positive.*'<Z, X - Z> is '([0-9.e+-]*)' of' ]] || fail "$1 on $2 ranks, $method, printed '$printed'"
    awk -v product="${BASH_REMATCH[1]}" 'BEGIN { exit !(product <= 1e-9) }' || fail "$1 on $2 ranks, $method: not the nearest matrix: '$printed'"
  done
}

loudly_if_it_fails install cmake --install "$build" --prefix "$SCRATCH/prefix"
mv "$SCRATCH/prefix" "$prefix"

loudly_if_it_fails find_package cmake -S "$SOURCE/tests/examples" -B installed -DCMAKE_PREFIX_PATH="$prefix"
grep -q "^psdnet_DIR:PATH=$prefix/" installed/CMakeCache.txt || fail "find_package took another psdnet" installed/CMakeCache.txt
loudly_if_it_fails build_installed cmake --build installed
train find_package installed/train_arrays 1
train find_package installed/train_arrays 2
project installed/project 1
project installed/project 2

if /usr/bin/python3 -c "import h5py, numpy" 2>/dev/null; then
  module=$(find "$prefix" -path '*/psdnet/network.py')
  PYTHONPATH=${module%/psdnet/network.py} /usr/bin/python3 -c 'import psdnet; psdnet.load, psdnet.Classifier' || fail "the Python module is not installed"
fi

pc=$(find "$prefix" -name psdnet.pc)
export PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
read -ra flags < <(pkg-config --cflags --libs psdnet)
library=$(pkg-config --variable=libdir psdnet)
loudly_if_it_fails pkg_config mpicc -std=c11 -Wall -Wextra -Werror "$SOURCE/tests/examples/train_arrays.c" -o by_pkg_config \
  "${flags[@]}" "-Wl,-rpath,$library"
train pkg_config ./by_pkg_config 1
train pkg_config ./by_pkg_config 2

cat >program.cc <<'PROGRAM'
#include <psdnet.h>
#include <cstring>

int main(int argc, char **argv)
{
  PsdNetwork network;
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  if (PsdNetworkLoad(PETSC_COMM_WORLD, "absent.h5", &network) != PSD_ERR_INPUT) return 2;
  if (!std::strstr(PsdErrorMessage(), "absent.h5")) return 3;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "psdnet %s\n", PSD_VERSION));
  return PsdFinalize();
}
PROGRAM
loudly_if_it_fails cplusplus mpicxx -Wall -Wextra -Werror program.cc -o program "${flags[@]}" "-Wl,-rpath,$library"
version=$(pkg-config --modversion psdnet)
printed=$("$LAUNCH" 2 ./program)
[ "$printed" = "psdnet $version" ] || fail "the program in C++ printed '$printed', expected 'psdnet $version'"
printed=$(env -u LD_LIBRARY_PATH "$prefix/bin/psdnet" -version)
[[ $printed = *"$version"* ]] || fail "the installed psdnet -version printed '$printed', expected $version in it"

# psdnet as a part of another project: neither its tests nor its warnings become that project's
loudly_if_it_fails part cmake -S "$SOURCE/tests/examples" -B part -DCMAKE_DISABLE_FIND_PACKAGE_psdnet=ON -DCMAKE_BUILD_TYPE=Debug
grep -q '^PSDNET_TESTS:BOOL=OFF$' part/CMakeCache.txt || fail "the tests are not off in another project" part/CMakeCache.txt
loudly_if_it_fails build_part cmake --build part --target train_arrays -j 2
train part part/train_arrays 2
