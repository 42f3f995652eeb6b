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

python judge_certify
