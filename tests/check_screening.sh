#!/bin/sh
# In a path of close betas most pairs of blocks are proved to be zero before the first iteration, and the optimum is that found with all.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_sets path

for screening in 1 0; do
  run screened$screening 2 path -data train.h5 -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -gap 1e-9 -max_it 20000 -progress none \
    -beta_list 70,69.5,69,60,59 -screening $screening -model screened.m -table screened$screening.csv -info
done
grep -q 'beta 69.5: [1-9][0-9]* of 12 pairs of blocks are zero' screened1.log || fail "nothing was screened" screened1.log
! grep -q 'pairs of blocks are zero' screened0.log || fail "screened" screened0.log
python judge_screening
