#!/bin/sh
# Every cone with every consensus gives one objective to 1e-8 and a certificate, on 1 to 4 ranks, more ranks than blocks included.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 90 -image 2x8x7 -seed 2

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" train -data data -solver admm -beta_rel 0.1 -gap 1e-9 -max_it 20000 -model "$name.h5" -report "$name.json" \
    -progress none "$@"
}

# one pair of blocks of order 33, D 561, on 2 and 4 ranks; three classes in four regions, whitened, D 684, on 1 and 3
for consensus in root scalapack dual; do
  for cone in auto lapack partial scalapack; do
    options="-consensus $consensus -cone $cone"
    for ranks in 2 4; do
      train "two-$consensus-$cone-$ranks" $ranks -classes 0,1 -patch 4 -stride 2 $options
    done
    for ranks in 1 3; do
      train "three-$consensus-$cone-$ranks" $ranks -patch 3 -stride 2 -pool 2 -patch_normalize 10 -whiten 0.1 $options
    done
  done
done

python judge_kernels
