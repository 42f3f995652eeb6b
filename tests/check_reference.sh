#!/bin/sh
# The configuration of 2021: optima of an independent interior-point solver are reached and bounded, on 1, 2, 3 and 4 ranks.
. "$SOURCE/tests/check.sh"
data=$SOURCE/../shared/data/cifar10
[ -d "$data" ] || skip "$data"
need_python
scratch

for ranks in 1 2 3 4; do
  for case in 1.9:1e-6 1e-6:1e-4; do
    beta=${case%:*}
    run "$beta-$ranks" $ranks train -data "$data" -classes 0,1 -patch 4 -stride 4 -pool 1 -beta "$beta" -gap "${case#*:}" \
      -model "$beta-$ranks.h5" -report "$beta-$ranks.json"
  done
done

python judge_reference
