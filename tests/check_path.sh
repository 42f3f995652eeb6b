#!/bin/sh
# A path gives each of its betas the certified network that training at that beta alone gives, and keeps the best one.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_sets path

options="-data train.h5 -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -gap 1e-6 -max_it 20000 -progress none"
for ranks in 1 2 3 4; do
  run path$ranks $ranks path $options -beta_rel 1e-3 -beta_count 5 -validation_data other.h5 -keep_all \
    -model best$ranks.m -table table$ranks.csv -report report$ranks.json
done
# the last fraction held out, and the samples as patches
run held 2 path $options -beta_rel 1e-3 -beta_count 5 -consensus dual -validation 0.25 -model held.m -table held.csv
for k in 1 2 3 4 5; do
  beta=$(awk -F, -v k="$k" '$1 == k { print $2 }' table1.csv)
  run alone 1 train $options -beta "$beta" -model alone.m -report alone$k.json
done
# where it ends when nothing is said is a tenth of where train is
run tenth 1 path -data train.h5 -patch 3 -beta_count 2 -gap 1e-2 -progress none -table tenth.csv -model tenth.m
run whole 1 train -data train.h5 -patch 3 -gap 1e-2 -progress none -model whole.m -report whole.json
betas=$(awk -F, 'NR > 1 { printf "%s%s", (NR > 2 ? "," : ""), $2 }' held.csv)
run list 1 path $options -beta_list "$betas" -validation 0.25 -model list.m -table list.csv

# refused WORDS OPTIONS...
refused() {
  words=$1
  shift
  refuse "$words" 2 path $options -model no.m "$@"
}
refused 'expected positive numbers that decrease' -beta_list 1,2
refused 'found both' -beta_list 2,1 -beta_count 3
refused 'found both' -validation 0.2 -validation_data other.h5
refused 'not below beta_max' -beta_rel 2
refused 'no_such' -validation_data no_such.h5
python judge_path
