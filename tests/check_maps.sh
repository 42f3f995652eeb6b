#!/bin/sh
# Networks on maps, and chains of them: the objective is that of the formula, with the stage as the file has it, from the file alone; the same on any
# number of ranks, kept or streamed, lifted or as patches, with every loss, and resumed; certified again from the file, and by the proof
# of its bound; files and options that contradict themselves are refused.
. "$SOURCE/tests/check.sh"
need_python
scratch
python make_sets branches

# train NAME RANKS OPTIONS...
train() {
  name=$1 ranks=$2
  shift 2
  run "$name" "$ranks" train -data train.h5 -beta 1 -gap 1e-8 -max_it 20000 -model "$name.m" -report "$name.json" \
    -progress none "$@"
}

stage="-layer1_filters patches -layer1_patch 3 -layer1_pca 8 -layer1_pool 4"
few="$stage -layer1_count 6 -layer1_channels 5"
# options are lists of words
# shellcheck disable=SC2086
{
  train one 1 $few -certificate one.c
  for ranks in 2 3 4; do train "one$ranks" $ranks $few; done
  train streamed 2 $few -memory 0
  train dual 3 $few -consensus dual
  train lowrank 2 $few -solver lowrank -gap 1e-6
  train softmax 1 $few -loss softmax -gap 1e-6
  train softmax3 3 $few -loss softmax -gap 1e-6 -memory 0
  ends 2 resumed 2 train -data train.h5 -beta 1 -gap 1e-8 -max_it 20 -model resumed.m -checkpoint resumed.ck $few
  train resumed 3 $few -checkpoint resumed.ck -resume
  # all channels as they are, of one sign, filters that are directions, and two branches on one map
  train plain 2 -layer1_filters random -layer1_seed 3 -layer1_patch 2x3 -layer1_stride 2 -layer1_count 4 -layer1_split no \
    -layer1_channels 0 -layer1_normalize 0 -layer1_pool 3 -layer1_patch_normalize 0 -layer1_whiten 0 -layer1_pca 0 \
    -layer1_threshold 0.1 -patch 2 -pca 6 -whiten 0.1
  # images as several samples, without maps and with them
  train shifts 1 -shifts 5 -limit 24 -patch 2 -pool 2 -certificate shifts.c
  train shifts3 3 -shifts 5 -limit 24 -patch 2 -pool 2
  train shiftsflip 2 $few -shifts 9 -flip -limit 20
  refuse 'option -shifts: found 4, expected 1, 5 or 9' 1 train -data train.h5 -model no.m -shifts 4
  # filters by k-means, and of a network
  train kmeans 1 $few -layer1_filters kmeans
  train first 1 -patch 3 -pool 2 -patch_normalize 10 -whiten 0.1 -pca 8
  train neurons 3 -layer1_filters neurons -layer1_model first.m -layer1_pool 4 -layer1_count 6 -layer1_channels 5
  # a network on the neurons of one that is on maps itself, and a third one on that
  above="-layer1_filters neurons -layer1_model one.m -layer1_pool 3 -layer1_count 7 -layer1_channels 6"
  train chain 1 $above -certificate chain.c
  train chain3 3 $above -memory 0
  ends 2 chainagain 2 train -data train.h5 -beta 1 -gap 1e-8 -max_it 20 -model chainagain.m -checkpoint chain.ck $above
  python damage one.m other.m other_stage
  refuse 'another problem: it is of .stage 1: .*of .stage 1: ' 2 train -data train.h5 -beta 1 -model no.m -checkpoint chain.ck -resume \
    $above -layer1_model other.m
  train chainagain 3 $above -checkpoint chain.ck -resume
  train third 2 -layer1_filters neurons -layer1_model chain.m -layer1_pool 2 -layer1_count 5 -layer1_channels 0 -patch 2 -pool 1
  # all layers read out again as one program: branches on the maps of both stages; and the neurons of one of them
  train refit 1 $above -patch 1 -pool 2 -branches 2 -branch2_patch 2 -branch2_stage 1 -branch2_pool 2 -branch2_pca 6 -gap 1e-6 \
    -certificate refit.c
  train refit3 3 $above -patch 1 -pool 2 -branches 2 -branch2_patch 2 -branch2_stage 1 -branch2_pool 2 -branch2_pca 6 -gap 1e-6 -memory 0
  train fourth 2 -layer1_filters neurons -layer1_model refit.m -layer1_branch 2 -layer1_pool 2 -layer1_count 6 -layer1_channels 4 -gap 1e-6
  train two 2 $few -patch 1 -pool 2 -branches 2 -branch2_patch 2 -branch2_pca 7
  # the responses themselves, read out linearly beside a quadratic branch; and reduced to components of their own
  joint="$few -layer1_responses 2 -patch 1 -pool 2 -branches 2 -branch2_responses -branch2_patch 1 -branch2_pool 2 -branch2_lift linear"
  train joint 1 $joint -certificate joint.c
  train joint3 3 $joint -memory 0
  ends 2 jointagain 2 train -data train.h5 -beta 1 -gap 1e-8 -max_it 20 -model jointagain.m -checkpoint joint.ck $joint
  train jointagain 3 $joint -checkpoint joint.ck -resume
  refuse 'another problem: it is of .layer1_responses 2.*of .layer1_responses 4' 1 train -data train.h5 -model no.m $joint \
    -layer1_responses 4 -beta 1 -checkpoint joint.ck -resume
  train jointpca 2 $few -layer1_channels 0 -layer1_responses 4 -pool 1 -patch 1 -pca 4 -branches 2 -branch2_responses -branch2_patch 2 \
    -branch2_pca 6 -branch2_whiten 0.1
  refuse 'option -layer1_responses: found 3, expected a divisor of -layer1_pool, 4$' 2 train -data train.h5 -model no.m $joint \
    -layer1_responses 3
  refuse 'option -layer1_response_scale: expected -layer1_responses as well' 2 train -data train.h5 -model no.m $few -layer1_response_scale 2
  refuse 'option -layer1_response_scale: found 1e.07, expected 1e-06 to 1e.06' 1 train -data train.h5 -model no.m $joint \
    -layer1_response_scale 1e7
  refuse 'option -layer1_responses: expected a branch with -responses as well' 2 train -data train.h5 -model no.m $few -layer1_responses 2
  refuse 'option -responses: found of a branch on stage 1, which keeps none' 1 train -data train.h5 -model no.m $joint -layer1_responses 0
  refuse 'option -responses: patches are cut of images' 2 train -data train.h5 -model no.m -branches 2 -branch2_responses
  # and of two stages, those of the lower one without its map
  train below 2 -layer1_filters neurons -layer1_model joint.m -layer1_branch 1 -layer1_pool 2 -layer1_count 4 -layer1_channels 3 \
    -layer1_responses 1 -responses -patch 1 -pool 1 -branches 2 -branch2_stage 1 -branch2_responses -branch2_patch 2 -branch2_pca 5
  refuse 'the neurons that are to be filters are of responses' 1 train -data train.h5 -model no.m -layer1_filters neurons \
    -layer1_model joint.m -layer1_branch 2 -layer1_count 4
  train flip 2 $few -flip -limit 90
  # filters with their mirror images: folded, or not where the solver cannot; one optimum. Regions of three places share the middle
  mirror="$few -layer1_mirror -layer1_pool 3 -flip -limit 90 -patch 1 -pool 2"
  train flipmirror 1 $mirror -certificate flipmirror.c
  train flipmirror3 3 $mirror -memory 0 -precision double
  train flipmirrordual 2 $mirror -consensus dual
  train flipmirrormeans 2 $mirror -layer1_filters kmeans -layer1_channels 0 -pca 6 -whiten 0.1
  both="$mirror -layer1_responses 3 -layer1_response_scale 0.3 -branches 2 -branch2_responses -branch2_patch 1 -branch2_pool 2 -branch2_lift linear"
  train flipmirrorjoint 2 $both
  ends 2 flipmirroragain 2 train -data train.h5 -beta 1 -gap 1e-8 -max_it 20 -model flipmirroragain.m -checkpoint mirror.ck $both
  refuse 'another problem: it is of .layer1_mirror' 1 train -data train.h5 -model no.m $both -layer1_mirror no -beta 1 -checkpoint mirror.ck -resume
  refuse 'another problem: it is of .layer1_response_scale 0.29.*of .layer1_response_scale 0.5' 3 train -data train.h5 -model no.m $both \
    -layer1_response_scale 0.5 -beta 1 -checkpoint mirror.ck -resume
  python damage mirror.ck bent.ck bend_filter
  refuse 'bent.ck: its filters do not come with their mirror images' 2 train -data train.h5 -model no.m $both -beta 1 -checkpoint bent.ck -resume
  train flipmirroragain 3 $both -checkpoint mirror.ck -resume
  # a quality stands for options, which it prints, but for those that are given: the same network by hand
  own="-flip -limit 40 -layer1_patch 3 -layer1_pca 8 -layer1_pool 3 -layer1_count 8 -layer1_channels 5 -beta 1 -gap 1e-2"
  run quality 2 train -data train.h5 -quality best $own -model quality.h5
  chosen=$(sed -n 's/^quality  best://p' quality.log)
  run quality 2 train -data train.h5 $chosen $own -model again.h5
  cmp quality.h5 again.h5 || fail "-quality is another network than its options" quality.log
  run quality 1 plan -images 100 -image 2x20x20 -quality best -branches 1 -flip no -layer1_channels 9
  grep -qx 'quality  best: -layer1_filters kmeans -layer1_count 512 -patch 1 -pool 2 -shifts 5' quality.log || fail "other options" quality.log
  run quality 1 plan -images 100 -image 2x20x20 -quality good -flip -layer1_filters random -pool 3
  grep -qx 'quality  good: -patch 1' quality.log || fail "other options" quality.log
  refuse "quality.*expected fast, good or best|quality.*fast" 2 train -data train.h5 -model no.m -quality better
  refuse 'option -layer1_mirror: found 5 filters .-layer1_count., expected an even number$' 2 train -data train.h5 -model no.m $few \
    -layer1_mirror -layer1_count 5
  refuse 'option -layer1_mirror: patches of 3 pixels, one every 2, in images of 10 columns are not' 1 train -data train.h5 -model no.m $few \
    -layer1_mirror -layer1_stride 2
  refuse 'option -layer1_mirror: the filters are given by a network' 1 train -data train.h5 -model no.m -layer1_mirror $above
  refuse 'another problem: it is of .layer1_seed 1.*of .layer1_seed 2' 1 train -data train.h5 -model no.m $few -layer1_seed 2 \
    -beta 1 -checkpoint resumed.ck -resume
  refuse 'the network whose filters are to be taken has several branches' 2 train -data train.h5 -model no.m \
    -layer1_filters neurons -layer1_model two.m
  refuse 'option -layer1_branch: found 3, but the network has 2 branches' 1 train -data train.h5 -model no.m \
    -layer1_filters neurons -layer1_model two.m -layer1_branch 3
  refuse 'option -stage: found 3, expected at most 2' 2 train -data train.h5 -model no.m $above -stage 3
  refuse 'option -stage: found 1, but patches are cut of images' 1 train -data train.h5 -model no.m -stage 1
  refuse 'has [0-9]* neurons, expected 256 at least' 2 train -data train.h5 -model no.m -layer1_filters neurons \
    -layer1_model first.m
  refuse 'option -layer1_model: expected with -layer1_filters neurons' 1 train -data train.h5 -model no.m $few \
    -layer1_model first.m
  refuse 'option -reduce: it is of images' 2 train -data train.h5 -model no.m $few -reduce 2
  refuse 'options -pixel_shift and -pixel_scale: they are of images' 1 train -data train.h5 -model no.m $few -pixel_shift 1
  refuse 'option -layer1_pool: found 4, larger than the grid of patch positions, 2x1$' 1 train -data train.h5 -model no.m $few \
    -layer1_patch 10
  refuse 'option -layer1_channels: found 13, more than the 12 of the filters$' 1 train -data train.h5 -model no.m $few \
    -layer1_channels 13
}
refuse 'expected -layer1_filters as well' 1 train -data train.h5 -model no.m -layer1_count 5
run certify 3 certify -model one.m -data train.h5 -gap 1e-6 -progress none
run certifyflip 1 certify -model flip.m -data train.h5 -limit 90 -gap 1e-6 -progress none
run certifyflipmirrorjoint 3 certify -model flipmirrorjoint.m -data train.h5 -limit 90 -gap 1e-6 -progress none
run proofflipmirror 2 certify -certificate flipmirror.c -model flipmirror.m -data train.h5 -limit 90 -progress none
run predictflipmirrorjoint 2 predict -model flipmirrorjoint.m -data train.h5 -output flipmirrorjoint.csv -progress none
run infoflipmirror 1 info flipmirror.m
grep -q 'mirrored  *half of them, and the mirror image of each' infoflipmirror.log || fail 'info: mirrored' infoflipmirror.log
run evaluateplain 3 evaluate -model plain.m -data train.h5 -progress none
run certifyplain 1 certify -model plain.m -data train.h5 -gap 1e-6 -progress none
run certifyshifts 2 certify -model shiftsflip.m -data train.h5 -limit 20 -gap 1e-6 -progress none
python check_proof shifts.c train.h5 >shifts.log || fail 'check_proof.py does not hold' shifts.log
run proof 2 certify -certificate one.c -model one.m -data train.h5 -progress none
run certifyjoint 2 certify -model joint.m -data train.h5 -gap 1e-6 -progress none
run proofjoint 3 certify -certificate joint.c -model joint.m -data train.h5 -progress none
run predictjoint 2 predict -model joint.m -data train.h5 -output joint.csv -progress none
run infojoint 1 info joint.m
run certifybelow 3 certify -model below.m -data train.h5 -gap 1e-6 -progress none
run predictbelow 2 predict -model below.m -data train.h5 -output below.csv -progress none
grep -q 'responses  *12x2x2$' infojoint.log || fail 'info: responses' infojoint.log
run certifychain 2 certify -model third.m -data train.h5 -gap 1e-6 -progress none
run proofchain 3 certify -certificate chain.c -model chain.m -data train.h5 -progress none
refuse 'of different problems: the chain of stages differs' 1 certify -certificate chain.c -model third.m -data train.h5
run certifyrefit 2 certify -model refit.m -data train.h5 -gap 1e-6 -progress none
run proofrefit 2 certify -certificate refit.c -model refit.m -data train.h5 -progress none
run predictrefit 3 predict -model refit.m -data train.h5 -output refit.csv -progress none
run predictthird 2 predict -model third.m -data train.h5 -output third.csv -progress none
run infochain 1 info third.m
grep -q 'stage 3  *5 fixed filters of 6x1x1, stride 1, on maps of 6x3x3' infochain.log || fail 'info: stage' infochain.log
grep -q 'network .* certified given stages 1 to 2: loss squared, beta 1, objective' infochain.log || fail 'info: network' infochain.log
run predict 3 predict -model one.m -data train.h5 -output one.csv -progress none
run crops 2 predict -model one.m -data train.h5 -output crops.csv -crops 9 -progress none
run info 1 info one.m
grep -q 'stage  *6 fixed filters of 2x3x3, stride 1, on images of 2x11x10' info.log || fail 'info' info.log

# damaged CHANGE WORDS [MODEL]: in what the stage needs
damaged() {
  python damage "${3:-one.m}" "$1.m" "$1"
  refuse "$2" 2 info "$1.m"
}
damaged lost_second 'group layer2 is missing' third.m
damaged many_stages 'stage is 9, expected 0 to 8' third.m
damaged second_height 'height is 5, expected 4' third.m
damaged far_stage 'of_stage is 4, expected 0 to 3' third.m
damaged origin_infinite 'network_gap is not finite' third.m
damaged joint_side 'the side of the responses is 3, expected a divisor of 4' joint.m
damaged joint_none 'its stage keeps none' joint.m
damaged joint_first 'channels is 5, expected 12' joint.m
damaged joint_two 'responses of a branch is 2, expected 0 to 1' joint.m
damaged scale_negative 'response_scale is -1, expected at least 0' flipmirrorjoint.m
damaged shared_two 'pool_shared is 2, expected 0 to 1' flipmirror.m
damaged lost_stage 'group layer1 is missing'
damaged stage_channels 'channels is 4, expected 5'
damaged stage_filters "columns of the stage's filters"
damaged stage_infinite 'a filter of the stage is not finite'
damaged stage_large 'maps have numbers of up to'
damaged stage_many 'responses of an image and maps of'
damaged stage_version "attribute 'version' is 5, but the file begins as version 4"
python judge_maps
