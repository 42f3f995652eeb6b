#!/bin/bash
# What goes wrong around a run: no memory, no right to write, files that are damaged or another problem's. One line each.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
options="-data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -progress none"

# memory: of a rank that may not have what its features take, some 400 MB
make_images many -images 3000 -image 3x12x12 -classes 2
(
  ulimit -v 500000
  complains 1 1 'rank 0 has no memory left' 1 train -data many -patch 4 -stride 2 -pool 4 -consensus root -memory 2000 -model m.h5
)

# no more than this for a process and all its libraries: the loader, MPI or psdnet says so, and nothing waits for memory that does not come
confine() { # KILOBYTES RANKS
  room=$1 confined=0
  ranks=$2
  (
    ulimit -c 0 -v "$room"
    start "$ranks" train $options -model m.h5
  ) >confined.log 2>&1 || confined=$?
  case $confined in
  0) : ;;
  124 | 137) fail "$room kB on $ranks ranks: no end" confined.log ;;
  *) [ -s confined.log ] || fail "$room kB on $ranks ranks: status $confined without a word" ;;
  esac
  ! grep -q 'PETSC ERROR' confined.log || fail "$room kB on $ranks ranks: a traceback" confined.log
}
for room in 20000 150000 165000 200000 250000 300000 350000 390000 400000 410000 420000 430000 440000 450000 500000; do confine $room 1; done
for room in 250000 450000; do confine $room 2; done

# places that cannot be written or read
complains 1 1 '-checkpoint: cannot write missing/run.ck' 2 train $options -model m.h5 -checkpoint missing/run.ck
complains 1 1 '-checkpoint: data is a directory' 2 train $options -model m.h5 -checkpoint data
mkdir run.ck.gram
complains 1 1 'run.ck.gram is a directory' 2 train $options -model m.h5 -checkpoint run.ck -checkpoint_gram
cp data/train.h5 other.h5
complains 1 1 'not a psdnet-checkpoint' 2 train $options -model m.h5 -checkpoint other.h5 -resume
complains 1 1 '-resume needs -checkpoint' 1 train $options -model m.h5 -resume
complains 1 1 '-resume needs -checkpoint' 1 path $options -model m.h5 -resume
if [ "$(id -u)" != 0 ]; then
  mkdir closed
  chmod 555 closed
  complains 1 1 'Permission denied' 1 train $options -model m.h5 -checkpoint closed/run.ck
fi

# what killed runs left under temporary names
left() { # FILES
  complains 0 0 . 1 train $options -model m.h5 -gap 1e-2
  [ "$(echo m.h5.tmp.*)" = "$*" ] || fail "expected $*, found $(echo m.h5.tmp.*)"
}
touch "m.h5.tmp.$(uname -n).999999999" m.h5.tmp.elsewhere.5 m.h5.tmp.notes
left m.h5.tmp.elsewhere.5 m.h5.tmp.notes
touch -d '3 days ago' m.h5.tmp.elsewhere.5
left m.h5.tmp.notes

# A'A that is damaged, or another problem's
rmdir run.ck.gram
complains 2 0 . 2 train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -max_it 3
mv run.ck.gram sound.gram
python damage sound.gram run.ck.gram bit_near_end
complains 1 1 'run.ck.gram: damaged' 3 train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -resume
head -c 100000 sound.gram >run.ck.gram
complains 1 1 'run.ck.gram: .*truncated' 2 train $options -model m.h5 -checkpoint run.ck -checkpoint_gram -resume
cp sound.gram other.ck.gram
complains 1 1 "other.ck.gram: of another problem: .*'activation 1" 2 train $options -model m.h5 \
  -activation 1,0,1 -checkpoint other.ck -checkpoint_gram -resume
complains 1 1 "run.ck: of another problem: .*'images 130', .*'images 100'" 2 train $options -model m.h5 \
  -limit 100 -checkpoint run.ck -resume
