#!/bin/sh
# The types of solver find one optimum and prove it, with every loss that all take and along a path; a run that is interrupted goes on with
# the type that it began with; either certifies the other's networks; auto goes by what was given; what does not go together is refused.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data -images 60 -image 2x5x6 -seed 2

problem="-data data -patch 5x6 -progress none"
stop="-gap 1e-6 -max_it 20000"

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  # shellcheck disable=SC2086
  run "$name" "$ranks" train $problem $stop -beta_rel 0.1 -model "$name.h5" -report "$name.json" -history "$name.csv" "$@"
}

for loss in squared logistic softmax huber; do
  for solver in admm barrier lowrank; do
    train "$solver-$loss-1" 1 -loss $loss -solver $solver
  done
  train "lowrank-$loss-3" 3 -loss $loss -solver lowrank
done
for loss in hinge l1; do
  train "admm-$loss-1" 1 -loss $loss -solver admm
  for ranks in 1 3; do
    train "barrier-$loss-$ranks" $ranks -loss $loss -solver barrier
  done
done
for solver in admm barrier lowrank; do
  # shellcheck disable=SC2086
  run "path-$solver" 2 path $problem $stop -validation 0.2 -beta_count 3 -beta_rel 0.1 -solver $solver -model "path-$solver.h5" \
    -table "path-$solver.csv" -report "path-$solver.json"
done

# components beyond the coarse ones that are as large as these: bounds are of whole blocks in the end
train whitened 2 -solver lowrank -coarse 20 -whiten 0.1 -patch_normalize 10
train whitened-admm 1 -solver admm -whiten 0.1 -patch_normalize 10

# a certificate by the other type, and a proof without a solver
run certified-lowrank 2 certify -data data -model lowrank-squared-1.h5 -solver admm -gap 1e-6 -certificate_out admm.cert -progress none
run certified-admm 2 certify -data data -model admm-squared-1.h5 -solver lowrank -gap 1e-6 -certificate_out lowrank.cert -progress none
run certified-barrier 3 certify -data data -model admm-squared-1.h5 -solver barrier -gap 1e-6 -certificate_out barrier.cert -progress none
for solver in admm barrier lowrank; do
  run "proved-$solver" 2 certify -data data -certificate $solver.cert -progress none
done

# interrupted in each of its first iterations, and gone on with on other numbers of ranks, the type being the file's
for stop_at in 1 2; do
  rm -f run.ck
  # shellcheck disable=SC2086
  ends 2 first $stop_at train $problem -gap 1e-6 -max_it $stop_at -beta_rel 0.1 -model part.h5 -checkpoint run.ck -solver lowrank
  train "resumed-$stop_at" $((4 - stop_at)) -checkpoint run.ck -resume
done
# on the ranks that it was on it is the same run, on either level
train whole 2 -solver lowrank -coarse 8
for stop_at in 1 3 5; do
  rm -f same.ck
  # shellcheck disable=SC2086
  ends 2 first 2 train $problem -gap 1e-6 -max_it $stop_at -beta_rel 0.1 -model part.h5 -checkpoint same.ck -solver lowrank -coarse 8
  train "same-$stop_at" 2 -checkpoint same.ck -resume
done
# shellcheck disable=SC2086
refuse 'run.ck: its run used -solver lowrank, which -solver admm cannot go on from' 2 train $problem -beta_rel 0.1 -model part.h5 \
  -checkpoint run.ck -resume -solver admm
# on the ranks that it was on it is the same run, on either level
train whole 2 -solver lowrank -coarse 8
for stop_at in 1 3 5; do
  rm -f same.ck
  # shellcheck disable=SC2086
  ends 2 first 2 train $problem -gap 1e-6 -max_it $stop_at -beta_rel 0.1 -model part.h5 -checkpoint same.ck -solver lowrank -coarse 8
  train "same-$stop_at" 2 -checkpoint same.ck -resume
done
# shellcheck disable=SC2086
refuse 'run.ck: its run used -solver lowrank, which -solver admm cannot go on from' 1 train $problem -beta_rel 0.1 -model part.h5 \
  -checkpoint run.ck -resume -cone lapack
train gram 1 -solver lowrank -checkpoint gram.ck -checkpoint_gram
grep -q "gram     solver lowrank has no A'A to keep in gram.ck.gram" gram.log || fail 'no word of A'"'"'A' gram.log
[ ! -e gram.ck.gram ] || fail 'gram.ck.gram was written'

for stop_at in 3 9; do
  rm -f barrier.ck
  # shellcheck disable=SC2086
  ends 2 first $stop_at train $problem -gap 1e-6 -max_it $stop_at -beta_rel 0.1 -model part.h5 -checkpoint barrier.ck -solver barrier
  train "barrier-resumed-$stop_at" 3 -checkpoint barrier.ck -resume
done

# ADMM is relieved where it is slow, unless it was asked for by name; a run that was interrupted after that goes on with who took over, and
# so does a path
make_images few -images 27 -image 2x5x6 -seed 11
slow="-data few -consensus root -patch 2 -pool 2 -loss hinge -beta_rel 1e-5 -progress none"
# shellcheck disable=SC2086
run relieved 2 train $slow -gap 1e-6 -model relieved.h5 -report relieved.json -history relieved.csv
# shellcheck disable=SC2086
ends 2 unrelieved 1 train $slow -model unrelieved.h5 -report unrelieved.json -solver admm -max_it 600
# shellcheck disable=SC2086
ends 2 relieved-part 1 train $slow -gap 1e-6 -model part.h5 -checkpoint relieved.ck -max_it 505
# shellcheck disable=SC2086
run relieved-resumed 3 train $slow -gap 1e-6 -model relieved.h5 -report relieved-resumed.json -checkpoint relieved.ck -resume
# shellcheck disable=SC2086
run relieved-path 1 path $slow -beta_count 1 -model relieved-path.h5 -table relieved-path.csv -report relieved-path.json
# shellcheck disable=SC2086
refuse 'relieved.ck: its run used -solver barrier, which -solver admm cannot go on from' 1 train $slow -model part.h5 -checkpoint relieved.ck \
  -resume -solver admm
# shellcheck disable=SC2086
ends 2 relieved-certify 2 certify -data few -model unrelieved.h5 -gap 1e-4 -max_it 700 -progress none

# auto: ADMM for small patches; an option of its own asks for a type
train auto-small 1
train auto-asked 1 -coarse 40
# plan NAME OPTIONS...: of whole images
plan() {
  name=$1
  shift
  run "plan-$name" 1 plan -images 5000 -image 3x32x32 -patch 32 -rates 40,40,40,10 -node_memory 1000 -report "plan-$name.json" "$@"
}
plan admm -solver admm
plan lowrank -solver lowrank
plan large
plan hinge -loss hinge -patch 12
plan asked -consensus dual

# shellcheck disable=SC2086
while IFS='|' read -r words options; do
  refuse "$words" 2 train $problem -model part.h5 $options
done <<'END'
-solver: found 'newton', expected one of auto.admm.barrier.lowrank|-solver newton
options -solver lowrank and -loss hinge: lowrank needs a loss that is smooth|-solver lowrank -loss hinge
options -solver lowrank and -rho: -rho is for -solver admm|-solver lowrank -rho 1
options -rho and -coarse: -rho is for -solver admm, and -coarse for -solver lowrank|-coarse 9 -rho 1
END
refuse 'option -solver: nothing is searched for with -certificate' 1 certify -data data -certificate admm.cert -solver admm

python judge_solver
