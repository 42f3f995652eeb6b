#!/bin/sh
# A problem has one objective and a model one meaning: on 1 to 4, 7, 13, 16 and 64 ranks, either consensus, features
# kept or streamed.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" train -data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 \
    -gap 1e-6 -model "$name.h5" -report "$name.json" -history "$name.csv" "$@"
}

for ranks in 1 2 3 4; do
  train root-$ranks $ranks -consensus root
  train scalapack-$ranks $ranks -consensus scalapack
  train streamed-$ranks $ranks -memory 0
done
# grids that are not square or leave ranks out, and more ranks than pairs of blocks
for ranks in 7 13 16 64; do train scalapack-$ranks $ranks -consensus scalapack; done
for model in root-1 scalapack-3 streamed-4; do
  for ranks in 1 2 3 4; do
    run $model-on-$ranks $ranks evaluate -data data -model $model.h5 -progress none
    run $model-predicts $ranks predict -data data -model $model.h5 -output $model-on-$ranks.csv
  done
done

python judge_ranks
