#!/bin/bash
# quickstart.sh [RANKS]: sets up, builds, trains a network on Fashion-MNIST's ten classes, and tests it.
#
# RANKS processes (default: one a core). Leaves in quickstart/ at the top of the repository:
#   model.h5  report.json  history.csv  evaluation.json  convergence.png  filters.png
#   run.html, all of it as a page to look at, where Python has h5py and NumPy
#
# Environment:
#   DATA=DIR           another data set of any format; without a test split a fifth of the images is held out instead
#   EXTRA_OPTIONS=...  more options for training, such as "-limit 5000" or "-beta_rel 1e-3"
#   OUTPUT=DIR         where the files go
#   BUILD=DIR          where psdnet is built (default: build/)
#   PSDNET=FILE        a psdnet that is already built: nothing is set up or built
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help)
  usage
  exit 0
  ;;
esac
ranks=${1:-$(nproc)}
[[ $ranks =~ ^[1-9][0-9]*$ ]] || die "found '$ranks' ranks, expected a positive number"
fashion=/usr/share/datasets/fashion-mnist
data=${DATA:-$fashion}
output=${OUTPUT:-$root/quickstart}
build=${BUILD:-$root/build}
read -ra extra <<<"${EXTRA_OPTIONS:-}"

# patches and beta are psdnet's own choice
options=(-gap 1e-4 -check_every 5)
if [ "$data" = $fashion ]; then
  name="Fashion-MNIST, ten classes"
  labels="T-shirt trouser pullover dress coat sandal shirt sneaker bag ankle_boot"
else
  name=$(basename "$data")
  labels=
fi

set_up() {
  local wanted=(formats plots)
  if [ "$data" = $fashion ]; then wanted+=(fashion); fi
  "$root/jobs/setup.sh" "${wanted[@]}"
  say "building in $build"
  BUILD=$build "$root/jobs/build.sh" psdnet
}

# Known before it trains, so that nothing is trained in vain. A part that is held out is one of the images that training chooses from.
choose_test() {
  local k
  held_out=() test=(-split test)
  if ! "$root/jobs/launch" 1 "$psdnet" info "$data" -split test >"$work/test.log" 2>&1; then
    held_out=(-validation 0.2) test=(-validation 0.2)
    for ((k = 0; k + 1 < ${#extra[@]}; k++)); do
      case ${extra[k]} in -limit) test+=("${extra[@]:k:2}") ;; esac
    done
    say "no test images: the last fifth of the images is held out ($(grep -o 'error: .*' "$work/test.log" | head -n 1))"
  fi
}

train() {
  "$root/jobs/launch" "$ranks" "$psdnet" train -data "$data" "${held_out[@]}" "${options[@]}" "${extra[@]}" \
    -model "$output/model.h5" -report "$output/report.json" -history "$output/history.csv"
}

evaluate() {
  say "images that were not trained on:"
  "$root/jobs/launch" "$ranks" "$psdnet" evaluate -data "$data" "${test[@]}" -model "$output/model.h5" \
    -report "$output/evaluation.json"
}

plot_convergence() {
  quietly "$work/convergence.log" gnuplot -e "history='$output/history.csv'; output='$output/convergence.png'" \
    -e "name='$name: training to a certified optimum'" "$root/jobs/plots/convergence.gp"
}

plot_filters() {
  local count neurons columns=8
  compile "$root/jobs/plots/filters.c" "$work/filters" "$(dirname "$psdnet")"
  "$root/jobs/launch" 1 "$work/filters" "$output/model.h5" 24 >"$work/filters.dat"
  count=$(grep -c '^#' "$work/filters.dat") || die "the network has no neurons: no picture of filters"
  neurons=$(number "$output/report.json" neurons)
  quietly "$work/filters.log" gnuplot -e "filters='$work/filters.dat'; output='$output/filters.png'; labels='$labels'" \
    -e "count=$count; columns=$columns; rows=$(((count + columns - 1) / columns))" \
    -e "name='$name: the $count neurons of largest weight, of $neurons'" "$root/jobs/plots/filters.gp"
}

write_page() {
  local file=$output/run.html
  "$root/jobs/launch" 1 "$psdnet" report "$output"/{model.h5,report.json,history.csv,evaluation.json} -output "$file" >"$work/page.log" 2>&1 ||
    warn "no run.html ($(grep -o 'error: .*' "$work/page.log" | head -n 1))"
}

psdnet=${PSDNET:-}
if [ -z "$psdnet" ]; then
  set_up
  psdnet=$build/psdnet
fi
mkdir -p "$output"
work=$(mktemp -d "$output/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
rm -f "$output"/{model.h5,report.json,history.csv,evaluation.json,convergence.png,filters.png,run.html}
choose_test
train
evaluate
plot_convergence
plot_filters
write_page
say "written to $output: $(cd "$output" && echo *.h5 *.json *.csv *.png *.html)"
