#!/bin/sh
# What psdnet export -numpy writes is the network of the model file, and in docs/guide.md's module of PyTorch it gives
# psdnet predict's scores to 1e-12, of networks on maps to 1e-5, and a gradient that is one. What is there is never replaced.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_formats
exported() { # NAME DATA OPTIONS...
  it=$1 data=$2
  shift 2
  run said 1 train -data "$data" -beta_rel 0.02 -gap 1e-2 -progress none -model "$it.h5" "$@"
  run said 1 predict -data "$data" -model "$it.h5" -output "$it.csv"
  run said 1 export -model "$it.h5" -numpy "$it"
}
exported plain grey_h5 -patch 3 -stride 2 -pool 2
exported named colour_png -patch 4x3 -stride 1 -pool 3 -pool_overlap 1 -patch_normalize 10 -pixel_shift 9 -pixel_scale 50 -whiten 0.1 -pca 7
exported branches colour_h5 -classes 2,0 -patch 3 -whiten 0.1 -branches 2 -branch2_reduce 2 -branch2_patch 2 -branch2_pool 2
exported linear colour_h5 -patch 3 -pool 2 -patch_normalize 5 -lift linear
exported levels real_npy -patch 3 -reduce 2 -pool 2
exported maps colour_h5 -layer1_filters patches -layer1_count 12 -layer1_patch 3 -layer1_pool 4 -layer1_channels 5 -patch 2 -pool 2
exported chain colour_h5 -layer1_filters neurons -layer1_model maps.h5 -layer1_count 9 -layer1_pool 3 -layer1_channels 6 -patch 1 -pool 2 -branches 2 \
  -branch2_stage 1 -branch2_patch 2 -branch2_pool 2
exported joint colour_h5 -layer1_filters patches -layer1_mirror -layer1_count 12 -layer1_patch 3 -layer1_pool 4 -layer1_channels 5 -layer1_responses 2 -layer1_response_scale 0.3 \
  -patch 1 -pool 2 -branches 2 -branch2_responses -branch2_patch 1 -branch2_pool 2 -branch2_lift linear
cp -r plain kept
refuse 'plain is there already' 2 export -model plain.h5 -numpy plain
refuse 'no/where' 1 export -model plain.h5 -numpy no/where
refuse 'error: absent.h5: No such file' 1 export -model absent.h5 -numpy new
refuse 'error: plain.csv: no model file' 2 export -model plain.csv -numpy new
[ ! -e new ]
diff -r plain kept
PYTHONPATH=$SOURCE/src/python python judge_arrays
/usr/bin/python3 -c "import torch" 2>/dev/null || skip "python3-torch"
python judge_torch
