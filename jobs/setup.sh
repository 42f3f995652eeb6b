#!/bin/bash
# setup.sh [formats] [onnx] [tests] [checks] [plots] [fashion] [baseline] [bench] [slurm] [simulation]: what psdnet needs to be built and run,
# and what extras need.
#
#   formats  libzip, libpng and libjpeg, to read .npz, PNG and JPEG
#   onnx     ONNX for Python, to export networks
#   tests    cmocka, NumPy, SciPy, h5py, gmpy2, mpmath and ip of iproute2
#   checks   clang-format, clang-tidy, shellcheck, and clang with libFuzzer, for .ci/
#   plots    gnuplot
#   fashion  the Fashion-MNIST images
#   baseline PyTorch, NumPy and h5py, for the programs of baselines/
#   bench    CVXOPT, CSDP, SDPA and NumPy, for bench-solvers.sh
#   simulation  SimGrid, for scaling/replay.py
#   slurm    Slurm's daemons and commands, for tests/slurm/cluster.sh; no service is started
#
# On Debian and its like, what is missing is installed (as root, or with sudo when that asks for no password). Elsewhere,
# on a cluster, the script says what is missing and ends with status 1: load modules, or set PKG_CONFIG_PATH and PATH.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
python=${PYTHON:-/usr/bin/python3}

# One line a need: package | how it is recognised | words, any of which will do
needs_build='
build-essential          | program | cc
build-essential          | program | make
cmake                    | program | cmake
pkg-config               | program | pkg-config
libopenmpi-dev           | program | mpicc
openmpi-bin              | program | mpiexec srun
libpetsc-real-dev        | module  | PETSc petsc
libslepc-real-dev        | module  | SLEPc slepc
libscalapack-openmpi-dev | module  | scalapack-openmpi scalapack-mpich scalapack
libopenblas-dev          | module  | openblas flexiblas mkl-dynamic-lp64-seq blis
libhdf5-openmpi-dev      | module  | hdf5-openmpi hdf5-mpich hdf5
zlib1g-dev               | module  | zlib'
needs_formats='
libzip-dev               | module  | libzip
libpng-dev               | module  | libpng
libjpeg62-turbo-dev      | module  | libjpeg'
needs_onnx='
python3-numpy            | python  | numpy
python3-h5py             | python  | h5py
python3-onnx             | python  | onnx'
needs_tests='
libcmocka-dev            | module  | cmocka
python3-numpy            | python  | numpy
python3-scipy            | python  | scipy
python3-h5py             | python  | h5py
python3-cvxopt           | python  | cvxopt
python3-gmpy2            | python  | gmpy2
python3-mpmath           | python  | mpmath
python3-sklearn          | python  | sklearn
iproute2                 | program | ip'
needs_checks='
clang-format             | program | clang-format
clang-tidy               | program | clang-tidy
shellcheck               | program | shellcheck
clang-14                 | program | clang-14 clang
libfuzzer-14-dev         | fuzzer  | clang-14 clang'
needs_plots='
gnuplot-nox              | program | gnuplot'
needs_fashion='
dataset-fashion-mnist    | file    | /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz'
needs_baseline='
python3-torch            | python  | torch
python3-numpy            | python  | numpy
python3-h5py             | python  | h5py'
needs_bench='
python3-cvxopt           | python  | cvxopt
coinor-csdp              | program | csdp
sdpa                     | program | sdpa
python3-numpy            | python  | numpy'
needs_simulation='
libsimgrid-dev           | program | smpirun'
needs_slurm='
munge                    | program | munged
slurmctld                | program | slurmctld
slurmd                   | program | slurmd
slurm-client             | program | sbatch'

# daemons are where an ordinary user does not look
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

is_there() { # KIND WORD
  case $1 in
    program) command -v "$2" >/dev/null ;;
    module) pkg-config --exists "$2" 2>/dev/null ;;
    python) "$python" -c "import $2" 2>/dev/null ;;
    file) [ -e "$2" ] ;;
    fuzzer) [ -e "$("$2" -print-file-name=libclang_rt.fuzzer-"$(uname -m)".a 2>/dev/null)" ] ;;
  esac
}

# find_missing: needs on standard input; fills packages and names with those that are not met
find_missing() {
  packages=() names=()
  local package kind words word met alternatives
  while IFS='|' read -r package kind words; do
    if [ -z "$package" ]; then continue; fi
    package=${package// /} kind=${kind// /} met=no
    read -ra alternatives <<<"$words"
    for word in "${alternatives[@]}"; do
      if is_there "$kind" "$word"; then met=yes; fi
    done
    if [ $met = no ]; then
      packages+=("$package")
      words=${alternatives[*]}
      names+=("$kind ${words// / or }")
    fi
  done
}

# Debian starts a service when it is installed unless this says no. One that is there already is left alone.
policy=/usr/sbin/policy-rc.d

forbid_services() {
  if [ -e $policy ]; then return; fi
  trap allow_services EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
  "${as_root[@]}" chmod 755 $policy
}

allow_services() { "${as_root[@]}" rm -f $policy; }

install() { # PACKAGE...
  local log apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
  log=$(mktemp)
  say "installing $*"
  quietly "$log" "${apt[@]}" update || die "apt-get update failed"
  quietly "$log" "${apt[@]}" install -y --no-install-recommends "$@" || die "cannot install $*"
  rm -f "$log"
}

can_install() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }

as_root=()
if [ "$(id -u)" != 0 ]; then as_root=(sudo -n); fi
needs=$needs_build services=no
for extra in "$@"; do
  case $extra in
    -h | --help)
      usage
      exit 0
      ;;
    formats) needs+=$needs_formats ;;
    onnx) needs+=$needs_onnx ;;
    tests) needs+=$needs_tests ;;
    checks) needs+=$needs_checks ;;
    plots) needs+=$needs_plots ;;
    fashion) needs+=$needs_fashion ;;
    baseline) needs+=$needs_baseline ;;
    bench) needs+=$needs_bench ;;
    simulation) needs+=$needs_simulation ;;
    slurm) needs+=$needs_slurm services=yes ;;
    *) die "found $extra, expected formats, onnx, tests, checks, plots, fashion, baseline, bench, slurm or simulation" ;;
  esac
done
find_missing <<<"$needs"
if [ ${#packages[@]} -gt 0 ] && can_install; then
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
  if [ $services = yes ]; then forbid_services; fi
  install "${packages[@]}"
  find_missing <<<"$needs"
fi
if [ ${#packages[@]} -gt 0 ]; then
  warn "not found (module: a name that pkg-config knows; Debian's package is in brackets):"
  for k in "${!packages[@]}"; do printf '  %s  [%s]\n' "${names[k]}" "${packages[k]}" >&2; done
  exit 1
fi
