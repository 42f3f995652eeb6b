#!/bin/sh
# Mixed precision comes to the gaps and objectives of double, on 1 to 4 ranks, in either consensus of A'A, kept, streamed and folded; a run
# of it is continued as any; and where single precision is not enough it is left.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data

# train NAME RANKS STATUS OPTIONS...
train() {
  name=$1 ranks=$2 expected=$3
  shift 3
  ends "$expected" "$name" "$ranks" train -data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 \
    -gap 1e-8 -model "$name.h5" -report "$name.json" "$@"
}

train double 2 0 -precision double -certificate double.proof
train root-1 1 0 -precision mixed -consensus root
train root-2 2 0 -precision mixed -consensus root -memory 0
train root-3 3 0 -precision mixed -consensus root -certificate mixed.proof
train scalapack-2 2 0 -precision mixed -consensus scalapack
train scalapack-4 4 0 -precision mixed -consensus scalapack
# from rounded features, and from those of the images
train coarse-double 2 0 -precision double -gap 1e-2
train coarse-mixed 2 0 -precision mixed -gap 1e-2
train folded-double 2 0 -precision double -flip
train folded-mixed 2 0 -precision mixed -flip
# a certificate file is everybody's
run prove 1 certify -data data -model root-3.h5 -certificate mixed.proof
# another activation is another program: its numbers are out of the range of single precision, and those of its units are not
train far-double 1 0 -precision double -activation 9e60,5e61,4.7e61
train far-mixed 2 0 -precision mixed -activation 9e60,5e61,4.7e61

# continued before a correction and after it; in double precision; A'A from a file
train whole 2 0 -precision mixed
train same 2 2 -precision mixed -checkpoint same.ck -max_it 25
train same 2 2 -checkpoint same.ck -max_it 135 -resume
train same 2 0 -checkpoint same.ck -resume
train other 3 2 -precision mixed -checkpoint other.ck -checkpoint_gram -max_it 41
train other 1 0 -checkpoint other.ck -checkpoint_gram -resume
grep -q '^gram  *from other.ck.gram' other.log
train leaves 3 2 -precision mixed -checkpoint leaves.ck -checkpoint_gram -max_it 41
train leaves 2 0 -precision double -checkpoint leaves.ck -checkpoint_gram -resume
! grep -q '^gram  *from' leaves.log || fail "A'A in single precision was taken for a run in double" leaves.log

# curvature below what single precision knows; streamed, so that h and beta are those of double precision to the last digit
train tiny-double 1 2 -precision double -beta_rel 1e-9 -max_it 60 -memory 0
train tiny-mixed 1 2 -precision mixed -beta_rel 1e-9 -max_it 60 -memory 0

refuse "-precision mixed: .* -consensus dual has none" 1 train -data data -model m.h5 -precision mixed -consensus dual

python judge_precision
