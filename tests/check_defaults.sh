#!/bin/sh
# A run that asks for nothing says what it chose, and chooses the same beta on any number of ranks, in every consensus and from A'A in
# a file; -beta_noise is a fraction of what that is.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 160 -image 1x8x8

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" train -data data -gap 1e-3 -max_it 20000 -progress none -model "$name.h5" -report "$name.json" "$@"
}
train nothing 1
grep -q '^problem .*; patch 4x4 stride 1 pool 4 normalised 100. whitened 0.01; .*beta [0-9.]* (beta_max' nothing.log ||
  fail "what was chosen is not said" nothing.log
for ranks in 2 3 4; do train scalapack-$ranks $ranks -consensus scalapack; done
train dual-3 3 -consensus dual
train root-1 1 -consensus root
train flip-1 1 -flip
train flip-2 2 -flip -consensus scalapack
# folded samples take the sign of an image for its mirror image, A A' has both
train folded-2 2 -flip -patch 3 -pool 2 -consensus root
grep -q 'folded to' folded-2.log || fail "not folded" folded-2.log
train unfolded-3 3 -flip -patch 3 -pool 2 -consensus dual
train five 1 -beta_noise 0.05
ends 2 cut 2 train -data data -gap 1e-3 -max_it 3 -progress none -model cut.h5 -consensus root -checkpoint cut.ck -checkpoint_gram
rm cut.ck
train gram 3 -consensus scalapack -checkpoint cut.ck -checkpoint_gram -resume
grep -q "^gram     from" gram.log || fail "A'A was not read" gram.log
refuse '-beta_noise: found' 1 train -data data -model no.h5 -beta_noise 0
for pair in '-beta 1 -beta_rel 0.1' '-beta 1 -beta_noise 0.1' '-beta_rel 0.1 -beta_noise 0.1'; do
  # a pair is two options
  # shellcheck disable=SC2086
  refuse 'found several' 1 train -data data -model no.h5 $pair
done

python judge_defaults
