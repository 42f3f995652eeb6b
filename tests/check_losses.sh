#!/bin/sh
# Every loss: one objective on 1 to 4 ranks, either consensus, features kept or streamed; certify finds from the file what
# training claimed; what does not go together is refused.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 96 -image 1x7x6 -seed 3

# psdnet NAME RANKS SUBCOMMAND OPTIONS...
psdnet() {
  run "$@" -data data
}
PATCHES="-patch 2 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1"
for loss in logistic softmax hinge huber l1; do
  # hinge and l1 are not smooth, and come to a tight gap slowly
  gap=1e-6
  case $loss in hinge | l1) gap=1e-5 ;; esac
  train="train $PATCHES -beta_rel 0.1 -loss $loss -max_it 20000 -gap $gap -progress none"
  [ $loss != huber ] || train="$train -huber_delta 0.8"
  for ranks in 1 2 3 4; do
    psdnet $loss-root-$ranks $ranks $train -consensus root -model $loss-root-$ranks.h5 -report $loss-root-$ranks.json
  done
  psdnet $loss-scalapack-1 1 $train -consensus scalapack -model $loss-scalapack-1.h5
  psdnet $loss-scalapack-3 3 $train -consensus scalapack -model $loss-scalapack-3.h5
  psdnet $loss-streamed-2 2 $train -memory 0 -model $loss-streamed-2.h5
  psdnet $loss-certify-1 1 certify -max_it 20000 -model $loss-root-1.h5 -progress none
  psdnet $loss-certify-3 3 certify -max_it 20000 -model $loss-scalapack-3.h5 -progress none
  psdnet $loss-evaluate-2 2 evaluate -model $loss-root-1.h5 -progress none
done
# two classes: softmax is the logistic loss
for loss in logistic softmax; do
  psdnet binary-$loss 2 train $PATCHES -classes 0,2 -beta_rel 0.05 -loss $loss -gap 1e-6 -model binary-$loss.h5 -progress none
done
refuse 'options -consensus dual and -loss hinge' 2 train -data data $PATCHES -loss hinge -consensus dual -model no.h5
refuse 'option -huber_delta' 2 train -data data $PATCHES -loss l1 -huber_delta 2 -model no.h5
refuse "-loss: found 'quadratic'" 2 train -data data $PATCHES -loss quadratic -model no.h5
python damage huber-root-1.h5 unknown.h5 unknown_loss
refuse "loss 'quadratic' is unknown" 2 certify -data data -model unknown.h5
python judge_losses
