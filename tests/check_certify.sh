#!/bin/sh
# psdnet certify finds from file and data alone what training claimed, and that a tampered file claims too much.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 120 -image 2x8x8 -seed 2

# train NAME OPTIONS...
train() {
  name=$1
  shift
  run "$name" 2 train -data data -patch 3 -model "$name.h5" "$@"
}
train whitened -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -gap 1e-6
train binary -classes 0,2 -stride 2 -beta_rel 1e-3 -gap 1e-5
train part -pca 7 -limit 100 -validation 0.2 -beta_rel 0.01 -gap 1e-4
train nothing -stride 3 -beta_rel 1.2 -gap 1e-6

python damage whitened.h5 turned.h5 turn_filter
python damage whitened.h5 scaled.h5 scale_weights
python damage whitened.h5 flipped.h5 flip_weight

# certify ENDING OUTPUT MODEL OPTIONS...: on 1 rank and on 3; it ends with 2 where the gap of the file, or that asked for, is not reached
certify() {
  ending=$1 output=$2 model=$3
  shift 3
  for ranks in 1 3; do
    ends $ending "$output-$ranks" $ranks certify -data data -model "$model.h5" -progress none "$@"
  done
}
certify 0 whitened whitened
certify 0 streamed whitened -memory 0
certify 0 tight whitened -gap 1e-9
certify 2 loose whitened -max_it 0
certify 0 binary binary
certify 0 part part -limit 100 -validation 0.2
certify 0 nothing nothing
for model in turned scaled flipped; do
  certify 2 $model $model -max_it 300
done

# filters that are of length 1 but for single precision, or a little longer than that: certified as if they were not
for change in single_filters longer_filters; do
  python damage binary.h5 $change.h5 $change
  run $change 2 certify -data data -model $change.h5 -progress none -gap 1e-4
  grep -q '^filters  normalised: lengths differed from 1 by up to' $change.log || fail "$change: is not said" $change.log
done
# no negative gap, whatever is asked for
ends 2 strict 1 certify -data data -model longer_filters.h5 -gap 1e-13 -max_it 300 -progress none

# info says that what a file claims is a claim, and what contradicts itself
run info 1 info whitened.h5
grep -q '^  claimed  .*not checked' info.log || fail 'info: a claim that is not called one' info.log
! grep -q contradiction info.log || fail 'info: a contradiction in a sound file' info.log
contradicts() { # CHANGE WORDS
  python damage whitened.h5 "$1.h5" "$1"
  run "$1" 1 info "$1.h5"
  grep -q "^  contradiction   $2" "$1.log" || fail "$1: expected $2" "$1.log"
}
contradicts larger_dual 'the bound is above the objective'
contradicts smaller_gap 'the gap is smaller'
contradicts smaller_objective 'the objective is below beta times'

python judge_certify
