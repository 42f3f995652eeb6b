#!/bin/sh
# Features that say nothing of the targets have a certified optimum, the network without neurons: beta_max is 0, for every loss.
set -eu
/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null || {
  echo "skipped: needs python3-h5py and python3-numpy"
  exit 77
}
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
cd "$SCRATCH"

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

# run NAME RANKS SUBCOMMAND OPTIONS...
run() {
  name=$1 ranks=$2
  shift 2
  timeout 60 "$LAUNCH" "$ranks" "$PSDNET" "$@" -progress none -model "$name.h5m" >"$name.log" 2>&1 && return
  cat "$name.log"
  exit 1
}

for loss in squared logistic softmax hinge huber l1; do
  run $loss 2 train -data twice.h5 -patch 3 -loss $loss -report $loss.json
  grep -q 'the features say nothing of the targets' $loss.log
done
run three 3 train -data same.h5 -patch 3 -pool 2 -loss softmax -report three.json
run kernel 2 train -data twice.h5 -patch 5 -consensus kernel -report kernel.json
run scalapack 2 train -data twice.h5 -patch 3 -flip -consensus scalapack -report scalapack.json
run absolute 1 train -data twice.h5 -patch 3 -beta 1e-3 -report absolute.json
run path 2 path -data twice.h5 -patch 3 -table path.csv -report path.json
run list 2 path -data twice.h5 -patch 3 -loss logistic -beta_list 2,1 -table list.csv -report list.json
cp hinge.h5m certified.h5m
run certified 3 certify -data twice.h5
[ "$(grep -c '' path.csv)" = 2 ] && [ "$(grep -c '' list.csv)" = 3 ]
# what rounding hides cannot be proved away: status 2, not a wrong proof
status=0
"$LAUNCH" 1 "$PSDNET" train -data twice.h5 -patch 3 -beta 1e-30 -model least.h5m >least.log 2>&1 || status=$?
[ $status = 2 ]

/usr/bin/python3 - <<'PYTHON'
import json
import sys

for name in ('squared logistic softmax hinge huber l1 three kernel scalapack absolute path list').split():
    report = json.load(open(name + '.json'))
    if report['neurons'] or report['beta_max'] or report['iterations'] or not 0 <= report['gap'] < 1e-10 or report['beta'] <= 0:
        sys.exit(f'{name}: {report}')
PYTHON
cd /
rm -rf "$SCRATCH"
