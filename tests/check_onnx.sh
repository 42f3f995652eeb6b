#!/bin/sh
# Networks of all kinds, exported to ONNX, give psdnet predict's scores, labels and probabilities in onnxruntime: to 1e-5 in single
# precision and 1e-12 in double. The export says what is wrong in one line, and never replaces its model.
. "$SOURCE/tests/check.sh"
need_python
/usr/bin/python3 -c "import onnx" 2>/dev/null || skip "python3-onnx"
command -v node npm >/dev/null || skip "node and npm, for onnxruntime-node"
scratch
runtime=$SCRATCH/../onnxruntime
if [ ! -e "$runtime/node_modules/onnxruntime-node" ]; then
  mkdir -p "$runtime"
  # without its scripts: they look for graphics cards
  (cd "$runtime" && npm install --ignore-scripts --no-audit --no-fund onnxruntime-node@1.27.0 >npm.log 2>&1) || skip "onnxruntime-node, from npm"
fi
NODE_PATH=$runtime/node_modules
PYTHONPATH=$SOURCE/src/python
export NODE_PATH PYTHONPATH
python make_formats
exported() { # NAME DATA OPTIONS...
  it=$1 data=$2
  shift 2
  run "$it" 1 train -data "$data" -beta_rel 0.02 -gap 1e-2 -progress none -model "$it.h5" "$@"
  run "$it" 1 predict -data "$data" -model "$it.h5" -output "$it.csv"
  run said 1 export -model "$it.h5" -onnx "$it.onnx"
  run said 1 export -model "$it.h5" -onnx "$it.double.onnx" -double
}
exported plain grey_h5 -patch 3 -stride 2 -pool 2
exported named colour_png -patch 4x3 -stride 1 -pool 3 -pool_overlap 1 -patch_normalize 10 -whiten 0.1 -pca 7 -loss softmax
exported two grey_h5 -classes 2,0 -patch 2 -loss logistic
exported branches colour_h5 -patch 3 -whiten 0.1 -branches 2 -branch2_reduce 2 -branch2_patch 2 -branch2_pool 2 -branch2_patch_normalize 5
exported maps colour_h5 -layer1_filters patches -layer1_count 12 -layer1_patch 3 -layer1_pool 4 -layer1_channels 5 -patch 2 -pool 2
exported chain colour_h5 -layer1_filters neurons -layer1_model maps.h5 -layer1_count 9 -layer1_pool 3 -layer1_channels 6 -patch 1 -pool 2 -branches 2 \
  -branch2_stage 1 -branch2_patch 2 -branch2_pool 2
exported joint colour_h5 -layer1_filters patches -layer1_mirror -layer1_count 12 -layer1_patch 3 -layer1_pool 4 -layer1_channels 5 -layer1_responses 2 -layer1_response_scale 0.3 \
  -patch 1 -pool 2 -branches 2 -branch2_responses -branch2_patch 1 -branch2_pool 2 -branch2_lift linear
exported real real_npy -patch 3 -stride 2 -pool 2 -reduce 2 -patch 2
exported nothing grey_h5 -beta_rel 1.5 -patch 3
python judge_onnx
refuse 'would replace -model plain.h5' 1 export -model plain.h5 -onnx plain.h5
refuse 'absent.h5' 2 export -model absent.h5 -onnx absent.onnx
refuse 'neither -onnx nor -numpy' 1 export -model plain.h5
cp plain.h5 kept.h5
for words in "export -model plain.h5" "export -model absent.h5 -onnx absent.onnx" "export -model plain.h5 -onnx plain.h5"; do
  # shellcheck disable=SC2086
  if /usr/bin/python3 -m psdnet $words 2>said.log; then fail "psdnet $words: exit status 0"; fi
  [ "$(wc -l <said.log)" = 1 ] || fail "psdnet $words: expected one line" said.log
  cmp plain.h5 kept.h5
done
