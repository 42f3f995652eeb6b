#!/bin/sh
# Networks of several branches, whose patches have different lengths: the objective is that of the formula, from the file alone, on any
# number of ranks, with every kernel, over teams of ranks, folded and resumed; every filter has unit length and ends with its
# branch's patches; a branch more is never worse; the file is read, and refused where it is damaged.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_sets branches

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" train -data train.h5 -beta 1 -gap 1e-8 -max_it 20000 -model "$name.m" -report "$name.json" \
    -progress none "$@"
}

one="-patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -pca 10"
two="$one -branches 2 -branch2_reduce 2 -branch2_patch 2x3 -branch2_pixel_scale 100"
three="$one -branches 3 -branch2_reduce 2 -branch2_patch 2x3 -branch2_pixel_scale 100 -branch3_reduce 3 -branch3_patch 2
  -branch3_pca 5 -branch3_patch_normalize 20"
# options are lists of words
# shellcheck disable=SC2086
{
  train one 2 $one
  for ranks in 1 2 3 4; do train "two$ranks" $ranks $two; done
  train scalapack 2 $two -consensus scalapack
  train streamed 2 $two -memory 0
  train three 2 $three
  for cone in partial scalapack; do train cone$cone 3 $two -cone $cone; done
  for loss in hinge softmax; do
    train $loss 1 $two -loss $loss -gap 1e-6
    train ${loss}4 4 $two -loss $loss -gap 1e-6
  done
  train folded 1 $two -flip
  train folded3 3 $two -flip -consensus scalapack
  # blocks of order 28 and 13, one pair each: whole blocks go to other ranks, or several ranks work on one
  few="-classes 0,1 -patch 3 -pixel_scale 100 -branches 2 -branch2_reduce 2 -branch2_patch 2x3"
  train few 1 $few
  for cone in lapack partial scalapack; do
    train few$cone 4 $few -cone $cone
    train more$cone 3 $few -cone $cone
  done
  ends 2 resumed 2 train -data train.h5 -beta 1 -gap 1e-8 -max_it 35 -model resumed.m -checkpoint resumed.ck $two -cone partial
  train resumed 3 $two -cone partial -checkpoint resumed.ck -resume
  train reduced 1 -reduce 2 -patch 2 -stride 2
  train shared 2 $two -pool_overlap 1
  train overlap1 1 $one -pool_overlap 2
  train overlap3 3 $one -pool_overlap 2 -consensus dual
  refuse 'dual is for one kind of patches' 2 train -data train.h5 $two -consensus dual -model no.m
}
refuse 'option -pool_overlap: found 8, .*9x8$' 2 train -data train.h5 -patch 3 -pool_overlap 8 -model no.m
run certify 3 certify -model three.m -data train.h5 -gap 1e-6 -progress none
run predict 2 predict -model three.m -data train.h5 -output three.csv -progress none

# damaged CHANGE WORDS: in what several branches need
damaged() {
  python damage three.m "$1.m" "$1"
  refuse "$2" 2 info "$1.m"
}
damaged lost_branch 'group /branch/1 is missing'
damaged many_branches 'branches is 5, expected 1 to 4'
damaged large_reduce 'reduce is 12'
damaged narrow_branch 'columns of the filters'
# a filter that has numbers beyond its branch's patches
python damage three.m padded.m padded_filter
run padded 2 predict -model padded.m -data train.h5 -output padded.csv -progress none
refuse 'filter [0-9]* goes on beyond the 5 numbers of its branch' 2 certify -model padded.m -data train.h5 -progress none
python judge_branches
