#!/bin/sh
# Small instances of every kind, ill-conditioned ones among them: bounds enclose CVXOPT's optimum at every iteration.
set -eu
/usr/bin/python3 -c 'import cvxopt, h5py, numpy' 2>/dev/null || {
  echo "skipped: needs python3-cvxopt, python3-h5py and python3-numpy"
  exit 77
}
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
OPENBLAS_NUM_THREADS=1 /usr/bin/python3 "$SOURCE/tests/small_instances.py" "$PSDNET" "$LAUNCH" "$SCRATCH"
rm -rf "$SCRATCH"
