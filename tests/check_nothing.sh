#!/bin/sh
# Features that say nothing of the targets have a certified optimum, the network without neurons: beta_max is 0, for every loss.
. "$SOURCE/tests/check.sh"
need_python
scratch

# every image of `twice` comes with either label; all images of `same` are one
/usr/bin/python3 - <<'PYTHON'
import h5py
import numpy

random = numpy.random.default_rng(3)
half = random.integers(0, 255, (61, 1, 6, 6))
for name, images, classes in ('twice', numpy.concatenate([half, half]), 2), ('same', numpy.repeat(half[:1], 120, 0), 3):
    with h5py.File(name + '.h5', 'w') as file:
        file['images'] = images.astype(numpy.uint8)
        file['labels'] = (numpy.arange(len(images)) * classes // len(images)).astype(numpy.int32)
PYTHON

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
of absolute 1 train -data twice.h5 -patch 3 -beta 1e-3 -report absolute.json
of path 2 path -data twice.h5 -patch 3 -table path.csv -report path.json
of list 2 path -data twice.h5 -patch 3 -loss logistic -beta_list 2,1 -table list.csv -report list.json
cp hinge.h5m certified.h5m
of certified 3 certify -data twice.h5
[ "$(grep -c '' path.csv)" = 2 ] && [ "$(grep -c '' list.csv)" = 3 ]
# what rounding hides cannot be proved away: status 2, not a wrong proof
ends 2 least 1 train -data twice.h5 -patch 3 -beta 1e-30 -model least.h5m

/usr/bin/python3 - <<'PYTHON'
from judge import finish, report, require

for name in ('squared logistic softmax hinge huber l1 three dual scalapack folded absolute path list').split():
    it = report(name)
    require(not it['neurons'] and not it['beta_max'] and not it['iterations'], name, it)
    require(0 <= it['gap'] < 1e-10 and it['beta'] > 0, name, it)
finish()
PYTHON
