#!/bin/sh
# Small instances of every kind, ill-conditioned ones among them: bounds enclose the optimum at every iteration.
. "$SOURCE/tests/check.sh"
need_python
scratch
OPENBLAS_NUM_THREADS=1 /usr/bin/python3 "$SOURCE/tests/small_instances.py" "$PSDNET" "$LAUNCH" "$SCRATCH"
