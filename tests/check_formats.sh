#!/bin/sh
# One set of images gives one network, to the last bit, in whatever format it comes, on one rank and on three; folders go by the names
# that a network knows; what would not be the images as they are is refused in one line.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_formats
options="-solver admm -patch 3 -stride 2 -pool 2 -beta_rel 0.02 -progress none"

for ranks in 1 3; do
  run grey $ranks train -data grey_idx $options -model grey.h5
  for data in grey_npz grey.npz grey_npy grey_float grey_whole grey_h5 grey_parts grey_png; do
    run $data $ranks train -data $data $options -model again.h5
    cmp grey.h5 again.h5 || fail "$data is another network on $ranks ranks" $data.log
  done
  run colour $ranks train -data colour_npz $options -model colour.h5
  for data in colour_npy colour_h5; do
    run $data $ranks train -data $data $options -model again.h5
    cmp colour.h5 again.h5 || fail "$data is another network on $ranks ranks" $data.log
  done
  # more than 255 are 16 bits a pixel
  run wide $ranks train -data wide_h5 $options -patch_normalize 20 -flip -shifts 5 -reduce 2 -patch 2 -model wide.h5
  for data in wide_float wide.npz wide_npy wide_png; do
    run $data $ranks train -data $data $options -patch_normalize 20 -flip -shifts 5 -reduce 2 -patch 2 -model again.h5
    cmp wide.h5 again.h5 || fail "$data is another network on $ranks ranks" $data.log
  done
  # real numbers, rounded to levels; those that say what bytes say make the bytes' network
  run real_bytes $ranks train -data real_bytes $options -model again.h5
  ! grep -q '^levels' real_bytes.log || fail "real_bytes: nothing is rounded there" real_bytes.log
  python judge_formats levels grey.h5 again.h5
  run real $ranks train -data real_h5 $options -patch_normalize 0.01 -flip -shifts 5 -reduce 2 -patch 2 -model real.h5
  grep -q '^levels *6[0-9]* numbers are rounded to steps of 0.00012207, by 6.10352e-05 at most' real.log || fail "real: says of no rounding" real.log
  for data in real_npy real.npz; do
    run $data $ranks train -data $data $options -patch_normalize 0.01 -flip -shifts 5 -reduce 2 -patch 2 -model again.h5
    cmp real.h5 again.h5 || fail "$data is another network on $ranks ranks" $data.log
  done
  # folders have names, which go into the model; an average over 2 x 3 equal pixels is the pixel
  run pictures $ranks train -data colour_png $options -model pictures.h5
  run twice $ranks train -data twice -resize 8x9 $options -model again.h5
  cmp pictures.h5 again.h5 || fail "resized pictures are another network on $ranks ranks"
  python judge_formats models colour.h5 pictures.h5 bird,cat,dog
done

# the network goes by names: folders that lack a class, or have another one, in whatever order
run whole 2 predict -data colour_png -model pictures.h5 -output whole.csv
run part 2 predict -data part_png -model pictures.h5 -output part.csv
run flat 2 predict -data flat -model pictures.h5 -output flat.csv
python judge_formats predictions whole.csv part.csv flat.csv
run other 2 evaluate -data other -model pictures.h5
grep -q '^accuracy.* of 9 images' other.log || fail "other: hare is no class of the network" other.log
refuse 'label 7 is none of the 3' 2 evaluate -data shuffled -classes 7 -model pictures.h5
# a network knows how many bits its pixels have, whatever the numbers of other images are
run wide-certify 2 certify -data wide_h5 -model wide.h5 -progress none
run wide-predict 3 predict -data wide_h5 -split test -model wide.h5 -output wide.csv -crops 18
run wide-plain 1 predict -data wide_h5 -split test -model wide.h5 -output plain.csv
run wide-dark 2 predict -data wide_dark.npz -model wide.h5 -output dark.csv
cmp plain.csv dark.csv
run wide-proved 2 train -data wide_one $options -patch 2x3 -stride 1 -patch_normalize 20 -flip -shifts 5 -reduce 2 -limit 3 -certificate proof.h5 \
  -model proved.h5
python check_proof proof.h5 wide_one/train.h5 proved.h5
PYTHONPATH=$SOURCE/src/python python judge_formats wide wide.h5 wide_h5/test.h5 plain.csv wide.csv
refuse 'images of 8 bits a pixel, but the network was trained on 16' 1 predict -data grey_h5 -model wide.h5 -output none.csv
refuse 'number [0-9]*, expected whole numbers of 0..255' 2 evaluate -data wide_h5 -model grey.h5
refuse 'has 16 bits a channel, expected 8' 1 evaluate -data wide_png -model grey.h5
# levels are those of the network, whatever the numbers of other images are: what is beyond them is clipped and counted
run real-certify 2 certify -data real_h5 -model real.h5 -progress none
run real-plain 3 predict -data real_h5 -split test -model real.h5 -output plain.csv
run real-few 2 train -data real_h5 $options -levels 200 -model few.h5
run real-bytes 1 predict -data grey_h5 -model few.h5 -output few.csv
run real-proved 2 train -data real_few $options -patch 2x3 -stride 1 -reduce 2 -certificate proof.h5 -model proved.h5
python check_proof proof.h5 real_few/train.h5 proved.h5
PYTHONPATH=$SOURCE/src/python python judge_formats real real.h5 real_h5/test.h5 plain.csv real-plain.log
PYTHONPATH=$SOURCE/src/python python judge_formats real few.h5 grey_h5/train.h5 few.csv real-bytes.log
run real-plan 1 plan -data real_h5 -patch 3 -report real-plan.json
run grey-plan 1 plan -data grey_h5 -patch 3 -report grey-plan.json
python judge_formats plans grey-plan.json real-plan.json
run real-info 2 info real_h5
grep -q 'real numbers of -[0-9.]* to [0-9.]*, held in steps of 0.00012207' real-info.log || fail "info: says of no real numbers" real-info.log
refuse 'images of 8 bits a pixel, but the network was trained on real numbers' 1 evaluate -data grey_idx -model real.h5
refuse 'number -*[0-9.]*, expected whole numbers of 0..255' 2 predict -data real_h5 -model grey.h5 -output none.csv
refuse 'levels' 1 train -data real_h5 -levels 3 -model none.h5
# one HDF5 file of whatever it is, the same on any number of ranks: the same networks, on the ranks of the loop's last round
converted() { # NAME DATA MODEL OPTIONS...
  own=$1 data=$2 model=$3
  shift 3
  run convert 3 convert -data "$data" -output "$own.own.h5"
  # shellcheck disable=SC2086
  run convert 3 train -data "$own.own.h5" $options -model again.h5 "$@"
  cmp "$model" again.h5 || fail "convert $data: another network" convert.log
}
converted both grey.npz grey.h5
run convert 1 convert -data grey.npz -output again.own.h5
cmp both.own.h5 again.own.h5 || fail "convert: another file on 3 ranks"
converted pictures colour_png pictures.h5
converted wide wide_h5 wide.h5 -patch_normalize 20 -flip -shifts 5 -reduce 2 -patch 2
converted real real_h5 real.h5 -patch_normalize 0.01 -flip -shifts 5 -reduce 2 -patch 2
for data in names_h5 names.npz names_npy; do
  run convert 3 train -data $data $options -model again.h5
  cmp pictures.h5 again.h5 || fail "$data: another network"
done
run info 1 info names.npz -split test
grep -q 'bird' info.log || fail "names.npz: no names of the split test" info.log
run convert 1 predict -data wide.own.h5 -split test -model wide.h5 -output own.csv
cmp dark.csv own.csv
run convert 3 predict -data real.own.h5 -split test -model real.h5 -output own.csv
cmp plain.csv own.csv
run convert 2 convert -data real_bytes -output bytes.own.h5
run convert 1 predict -data bytes.own.h5 -model few.h5 -output own.csv
run convert 1 predict -data real_bytes -model few.h5 -output bytes.csv
cmp bytes.csv own.csv
run convert 2 convert -data colour_png -classes 2,0 -limit 20 -output part.own.h5
run convert 2 train -data part.own.h5 $options -classes 2,0 -model one.h5
run convert 2 train -data colour_png $options -classes 2,0 -limit 20 -model again.h5
cmp one.h5 again.h5 || fail "convert -classes -limit: another network"
run convert 2 convert -data flat -resize 4x3 -output flat.own.h5
run convert 1 info flat.own.h5
grep -q '90 images of 3 x 4 x 3' convert.log || fail "convert -resize" convert.log
run convert 1 convert -data both.own.h5 -split test -output test.own.h5
refuse 'holds no group /train, needed for -split train' 1 train -data test.own.h5 -model none.h5
cp grey.npz kept.npz
refuse 'would replace -data grey.npz' 2 convert -data grey.npz -output grey.npz
cmp grey.npz kept.npz
refuse 'would be taken for images' 1 convert -data colour_png -output colour_png/dog/new.png
refuse '.validation: all images are converted' 1 convert -data grey_h5 -validation 0.2 -output none.h5
refuse '.output' 1 convert -data grey_h5
refuse 'cannot be written|No such file' 2 convert -data grey_h5 -output no/where.h5
# the order is none of classes, so that a part that is held out has all of them
run shuffled 2 train -data shuffled $options -validation 0.3 -model shuffled.h5
run info 1 info shuffled -limit 30
python judge_formats shuffled info.log

# what the first rank finds out alone, and what any rank may find when it reads
alone() { refuse "$1" 1 train -data "$2" -model none.h5 $options; }
everywhere() {
  alone "$@"
  refuse "$1" 3 train -data "$2" -model none.h5 $options
}
alone "train_images.npy: is in Fortran's order" fortran
everywhere 'image [0-9]* .from 0. has the number nan, expected finite numbers' nan
alone 'image [0-9]* .from 0. has the number -inf, expected finite numbers' endless
alone 'number [0-9.]*e.30, expected finite numbers of no more than 1e30' beyond
run minus 1 train -data minus $options -model minus.h5
! grep -q '^levels' minus.log || fail "minus: whole numbers are levels" minus.log
alone 'of no type that psdnet reads' complex
alone 'fewer than 3 extents' rank
alone "attribute 'bits' of /images is 7, expected 8 or 16" own_bits
alone 'are 3 and 0, expected a power of two' own_step
alone 'has the attribute .bits. 16, but its numbers have 8' own_bytes
alone "attribute 'names' of /labels is no list of texts" own_names
alone '89 labels, expected 90' counts
everywhere 'label -1 of image 0' negative
alone 'expected labels' real
alone 'truncated' short
alone 'bytes follow the end' long
alone 'is no .npy' no_numpy
alone '16000 x 16000|images, expected|too small' huge
alone 'train.npz: .*(not a .zip|damaged)' zip_cut
everywhere 'train.npz: .*(damaged|read|corrupt|CRC|ends)' zip_damaged
alone 'has no array of images' zip_else
alone '8 x 8 pixels, expected 8 x 9 .*-resize' sizes
alone 'label' one_class
alone '3.png: is transparent' clear
everywhere '3.png: damaged, truncated or no PNG' broken
alone '3.png: damaged, truncated or no PNG' no_png
alone 'hold no PNG or JPEG' no_pictures
refuse 'a class that train/ beside it does not have' 2 info new_class -split test
refuse 'holds no folders train and test' 2 info colour_png -split test
refuse 'resize.*hdf5' 2 train -data grey_h5 -resize 8 -model none.h5
# what is read in folders is not replaced, and nothing new is put among it
cp colour_png/cat/1.png kept.png
ln colour_png/cat/1.png link.h5
for model in colour_png/cat/1.png link.h5; do
  refuse 'would replace cat/1.png' 2 train -data colour_png -patch 3 -model $model
done
refuse 'would replace train/1/image' 1 train -data grey_png -patch 3 -model "$(find grey_png/train/1 -type f -print -quit)"
refuse 'would be taken for images' 1 predict -data colour_png -model pictures.h5 -output colour_png/cat/new.png
cmp kept.png colour_png/cat/1.png
rm link.h5
run beside 1 predict -data colour_png -model pictures.h5 -output colour_png/cat/scores.csv
rm colour_png/cat/scores.csv
[ ! -e none.h5 ] || fail "a model of bad images"
