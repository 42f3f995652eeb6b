#!/bin/sh
# Where numbers cancel, the printed objective is the network's within what is stated, a bound is below every network, and a line says
# so where rounding has left few digits: flat patches, tiny -patch_normalize and -whiten, images far from the mean, a steep Huber loss.
. "$SOURCE/tests/check.sh"
need_python
scratch

python make_sets rounding

# of NAME RANKS DATA OPTIONS...
of() {
  name=$1 ranks=$2 data=$3
  shift 3
  run "$name" "$ranks" train -data "$data.h5" -progress none -model "$name.h5m" -report "$name.json" "$@"
}

for ranks in 1 2; do
  # flat patches are 0, and so are features
  of "pixels-$ranks" $ranks pixels -patch 1 -patch_normalize 10 -activation 1,0,0 -beta_rel 0.0244
  of "grey-$ranks" $ranks grey -patch 1x2 -patch_normalize 10 -activation 1,1,0
  of "large-$ranks" $ranks grey -patch 3 -patch_normalize 1e-3 -activation 1e4,3e8,0 -loss hinge
  # only the constant is left
  of "alone-$ranks" $ranks alone -patch 1 -patch_normalize 1e-25 -activation 1e3,0,1 -beta 1e-3
  refuse 'the patches are all alike' $ranks train -data pixels.h5 -patch 1 -patch_normalize 10 -whiten 0.1 -model no.h5m
  refuse 'the patches are all alike' $ranks train -data grey.h5 -patch 3 -patch_normalize 1 -pca 2 -model no.h5m
done
of squared 1 pixels -patch 3 -beta_rel 1e-3 -gap 2e-9
of huber 1 pixels -patch 3 -beta_rel 1e-3 -gap 2e-9 -loss huber -huber_delta 1e6

# what is whitened with next to nothing is known to few digits: any status, but what is stated holds
for whiten in 1e-9 1e-12 1e-18; do
  for data in nearly grey; do
    for loss in squared logistic softmax hinge huber l1; do
      name=$data-$whiten-$loss
      start 1 train -data $data.h5 -patch 2 -pixel_shift 1e5 -whiten $whiten -beta_rel 1e-3 -max_it 20 -loss $loss -progress none \
        -model "$name.h5m" -report "$name.json" >"$name.log" 2>&1 || true
    done
  done
done

python judge_rounding
