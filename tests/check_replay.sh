#!/bin/sh
# What jobs/scaling simulates for many ranks is what runs with A'A and with A A' say to each other: recorded on four
# ranks, bytes and simulated seconds of each phase are those of the schedule.
. "$SOURCE/tests/check.sh"
need_python
command -v smpirun mpicc >/dev/null || skip "SimGrid (jobs/setup.sh simulation)"
scratch
"$SOURCE/jobs/scaling/images.py" images.h5 -images 300 -image 3x32x32 -classes 10
export PSDNET
"$SOURCE/jobs/scaling/replay.py" check . images.h5 4
python judge_replay check.csv
