#!/bin/sh
# A run that is interrupted and continued goes the way of one that is not, on the same number of ranks or another, in every consensus, from
# A'A in a file or made again.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data

# train NAME RANKS STATUS OPTIONS...
train() {
  name=$1 ranks=$2 expected=$3
  shift 3
  ends "$expected" "$name" "$ranks" train -data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 \
    -beta_rel 0.02 -model "$name.h5" -history "$name.csv" "$@"
}

# chain NAME RANKS,RANKS,RANKS,RANKS OPTIONS...: stopped after 7, 30 (a check) and 75 iterations
chain() {
  name=$1 first=${2%%,*} rest=${2#*,}
  shift 2
  train "$name" "$first" 2 -gap 1e-6 -checkpoint "$name.ck" -max_it 7 "$@"
  for limit in 30 75; do
    train "$name" "${rest%%,*}" 2 -gap 1e-6 -checkpoint "$name.ck" -resume -max_it $limit "$@"
    rest=${rest#*,}
  done
  # the same limit again adds nothing
  train "$name" "$rest" 2 -gap 1e-6 -checkpoint "$name.ck" -resume -max_it 75 "$@"
  train "$name" "$rest" 0 -gap 1e-6 -checkpoint "$name.ck" -resume "$@"
}

for kind in root scalapack dual; do
  train $kind 2 0 -gap 1e-6 -consensus $kind
  chain $kind-same 2,2,2,2 -consensus $kind
done
chain root-other 2,1,4,3 -consensus root
chain scalapack-other 2,3,1,4 -consensus scalapack -checkpoint_gram
chain dual-other 2,4,3,1 -consensus dual
grep -q '^gram  *from scalapack-other.ck.gram' scalapack-other.log
# from one kernel of A'A to the other
train root-mixed 2 2 -gap 1e-6 -checkpoint mixed.ck -checkpoint_gram -max_it 41 -consensus root
train root-mixed 3 0 -gap 1e-6 -checkpoint mixed.ck -checkpoint_gram -resume -consensus scalapack

# mirror images, folded by parities that only the transform in the file knows
folded="-flip -pca 10 -gap 1e-6"
train folded 2 0 $folded
train folded-other 3 2 $folded -checkpoint folded.ck -checkpoint_gram -max_it 37
train folded-other 1 0 $folded -checkpoint folded.ck -checkpoint_gram -resume
grep -q 'folded to' folded-other.log
grep -q '^gram  *from folded.ck.gram' folded-other.log

# a loss that is split: v and lambda go by samples
train softmax 2 0 -loss softmax -gap 1e-4
train softmax-same 2 2 -loss softmax -gap 1e-4 -checkpoint softmax.ck -max_it 25
train softmax-same 2 0 -loss softmax -gap 1e-4 -checkpoint softmax.ck -resume
train softmax-other 3 2 -loss softmax -gap 1e-4 -checkpoint softmax3.ck -checkpoint_gram -max_it 33
train softmax-other 1 0 -loss softmax -gap 1e-4 -checkpoint softmax3.ck -checkpoint_gram -resume
train hinge-refused 1 1 -loss hinge -gap 1e-4 -checkpoint softmax3.ck -checkpoint_gram -resume
grep -q "it is of 'loss softmax', this run of 'loss hinge'" hinge-refused.log

# folded as well, v and lambda go by images; stopped between a record and the jump from it, and with all records there are
folded="-flip -pca 10 -loss hinge -gap 1e-4"
train folded-hinge 2 0 $folded
train folded-hinge-other 3 2 $folded -checkpoint folded-hinge.ck -checkpoint_gram -max_it 60
train folded-hinge-other 1 2 $folded -checkpoint folded-hinge.ck -checkpoint_gram -resume -max_it 111
train folded-hinge-other 2 0 $folded -checkpoint folded-hinge.ck -checkpoint_gram -resume
grep -q 'folded to' folded-hinge-other.log

# partial projections, by teams of two ranks; -checkpoint_gram means nothing there
partial="-classes 0,1 -patch 8x7 -pool 1 -consensus dual -gap 1e-5"
train partial 2 0 $partial
train partial-same 2 2 $partial -checkpoint partial.ck -max_it 33
train partial-same 2 0 $partial -checkpoint partial.ck -checkpoint_gram -resume
grep -q 'cone .*partial' partial-same.log
grep -q 'no A.A to keep' partial-same.log

# -resume without a file starts afresh; a file without -resume is replaced by the run's own
cp root-same.ck before.ck
train root-fresh 2 0 -gap 1e-6 -checkpoint fresh.ck -resume -consensus root
grep -q '^resume  *there is no fresh.ck' root-fresh.log
train root-again 2 2 -gap 1e-6 -checkpoint root-same.ck -consensus root -max_it 3
! grep -q '^resume' root-again.log || fail "a checkpoint was read without -resume" root-again.log

python judge_resume root-same root 1e-10 root-other root 1e-8 scalapack-same scalapack 1e-10 scalapack-other scalapack 1e-8 \
  dual-same dual 1e-10 dual-other dual 1e-8 partial-same partial 1e-10 root-mixed root 1e-8 folded-other folded 1e-8 \
  folded-hinge-other folded-hinge 1e-8 softmax-same softmax 1e-10 softmax-other softmax 1e-8 root-fresh root 1e-10
