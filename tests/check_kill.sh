#!/bin/sh
# Whenever a rank is killed the run ends, nothing is lost but the time since the last checkpoint, and the chain of runs ends with
# the objective of one that was left alone. KILLS: how many (15).
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
export OMPI_MCA_odls_base_sigkill_timeout=0 # Open MPI waits a second otherwise
python kill_ranks
