#!/bin/sh
# manual.sh PSDNET FOLDER: pages of the manual and bash's completion, in FOLDER/man1 and FOLDER/completions, of what the
# command PSDNET says with -help. Where it cannot be run, as when it was built for another machine, there are none.
# shellcheck disable=SC2016 # what the completion will expand
set -eu
psdnet=$1 folder=$2 here=$(dirname "$0")
rm -rf "$folder"
mkdir -p "$folder/man1" "$folder/completions"
if ! said=$("$psdnet" -help 2>&1); then
  echo "psdnet cannot be run here: no manual is made"
  exit 0
fi
version=$("$psdnet" -version | sed 's/psdnet //')
subcommands=$(echo "$said" | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
{
  printf '.TH PSDNET 1 "" "psdnet %s" "psdnet"\n.SH NAME\npsdnet \\- ' "$version"
  echo "$said" | sed -n '1s/^psdnet [^:]*: //p'
  printf '.SH SYNOPSIS\n[mpiexec \\-n RANKS] psdnet SUBCOMMAND [options]\n.SH SUBCOMMANDS\n.nf\n'
  echo "$said" | sed -n '/^  [a-z]/s/-/\\-/gp'
  printf '.fi\n.PP\nEach has a page of its own, such as psdnet\\-train(1), and lists its options with \\-help.\n'
} >"$folder/man1/psdnet.1"
{
  echo "# bash's completion of psdnet: subcommands, their options, and the words that options take; else names of files"
  printf '_psdnet() {\n  local words="" current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} subcommand=${COMP_WORDS[1]}\n'
  printf '  if [ "$COMP_CWORD" = 1 ]; then\n    mapfile -t COMPREPLY < <(compgen -W "%s -help -version" -- "$current")\n    return\n  fi\n' "$(echo "$subcommands" | tr '\n' ' ')"
  printf '  case $current in -*) before= ;; esac\n  case $subcommand:$before in\n'
  for name in $subcommands; do "$psdnet" "$name" -help | awk -v name="$name" -f "$here/completion.awk"; done
  printf '  esac\n  case $current:$words in\n    -*) ;;\n    *:-*) words= ;;\n  esac\n'
  printf '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")\n}\ncomplete -o default -F _psdnet psdnet\n'
} >"$folder/completions/psdnet"
for name in $subcommands; do
  "$psdnet" "$name" -help | awk -v name="psdnet-$name" -v version="$version" -f "$here/manual.awk" >"$folder/man1/psdnet-$name.1"
done
