#!/bin/sh
# With every kind of loss a path from beta to beta ends where training from nothing does.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 96 -image 1x7x6 -seed 3

options="-data data -patch 2 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.1 -max_it 20000 -gap 1e-5 -progress none"
for loss in logistic softmax huber hinge; do
  run path-$loss 2 path $options -loss $loss -beta_count 4 -model path-$loss.h5 -table path-$loss.csv
  run direct-$loss 1 train $options -loss $loss -model direct-$loss.h5
done
python judge_losses_path
