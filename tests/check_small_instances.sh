#!/bin/sh
# Small instances of every kind, ill-conditioned ones among them: bounds enclose CVXOPT's optimum at every iteration.
. "$SOURCE/tests/check.sh"
need_python cvxopt
scratch
OPENBLAS_NUM_THREADS=1 /usr/bin/python3 "$SOURCE/tests/small_instances.py" "$PSDNET" "$LAUNCH" "$SCRATCH"
