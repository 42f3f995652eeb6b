#!/bin/sh
# Weights of images: weight 2 is the image twice and weight 0 the image left out, with all losses and solvers; optima of
# other weights are those of independent computations, and so is what a certificate file says; weights of 1 change no
# digit; a run goes on with its own weights alone.
. "$SOURCE/tests/check.sh"
need_python
scratch
export OPENBLAS_NUM_THREADS=1
PYTHONPATH=$SOURCE/src/python
export PYTHONPATH
python make_weights
OPTIONS="-patch 2 -stride 1 -pool 2 -activation 1,0.5,0.4 -gap 1e-4 -max_it 20000 -progress none"
train() { # NAME RANKS DATA OPTIONS...
  name=$1 ranks=$2 data=$3
  shift 3
  # shellcheck disable=SC2086
  run "$name" "$ranks" train -data "$data" $OPTIONS -model "$name.h5" -report "$name.json" "$@"
}
for loss in squared logistic softmax hinge huber l1; do
  more="-loss $loss -beta 0.4"
  [ $loss != huber ] || more="$more -huber_delta 0.7"
  # shellcheck disable=SC2086
  {
    train $loss-repeated 1 repeated $more -solver admm
    train $loss-counted 1 counted $more -solver admm
    train $loss-real 1 real $more -gap 1e-6 -solver barrier -certificate $loss-real.cert
  }
done
train squared-dual 2 counted -beta 0.4 -consensus dual
train squared-mixed 1 counted -beta 0.4 -solver admm -precision mixed
train softmax-lowrank 1 counted -beta 0.4 -loss softmax -solver lowrank
train hinge-barrier 1 counted -beta 0.4 -loss hinge -solver barrier
for data in counted repeated; do
  train flip-$data 1 $data -beta 0.4 -loss softmax -flip -whiten 0.1 -pca 3
  train targets-$data 1 $data-targets -beta 0.4 -loss huber -huber_delta 0.7 -flip
done

# whatever the weights are in, and by whom they are read again
train real-file 1 plain -loss squared -beta 0.4 -gap 1e-6 -solver barrier -weights real.npy
train plain 1 plain -beta 0.4 -certificate plain.cert
train ones 1 plain -beta 0.4 -weights ones.npy
train balanced 1 plain -beta 0.4 -class_weights balanced -limit 19
train balanced-file 1 plain -beta 0.4 -weights balanced.npy -class_weights 1,1,1 -limit 19
run convert 3 convert -data plain -weights real.npy -output weighted.h5
grep -q '^test  *5 images' convert.log || fail "convert: no test images" convert.log
train real-converted 1 weighted.h5 -loss squared -beta 0.4 -gap 1e-6 -solver barrier
cmp real-file.h5 real-converted.h5 || fail "convert: other weights"
run info-weighted 2 info weighted.h5
run info-ones 1 info plain
run page 1 report real-file.json -output weighted.html
run certify 2 certify -data real -model squared-real.h5 -progress none
run certify-file 1 certify -data real -certificate softmax-real.cert -model softmax-real.h5 -progress none
refuse 'without weights, and these have weights' 1 certify -data plain -weights real.npy -certificate plain.cert
refuse 'with weights, and these have none' 1 certify -data plain -certificate softmax-real.cert
refuse 'of other weights' 1 certify -data plain -weights real.npy -class_weights 1,1,2 -certificate softmax-real.cert
ends 2 stopped 1 train -data real $OPTIONS -loss softmax -solver admm -beta 0.4 -max_it 20 -checkpoint run.ck -model no.h5
refuse 'checksum of the weights' 1 train -data real $OPTIONS -class_weights 1,1,2 -loss softmax -solver admm -beta 0.4 -checkpoint run.ck -resume -model no.h5
rm no.h5

T="train -patch 2 -model no.h5 -data"
# shellcheck disable=SC2086
{
  refuse 'image 5 .from 0. has the weight -1' 1 $T negative
  refuse '23 weights in /weights, expected 24' 1 $T short
  refuse '23 weights, expected 24' 1 $T plain -weights other.npy
  refuse '2 numbers, expected 3' 1 $T plain -class_weights 1,2
}
[ ! -e no.h5 ]
python judge_weights
