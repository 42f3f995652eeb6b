#!/bin/sh
# A signal, the time limit and the end of a job that Slurm foresees end a run with a checkpoint and status 75, and it goes on as if
# there had been none; without a checkpoint it ends with what it has.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data

# train NAME RANKS STATUS OPTIONS...
train() {
  name=$1 ranks=$2 expected=$3
  shift 3
  ends "$expected" "$name" "$ranks" train -data data -solver admm -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 \
    -beta_rel 0.02 -gap 1e-13 -model "$name.h5" -history "$name.csv" "$@"
}

train long 2 2 -max_it 1000
python stop_runs
python judge_resume usr1 long 1e-10 term long 1e-10
"$PSDNET" info ended.h5 >ended.info

# the time limit, and the end of a job that Slurm gives
train limited 2 75 -max_it 1000000 -check_every 1000000 -checkpoint limited.ck -time_limit 1
SLURM_JOB_END_TIME=$(($(date +%s) + 32)) train slurm 2 75 -max_it 1000000 -check_every 1000000 -checkpoint slurm.ck
[ ! -e limited.h5 ] && [ ! -e slurm.h5 ]
[ -z "$(find . -name '*.tmp.*')" ]
