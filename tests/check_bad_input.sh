#!/bin/sh
# Every mistake of a user ends with status 1 and one line that names it, and harms no file: on 1 rank, and on 3 where ranks may differ.
. "$SOURCE/tests/check.sh"
need_python
scratch

# refused RANKS WORDS OPTIONS...: says what is wrong, and goes on
refused() {
  ranks=$1 words=$2 status=0 problem=
  shift 2
  log=$(mktemp log-XXXXXX)
  start "$ranks" "$@" >"$log" 2>&1 || status=$?
  [ "$status" = 1 ] || problem="exit status $status; "
  says_one_line "$words" "$log" || problem="${problem}not one line that '$words' match; "
  cmp -s sound.h5 kept.h5 || problem="${problem}the model of this run, or of another at the same time, is not as it was; "
  [ -n "$problem" ] || return 0
  cp sound.h5 kept.h5
  echo "$problem$ranks ranks: psdnet $*" | tee -a failures
  { grep 'psdnet: error\|PETSC ERROR' "$log" || cat "$log"; } | head -5 | sed 's/^/    /'
}

# everywhere WORDS OPTIONS...: on 1 rank and on 3, WORDS is an extended regular expression. Two mistakes are made at a time.
everywhere() { later both "$@"; }
both() {
  refused 1 "$@"
  refused 3 "$@"
}

# alone WORDS OPTIONS...: on 1 rank, for options that every rank reads on its own in the same way; one or more of each kind are everywhere
alone() { later refused 1 "$@"; }

python make_bad_input .
run sound 2 train -data tiny -patch 3 -pool 2 -whiten 0.1 -beta_rel 0.1 -model sound.h5
cp sound.h5 kept.h5
python damage sound.h5 models
mkdir directory
# images of one number, which normalisation would take away
run single 1 train -data single -model single.h5
rm single.h5

# the command itself
everywhere 'subcommand' trian -data tiny -model kept.h5
alone "'tiny'" train tiny -model kept.h5
alone "'3'" train -data tiny -model kept.h5 -patch 3 3 m.h5
everywhere '-betta.*-beta' train -data tiny -model kept.h5 -betta 0.1
alone '-poool.*-pool' train -data tiny -model kept.h5 -poool 2
alone '-pca' evaluate -data tiny -model kept.h5 -pca 3
alone '-data' train -model kept.h5
alone '-model' train -data tiny
everywhere '-model' evaluate -data tiny
alone '-data' evaluate -model kept.h5
alone '-output' predict -data tiny -model kept.h5
everywhere 'argument' info

# options out of range
for value in 0 -1 nan inf -inf 1e400 x '' 1,2 0x; do
  alone '-beta' train -data tiny -model kept.h5 -beta "$value"
done
alone '-beta_rel' train -data tiny -model kept.h5 -beta_rel 0
everywhere '-beta, -beta_rel and -beta_noise: found several' train -data tiny -model kept.h5 -beta 1 -beta_rel 0.1
alone '-gap' train -data tiny -model kept.h5 -gap 0
everywhere '-gap' train -data tiny -model kept.h5 -gap nan
alone '-max_it' train -data tiny -model kept.h5 -max_it 0
everywhere '-max_it' train -data tiny -model kept.h5 -max_it 1e3
alone '-max_it' train -data tiny -model kept.h5 -max_it 99999999999
alone '-check_every' train -data tiny -model kept.h5 -check_every 0
alone '-relaxation' train -data tiny -model kept.h5 -relaxation 2
alone '-relaxation' train -data tiny -model kept.h5 -relaxation 0.9
alone 'lifted features have numbers of up to 2' train -data tiny -model kept.h5 -activation 1e200,0,0
alone 'patches have numbers of up to 1' train -data tiny -model kept.h5 -patch 2 -pixel_scale 1e-160
alone 'beta: found 1e.300, which is out of range' train -data tiny -model kept.h5 -beta 1e300 -activation 1e-80,0,0
alone 'option -rho: found 1e.300, which is out of range' train -data tiny -model kept.h5 -rho 1e300 -activation 1e-80,0,0
alone '-rho' train -data tiny -model kept.h5 -rho -1
alone '-time_limit' train -data tiny -model kept.h5 -time_limit -1
alone '-memory' train -data tiny -model kept.h5 -memory -1
everywhere '-loss' train -data tiny -model kept.h5 -loss nonsense
alone '-cone' train -data tiny -model kept.h5 -cone nonsense
alone '-consensus' train -data tiny -model kept.h5 -consensus nonsense
alone '-split' train -data tiny -model kept.h5 -split nonsense
alone '-activation' train -data tiny -model kept.h5 -activation 1,2
alone '-activation' train -data tiny -model kept.h5 -activation 1,2,3,4
everywhere '-activation' train -data tiny -model kept.h5 -activation 1,nan,3
alone '-validation' train -data tiny -model kept.h5 -validation 1.5

# geometry and images that do not go together
everywhere '-patch.*7x7.*6x6' train -data tiny -model kept.h5 -patch 7
alone '-patch' train -data tiny -model kept.h5 -patch 0
alone '-patch' train -data tiny -model kept.h5 -patch 2x
everywhere '-patch' train -data tiny -model kept.h5 -patch 2x2x2
alone '-stride' train -data tiny -model kept.h5 -stride 0
alone '-pool' train -data tiny -model kept.h5 -pool 0
everywhere '-pool.*5.*4x4' train -data tiny -model kept.h5 -patch 3 -pool 5
everywhere '-pca.*10.*9' train -data tiny -model kept.h5 -patch 3 -pca 10
alone '-pixel_scale' train -data tiny -model kept.h5 -pixel_scale 0
everywhere 'covariance' train -data alike -model kept.h5 -patch 3 -whiten 0.1
everywhere 'covariance' train -data alike -model kept.h5 -patch 3 -pca 2
# D = 6.5 million: A'A would fill any node's memory, on the root or spread over all ranks
everywhere 'scalapack: its matrix is of order 6485401, .*take more ranks' train -data large -model kept.h5 -patch 60 -consensus scalapack

everywhere 'overflow|finite|pixel' train -data tiny -model kept.h5 -patch 3 -pixel_scale 1e-200
everywhere 'overflow|finite|activation' train -data tiny -model kept.h5 -patch 3 -activation 1e200,0,0

# data
everywhere 'absent' train -data absent -model kept.h5
everywhere 'empty' train -data empty -model kept.h5
everywhere 'data_batch_1.bin' train -data truncated -model kept.h5
for data in pipe_h5 pipe_idx pipe_names; do
  everywhere "$data/.*not a regular file" train -data $data -model kept.h5
done
alone 'pipe: neither a directory nor a regular file' train -data pipe -model kept.h5
everywhere 'pipe: is not a regular file' evaluate -data tiny -model pipe
alone 'pipe is not a regular file' train -data tiny -model kept.h5 -checkpoint pipe -resume
everywhere 'no_h5/train.h5' train -data no_h5 -model kept.h5
everywhere 'test' train -data tiny -split test -model kept.h5
everywhere '-classes' train -data tiny -model kept.h5 -classes 1
everywhere '7' train -data tiny -model kept.h5 -classes 0,7
alone '-classes' train -data tiny -model kept.h5 -classes 0,0
everywhere '-classes' train -data tiny -model kept.h5 -classes 0,x
everywhere '-limit' train -data tiny -model kept.h5 -limit -1
everywhere 'label' train -data tiny -model kept.h5 -limit 1

# output
everywhere '-model.*missing' train -data tiny -model missing/m.h5
everywhere '-model.*directory' train -data tiny -model directory
everywhere '-report.*missing' train -data tiny -model kept.h5 -report missing/r.json
everywhere '-report.*directory' train -data tiny -model kept.h5 -report directory
everywhere '-history.*missing' train -data tiny -model kept.h5 -history missing/h.csv
everywhere 'missing/p.csv' predict -data tiny -model kept.h5 -output missing/p.csv
everywhere 'directory' predict -data tiny -model kept.h5 -output directory

# models
for model in models/*.h5; do
  everywhere "$model" evaluate -data tiny -model "$model"
done
everywhere 'short_weights.h5' certify -data tiny -model models/short_weights.h5
everywhere 'truncated.h5' predict -data tiny -model models/truncated.h5 -output p.csv
everywhere 'truncated.h5' info models/truncated.h5
everywhere "'version' is 2, but" evaluate -data tiny -model models/other_version.h5
everywhere 'truncated.h5: truncated or damaged' evaluate -data tiny -model models/truncated.h5
everywhere 'n_train. is out of range' info models/many_images.h5
everywhere 'loss. is too long' info models/long_loss.h5
everywhere "found '.0', expected a label in digits" info models/signed_label.h5
everywhere "found ' 0', expected a label in digits" info models/spaced_label.h5
everywhere 'absent.h5' evaluate -data tiny -model absent.h5
everywhere 'directory' evaluate -data tiny -model directory
for subcommand in evaluate certify; do
  everywhere '7x6.*6x6' "$subcommand" -data other -model kept.h5
done
everywhere '7x6.*6x6' predict -data other -model kept.h5 -output p.csv
everywhere '24 images.*12' certify -data tiny -model kept.h5 -limit 12
everywhere 'absent' info absent

# more ranks than images; a held-out part too small for the ranks is found out before the long run
later refused 3 '[12] images.*3 ranks' train -data few -patch 3 -model kept.h5
later refused 3 '[12] images.*3 ranks' train -data tiny -validation 0.05 -patch 3 -model kept.h5
all_done

[ -z "$(find . -name '*.tmp*' -o -name '*.h5?*')" ] || fail "temporary files are left: $(ls)"
[ ! -e failures ] || fail "$(wc -l <failures) failures"
