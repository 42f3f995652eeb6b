#!/bin/sh
# Small instances of every kind, ill-conditioned ones among them: bounds enclose the optimum at every iteration.
. "$SOURCE/tests/check.sh"
need_python
scratch
export OPENBLAS_NUM_THREADS=1
python small_instances "$PSDNET" "$LAUNCH" "$SCRATCH"
