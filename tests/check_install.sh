#!/bin/bash
# Installed files are enough for another program: psdnet.pc finds headers and library, on two ranks; the command runs.
set -o pipefail
. "$SOURCE/tests/check.sh"
command -v pkg-config mpicc cmake >/dev/null || skip "pkg-config, mpicc and cmake"
scratch
prefix=$SCRATCH/prefix
cmake --install "$(dirname "$PSDNET")" --prefix "$prefix" >install.log 2>&1 || fail "cmake --install: exit status $?" install.log

cat >program.c <<'END'
#include <psdnet.h>
#include <string.h>

int main(int argc, char **argv)
{
  PsdNetwork network;
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  if (PsdNetworkLoad(PETSC_COMM_WORLD, "absent.h5", &network) != PSD_ERR_INPUT) return 2;
  if (!strstr(PsdErrorMessage(), "absent.h5")) return 3;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "psdnet %s\n", PSD_VERSION));
  return PsdFinalize();
}
END
pc=$(find "$prefix" -name psdnet.pc)
export PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
read -ra flags < <(pkg-config --cflags --libs psdnet)
library=$(pkg-config --variable=libdir psdnet)
mpicc -std=c11 -Wall -Wextra -Werror program.c -o program "${flags[@]}" "-Wl,-rpath,$library"

version=$(pkg-config --modversion psdnet)
printed=$("$LAUNCH" 2 ./program)
[ "$printed" = "psdnet $version" ] || fail "the program printed '$printed', expected 'psdnet $version'"
printed=$(env -u LD_LIBRARY_PATH "$prefix/bin/psdnet" -version)
[[ $printed = *"$version"* ]] || fail "the installed psdnet -version printed '$printed', expected $version in it"
