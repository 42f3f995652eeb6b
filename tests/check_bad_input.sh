#!/bin/sh
# Every mistake of a user ends, on 1 and on 3 ranks, with status 1 and one line that names it; no file is harmed.
set -eu
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH"
cd "$SCRATCH"
failures=0

# one_line NAME STATUS WORDS COMMAND...: judges what a run left in NAME.out and NAME.err
one_line() {
  name=$1 status=$2 words=$3
  shift 3
  errors=$(grep -c '^psdnet: error:' "$name.err" || true)
  problem=
  [ "$status" = 1 ] || problem="exit status $status; "
  [ "$errors" = 1 ] || problem="$problem$errors lines of error; "
  grep '^psdnet: error:' "$name.err" | grep -Eq -- "$words" || problem="${problem}not matched by '$words'; "
  ! grep -q 'PETSC ERROR\|Caught signal' "$name.out" "$name.err" || problem="${problem}a traceback; "
  cmp -s sound.h5 "kept.h5" || problem="${problem}the model is not as it was; "
  [ -z "$problem" ] && return
  failures=$((failures + 1))
  echo "$problem$name: psdnet $*"
  { grep 'psdnet: error\|PETSC ERROR' "$name.err" || cat "$name.err"; } | head -5 | sed 's/^/    /'
}

# refuse WORDS COMMAND...: WORDS is an extended regular expression that the one line of error must match. One rank is
# started without mpiexec, which would wait seconds after a failure.
refuse() {
  words=$1
  shift
  cp sound.h5 kept.h5
  timeout 60 "$LAUNCH" 3 "$PSDNET" "$@" >three.out 2>three.err &
  alone=0
  timeout 60 "$PSDNET" "$@" >one.out 2>one.err || alone=$?
  together=0
  wait $! || together=$?
  one_line one $alone "$words" "$@"
  one_line three $together "$words" "$@"
}

/usr/bin/python3 "$SOURCE/tests/make_bad_input.py" data .
"$LAUNCH" 2 "$PSDNET" train -data tiny -patch 3 -pool 2 -whiten 0.1 -beta_rel 0.1 -model sound.h5 >log 2>&1 || {
  cat log
  exit 1
}
/usr/bin/python3 "$SOURCE/tests/make_bad_input.py" damage sound.h5 models
mkdir directory

# the command itself
refuse 'subcommand' trian -data tiny -model kept.h5
refuse "'tiny'" train tiny -model kept.h5
refuse "'3'" train -data tiny -model kept.h5 -patch 3 3 m.h5
refuse '-betta.*-beta' train -data tiny -model kept.h5 -betta 0.1
refuse '-poool.*-pool' train -data tiny -model kept.h5 -poool 2
refuse '-pca' evaluate -data tiny -model kept.h5 -pca 3
refuse '-data' train -model kept.h5
refuse '-model' train -data tiny
refuse '-model' evaluate -data tiny
refuse '-data' evaluate -model kept.h5
refuse '-output' predict -data tiny -model kept.h5
refuse 'argument' info

# options out of range
for value in 0 -1 nan inf -inf 1e400 x '' 1,2 0x; do
  refuse '-beta' train -data tiny -model kept.h5 -beta "$value"
done
refuse '-beta_rel' train -data tiny -model kept.h5 -beta_rel 0
refuse '-beta and -beta_rel' train -data tiny -model kept.h5 -beta 1 -beta_rel 0.1
refuse '-gap' train -data tiny -model kept.h5 -gap 0
refuse '-gap' train -data tiny -model kept.h5 -gap nan
refuse '-max_it' train -data tiny -model kept.h5 -max_it 0
refuse '-max_it' train -data tiny -model kept.h5 -max_it 1e3
refuse '-max_it' train -data tiny -model kept.h5 -max_it 99999999999
refuse '-check_every' train -data tiny -model kept.h5 -check_every 0
refuse '-relaxation' train -data tiny -model kept.h5 -relaxation 2
refuse '-rho' train -data tiny -model kept.h5 -rho -1
refuse '-time_limit' train -data tiny -model kept.h5 -time_limit -1
refuse '-memory' train -data tiny -model kept.h5 -memory -1
refuse '-loss' train -data tiny -model kept.h5 -loss nonsense
refuse '-cone' train -data tiny -model kept.h5 -cone nonsense
refuse '-consensus' train -data tiny -model kept.h5 -consensus nonsense
refuse '-split' train -data tiny -model kept.h5 -split nonsense
refuse '-activation' train -data tiny -model kept.h5 -activation 1,2
refuse '-activation' train -data tiny -model kept.h5 -activation 1,2,3,4
refuse '-activation' train -data tiny -model kept.h5 -activation 1,nan,3
refuse '-validation' train -data tiny -model kept.h5 -validation 1.5

# geometry and images that do not go together
refuse '-patch.*7x7.*6x6' train -data tiny -model kept.h5 -patch 7
refuse '-patch' train -data tiny -model kept.h5 -patch 0
refuse '-patch' train -data tiny -model kept.h5 -patch 2x
refuse '-patch' train -data tiny -model kept.h5 -patch 2x2x2
refuse '-stride' train -data tiny -model kept.h5 -stride 0
refuse '-pool' train -data tiny -model kept.h5 -pool 0
refuse '-pool.*5.*4x4' train -data tiny -model kept.h5 -patch 3 -pool 5
refuse '-pca.*10.*9' train -data tiny -model kept.h5 -patch 3 -pca 10
refuse '-pixel_scale' train -data tiny -model kept.h5 -pixel_scale 0
refuse 'covariance' train -data alike -model kept.h5 -patch 3 -whiten 0.1
refuse 'covariance' train -data alike -model kept.h5 -patch 3 -pca 2
# D = 6.5 million: A'A would fill any node's memory, on the root or spread over all ranks
refuse 'D = 6485401, .*consensus scalapack needs .* GB' train -data large -model kept.h5 -patch 60 -consensus scalapack

refuse 'overflow|finite|pixel' train -data tiny -model kept.h5 -patch 3 -pixel_scale 1e-200
refuse 'overflow|finite|activation' train -data tiny -model kept.h5 -patch 3 -activation 1e200,0,0

# data
refuse 'absent' train -data absent -model kept.h5
refuse 'empty' train -data empty -model kept.h5
refuse 'data_batch_1.bin' train -data truncated -model kept.h5
refuse 'no_h5/train.h5' train -data no_h5 -model kept.h5
refuse 'test' train -data tiny -split test -model kept.h5
refuse '-classes' train -data tiny -model kept.h5 -classes 1
refuse '7' train -data tiny -model kept.h5 -classes 0,7
refuse '-classes' train -data tiny -model kept.h5 -classes 0,0
refuse '-classes' train -data tiny -model kept.h5 -classes 0,x
refuse '-limit' train -data tiny -model kept.h5 -limit -1
refuse 'label' train -data tiny -model kept.h5 -limit 1

# output
refuse '-model.*missing' train -data tiny -model missing/m.h5
refuse '-model.*directory' train -data tiny -model directory
refuse '-report.*missing' train -data tiny -model kept.h5 -report missing/r.json
refuse '-report.*directory' train -data tiny -model kept.h5 -report directory
refuse '-history.*missing' train -data tiny -model kept.h5 -history missing/h.csv
refuse 'missing/p.csv' predict -data tiny -model kept.h5 -output missing/p.csv
refuse 'directory' predict -data tiny -model kept.h5 -output directory

# models
for model in models/*.h5; do
  refuse "$model" evaluate -data tiny -model "$model"
done
refuse 'short_weights.h5' certify -data tiny -model models/short_weights.h5
refuse 'truncated.h5' predict -data tiny -model models/truncated.h5 -output p.csv
refuse 'truncated.h5' info models/truncated.h5
refuse 'version 3' evaluate -data tiny -model models/other_version.h5
refuse 'absent.h5' evaluate -data tiny -model absent.h5
refuse 'directory' evaluate -data tiny -model directory
for subcommand in evaluate certify; do
  refuse '7x6.*6x6' "$subcommand" -data other -model kept.h5
done
refuse '7x6.*6x6' predict -data other -model kept.h5 -output p.csv
refuse '24 images.*12' certify -data tiny -model kept.h5 -limit 12
refuse 'absent' info absent

# more ranks than images; a held-out part too small for the ranks is found out before the long run
for options in "-data few" "-data tiny -validation 0.05"; do
  cp sound.h5 kept.h5
  status=0
  # options are a list of words
  # shellcheck disable=SC2086
  timeout 60 "$LAUNCH" 3 "$PSDNET" train $options -patch 3 -model kept.h5 >three.out 2>three.err || status=$?
  # shellcheck disable=SC2086
  one_line three $status '[12] images.*3 ranks' train $options
done

if [ -n "$(find . -name '*.tmp*' -o -name '*.h5?*')" ]; then
  echo "temporary files are left:" *
  failures=$((failures + 1))
fi
[ "$failures" = 0 ] || exit 1
cd /
rm -rf "$SCRATCH"
