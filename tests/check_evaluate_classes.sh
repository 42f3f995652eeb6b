#!/bin/sh
# A network is evaluated by what its classes are called and not by their place: on some of the classes, in any order, and on images
# that lack some. Images without labels are predicted. Scores that are no numbers are an error.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_sets evaluate

# the labels 5, 0 and 3 are classes 0, 1 and 2; the data set has names for its labels 0 .. 9
run train 1 train -data named -classes 5,0,3 -pca 5 -patch 5 -pool 2 -beta_rel 0.1 -gap 0.5 -model named.h5
ends 2 many 2 train -data many.h5 -patch 3 -beta_rel 0.3 -max_it 3 -model many_model.h5
for ranks in 1 3; do
  run "all_$ranks" $ranks evaluate -data named -model named.h5
  run "some_$ranks" $ranks evaluate -data named -model named.h5 -classes 3,5
  run "turned_$ranks" $ranks evaluate -data named -model named.h5 -classes 3,0,5
  run "one_$ranks" $ranks evaluate -data named -model named.h5 -classes 0
  run "many_$ranks" $ranks evaluate -data many.h5 -model many_model.h5 -classes 0,1
  run "lacking_$ranks" $ranks evaluate -data lacking.h5 -model many_model.h5
done
run predict_named 2 predict -data named -model named.h5 -output named.csv
run predict_many 1 predict -data many.h5 -model many_model.h5 -output many.csv
run predict_lacking 3 predict -data lacking.h5 -model many_model.h5 -output lacking.csv

# images alone, in each format that can have them
run predict_alone 3 predict -data alone.h5 -model many_model.h5 -output alone.csv
run predict_idx 3 predict -data idx -model many_model.h5 -output idx.csv
run predict_gz 2 predict -data idx_gz -model many_model.h5 -output idx_gz.csv -validation 0.5
run info 1 info idx
grep -q 'without labels' info.log

refuse 'label 4 is none of the 3' 1 evaluate -data named -model named.h5 -classes 5,4
refuse 'no image of split train in lacking.h5 has label 0' 1 evaluate -data lacking.h5 -model many_model.h5 -classes 0,1
refuse 'none of the .* images selected has label 0 .see -limit' 1 certify -data lacking.h5 -model many_model.h5
refuse 'certify takes the classes from the file' 1 certify -data lacking.h5 -model many_model.h5 -classes 0,1
for data in alone.h5 idx; do
  refuse "$data: found no .*labels" 3 evaluate -data $data -model many_model.h5
  refuse "$data: found no .*labels" 1 train -data $data -model other.h5
  refuse "images of $data have no labels" 1 predict -data $data -model many_model.h5 -output p.csv -classes 0,1
done

python damage many_model.h5 infinite.h5 infinite_weights
for ranks in 1 3; do
  refuse 'score [0-9]* of image [0-9]* is not a finite number' $ranks evaluate -data many.h5 -model infinite.h5
  refuse 'score [0-9]* of image [0-9]* is not a finite number' $ranks predict -data many.h5 -model infinite.h5 -output p.csv
done
[ ! -e p.csv ]
python judge_evaluate_classes
