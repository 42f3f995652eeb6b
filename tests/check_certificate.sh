#!/bin/sh
# A certificate file proves the bound of its run to psdnet certify, on any number of ranks and without a solver, and to check_proof.py,
# which has no psdnet code; neither believes a file that claims more than it proves.
. "$SOURCE/tests/check.sh"
need_python
/usr/bin/python3 -c "import mpmath" 2>/dev/null || skip "python3-mpmath"
scratch
make_images data -images 48 -image 2x6x7 -seed 4
make_images other -images 48 -image 2x6x7 -seed 5

# prove NAME TRAINING_RANKS CHECKING_RANKS OPTIONS...: trained, and checked by psdnet and without it
prove() {
  proof=$1 training=$2 checking=$3
  shift 3
  run "$proof" "$training" train -data data -gap 1e-4 -model "$proof.h5" -certificate "$proof.c" -progress none "$@"
  run "$proof-certify" "$checking" certify -certificate "$proof.c" -model "$proof.h5" -data data -gap 1.1e-4 -progress none
  python check_proof "$proof.c" data/train.h5 "$proof.h5" >"$proof.json" ||
    fail "check_proof.py: $proof does not hold" "$proof.json"
}
whitened='-patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.05'
# options are lists of words
# shellcheck disable=SC2086
{
  later prove squared 1 3 $whitened
  later prove dual 2 1 $whitened -consensus dual
  later prove logistic 2 2 -patch 2x3 -pool 2 -pool_overlap 1 -beta_rel 0.02 -classes 2,0 -loss logistic
  later prove softmax 3 1 $whitened -loss softmax
  later prove hinge 2 4 -patch 3 -stride 2 -pca 6 -beta_rel 0.1 -flip -loss hinge
  later prove huber 1 2 -patch 3 -pca 7 -branches 2 -branch2_reduce 2 -branch2_patch 2 -branch2_patch_normalize 5 -beta_rel 0.05 \
    -loss huber -huber_delta 0.7
  later prove l1 4 1 -patch 3 -patch_normalize 10 -beta_rel 0.05 -loss l1
  later prove empty 2 1 -patch 2 -beta_rel 1.1
  # bounds by few components and by whole blocks
  later prove lowrank 2 3 -patch 6x7 -classes 0,1 -beta_rel 0.05 -solver lowrank -coarse 20
  later prove lowrank-logistic 3 1 -patch 2x3 -beta_rel 0.02 -flip -loss logistic -solver lowrank
  later prove lowrank-softmax 3 2 -patch 3 -stride 2 -beta_rel 0.05 -loss softmax -solver lowrank
  later prove lowrank-huber 1 4 -patch 2 -beta_rel 0.05 -loss huber -huber_delta 0.3 -solver lowrank
}
all_done

# of what certify finds, and of the best network of a path
run found 2 certify -model softmax.h5 -data data -certificate_out found.c -progress none
run found-certify 1 certify -certificate found.c -data data -progress none -memory 0
python check_proof found.c data/train.h5 softmax.h5 >found.json || fail "check_proof.py: found does not hold" found.json
# shellcheck disable=SC2086
run path 2 path -data data $whitened -beta_rel 0.1 -beta_count 2 -gap 1e-3 -model path.h5 -certificate path.c -progress none
run path-certify 3 certify -certificate path.c -model path.h5 -data data -gap 1e-3 -progress none
# one that others wrote without multipliers
python damage hinge.c no_theta.c no_theta
run no_theta 2 certify -certificate no_theta.c -data data -progress none

# rejected CHANGE FILE WORDS: neither psdnet nor the independent check takes FILE with that change for a proof
rejected() {
  change=$1 file=$2 words=$3
  python damage "$file" bad.c "$change"
  ends 2 bad 2 certify -certificate bad.c -data data -progress none
  grep -Eq "^certificate does not hold: $words" bad.log || fail "$change: expected '$words'" bad.log
  status=0
  python check_proof bad.c data/train.h5 >bad.log 2>&1 || status=$?
  if [ $status != 2 ] || ! grep -q '^does not hold' bad.log; then fail "check_proof.py takes $change of $file" bad.log; fi
}
rejected other_nu squared.c 'theta of region'
rejected larger_nu squared.c 'theta of region'
rejected negative_nu hinge.c 'nu is not in the domain'
rejected larger_nu hinge.c 'nu is not in the domain|theta of region'
rejected smaller_theta softmax.c 'theta of region 3, class 2, sign -'
rejected larger_theta squared.c 'theta of region'
rejected larger_s squared.c 'theta of region'
rejected smaller_beta squared.c 'theta of region'
rejected larger_bound huber.c 'it claims more'
rejected other_activation hinge.c 'theta of region'

refuse 'other images: their checksum is' 2 certify -certificate squared.c -data other
refuse "training with 48 images, found 40" 1 certify -certificate l1.c -data data -limit 40
refuse 'the loss differs' 2 certify -certificate squared.c -model softmax.h5 -data data
refuse 'beta differs' 1 certify -certificate path.c -model squared.h5 -data data
# damaged CHANGE WORDS: refused before anything is proved
damaged() {
  python damage squared.c bad.c "$1"
  refuse "$2" 2 certify -certificate bad.c -data data
}
damaged negative_s 's is negative'
damaged other_order 'of another order'
damaged short_nu 'array /nu has'
damaged bit_near_end 'checksum'
damaged truncated 'truncated|bytes'
damaged beheaded 'damaged|not a psdnet-certificate'
refuse 'psdnet-certificate' 1 certify -certificate squared.h5 -data data
refuse 'are the same file' 1 train -data data -patch 3 -model same.h5 -certificate same.h5
refuse 'would replace -model' 2 certify -data data -model squared.h5 -certificate_out squared.h5
refuse 'found both' 1 certify -data data -certificate squared.c -certificate_out new.c
refuse 'found neither' 1 certify -data data
refuse '-max_it' 1 certify -data data -certificate squared.c -max_it 3
python judge_certificate
