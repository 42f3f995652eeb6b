#!/bin/sh
# What psdnet plan says of a run's memory, with its data or without, holds within 25% for every consensus, on one rank and two.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 600 -image 3x16x16 -classes 2

# compare NAME RANKS OPTIONS...: a run's peak against its plan's, made without its data
compare() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" plan -images 600 -image 3x16x16 -class_count 2 "$@" -report "$name-plan.json"
  # status 2: a few iterations do not reach the gap
  ends 2 "$name" "$ranks" train -data data "$@" -max_it 20 -progress none -model "$name.h5" -report "$name-run.json"
}

for ranks in 1 2; do
  compare root-$ranks $ranks -patch 6 -stride 5 -consensus root
  compare dual-$ranks $ranks -patch 16 -consensus dual -beta_rel 0.1
done
compare scalapack-2 2 -patch 6 -stride 5 -consensus scalapack
compare folded-2 2 -patch 6 -stride 5 -pool 3 -pca 60 -flip
compare folded-logistic-1 1 -patch 4 -stride 4 -pool 2 -flip -loss logistic
run data 1 plan -data data -patch 4 -report data-plan.json
# images that plan reads to learn their sizes are none of the program's
make_images large -images 3000 -image 3x64x64 -classes 2
for images in "-data large" "-images 3000 -image 3x64x64 -class_count 2"; do
  # shellcheck disable=SC2086
  run large 1 plan $images -patch 8 -stride 8 -ranks 4 -rates 10,10,10,10 -report "large-${images%% *}.json"
done
# what dual was called once is still understood
run old-name 1 plan -images 600 -image 3x16x16 -patch 16 -consensus kernel -report old-name.json
python judge_plan
