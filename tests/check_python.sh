#!/bin/sh
# psdnet's Python module: scores, labels, names and probabilities of networks of all kinds are those of psdnet predict; filters are those of
# the file; a classifier trains as the command does; the module is installed and found.
. "$SOURCE/tests/check.sh"
need_python
scratch
PYTHONPATH=$SOURCE/src/python
export PYTHONPATH PSDNET LAUNCH
python make_formats
predicted() { # NAME DATA OPTIONS...: trained, and its predictions
  name=$1 data=$2
  shift 2
  run "$name" 1 train -data "$data" -beta_rel 0.02 -gap 1e-2 -progress none -model "$name.h5" "$@"
  run "$name" 1 predict -data "$data" -model "$name.h5" -output "$name.csv"
}
predicted plain grey_h5 -patch 3 -stride 2 -pool 2
predicted named colour_png -patch 4x3 -stride 1 -pool 3 -pool_overlap 1 -patch_normalize 10 -whiten 0.1 -pca 7 -loss softmax
predicted two grey_h5 -classes 2,0 -patch 2 -loss logistic
predicted branches colour_h5 -patch 3 -whiten 0.1 -branches 2 -branch2_reduce 2 -branch2_patch 2 -branch2_pool 2 -branch2_patch_normalize 5
predicted maps colour_h5 -layer1_filters patches -layer1_count 12 -layer1_patch 3 -layer1_pool 4 -layer1_channels 5 -patch 2 -pool 2
predicted chain colour_h5 -layer1_filters neurons -layer1_model maps.h5 -layer1_count 9 -layer1_pool 3 -layer1_channels 6 -patch 1 -pool 2 -branches 2 \
  -branch2_stage 1 -branch2_patch 2 -branch2_pool 2
predicted joint colour_h5 -layer1_filters patches -layer1_mirror -layer1_count 12 -layer1_patch 3 -layer1_pool 4 -layer1_channels 5 -layer1_responses 2 -layer1_response_scale 0.3 \
  -patch 1 -pool 2 -branches 2 -branch2_responses -branch2_patch 1 -branch2_pool 2 -branch2_lift linear
predicted real real_h5 -patch 3 -stride 2 -pool 2
predicted parts grey_parts -patch 3 -stride 2 -pool 2
run probabilities 2 predict -data colour_png -model named.h5 -probabilities -output probabilities.csv
run odds 1 predict -data grey_h5 -model two.h5 -probabilities -output odds.csv
refuse 'no probabilities' 2 predict -data grey_h5 -model plain.h5 -probabilities -output none.csv
run evaluation 2 evaluate -data part_png -model named.h5 -report evaluation.json -picture evaluation.svg
# on standard output there is the table and nothing else
for ranks in 1 2; do
  run said $ranks predict -data colour_png -model named.h5 -output written.csv
  start $ranks predict -data colour_png -model named.h5 -output - >printed.csv 2>printed.log || fail "predict -output -" printed.log
  cmp written.csv printed.csv || fail "predict -output - on $ranks ranks: not what is in the file" printed.log
  grep -q 'in standard output' printed.log || fail "predict -output -: no lines on standard error" printed.log
done
[ ! -e - ] || fail "predict -output - has made a file"
python judge_python
# scikit-learn's own checks
if /usr/bin/python3 -c "import sklearn" 2>/dev/null; then python judge_sklearn; fi
