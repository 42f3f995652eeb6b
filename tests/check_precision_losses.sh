#!/bin/sh
# Losses that are split in mixed precision: the gaps and objectives of double, in as many iterations, on 1 to 4 ranks,
# in either consensus, kept, streamed and folded; a run is continued with A'A from a file; and where 32 bits are not
# enough they are left.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 96 -image 1x7x6 -seed 3

# train NAME RANKS STATUS LOSS PRECISION OPTIONS...
train() {
  name=$1 ranks=$2 expected=$3 loss=$4 precision=$5
  shift 5
  ends "$expected" "$name" "$ranks" train -data data -patch 2 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.1 \
    -loss "$loss" -precision "$precision" -max_it 20000 -progress none -model "$name.h5" -report "$name.json" "$@"
}

# hinge and l1 are not smooth, and come to a tight gap slowly
for loss in softmax logistic huber hinge l1; do
  gap=1e-5
  case $loss in hinge | l1) gap=1e-4 ;; esac
  train $loss-double 1 0 $loss double -gap $gap
  train $loss-root 1 0 $loss mixed -gap $gap -consensus root
  train $loss-scalapack 3 0 $loss mixed -gap $gap -consensus scalapack
done
# an A'A in single precision keeps no gap from being reached: with rows of the images themselves, and with kept ones, up
# to a gap that 32 bits are too coarse for
train exact-double 1 0 softmax double -gap 1e-9 -solver admm
train exact-mixed 2 0 softmax mixed -gap 1e-9 -solver admm -memory 0
train exact-kept 1 0 softmax mixed -gap 1e-9 -solver admm
train fine-mixed 2 0 softmax mixed -gap 5e-11 -solver admm
# curvature below what single precision knows; streamed, so that h and beta are those of double precision to the last digit
train tiny-double 1 2 softmax double -beta_rel 1e-9 -max_it 60 -memory 0
train tiny-mixed 1 2 softmax mixed -beta_rel 1e-9 -max_it 60 -memory 0
train folded-double 2 0 softmax double -gap 1e-5 -flip
train folded-mixed 4 0 softmax mixed -gap 1e-5 -flip

# continued, A'A from a file and rows made for the iterations alone
train other 3 2 softmax mixed -gap 1e-5 -checkpoint other.ck -checkpoint_gram -max_it 35
train other 2 0 softmax mixed -gap 1e-5 -checkpoint other.ck -checkpoint_gram -resume -max_it 20000
grep -q '^gram  *from other.ck.gram' other.log

python judge_precision_losses
