#!/bin/sh
# What ranks ask of MPI, counted: an iteration and a check have the same few collectives whatever the number of classes, and A'A moves what is least:
# samples among all ranks, sums of all ranks' triangles, or samples in groups of two and sums of these.
. "$SOURCE/tests/check.sh"
need_python
scratch

make_images few -images 60 -image 1x6x6 -classes 3
make_images many -images 60 -image 1x6x6 -classes 10
make_images large -images 2400 -image 1x9x9 -classes 2
make_images middle -images 1200 -image 1x9x9 -classes 2

# of NAME DATA OPTIONS...: four ranks, and limits that end a run
of() {
  name=$1 data=$2
  shift 2
  ends 2 "$name" 4 train -data "$data" -progress none -model m.h5 -count "$name.csv" -report "$name.json" -gap 1e-15 "$@"
}
# with a penalty that stays: to change it takes a factorisation
for consensus in root scalapack dual; do
  for data in few many; do
    case $data in few) rho=0.1 ;; many) rho=0.13 ;; esac
    for iterations in 20 60; do
      for every in 1000 $([ $data = few ] || echo 20); do
        of $consensus-$data-$iterations-$every $data -patch 4 -pool 1 -beta_rel 1e-2 -rho $rho -consensus $consensus -max_it $iterations \
          -check_every $every
      done
    done
  done
done
of sums large -patch 8 -beta 1 -consensus scalapack -max_it 1
of groups middle -patch 8 -beta 1 -consensus scalapack -max_it 1
of samples large -patch 8 -beta 1 -consensus scalapack -max_it 1 -memory 1

python judge_count
