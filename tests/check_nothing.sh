#!/bin/sh
# Features that say nothing of the targets have a certified optimum, the network without neurons: beta_max is 0, for every loss.
. "$SOURCE/tests/check.sh"
need_python
scratch

python make_sets nothing
/usr/bin/python3 -c "import numpy as n; n.savez('grey.npz', images=n.full((8, 4, 4), 128, n.uint8), labels=n.arange(8) % 2)"

# of NAME RANKS SUBCOMMAND OPTIONS...
of() { run "$@" -progress none -model "$1.h5m"; }

for loss in squared logistic softmax hinge huber l1; do
  of $loss 2 train -data twice.h5 -patch 3 -loss $loss -report $loss.json
  grep -q 'the features say nothing of the targets' $loss.log
done
of three 3 train -data same.h5 -patch 3 -pool 2 -loss softmax -report three.json
of dual 2 train -data twice.h5 -patch 5 -consensus dual -report dual.json
of scalapack 2 train -data twice.h5 -patch 3 -flip -consensus scalapack -report scalapack.json
of folded 2 train -data twice.h5 -patch 3 -flip -loss logistic -report folded.json
of flat 1 train -data twice.h5 -patch 1 -patch_normalize 10 -activation 0.5,0,0 -consensus dual -report flat.json -certificate flat.c.h5
of constant 1 train -data twice.h5 -patch 1 -patch_normalize 10 -consensus dual -report constant.json
of proof 2 train -data twice.h5 -patch 3 -loss softmax -report proof.json -certificate proof.c.h5
run again 3 certify -certificate proof.c.h5 -data twice.h5
of absolute 1 train -data twice.h5 -patch 3 -beta 1e-3 -report absolute.json
of path 2 path -data twice.h5 -patch 3 -table path.csv -report path.json
of list 2 path -data twice.h5 -patch 3 -loss logistic -beta_list 2,1 -table list.csv -report list.json
cp hinge.h5m certified.h5m
of certified 3 certify -data twice.h5
[ "$(grep -c '' path.csv)" = 2 ] && [ "$(grep -c '' list.csv)" = 3 ]
# of a beta_max that is exactly 0 the low-rank solver has no fractions, as it makes no matrices
of grey 1 train -data grey.npz -patch 2 -beta 1e-3 -solver lowrank
refuse 'beta_max is 0' 2 train -data grey.npz -patch 2 -beta_rel 0.1 -solver lowrank -model grey.h5m
# what rounding hides cannot be proved away: status 2, not a wrong proof
ends 2 least 1 train -data twice.h5 -patch 3 -beta 1e-30 -model least.h5m

python judge_nothing
