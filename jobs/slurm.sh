# Shared by the batch scripts of this folder (*.sbatch), which source it at the start of a job: how ranks are started, how a job
# that runs out of time saves itself and goes on, and where files go. The knobs that it reads are at the top of each script.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: error: %s\n' "${SLURM_JOB_NAME:-job}" "$*" >&2
  exit 1
}

# begin_job DIRECTORY: checks the knobs, makes and enters the directory for results, sets threads, and says what runs where
begin_job() {
  [[ ${THREADS:=1} =~ ^[1-9][0-9]*$ ]] || die "THREADS: found $THREADS, expected a positive number"
  PSDNET=$(command -v "${PSDNET:-psdnet}") || die "found no program ${PSDNET:-psdnet}: set PSDNET, or PATH"
  PSDNET=$(realpath "$PSDNET")
  [ -e "$DATA" ] || die "DATA: $DATA is not there"
  DATA=$(realpath "$DATA") JOBS=$(realpath "$JOBS")
  mkdir -p "$1" || die "OUTPUT: cannot make $1"
  cd "$1" || die "OUTPUT: cannot enter $1"
  # ranks do the work: more threads than THREADS in a rank's BLAS would fight over cores
  export OMP_NUM_THREADS=$THREADS OPENBLAS_NUM_THREADS=$THREADS MKL_NUM_THREADS=$THREADS BLIS_NUM_THREADS=$THREADS
  choose_launcher "${SLURM_NTASKS:-1}"
  say "job ${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}, start $((${SLURM_RESTART_COUNT:-0} + 1)):" \
    "${SLURM_NTASKS:-1} ranks on ${SLURM_JOB_NODELIST:-?}, threads $THREADS, ${launch[0]}; $(date -u '+%Y-%m-%d %H:%M:%S UTC')"
}

# choose_launcher RANKS: fills the array launch with the words that start RANKS ranks, THREADS cores each.
# auto: mpirun where there is one, as it belongs to the MPI that psdnet was built with; else srun, which needs PMIx for that.
choose_launcher() {
  local ranks=$1 launcher=${LAUNCHER:-auto} threads=${THREADS:-1} bind=${BIND:-core}
  if [ "$launcher" = auto ]; then
    launcher=srun
    if command -v mpirun >/dev/null; then launcher=mpirun; fi
  fi
  command -v "$launcher" >/dev/null || die "found no $launcher in PATH: load MPI's module"
  case $launcher in
    srun)
      srun --mpi=list 2>&1 | grep -w pmix >/dev/null || die "srun has no PMIx here (srun --mpi=list): use LAUNCHER=mpirun"
      launch=(srun --mpi=pmix --kill-on-bad-exit=1 --ntasks="$ranks" --cpus-per-task="$threads")
      if [ "$bind" = none ]; then launch+=(--cpu-bind=none); else launch+=(--cpu-bind="${bind}s"); fi
      ;;
    mpirun)
      launch=(mpirun -np "$ranks")
      if ! mpirun --version 2>/dev/null | grep 'Open MPI\|OpenRTE' >/dev/null; then return; fi
      launch+=(--bind-to "$bind")
      if [ "$threads" -gt 1 ]; then launch+=(--map-by "slot:PE=$threads"); fi
      # Open MPI refuses root, which no cluster's user is
      if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
      ;;
    *) die "LAUNCHER: found $launcher, expected auto, mpirun or srun" ;;
  esac
}

# ask_for_checkpoint: psdnet finishes its iteration on USR1, writes its checkpoint and ends with status 75
ask_for_checkpoint() {
  asked=yes
  if [ -n "$child" ]; then kill -USR1 "$child" 2>/dev/null || true; fi
}

# run COMMAND...: on all ranks of the job; returns its status. Slurm's USR1 (--signal=B:USR1@N) reaches this shell alone and goes on
# to the launcher, which hands it to the ranks. So does TERM, as USR1: mpirun would end the ranks at once on TERM.
run() {
  local status=0
  child='' asked=no
  trap ask_for_checkpoint USR1 TERM
  "${launch[@]}" "$@" &
  child=$!
  if [ $asked = yes ]; then ask_for_checkpoint; fi
  while :; do
    asked=no status=0
    wait "$child" || status=$?
    # otherwise the child has ended
    if [ $asked = no ]; then break; fi
    say "signal at $(date -u '+%H:%M:%S'): a checkpoint is asked for"
  done
  trap - USR1 TERM
  return $status
}

# go_on STATUS: after status 75, with a checkpoint, the job is queued again and goes on from there; any other ends it
go_on() {
  local job=$SLURM_JOB_ID
  [ "$1" = 75 ] || exit "$1"
  # the number alone of an array's first task would name the whole array
  if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi
  [ "${SLURM_RESTART_COUNT:-0}" -lt "${RESTARTS:-100}" ] || die "stopped after $((SLURM_RESTART_COUNT + 1)) starts, limit RESTARTS"
  say "status 75: job $job is queued again, to go on from the checkpoint"
  scontrol requeue "$job" || die "scontrol requeue $job failed: submit the script again, it goes on from the checkpoint"
  # Slurm ends this shell when it requeues the job
  sleep 60
  exit 75
}

# train OPTIONS...: psdnet train in the directory of the results, with checkpoints; goes on from one that is there
train() {
  local status=0
  run "$PSDNET" train -data "$DATA" "$@" -checkpoint checkpoint.h5 -checkpoint_every "$CHECKPOINT_EVERY" -resume \
    -model model.h5 -report report.json -history history.csv || status=$?
  if [ $status = 0 ]; then rm -f checkpoint.h5 checkpoint.h5.gram; fi
  go_on $status
}

# powers_of_two N: 1,2,4,... up to N, and N
powers_of_two() {
  local ranks list=
  for ((ranks = 1; ranks < $1; ranks *= 2)); do list+=$ranks,; done
  say "$list$1"
}
