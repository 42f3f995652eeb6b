#!/bin/sh
# A path that is interrupted, wherever that is, and continued on other numbers of ranks ends with the table and the network of one
# that is not; what does not belong to it is refused.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
python stop_paths
# its last path, listed-same, from a checkpoint that is damaged
python damage listed-same.ck damaged.ck bit_near_end
refuse 'damaged.ck: damaged' 1 path -data data -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -validation 0.3 -max_it 20000 -gap 1e-6 \
  -beta_list 30,29.8,29.6,10,5,1 -checkpoint damaged.ck -resume -model listed-same.m
