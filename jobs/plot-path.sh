#!/bin/bash
# plot-path.sh TABLE.csv PICTURE.png: accuracy, neurons and gap against beta, from the table of `psdnet path -table`.
set -euo pipefail
# shellcheck source=jobs/lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help | "")
  usage
  exit 0
  ;;
esac
table=$1 picture=${2:?expected a name for the picture}
[ -r "$table" ] || die "cannot read $table"
head -n 1 "$table" | grep -q '^number,beta,beta_rel,' || die "$table: expected a table of psdnet path"
command -v gnuplot >/dev/null || "$root/jobs/setup.sh" plots >&2
held_out=0
if awk -F, 'NR == 2 && $11 != "" { found = 1 } END { exit !found }' "$table"; then held_out=1; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly "$log" gnuplot -e "table='$table'; output='$picture'; held_out=$held_out" -e "name='regularisation path'" \
  "$root/jobs/plots/path.gp"
