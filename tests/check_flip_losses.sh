#!/bin/sh
# -flip with a loss that is split: what every iteration passes over is folded as well, kept or lifted again.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_sets flip

# train LOSS NAME RANKS DATA OPTIONS...
train() {
  loss=$1 name=$2 ranks=$3 data=$4
  shift 4
  run "$name" "$ranks" train -data "$data.h5" -loss "$loss" -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.05 \
    -max_it 20000 -model "$name.m" -report "$name.json" -progress none "$@"
}

train softmax twice-softmax 1 twice -gap 1e-5
# rows that fit -memory when they are folded only, and none that are kept
train softmax once-softmax-1 1 once -flip -gap 1e-5 -memory 0.6
train softmax once-softmax-2 2 once -flip -gap 1e-5 -memory 0 -consensus scalapack
train softmax once-softmax-3 3 once -flip -gap 1e-5 -memory 0
train softmax once-softmax-4 4 once -flip -gap 1e-5 -consensus scalapack
train hinge twice-hinge 1 twice -gap 1e-4 -pool 3 -pca 10
train hinge once-hinge-2 2 once -flip -gap 1e-4 -pool 3 -pca 10
for name in twice-softmax once-softmax-1 once-softmax-2 once-softmax-3 once-softmax-4; do
  run predict 1 predict -model $name.m -data once.h5 -output $name.csv -progress none
done
run certify 2 certify -model once-softmax-4.m -data once.h5 -progress none
python judge_flip losses
