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

# measure PROGRAM RANKS: the example of real numbers is certified, and its network tells both numbers of new images
measure() {
  printed=$("$LAUNCH" "$2" "$1" -gap 1e-4 2>&1) || fail "$1 on $2 ranks: $printed"
  [[ $printed =~ gap\ ([0-9.]*e-[0-9]*).*place\ in\ mm:.*R2\ ([0-9.]*).*width\ in\ mm:.*R2\ ([0-9.]*) ]] || fail "$1 on $2 ranks printed '$printed'"
  awk -v gap="${BASH_REMATCH[1]}" -v place="${BASH_REMATCH[2]}" -v width="${BASH_REMATCH[3]}" 'BEGIN { exit !(gap <= 1e-4 && place >= 0.95 && width >= 0.85) }' ||
    fail "$1 on $2 ranks: a gap of 1e-4, R2 of 0.95 and 0.85 expected, found '$printed'"
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
measure installed/train_measurements 2
project installed/project 1
project installed/project 2

if /usr/bin/python3 -c "import h5py, numpy" 2>/dev/null; then
  module=$(find "$prefix" -path '*/psdnet/network.py')
  PYTHONPATH=${module%/psdnet/network.py} /usr/bin/python3 -c 'import psdnet; psdnet.load, psdnet.Classifier' || fail "the Python module is not installed"
  # the command finds its module where it was moved to
  printed=$(env -u PYTHONPATH PYTHON=/usr/bin/python3 "$prefix/bin/psdnet" report "$prefix/share/psdnet/jobs/README.md" -output page.html 2>&1) || true
  [[ $printed = *"found no model"* ]] || fail "the installed command did not find its Python module: '$printed'"
fi

for file in share/doc/psdnet/LICENSE share/doc/psdnet/docs/guide.md share/psdnet/jobs/train.sbatch share/man/man1/psdnet.1; do
  [ -s "$prefix/$file" ] || fail "$file is not installed" install.log
done
for script in "$prefix"/share/psdnet/jobs/*.sbatch; do
  status=0
  printed=$(env -u SLURM_JOB_ID bash "$script" 2>&1) || status=$?
  [[ $status = 1 && $printed != *$'\n'* && $printed = *"sbatch $script"* ]] || fail "$script outside of Slurm: $status, '$printed'"
done

# the page of a subcommand has every option of its help, and completion knows subcommands, options and words
for name in train plan; do
  "$PSDNET" $name -help | sed -n 's/^  \(-[a-z0-9_]*\).*/\1/p' >options
  [ "$(wc -l <options)" -gt 20 ] || fail "psdnet $name -help lists few options" options
  sed 's/\\-/-/g' "$prefix/share/man/man1/psdnet-$name.1" | sed -n 's/^\.BR \(-[a-z0-9_]*\) .*/\1/p' | diff options - || fail "psdnet-$name.1 has other options"
done
complete_words() { # WORDS...: what completes the last of them
  bash -c '. "$1" && COMP_WORDS=("${@:2}") && COMP_CWORD=$(($# - 2)) && _psdnet && echo "${COMPREPLY[*]}"' sh "$prefix/share/bash-completion/completions/psdnet" "$@"
}
[ "$(complete_words psdnet pre)" = predict ] || fail "completion of pre: $(complete_words psdnet pre)"
[ "$(complete_words psdnet evaluate -spl)" = -split ] || fail "completion of -spl: $(complete_words psdnet evaluate -spl)"
[ "$(complete_words psdnet train -split te)" = test ] || fail "completion of te: $(complete_words psdnet train -split te)"
[ "$(complete_words psdnet train -data so)" = "" ] || fail "files are not left to bash: $(complete_words psdnet train -data so)"

# loading the module is enough for the command, the library and Python
lmod=/usr/share/lmod/lmod/init/bash
if [ -e $lmod ]; then
  printed=$(env -u PYTHONPATH -u PKG_CONFIG_PATH bash -c ". $lmod && module use $prefix/share/modulefiles && module load psdnet &&
    command -v psdnet && pkg-config --modversion psdnet && echo \$PSDNET_ROOT \$PYTHONPATH && module unload psdnet && command -v psdnet" 2>&1) || true
  version=$("$PSDNET" -version) module=$(find "$prefix" -path '*/psdnet/network.py')
  expected=$(printf '%s\n' "$prefix/bin/psdnet" "${version#psdnet }" "$prefix ${module%/psdnet/network.py}")
  [ "$printed" = "$expected" ] || fail "the module gave '$printed', expected '$expected'"
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
loudly_if_it_fails part cmake -S "$SOURCE/tests/examples" -B part -DCMAKE_DISABLE_FIND_PACKAGE_psdnet=ON -DCMAKE_BUILD_TYPE=Debug \
  -DPSDNET_SHARED=OFF
grep -q '^PSDNET_TESTS:BOOL=OFF$' part/CMakeCache.txt || fail "the tests are not off in another project" part/CMakeCache.txt
loudly_if_it_fails build_part cmake --build part -j 2
ldd part/train_arrays | grep -q libpsdnet && fail "train_arrays is linked to a shared libpsdnet"
train part part/train_arrays 2
loudly_if_it_fails install_static cmake --install part --prefix "$SCRATCH/static"
loudly_if_it_fails find_static cmake -S "$SOURCE/tests/examples" -B linked -DCMAKE_PREFIX_PATH="$SCRATCH/static"
loudly_if_it_fails build_linked cmake --build linked --target train_arrays
ldd linked/train_arrays | grep -q libpsdnet && fail "train_arrays is linked to a shared libpsdnet"
train static linked/train_arrays 1
read -ra flags < <(PKG_CONFIG_PATH=$(dirname "$(find "$SCRATCH/static" -name psdnet.pc)"):$PKG_CONFIG_PATH pkg-config --static --cflags --libs psdnet)
loudly_if_it_fails static_by_pkg_config mpicc "$SOURCE/tests/examples/train_arrays.c" -o static_by_pkg_config "${flags[@]}"
train static_by_pkg_config ./static_by_pkg_config 1
