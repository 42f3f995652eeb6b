#!/bin/sh
# Real targets: optima are those of an independent interior-point method, whatever solver and number of ranks; bounds
# are proved again from model and certificate files; targets times a power of two are the same program, digit by digit;
# what does not go together is refused.
. "$SOURCE/tests/check.sh"
need_python
scratch
export OPENBLAS_NUM_THREADS=1
PYTHONPATH=$SOURCE/src/python
export PYTHONPATH PSDNET LAUNCH
python make_regression
OPTIONS="-patch 2 -stride 1 -pool 2 -activation 1,0.5,0.4 -gap 1e-7 -max_it 20000 -progress none"
train() { # NAME RANKS DATA OPTIONS...
  name=$1 ranks=$2 data=$3
  shift 3
  # shellcheck disable=SC2086
  run "$name" "$ranks" train -data "$data" $OPTIONS -model "$name.h5" -report "$name.json" "$@"
}
for loss in squared huber l1; do
  more="-loss $loss -beta 0.4"
  [ $loss != huber ] || more="$more -huber_delta 0.7"
  case $loss in squared) all="1 2 3 4" ;; huber) all=2 ;; l1) all=3 ;; esac
  # shellcheck disable=SC2086
  for ranks in $all; do train $loss-barrier-$ranks $ranks real $more -solver barrier; done
  # shellcheck disable=SC2086
  [ $loss = l1 ] || {
    train $loss-admm 2 real $more -solver admm
    train $loss-lowrank 1 real $more -solver lowrank
  }
done
train squared-dual 2 real -beta 0.4 -consensus dual
train l1-admm 1 real -beta 0.4 -loss l1 -solver admm -gap 1e-4

# what is proved, from the files; other targets are seen
train proved 2 large -beta_rel 1e-2 -loss huber -huber_delta 1e30 -flip -validation 0.2 -crops 9 -certificate proof.h5
run certify-model 3 certify -data large -validation 0.2 -model proved.h5 -progress none
run certify-file 1 certify -data large -validation 0.2 -model proved.h5 -certificate proof.h5 -progress none
refuse 'of other targets' 1 certify -data scaled -validation 0.2 -certificate proof.h5
train proof 1 real -beta_rel 1e-2 -certificate real_proof.h5
python check_proof real_proof.h5 real/train.h5 proof.h5

# the same images and targets, whatever they are in, and on whatever scale
for data in packed loose plain scaled; do train $data 2 $data -beta_noise 0.1; done
train same 2 real -beta_noise 0.1
run evaluate 2 evaluate -data real -model same.h5 -report evaluate.json
run predict 3 predict -data real -model same.h5 -output predict.csv
run predict-none 2 predict -data none -model same.h5 -output none.csv
# names of targets go wherever names of classes go; a converted file says the same
run convert 3 convert -data named -output named.own.h5
run convert 1 convert -data named.npz -output again.own.h5
cmp named.own.h5 again.own.h5 || fail "named.npz: other names"
train own 2 named.own.h5 -beta_noise 0.1
run evaluate-own 2 evaluate -data real -model own.h5 -report evaluate-own.json
run predict-own 2 predict -data none -model own.h5 -output own.csv
run info-own 1 info own.h5
run info-data 2 info named.own.h5
train one 2 one -beta_noise 0.1 -shifts 5
train flat 1 flat -beta_noise 0.1
run evaluate-flat 1 evaluate -data flat -model flat.h5 -report evaluate-flat.json
run info 1 info real

# a path chooses by the loss; a run goes on from its checkpoint with the steps of one that did not stop
run path 2 path -data real -validation 0.3 $OPTIONS -gap 1e-3 -beta_count 4 -model path.h5 -table path.csv -report path.json
train whole 2 real -loss huber -solver admm -beta_rel 0.02 -history whole.csv
ends 2 stopped 3 train -data real $OPTIONS -loss huber -solver admm -beta_rel 0.02 -max_it 30 -checkpoint run.ck -model stopped.h5
run gone-on 1 train -data real $OPTIONS -loss huber -solver admm -beta_rel 0.02 -checkpoint run.ck -resume -model gone-on.h5 -history gone-on.csv
run plan 1 plan -data real -patch 2 -rates 10,10,10,10

run page 1 report path.h5 path.json path.csv evaluate.json -output page.html
T="train -patch 2 -model no.h5"
# shellcheck disable=SC2086
{
  for loss in hinge logistic softmax; do refuse "-loss $loss: is of classes" 1 $T -data real -loss $loss; done
  refuse 'all targets are 0' 1 $T -data zero
  refuse '39 targets in /targets, expected 40' 1 $T -data short
  refuse 'give targets in other units' 2 $T -data huge
  refuse 'too far apart' 1 $T -data apart
  refuse "attribute 'names' of /targets has 2 texts, expected 3" 1 $T -data few_names
  refuse 'names.npy: 2 names, expected 3' 3 $T -data two_names.npz
  refuse 'names.npy: is no array of texts' 1 $T -data number_names.npz
  refuse 'names.npy: has no texts of Unicode' 1 $T -data no_text.npz
  refuse 'both /labels and /targets' 1 $T -data both
  refuse '/targets has 3 dimensions' 1 $T -data deep
  refuse '/targets holds neither integers' 1 $T -data words
  refuse 'a target of image 17 .* is nan' 3 $T -data nan
  refuse 'found no data set /labels or /targets' 1 $T -data none
  refuse 'expected labels for classes' 1 $T -data real -classes 0,1
}
refuse 'has 0 targets of an image, expected 3' 1 evaluate -data labels -model same.h5
refuse 'has 1 targets of an image, expected 3' 1 evaluate -data one -model same.h5
refuse 'no probabilities' 1 predict -data real -model same.h5 -probabilities -output no.csv
[ ! -e no.h5 ] && [ ! -e no.csv ]
python judge_regression
