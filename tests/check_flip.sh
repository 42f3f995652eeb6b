#!/bin/sh
# -flip is training on a data set in which every image is followed by its mirror image, and is certified and applied as such;
# A'A is folded where patches and regions are their own mirror image, and then only.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_sets flip

# train NAME RANKS DATA OPTIONS...: the last of equal options wins
train() {
  name=$1 ranks=$2 data=$3
  shift 3
  run "$name" "$ranks" train -data "$data.h5" -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.05 \
    -gap 1e-9 -max_it 20000 -model "$name.m" -report "$name.json" -progress none "$@"
}

# kind NAME OPTIONS...: on one rank with mirrored data, and on two with -flip
kind() {
  kind=$1
  shift
  train "twice-$kind" 1 twice "$@"
  train "once-$kind-2" 2 once -flip "$@"
}

train twice-plain 1 twice
for ranks in 1 2 3 4; do
  train once-plain-$ranks $ranks once -flip
  train once-plain-dual-$ranks $ranks once -flip -consensus dual
done
# geometries with a middle region, principal components, padding, raw pixels, none that is symmetric
kind principal -pool 3 -pca 10
train once-principal-3 3 once -flip -pool 3 -pca 10 -consensus scalapack
kind raw -whiten 0 -patch_normalize 0
train once-raw-3 3 once -flip -whiten 0 -patch_normalize 0 -consensus scalapack
kind asymmetric -patch 4 -gap 4e-9 -consensus root
kind branches -pca 7 -branches 2 -branch2_patch 2 -branch2_pool 1 -branch2_reduce 2
train once-branches-3 3 once -flip -pca 7 -branches 2 -branch2_patch 2 -branch2_pool 1 -branch2_reduce 2 -consensus scalapack
run certify 2 certify -model once-plain-1.m -data once.h5 -gap 1e-7 -progress none
run evaluate 2 evaluate -model once-plain-1.m -data once.h5 -progress none
python judge_flip squared
