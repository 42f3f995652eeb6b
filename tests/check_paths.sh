#!/bin/sh
# No output replaces what the run reads or another output, by whatever names and links; outputs that follow links and keep modes
# leave nothing behind, also when a signal or a limit of the system ends the run.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
make_images link
mv link/train.h5 real.h5
ln -s ../real.h5 link/train.h5
run sound 1 train -data data -patch 3 -pool 2 -beta_rel 0.1 -gap 0.1 -model sound.h5
cp data/train.h5 train.keep
cp sound.h5 sound.keep
echo "-gap 1e-3" >options
ln data/train.h5 hard.h5
ln -s data/train.h5 soft.h5
ln -s nowhere.h5 dangling.h5
mkdir folder
ln -s ../folder folder/itself

same='are the same file'
replaces='would replace'
taken='would be taken for images'

# train RANKS WORDS OUTPUTS...: refused
train() {
  ranks=$1 words=$2
  shift 2
  later refuse "$words" "$ranks" train -data data -patch 3 -pool 2 -beta_rel 0.1 -max_it 20 "$@"
}
alone() { train 1 "$@"; }
everywhere() {
  train 1 "$@"
  train 3 "$@"
}

everywhere "$replaces train.h5 of -data data" -model data/train.h5
for name in ./data/../data/train.h5 "$PWD/data/train.h5" hard.h5 soft.h5; do alone "$replaces" -model "$name"; done
everywhere "-report .*$replaces" -model m.h5 -report data/train.h5
alone "-checkpoint .*$replaces" -model m.h5 -checkpoint data/train.h5
alone "-history_file .*$replaces" -model m.h5 -history data/train.h5
everywhere "$taken" -model data/test.h5
alone "$taken" -model m.h5 -report data/batches.meta.txt
alone "$taken" -model m.h5 -checkpoint data/train-labels-idx1-ubyte
alone "$replaces train.h5 of -data link" -data link -model real.h5
alone "$replaces -data data/train.h5" -data data/train.h5 -model soft.h5
alone "$replaces -options_file options" -model options -options_file options
everywhere "-log_view .*$replaces train.h5" -model m.h5 -log_view :data/train.h5
alone "-citations data/train.h5 $replaces" -model m.h5 -citations data/train.h5
alone "-log_view m.h5 and -model m.h5 $same|-model m.h5 and -log_view m.h5 $same" -model m.h5 -log_view ascii:m.h5:ascii_info
alone "-gap: found 'x'" -model m.h5 -gap x -log_view :data/train.h5
everywhere "$same" -model m.h5 -report ./m.h5
alone "$same" -model m.h5 -history "$PWD/m.h5"
alone "$same" -model folder/m.h5 -checkpoint folder/itself/m.h5
alone "$same" -model nowhere.h5 -report dangling.h5
alone "$same" -model m.h5.gram -checkpoint m.h5 -checkpoint_gram
everywhere '-model is missing' -report m.json
everywhere '-hlep; did you mean -help' -hlep
later refuse "-table .*$replaces" 2 path -data data -model m.h5 -table data/train.h5
later refuse "-model .*$replaces -validation_data" 1 path -data data -validation_data link/train.h5 -model real.h5
later refuse "-keep_all m.h5.2 and -table m.h5.2 $same" 1 path -data data -model m.h5 -keep_all -table m.h5.2
later refuse "$replaces -model" 3 predict -data data -model sound.h5 -output ./sound.h5
later refuse "$replaces" 1 predict -data data -model sound.h5 -output data/train.h5
later refuse "$replaces" 1 plan -data data -report data/train.h5
all_done

# files that have no end
mkfifo pipe
echo "-options_file self" >self
echo "-options_file other" >one
echo "-options_file one" >other
for name in pipe /dev/zero folder; do
  later refuse "$name: not a regular file" 1 info data -options_file "$name"
done
later refuse 'not a regular file' 2 info data -options_file pipe
later refuse 'names itself' 1 info data -options_file self
later refuse 'names itself' 1 info data -options_file one
all_done
PETSC_OPTIONS='-options_file pipe' refuse 'pipe: not a regular file' 1 info data

# whatever option that names a file is given the images: they are as they were
python judge_paths data sound.h5
cmp data/train.h5 train.keep
cmp sound.h5 sound.keep
[ ! -e nowhere.h5 ]
[ ! -e m.h5 ]

# links are followed, modes kept
ln -s sub/there.h5 to_there.h5
mkdir sub
cp sound.h5 private.h5
chmod 600 private.h5
for name in to_there.h5 private.h5; do
  run written 1 train -data data -patch 3 -pool 2 -beta_rel 0.1 -gap 0.1 -model "$name"
done
if [ ! -L to_there.h5 ] || [ ! -f sub/there.h5 ] || [ "$(stat -c %a private.h5)" != 600 ]; then
  fail "links or modes: $(ls -l . sub)"
fi

# what ends a run leaves nothing under a temporary name
for signal in HUP QUIT PIPE ALRM ABRT XCPU; do
  python end_run "$signal" train -data data -patch 3 -pool 2 -beta_rel 1e-4 -gap 1e-13 -max_it 1000000 -check_every 1 \
    -model ended.h5 -history ended.csv
done
(ulimit -f 8 && refuse 'File too large' 1 train -data data -patch 3 -beta_rel 0.01 -max_it 300 -model large.h5)
[ -z "$(find . -name '*.tmp.*')" ] || fail "temporary files are left: $(find . -name '*.tmp.*')"
