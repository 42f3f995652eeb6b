# completion.awk: bash's completion of a subcommand, lines of `case`, of what `psdnet SUBCOMMAND -help` says. -v name=train
/^  -/ {
  option = $1
  options = options " " option
  if (match($0, /\(one of [^)]*\)$/)) {
    words = substr($0, RSTART + 8, RLENGTH - 9)
    gsub(/\|/, " ", words)
    printf "    %s:%s) words=\"%s\" ;;\n", name, option, words
  }
}
END { printf "    %s:*) words=\"%s -help\" ;;\n", name, substr(options, 2) }
