#!/bin/sh
# On random small instances of every smooth loss both types of solver find the same optimum to nine digits, on 1 to 4 ranks
# (solvers_agree.py runs as many as you like).
. "$SOURCE/tests/check.sh"
need_python
scratch
export OPENBLAS_NUM_THREADS=1
python solvers_agree "$PSDNET" "$LAUNCH" "$SCRATCH" 8
