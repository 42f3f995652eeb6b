#!/bin/bash
# A disk that is full: one line, files that were there stay as they were, and the solver goes on where it can. It takes a small file system,
# which root alone can mount.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
options="-data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -progress none"

mkdir small
mount -t tmpfs -o size=1m tmpfs small 2>/dev/null || skip "the right to mount a small file system"
free_disk() { umount "$SCRATCH/small"; }
on_exit=free_disk
fill() { dd if=/dev/zero of=small/fill bs=4k 2>/dev/null || true; }
complains 2 0 . 2 train $options -model m.h5 -gap 1e-6 -checkpoint small/run.ck -max_it 40
complains 0 0 . 2 train $options -model whole.h5 -gap 1e-6
cp small/run.ck kept.ck
cp m.h5 small/m.h5
fill
full='No space left on device$'
complains 0 some "warning: no checkpoint at iteration [0-9]*: small/run.ck: .*$full" 2 train $options \
  -model m.h5 -gap 1e-6 -checkpoint small/run.ck -resume -checkpoint_every 0.05
cmp kept.ck small/run.ck || fail "the checkpoint is not as it was"
python judge_same m.h5 whole.h5 1e-8
complains 0 some "warning: (A'A is not kept|no checkpoint at iteration).*$full" 3 train $options \
  -model m.h5 -gap 1e-6 -checkpoint small/other.ck -checkpoint_gram -consensus scalapack
# stopped, and nothing to go on from: the network there is, and not the status of a run that is done
complains 2 some "warning: no checkpoint.*$full" 2 train $options -model m.h5 -gap 1e-13 -check_every 1000000 -max_it 1000000 \
  -checkpoint small/other.ck -time_limit 1
for room in 100k 300k 600k; do # full at another place each
  fill
  truncate -s -$room small/fill
  complains 0 some "warning: (A'A is not kept|no checkpoint at iteration).*$full" 2 train $options \
    -model m.h5 -gap 1e-6 -checkpoint small/other.ck -checkpoint_gram
  rm -f small/other.ck
done
fill
cp small/m.h5 kept.h5
complains 1 1 "small/m.h5: cannot write it: $full" 2 train $options -model small/m.h5
cmp kept.h5 small/m.h5 || fail "the model is not as it was"
complains 1 1 "cannot write small/run.json: $full" 2 train $options -model m.h5 -report small/run.json
complains 1 1 "cannot write .*small/run.csv: $full" 2 train $options -model m.h5 -history small/run.csv
[ "$(cd small && echo *)" = "fill m.h5 run.ck" ] || fail "left over: $(ls small)"
