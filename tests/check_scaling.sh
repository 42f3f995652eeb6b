#!/bin/bash
# jobs/scaling/run.sh from runs to report: the table has psdnet's own numbers, the pictures are pictures, the model finds coefficients
# that are known and states how well it fits runs that are measured; wrong options get one line.
set -o pipefail
. "$SOURCE/tests/check.sh"
need_python
command -v gnuplot >/dev/null || skip gnuplot
scratch
export PSDNET
# an allocation that the test itself may run in is not what is tested
unset SLURM_JOB_ID SLURM_NTASKS
run=$SOURCE/jobs/scaling/run.sh

crowd=$(($(nproc) + 1))
"$SOURCE/jobs/scaling/images.py" images.h5 -images $((400 + 100 * crowd)) -image 1x12x12 -classes 3
"$run" strong -data images.h5 -ranks 1,2 -images 260 -patch 4 -classes 2 -consensus root,scalapack -iterations 10 -repetitions 2 \
  -options "-pool 2" -model_ranks 1,1000 -model_patch 16 -node 48 >strong.log
weak="-weak -data images.h5 -ranks 1,$crowd -images 100 -patch 3,4 -classes 3 -iterations 10 -repetitions 1 -model_ranks 0"
# options are words
# shellcheck disable=SC2086
"$run" weak $weak >weak.log

python judge_scaling "$SOURCE/jobs" "$(nproc)"

# what is there is not done again
# shellcheck disable=SC2086
"$run" weak $weak >again.log
[ "$(wc -l <again.log)" = 1 ] || { cat again.log; exit 1; }

# refused WHAT OPTIONS...: status 1, one line that says WHAT
refused() {
  local what=$1 status=0
  shift
  "$run" bad "$@" >/dev/null 2>error.txt || status=$?
  if [ $status != 1 ] || [ "$(wc -l <error.txt)" != 1 ] || ! grep -q -- "$what" error.txt; then
    fail "run.sh $*: status $status" error.txt
  fi
}
refused "-data: found nothing" -ranks 1
refused "nowhere is not there" -data nowhere
refused "-ranks: found '0'" -data images.h5 -ranks 0
refused "-ranks: found '1,,2'" -data images.h5 -ranks 1,,2
refused "-images: found 'all'" -data images.h5 -images all
refused "-consensus: found 'best'" -data images.h5 -consensus root,best
refused "-classes: found 1" -data images.h5 -classes 1
refused "found -rank, expected an option" -data images.h5 -rank 1
refused "-iterations: found nothing" -data images.h5 -iterations
