#!/bin/sh
# What goes wrong around a run: no room on the disk, no memory, a crash, no right to write. One line each, files that were there as
# they were, and the solver goes on where it can. A full disk needs a small file system, which root alone can mount.
set -eu
/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null || {
  echo "skipped: needs python3-h5py and python3-numpy"
  exit 77
}
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
cd "$SCRATCH"
/usr/bin/python3 "$SOURCE/tests/make_images.py" data
export OMPI_MCA_odls_base_sigkill_timeout=0 # Open MPI waits a second before it ends a job whose status is not 0
options="-data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -progress none"

fail() {
  echo "$1"
  cat log
  exit 1
}

# run STATUS LINES WORDS COMMAND...: LINES (a number, or 'some') of psdnet's own complaints, all matched by WORDS
run() {
  expected=$1 lines=$2 words=$3 status=0
  shift 3
  timeout 120 "$@" >log 2>&1 || status=$?
  [ "$status" = "$expected" ] || fail "$*: exit status $status, expected $expected"
  found=$(grep -c '^psdnet: ' log || true)
  [ "$found" = "$lines" ] || { [ "$lines" = some ] && [ "$found" != 0 ]; } || fail "$*: $found lines, expected $lines"
  [ -z "$(grep '^psdnet: ' log | grep -Ev -- "$words" || true)" ] || fail "$*: a line is not matched by '$words'"
  ! grep -q 'PETSC ERROR' log || fail "$*: a traceback"
}

# a crash of one rank ends all, whatever it was doing
"$LAUNCH" 3 "$PSDNET" train $options -model m.h5 -gap 1e-13 -max_it 1000000 >log 2>&1 &
launcher=$!
victim=
for attempt in $(seq 200); do
  grep -q '^problem' log && victim=$(tr ' ' '\n' <"/proc/$launcher/task/$launcher/children" | sed -n 2p)
  [ -n "$victim" ] && break
  sleep 0.1
done
kill -SEGV "$victim"
status=0
for attempt in $(seq 300); do
  kill -0 $launcher 2>/dev/null || break
  sleep 0.1
done
if kill -0 $launcher 2>/dev/null; then
  kill -9 $launcher
  fail "a crash: hangs"
fi
wait $launcher || status=$?
[ "$status" != 0 ] || fail "a crash: exit status 0"
[ "$(grep -c '^psdnet: defect: rank 1 was ended by a segmentation fault$' log)" = 1 ] || fail "a crash: no line"
! grep -q 'PETSC ERROR' log || fail "a crash: a traceback"

# memory: of a rank that may not have what its features take, some 400 MB
/usr/bin/python3 - <<'EOF'
import os

import h5py
import numpy

os.makedirs('many')
with h5py.File('many/train.h5', 'w') as file:
    file['images'] = numpy.random.default_rng(1).integers(0, 255, (3000, 3, 12, 12)).astype(numpy.uint8)
    file['labels'] = numpy.arange(3000) % 2
EOF
run 1 1 'rank 0 has no memory left' sh -c "ulimit -v 500000; exec '$PSDNET' train -data many -patch 4 -stride 2 -pool 4 \
  -consensus root -memory 2000 -model m.h5"

# places that cannot be written or read
run 1 1 '-checkpoint: cannot write missing/run.ck' "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -checkpoint missing/run.ck
run 1 1 '-checkpoint: data is a directory' "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -checkpoint data
mkdir run.ck.gram
run 1 1 'run.ck.gram is a directory' "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -checkpoint run.ck -checkpoint_gram
run 1 1 'not a psdnet-checkpoint' "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -checkpoint data/train.h5 -resume
run 1 1 '-resume needs -checkpoint' "$PSDNET" train $options -model m.h5 -resume
run 1 1 '-resume needs -checkpoint' "$PSDNET" path $options -model m.h5 -resume
if [ "$(id -u)" != 0 ]; then
  mkdir closed
  chmod 555 closed
  run 1 1 'Permission denied' "$PSDNET" train $options -model m.h5 -checkpoint closed/run.ck
fi

# what killed runs left under temporary names
touch "m.h5.tmp.$(uname -n).999999999" "m.h5.tmp.elsewhere.5" "m.h5.tmp.notes"
run 0 0 . "$PSDNET" train $options -model m.h5 -gap 1e-2
[ ! -e "m.h5.tmp.$(uname -n).999999999" ] && [ -e m.h5.tmp.elsewhere.5 ] && [ -e m.h5.tmp.notes ] || fail "files: $(ls)"
touch -d '3 days ago' m.h5.tmp.elsewhere.5
run 0 0 . "$PSDNET" train $options -model m.h5 -gap 1e-2
[ ! -e m.h5.tmp.elsewhere.5 ] && [ -e m.h5.tmp.notes ] || fail "files: $(ls)"

# A'A that is damaged, or another problem's
rmdir run.ck.gram
run 2 0 . "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -max_it 3
cp run.ck.gram sound.gram
/usr/bin/python3 - <<'EOF'
data = bytearray(open('run.ck.gram', 'rb').read())
data[len(data) - 1000] ^= 4
open('run.ck.gram', 'wb').write(data)
EOF
run 1 1 'run.ck.gram: damaged' "$LAUNCH" 3 "$PSDNET" train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -resume
head -c 100000 sound.gram >run.ck.gram
run 1 1 'run.ck.gram: .*truncated' "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -resume
cp sound.gram other.ck.gram
run 1 1 "other.ck.gram: of another problem: .*'activation 1" "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 \
  -activation 1,0,1 -checkpoint other.ck -checkpoint_gram -resume
run 1 1 "run.ck: of another problem: .*'images 130', .*'images 100'" "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 \
  -limit 100 -checkpoint run.ck -resume

# a full disk
mkdir small
if ! mount -t tmpfs -o size=1m tmpfs small 2>/dev/null; then
  cd /
  rm -rf "$SCRATCH"
  echo "skipped: the full disk, as this user cannot mount one; all else holds"
  exit 77
fi
trap 'umount "$SCRATCH/small"' EXIT
fill() { dd if=/dev/zero of=small/fill bs=4k 2>/dev/null || true; }
run 2 0 . "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -gap 1e-6 -checkpoint small/run.ck -max_it 40
run 0 0 . "$LAUNCH" 2 "$PSDNET" train $options -model whole.h5 -gap 1e-6
cp small/run.ck kept.ck
cp m.h5 small/m.h5
fill
full='No space left on device$'
run 0 some "warning: no checkpoint at iteration [0-9]*: small/run.ck: .*$full" "$LAUNCH" 2 "$PSDNET" train $options \
  -model m.h5 -gap 1e-6 -checkpoint small/run.ck -resume -checkpoint_every 0.05
cmp kept.ck small/run.ck || fail "the checkpoint is not as it was"
/usr/bin/python3 -c "
import h5py
a, b = (h5py.File(name).attrs['objective_primal'] for name in ('m.h5', 'whole.h5'))
assert abs(a / b - 1) < 1e-8, (a, b)" || fail "another objective"
run 0 some "warning: (A'A is not kept|no checkpoint at iteration).*$full" "$LAUNCH" 3 "$PSDNET" train $options \
  -model m.h5 -gap 1e-6 -checkpoint small/other.ck -checkpoint_gram -consensus scalapack
# stopped, and nothing to go on from: the network there is, and not the status of a run that is done
run 2 some "warning: no checkpoint.*$full" "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -gap 1e-13 -max_it 1000000 \
  -checkpoint small/other.ck -time_limit 1
for room in 100k 300k 600k; do # full at another place each
  fill
  truncate -s -$room small/fill
  run 0 some "warning: (A'A is not kept|no checkpoint at iteration).*$full" "$LAUNCH" 2 "$PSDNET" train $options \
    -model m.h5 -gap 1e-6 -checkpoint small/other.ck -checkpoint_gram
  rm -f small/other.ck
done
fill
cp small/m.h5 kept.h5
run 1 1 "small/m.h5: cannot write it: $full" "$LAUNCH" 2 "$PSDNET" train $options -model small/m.h5
cmp kept.h5 small/m.h5 || fail "the model is not as it was"
run 1 1 "cannot write small/run.json: $full" "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -report small/run.json
run 1 1 "cannot write .*small/run.csv: $full" "$LAUNCH" 2 "$PSDNET" train $options -model m.h5 -history small/run.csv
[ "$(ls small | tr '\n' ' ')" = "fill m.h5 run.ck " ] || fail "left over: $(ls small)"
umount small
trap - EXIT
cd /
rm -rf "$SCRATCH"
