#!/bin/sh
# psdnet report makes one page of what a run has written: well-formed, without anything from elsewhere, with the
# certificate rounded to the safe side, filters, confusion and path as they are in the files, whatever classes are
# called; a browser shows it, light and dark. Mistakes are one line, on one rank and on two, and harm no input.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_formats
mkdir named
mv colour_png/bird 'named/<b>&"bird'"'"
mv colour_png/cat 'named/<script>'
mv colour_png/dog named
set -- -patch 4x3 -stride 1 -pool 3 -pool_overlap 1 -patch_normalize 10 -whiten 0.1 -pca 7 -progress none
run trained 2 train -data named -beta_rel 0.02 -gap 1e-3 -model m.h5 -report run.json -history history.csv "$@"
run evaluated 1 evaluate -data named -model m.h5 -report evaluation.json
run planned 1 plan -images 90 -image 3x8x9 -class_count 3 -ranks 2 -rates 10,10,10,10 -report plan.json -patch 4x3 -pool 3 -pca 7
run path 1 path -data grey_h5 -classes 0,2 -validation 0.2 -patch 3 -pool 2 -beta_count 4 -beta_rel 0.01 -gap 1e-2 -model p.h5 -report p.json \
  -table path.csv -progress none
run branches 1 train -data colour_h5 -beta_rel 0.05 -gap 1e-1 -model b.h5 -patch 3 -branches 2 -branch2_patch 2 -branch2_pool 2 -progress none
run maps 1 train -data colour_h5 -beta_rel 0.05 -gap 1e-1 -model maps.h5 -layer1_filters patches -layer1_count 12 -layer1_patch 3 -layer1_pool 4 \
  -layer1_channels 5 -patch 2 -pool 2 -progress none
mkdir targets
(cd targets && python make_regression)
run real 1 train -data targets/real -patch 2 -pool 2 -beta 0.4 -gap 1e-2 -model real.h5 -report real.json -progress none
run fitted 2 evaluate -data targets/real -model real.h5 -report fitted.json
run linear 1 train -data colour_h5 -beta_rel 0.05 -gap 1e-1 -model linear.h5 -patch 3 -pool 2 -lift linear -progress none
run nothing 1 train -data grey_h5 -beta_rel 1.5 -patch 3 -model nothing.h5 -progress none

run said 1 report plan.json m.h5 evaluation.json history.csv run.json -output whole.html
run said 2 report p.h5 p.json path.csv -output path.html
for it in maps linear nothing; do run said 1 report $it.h5 -output $it.html; done
run said 1 report b.h5 -data colour_h5 -limit 40 -output b.html
run said 2 report b.h5 -data colour_h5 -limit 40 -output b2.html
cmp b.html b2.html || fail "report: another page on two ranks"
for it in m maps; do run said 2 report $it.h5 -data named -output $it-seen.html; done
run said 1 report fitted.json real.h5 real.json -output real.html
run said 1 report run.json -output report.html
run said 1 report plan.json -output plan.html
python judge_report

cp m.h5 kept.h5
head -c 100 run.json >cut.json
sed '$s/,[^,]*$/,x/' history.csv >cut.csv
echo '{"model": 1}' >other.json
refuse 'would replace report m.h5' 2 report run.json m.h5 -output m.h5
refuse 'found no files' 1 report -output x.html
refuse '-output is missing' 1 report m.h5
refuse 'unexpected argument' 1 report -output x.html m.h5
refuse 'error: absent: No such file' 2 report absent -output x.html
refuse 'a second model' 1 report m.h5 b.h5 -output x.html
refuse 'cut.json: no JSON' 1 report cut.json -output x.html
refuse 'cut.csv: a line' 1 report cut.csv -output x.html
refuse 'other.json: no report' 1 report other.json -output x.html
refuse 'images are given and no model' 2 report run.json -data colour_h5 -output x.html
refuse 'images are' 1 report m.h5 -data grey_h5 -output x.html
refuse 'absent' 2 report m.h5 -data absent -output x.html
refuse 'found no model' 1 report said.log -output x.html
refuse '-picture draws' 2 evaluate -data targets/real -model real.h5 -picture x.svg
PYTHON=/nonexistent refuse 'PYTHON is /nonexistent' 1 report m.h5 -output x.html
for words in "report m.h5 -output m.h5" "report m.h5" "report m.h5 -nonsense" "report m.h5 -output"; do
  # shellcheck disable=SC2086
  if PYTHONPATH=$SOURCE/src/python /usr/bin/python3 -m psdnet $words 2>said.log; then fail "python3 -m psdnet $words: exit status 0"; fi
  [ "$(wc -l <said.log)" = 1 ] || fail "python3 -m psdnet $words: expected one line" said.log
done
cmp m.h5 kept.h5
[ ! -e x.html ] || fail "a run that was refused has written a page"
