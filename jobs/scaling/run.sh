#!/bin/bash
# run.sh OUTPUT -data DATA [OPTIONS]: trains for every combination of the lists given, and makes a table, pictures and a report of it.
#
# On this machine, or inside a Slurm allocation (scaling-strong.sbatch and its like). Every run does the same number of iterations,
# so that times compare. Leaves in OUTPUT: runs.csv, one line a run; report.md with its pictures; model.json, a model of the time
# fitted to the runs; and runs/, psdnet's own reports. A run whose report is there already is not done again.
#
#   -data DIR or FILE    images (images.py makes some)
#   -ranks 1,2           ranks of a run (default: powers of two up to all cores)
#   -images 10000        images of a run; with -weak, of a rank
#   -weak                weak scaling: images grow with ranks. Otherwise they stay
#   -patch 4             side of a patch
#   -stride 1            pixels between patches; patch = its side
#   -classes 2           the first so many labels
#   -consensus auto      auto, root, scalapack, dual
#   -cone auto           auto, lapack, partial, scalapack
#   -iterations 50       of the solver
#   -repetitions 3       runs of each combination; medians are shown
#   -options "..."       more options of psdnet train
#   -model_ranks LIST    where the model is evaluated beyond what was run (default: 1,4,16,64,256,1000; 0 = nowhere)
#   -model_patch 32      a size of patches it is evaluated for as well, 50,000 images of 3x32x32; 0 = none
#   -node 48             ranks of a node, for the model (default: this machine's cores)
#
# -ranks to -cone take lists with commas. PSDNET=FILE: the program (default: build/psdnet).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=jobs/lib.sh
. "$here/../lib.sh"
if [ -n "${SLURM_JOB_ID:-}" ]; then
  # shellcheck source=jobs/slurm.sh
  . "$here/../slurm.sh"
fi
case ${1:--h} in -h | --help)
  usage
  exit 0
  ;;
esac
invocation="jobs/scaling/run.sh $*" output=$1
invocation=${invocation//[\\\"]/}
shift
cores=${SLURM_CPUS_ON_NODE:-$(nproc)} nodes=${SLURM_JOB_NUM_NODES:-1}
data='' ranks='' images=10000 study=strong patch=4 stride=1 classes=2 consensus=auto cone=auto iterations=50 repetitions=3 extra=''
model_ranks=1,4,16,64,256,1000 model_patch=32 node=$cores

while [ $# -gt 0 ]; do
  option=$1
  shift
  if [ "$option" = -weak ]; then
    study=weak
    continue
  fi
  case $option in
    -data | -ranks | -images | -patch | -stride | -classes | -consensus | -cone | -iterations | -repetitions | -options | -model_ranks | -model_patch | -node) ;;
    *) die "found $option, expected an option of run.sh (-h lists them)" ;;
  esac
  [ $# -gt 0 ] || die "$option: found nothing, expected a value"
  case $option in
    -options) extra=$1 ;;
    *) declare "${option#-}=$1" ;;
  esac
  shift
done

# numbers NAME LIST: positive numbers with commas
numbers() { [[ $2 =~ ^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*$ ]] || die "-$1: found '$2', expected positive numbers with commas"; }
number_of() { [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || die "-$1: found '$2', expected a positive number"; }
words() { # NAME LIST WORD...
  local name=$1 word
  for word in ${2//,/ }; do
    case " ${*:3} " in *" $word "*) ;; *) die "-$name: found '$word', expected ${*:3}" ;; esac
  done
}
if [ -z "$ranks" ]; then
  for ((r = 1; r < cores * nodes; r *= 2)); do ranks+=$r,; done
  ranks+=$((cores * nodes))
fi
[ -n "$data" ] || die "-data: found nothing, expected a directory or file of images"
[ -e "$data" ] || die "-data: $data is not there"
for name in ranks images patch classes; do numbers $name "${!name}"; done
for name in iterations repetitions node; do number_of $name "${!name}"; done
[ "$stride" = patch ] || number_of stride "$stride"
[ "$model_ranks" = 0 ] || numbers model_ranks "$model_ranks"
[ "$model_patch" = 0 ] || number_of model_patch "$model_patch"
words consensus "$consensus" auto root scalapack dual kernel
words cone "$cone" auto lapack partial scalapack slepc
for c in ${classes//,/ }; do [ "$c" -ge 2 ] || die "-classes: found $c, expected two or more"; done
for r in ${ranks//,/ }; do
  [ -z "${SLURM_NTASKS:-}" ] || [ "$r" -le "$SLURM_NTASKS" ] || die "-ranks: found $r, the allocation has $SLURM_NTASKS"
done
psdnet=${PSDNET:-$root/build/psdnet}
psdnet=$(command -v "$psdnet") || die "found no program ${PSDNET:-$root/build/psdnet}: jobs/build.sh makes it"
command -v gnuplot >/dev/null || "$root/jobs/setup.sh" plots >&2 || die "found no gnuplot: load its module"
read -ra more <<<"$extra"
mkdir -p "$output/runs" || die "$output: cannot make this directory"

# on RANKS COMMAND...
on() {
  local count=$1
  shift
  if [ -n "${SLURM_JOB_ID:-}" ]; then
    choose_launcher "$count"
    # shellcheck disable=SC2154 # choose_launcher fills it
    "${launch[@]}" "$@"
  else
    "$root/jobs/launch" "$count" "$@"
  fi
}

# plan RANKS FILE OPTIONS...: FILE.plan.json, and FILE.more.json with what plan prints only. The model is of ADMM's phases.
plan() {
  local count=$1 file=$2
  shift 2
  on "$count" "$psdnet" plan -solver admm "$@" -report "$file.plan.json" >"$file.log" 2>&1 || return 1
  sed -n -e 's/^problem .* samples, \([0-9]*\) patches each.*/{"patches": \1, /p' -e 's/^rates .*dgemm \([0-9.]*\),.*/"dgemm": \1}/p' \
    "$file.log" >"$file.more.json"
}

show() { # LOG WHAT
  grep -h 'psdnet: error' "$1" >&2 || tail -n 20 "$1" >&2
  die "$2"
}

labels() { seq -s, 0 $(($1 - 1)); }

# one RANKS IMAGES PATCH CLASSES CONSENSUS CONE REPETITION: one run, of IMAGES in all
one() {
  local name=$study-r$1-n$2-p$3-c$4-$5-$6-$7 step=$stride file status=0 per_node used
  file=$output/runs/$name
  if [ -s "$file.json" ]; then return; fi
  if [ "$stride" = patch ]; then step=$3; fi
  local options=(-data "$data" -classes "$(labels "$4")" -limit "$2" -patch "$3" -stride "$step" "${more[@]}")
  # `plan` reads images' sizes and labels only
  plan "$1" "$file" "${options[@]}" -consensus "$5" -iterations "$iterations" || show "$file.log" "$name: psdnet plan failed"
  [ "$(number "$file.plan.json" n)" -ge "$2" ] ||
    die "-images: $data has $(number "$file.plan.json" n) images of $4 classes, $name needs $2"
  # a gap that cannot be reached, so that all iterations are done: status 2
  on "$1" "$psdnet" train -solver admm "${options[@]}" -consensus "$5" -cone "$6" -max_it "$iterations" -gap 1e-15 -progress none \
    -model "$file.h5" -report "$file.tmp.json" >"$file.log" 2>&1 || status=$?
  case $status in 0 | 2) ;; *) show "$file.log" "$name: psdnet train failed with status $status" ;; esac
  rm -f "$file.h5"
  per_node=${SLURM_NTASKS:+$((SLURM_NTASKS / nodes))}
  used=$((per_node ? ($1 + per_node - 1) / per_node : 1))
  printf '{"study": "%s", "nodes": %d, "cores": %d, "repetition": %d, "patch": %d, "stride": %d, "classes": %d, "consensus": "%s", "cone": "%s"}\n' \
    "$study" "$used" $((cores * used)) "$7" "$3" "$step" "$4" "$5" "$6" >"$file.info.json"
  mv "$file.tmp.json" "$file.json"
  say "$name: $(number "$file.json" total) s"
}

cat >"$output/study.json" <<JSON
{"command": "$invocation", "node": $node,
 "first": ["$study", ${patch%%,*}, $([ "$stride" = patch ] && echo "${patch%%,*}" || echo "$stride"), ${classes%%,*}, "${consensus%%,*}", "${cone%%,*}", ${images%%,*}],
 "machine": "$(uname -n), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $cores cores a node, nodes $nodes",
 "date": "$(date -u '+%Y-%m-%d %H:%M UTC')", "revision": "$("$psdnet" -version 2>/dev/null | head -n 1), $(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo 'revision unknown')"}
JSON

# repetitions take turns, so that a machine that slows down does so for all
for ((k = 1; k <= repetitions; k++)); do
  for p in ${patch//,/ }; do for c in ${classes//,/ }; do for n in ${images//,/ }; do
    for s in ${consensus//,/ }; do for b in ${cone//,/ }; do for r in ${ranks//,/ }; do
      if [ $study = weak ]; then one "$r" $((n * r)) "$p" "$c" "$s" "$b" "$k"; else one "$r" "$n" "$p" "$c" "$s" "$b" "$k"; fi
    done; done; done
  done; done; done
done
"$here/table.py" "$output"/runs/*[0-9].json >"$output/runs.csv.tmp"
mv "$output/runs.csv.tmp" "$output/runs.csv"

# plans of larger runs, which the model needs: the first combination of the lists, and large patches. Rates of a full node.
rm -rf "$output/plans"
mkdir "$output/plans"
if [ "$model_ranks" != 0 ]; then
  full=$((cores < node ? cores : node))
  if [ -n "${SLURM_NTASKS:-}" ] && [ $((SLURM_NTASKS / nodes)) -lt $full ]; then full=$((SLURM_NTASKS / nodes)); fi
  step=$stride
  if [ "$stride" = patch ]; then step=${patch%%,*}; fi
  shape=$(on 1 "$psdnet" info "$data" 2>/dev/null | sed -n 's/^ *[0-9]* images of \([0-9]*\) x \([0-9]*\) x \([0-9]*\) .*/\1x\2x\3/p')
  for r in ${model_ranks//,/ }; do
    n=${images%%,*}
    if [ $study = weak ]; then n=$((n * r)); fi
    # what does not fit a node is left out
    plan $full "$output/plans/first-$r" -images "$n" -image "$shape" -class_count "${classes%%,*}" -patch "${patch%%,*}" -stride "$step" "${more[@]}" \
      -consensus "${consensus%%,*}" -iterations "$iterations" -ranks "$r" -ranks_per_node "$node" || true
    if [ "$model_patch" = 0 ]; then continue; fi
    plan $full "$output/plans/large-$r" -images 50000 -image 3x32x32 -class_count 10 -patch "$model_patch" -stride "$model_patch" \
      -iterations "$iterations" -ranks "$r" -ranks_per_node "$node" || true
  done
fi
"$here/report.py" "$output" >/dev/null
say "written to $output: runs.csv report.md model.json $(cd "$output" && echo ./*.png)"
