#!/bin/sh
# Linear neurons, by themselves and jointly with quadratic ones: the optimum is that of CVXOPT's interior-point method
# on the program as docs/mathematics.md has it, on any number of ranks; by themselves it is also that of quadratic
# neurons without their square. Files say what they are; a certificate is proved by psdnet certify and in exact
# arithmetic; solvers that do not know them refuse them.
. "$SOURCE/tests/check.sh"
need_modules h5py numpy cvxopt
scratch
python make_sets branches

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" train -data train.h5 -beta 2 -gap 1e-7 -max_it 5000 -model "$name.h5" -report "$name.json" -progress none "$@"
}

alone="-patch 2 -stride 2 -pool 2 -lift linear"
joint="-patch 1x2 -stride 2 -pool 2 -pixel_scale 100 -branches 2 -branch2_patch 3 -branch2_stride 2 -branch2_lift linear"
# options are lists of words
# shellcheck disable=SC2086
{
  for ranks in 1 2 3 4; do train joint$ranks $ranks $joint; done
  train alone 2 $alone
  train without 2 -patch 2 -stride 2 -pool 2 -activation 0,0.5,0.47
  train scalapack 2 $joint -consensus scalapack
  train streamed 1 $joint -memory 0
  train mixed 1 $joint -precision mixed
  train folded 1 $joint -flip
  train folded3 3 $joint -flip
  # of the activation of linear neurons the square is no part, however large
  run square 1 train -data train.h5 -beta_rel 0.1 -gap 1e-7 -max_it 5000 -model square.h5 -report square.json -progress none $alone -activation 1e90,0.5,0.47
  run plain 1 train -data train.h5 -beta_rel 0.1 -gap 1e-7 -max_it 5000 -model plain.h5 -report plain.json -progress none $alone
  run nothing 2 train -data train.h5 -beta_rel 0.1 -gap 1e-7 -model nothing.h5 -report nothing.json -progress none $alone -activation 1,0,0
  for loss in hinge softmax; do train $loss 2 $joint -loss $loss -gap 1e-4; done
  run path 2 path -data train.h5 -beta 2 -beta_count 3 -gap 1e-7 -max_it 5000 -validation 0.1 -model path.h5 -progress none $joint
  ends 2 resumed 2 train -data train.h5 -beta 2 -gap 1e-7 -max_it 15 -model resumed.h5 -checkpoint resumed.ck $joint
  train resumed 3 $joint -checkpoint resumed.ck -resume
  refuse 'options -solver barrier and -lift linear: barrier is for quadratic neurons' 2 train -data train.h5 $joint -solver barrier -model no.h5
  refuse 'options -solver lowrank and -lift linear: lowrank is for quadratic neurons' 2 train -data train.h5 $joint -solver lowrank -model no.h5
  refuse 'options -consensus dual and -lift linear: dual is for quadratic neurons' 1 train -data train.h5 $alone -consensus dual -model no.h5
  refuse 'options -whiten and -pca of a branch with -lift linear' 1 train -data train.h5 $alone -pca 2 -model no.h5
}
run certify 3 certify -model joint1.h5 -data train.h5 -gap 1e-7 -progress none
run predict 3 predict -model joint1.h5 -data train.h5 -output predict.csv -progress none
run few 2 train -data few.h5 -patch 2 -stride 3 -branches 2 -branch2_patch 2 -branch2_stride 2 -branch2_lift linear \
  -beta_rel 0.05 -gap 1e-6 -max_it 5000 -model few.m -certificate few.c -progress none
run proof 3 certify -certificate few.c -model few.m -data few.h5 -progress none
python check_proof few.c few.h5 few.m >proof.json || fail 'check_proof.py: few.c does not hold' proof.json
python damage joint1.h5 bad wrong_lift
refuse 'lift is 2, expected 0 to 1' 1 info bad
python judge_linear
