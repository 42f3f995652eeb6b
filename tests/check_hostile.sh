#!/bin/sh
# Files that point to others, claim what they do not have, or are of another form are refused in one line; older models are read.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_bad_input .
run one 1 train -data tiny -patch 3 -pool 2 -whiten 0.1 -beta_rel 0.1 -model one.h5 -checkpoint one.ck -certificate one.c -max_it 200
run two 1 train -data tiny -patch 3 -branches 2 -branch2_reduce 2 -branch2_patch 2 -beta_rel 0.1 -model two.h5
python make_hostile one.h5 two.h5

# models before version 3, and what other programs may write, predict the same
for model in one two old1 old2 other-big_endian other-compact other-symlink; do
  run $model 1 predict -data tiny -model $model.h5 -output $model.csv -progress none
done
for model in old1 other-big_endian other-compact other-symlink; do cmp one.csv $model.csv; done
cmp two.csv old2.csv

# refuses WORDS FILE: as a model or as data, and by info, which takes either
refuses() {
  case $2 in
    data*) refuse "$2: .*$1" 3 train -data "$2" -patch 3 -model no.h5 ;;
    *) refuse "$2: .*$1" 3 predict -data tiny -model "$2" -output no.csv ;;
  esac
  refuse "$2" 1 info "$2"
}
for kind in model data; do
  refuses 'has its numbers in other files' $kind-external.h5
  refuses 'link' $kind-external_link.h5
  refuses 'is a link' $kind-soft_link.h5
  refuses 'is virtual' $kind-virtual.h5
  refuses 'was never written' $kind-unwritten.h5
done
for how in lzf huge_chunk chunked; do refuses 'is compressed' model-$how.h5; done
refuses 'is in chunks' model-partly.h5
refuses 'is damaged, or no data set' model-committed.h5
refuses 'is of the wrong kind' model-compound.h5
refuses 'is not of its earliest form' model-latest.h5
refuses 'filtered by other than gzip and shuffle' data-lzf.h5
refuses 'was never written, or not all of it: 1 of 24' data-partly.h5
refuses 'more than there can be' data-huge_chunk.h5
refuses 'has a type of its own' data-committed.h5
refuses 'neither integers' data-compound.h5
[ ! -e no.h5 ] && [ ! -e no.csv ]

# info says what archives are
run certificate 1 info one.c
grep -q '^certificate' certificate.log || fail 'info: a certificate' certificate.log
run checkpoint 1 info one.ck
grep -q '^checkpoint' checkpoint.log || fail 'info: a checkpoint' checkpoint.log
