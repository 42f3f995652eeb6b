#!/bin/sh
# Units change nothing: features that differ by a power of two are one program, digit by digit, with every loss and consensus, along
# paths, through checkpoints and when certified; and numbers however large or small end with a proof or one line.
. "$SOURCE/tests/check.sh"
need_python
scratch
export OPENBLAS_NUM_THREADS=1
make_images data -images 60 -image 1x6x6 -seed 5

data="-data data -progress none"
shape="$data -patch 2 -stride 2 -pool 2 -max_it 3000 -gap 1e-3"

# in_units NAME UNITS RANKS OPTIONS...: training in each of UNITS, K:J as units.py has them
in_units() {
  group=$1 units=$2 on=$3
  shift 3
  for unit in $units; do
    # shellcheck disable=SC2046
    run "$group@$unit" "$on" train $shape "$@" $(python units ${unit%:*} ${unit#*:} ${penalties:-}) -model "$group@$unit.h5" \
      -report "$group@$unit.json" -history "$group@$unit.csv"
  done
}

for loss in squared logistic softmax hinge huber l1; do
  in_units "$loss" "0:0 -300:0 7:100" 1 -loss $loss -beta_rel 0.05
done
in_units huber-flat "0:0 -300:0" 1 -loss huber -huber_delta 1e-6 -beta_rel 0.05
for several in 2 3; do
  in_units squared-$several "0:0 -300:0" $several -beta_rel 0.05
  in_units softmax-$several "0:0 40:0" $several -loss softmax -beta_noise 0.05
done
in_units scalapack "0:0 40:0" 2 -consensus scalapack -beta_rel 0.05
in_units dual "0:0 -300:0 7:100" 2 -consensus dual -beta_rel 0.05
penalties="0.5 0.25" in_units given "0:0 40:0 -300:0" 1
in_units flip "0:0 40:0" 1 -flip -beta_rel 0.05

# a path; a run in two parts, whose checkpoint is of its units alone; certificates from files
for unit in 0:0 -300:0; do
  # shellcheck disable=SC2046
  options=$(python units ${unit%:*} ${unit#*:})
  run "path@$unit" 1 path $shape $options -beta_count 3 -beta_rel 0.02 -model "path@$unit.h5" -table "path@$unit.csv"
  parts="$shape $options -beta_rel 0.02 -model parts@$unit.h5 -checkpoint $unit.ck"
  ends 2 first 2 train $parts -max_it 20
  run second 2 train $parts -resume -report "parts@$unit.json" -history "parts@$unit.csv"
  run "certify@$unit" 1 certify $data -model "squared@$unit.h5" -gap 1e-3
done
# shellcheck disable=SC2046
refuse 'of another problem' 1 train $shape $(python units 40 0) -beta_rel 0.02 -model m.h5 -checkpoint 0:0.ck -resume

# extreme OPTIONS...: a few iterations give a network, a bound and no number that is none
extremes=0
extreme() {
  extremes=$((extremes + 1)) ending=0
  start 1 train $shape -max_it 30 -model m.h5 -report "extreme-$extremes.json" "$@" >"extreme-$extremes.log" 2>&1 || ending=$?
  case $ending in 0 | 2) ;; *) fail "psdnet $*: exit status $ending" "extreme-$extremes.log" ;; esac
}
for loss in squared logistic softmax hinge huber l1; do
  extreme -loss $loss -beta 1e300
  extreme -loss $loss -beta 1e-300
  extreme -loss $loss -beta_rel 3
done
extreme -beta_rel 1e-3 -activation 1e-130,0,0
extreme -beta_rel 1e-3 -activation 0,1e130,0
extreme -beta_rel 1e-3 -pixel_scale 1e-60
extreme -beta_rel 1e-3 -whiten 1e100 -pca 3
extreme -beta_rel 1e-3 -patch_normalize 1e100
extreme -beta_rel 1e-3 -rho 1e-300
extreme -beta_rel 1e-3 -loss huber -huber_delta 1e-100
extreme -beta_rel 1e-3 -activation 0,0,0
refuse 'lifted features have numbers of up to 2\^' 1 train $shape -activation 1e200,0,0 -model m.h5
refuse 'patches have numbers of up to 1' 1 train $shape -pixel_scale 1e-160 -model m.h5
refuse 'beta: found 1e.300, which is out of range' 1 train $shape -activation 1e-90,0,0 -beta 1e300 -model m.h5
refuse '-rho: found 1e.300, which is out of range' 1 train $shape -activation 1e-90,0,0 -rho 1e300 -model m.h5
python judge_units
