#!/bin/sh
# What goes wrong around a run: no room on the disk, no memory, a crash, no right to write. One line each, files that were there as
# they were, and the solver goes on where it can. A full disk needs a small file system, which root alone can mount.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
options="-data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -progress none"

# complains STATUS LINES WORDS RANKS OPTIONS...: LINES (a number, or 'some') of psdnet's own complaints, all matched by WORDS
complains() {
  ending=$1 lines=$2 words=$3
  shift 3
  ends "$ending" run "$@"
  found=$(grep -c '^psdnet: ' run.log || true)
  [ "$found" = "$lines" ] || { [ "$lines" = some ] && [ "$found" != 0 ]; } || fail "$*: $found lines, expected $lines" run.log
  [ -z "$(grep '^psdnet: ' run.log | grep -Ev -- "$words" || true)" ] || fail "$*: a line is not matched by '$words'" run.log
  ! grep -q 'PETSC ERROR' run.log || fail "$*: a traceback" run.log
}

# a crash of one rank ends all, whatever it was doing
"$LAUNCH" 3 "$PSDNET" train $options -model m.h5 -gap 1e-13 -max_it 1000000 >crash.log 2>&1 &
launcher=$!
victim=
for attempt in $(seq 200); do
  grep -q '^problem' crash.log && victim=$(tr ' ' '\n' <"/proc/$launcher/task/$launcher/children" | sed -n 2p)
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
  fail "a crash: hangs" crash.log
fi
wait $launcher || status=$?
[ "$status" != 0 ] || fail "a crash: exit status 0" crash.log
[ "$(grep -c '^psdnet: defect: rank 1 was ended by a segmentation fault$' crash.log)" = 1 ] || fail "a crash: no line" crash.log
! grep -q 'PETSC ERROR' crash.log || fail "a crash: a traceback" crash.log

# memory: of a rank that may not have what its features take, some 400 MB
make_images many -images 3000 -image 3x12x12 -classes 2
(
  ulimit -v 500000
  complains 1 1 'rank 0 has no memory left' 1 train -data many -patch 4 -stride 2 -pool 4 -consensus root -memory 2000 -model m.h5
)

# places that cannot be written or read
complains 1 1 '-checkpoint: cannot write missing/run.ck' 2 train $options -model m.h5 -checkpoint missing/run.ck
complains 1 1 '-checkpoint: data is a directory' 2 train $options -model m.h5 -checkpoint data
mkdir run.ck.gram
complains 1 1 'run.ck.gram is a directory' 2 train $options -model m.h5 -checkpoint run.ck -checkpoint_gram
complains 1 1 'not a psdnet-checkpoint' 2 train $options -model m.h5 -checkpoint data/train.h5 -resume
complains 1 1 '-resume needs -checkpoint' 1 train $options -model m.h5 -resume
complains 1 1 '-resume needs -checkpoint' 1 path $options -model m.h5 -resume
if [ "$(id -u)" != 0 ]; then
  mkdir closed
  chmod 555 closed
  complains 1 1 'Permission denied' 1 train $options -model m.h5 -checkpoint closed/run.ck
fi

# what killed runs left under temporary names
touch "m.h5.tmp.$(uname -n).999999999" "m.h5.tmp.elsewhere.5" "m.h5.tmp.notes"
complains 0 0 . 1 train $options -model m.h5 -gap 1e-2
[ ! -e "m.h5.tmp.$(uname -n).999999999" ] && [ -e m.h5.tmp.elsewhere.5 ] && [ -e m.h5.tmp.notes ] || fail "files: $(ls)"
touch -d '3 days ago' m.h5.tmp.elsewhere.5
complains 0 0 . 1 train $options -model m.h5 -gap 1e-2
[ ! -e m.h5.tmp.elsewhere.5 ] && [ -e m.h5.tmp.notes ] || fail "files: $(ls)"

# A'A that is damaged, or another problem's
rmdir run.ck.gram
complains 2 0 . 2 train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -max_it 3
cp run.ck.gram sound.gram
/usr/bin/python3 - <<'EOF'
data = bytearray(open('run.ck.gram', 'rb').read())
data[len(data) - 1000] ^= 4
open('run.ck.gram', 'wb').write(data)
EOF
complains 1 1 'run.ck.gram: damaged' 3 train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -resume
head -c 100000 sound.gram >run.ck.gram
complains 1 1 'run.ck.gram: .*truncated' 2 train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -resume
cp sound.gram other.ck.gram
complains 1 1 "other.ck.gram: of another problem: .*'activation 1" 2 train $options -model m.h5 \
  -activation 1,0,1 -checkpoint other.ck -checkpoint_gram -resume
complains 1 1 "run.ck: of another problem: .*'images 130', .*'images 100'" 2 train $options -model m.h5 \
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
complains 2 0 . 2 train $options -model m.h5 -gap 1e-6 -checkpoint small/run.ck -max_it 40
complains 0 0 . 2 train $options -model whole.h5 -gap 1e-6
cp small/run.ck kept.ck
cp m.h5 small/m.h5
fill
full='No space left on device$'
complains 0 some "warning: no checkpoint at iteration [0-9]*: small/run.ck: .*$full" 2 train $options \
  -model m.h5 -gap 1e-6 -checkpoint small/run.ck -resume -checkpoint_every 0.05
cmp kept.ck small/run.ck || fail "the checkpoint is not as it was"
/usr/bin/python3 -c "
import h5py
a, b = (h5py.File(name).attrs['objective_primal'] for name in ('m.h5', 'whole.h5'))
assert abs(a / b - 1) < 1e-8, (a, b)" || fail "another objective"
complains 0 some "warning: (A'A is not kept|no checkpoint at iteration).*$full" 3 train $options \
  -model m.h5 -gap 1e-6 -checkpoint small/other.ck -checkpoint_gram -consensus scalapack
# stopped, and nothing to go on from: the network there is, and not the status of a run that is done
complains 2 some "warning: no checkpoint.*$full" 2 train $options -model m.h5 -gap 1e-13 -max_it 1000000 \
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
[ "$(ls small | tr '\n' ' ')" = "fill m.h5 run.ck " ] || fail "left over: $(ls small)"
umount small
trap - EXIT
cd /
rm -rf "$SCRATCH"
