#!/bin/sh
# An independent program that reads nothing but the model file finds the same objective, and bounds that agree.
. "$SOURCE/tests/check.sh"
shared=$SOURCE/../shared
for needed in verify.py data/cifar10; do [ -e "$shared/$needed" ] || skip "$shared/$needed"; done
need_python
scratch
export OPENBLAS_NUM_THREADS=1

# verify NAME RANKS SELECTION TRAINING-OPTIONS...: trains, lets verify.py loose on the model, compares
verify() {
  name=$1 ranks=$2 selection=$3
  shift 3
  run "$name" "$ranks" train -data "$shared/data/cifar10" -model "$name.h5" "$@"
  # selection is a list of words
  # shellcheck disable=SC2086
  /usr/bin/python3 "$shared/verify.py" "$name.h5" "$shared/data/cifar10" $selection --bound >"$name.json"
  python judge_verify "$name"
}

verify beta-1.9 2 "--classes 0,1" -classes 0,1 -patch 4 -stride 4 -beta 1.9 -gap 1e-6
verify beta-1e-6 1 "--classes 0,1" -classes 0,1 -patch 4 -stride 4 -beta 1e-6 -gap 1e-4
verify whitened 2 "--limit 2000" -limit 2000 -patch 3 -stride 2 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 1e-3 -gap 1e-3
verify components 3 "--limit 2000" -limit 2000 -patch 4 -stride 2 -pool 2 -patch_normalize 10 -whiten 0.1 -pca 20 \
  -beta_rel 1e-2 -gap 1e-4
verify rectangular 4 "--classes 3,5,7 --limit 1001" -classes 3,5,7 -limit 1001 -patch 2x3 -stride 3 -pool 3 \
  -activation 0.2,-0.3,0.1 -pixel_shift 0 -pixel_scale 100 -beta_rel 1e-2 -gap 1e-4
