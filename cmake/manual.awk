# manual.awk: a page of the manual, man(7), of what `psdnet SUBCOMMAND -help` says. -v name=psdnet-train -v version=0.1.0
function quoted(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  sub(/^[.']/, "\\\\\\&&", text)
  return text
}
NR == 1 { sub(/^usage: /, ""); usage = $0; next }
NR == 2 {
  printf ".TH %s 1 \"\" \"psdnet %s\" \"psdnet\"\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n%s\n.SH OPTIONS\n", toupper(name), version, quoted(name), quoted($0), quoted(usage)
  next
}
/^  -/ {
  line = substr($0, 3)
  if (length(line) > 36 && substr(line, 35, 2) == "  ") { left = substr(line, 1, 34); said = substr(line, 37) } else { left = line; said = "" }
  sub(/ +$/, "", left)
  value = ""
  if (match(left, / </)) { value = substr(left, RSTART); left = substr(left, 1, RSTART - 1) }
  printf ".TP\n.BR %s \"%s\"\n%s", quoted(left), quoted(value), said == "" ? "" : quoted(said) "\n"
  began = said != ""
  next
}
/^            / { # of the option above: its meaning, or a word that it takes
  text = $0
  sub(/^ +/, "", text)
  printf "%s%s\n", began ? ".br\n" : "", quoted(text)
  began = 1
  next
}
/^[^ ]/ { printf ".SS \"%s\"\n", quoted($0) }
END {
  printf ".SH EXIT STATUS\n0 done; 1 wrong usage or input; 2 the gap asked for was not reached; 75 a checkpoint was written, to go on from with \\-resume.\n"
  printf ".SH SEE ALSO\n%s, and docs/guide.md where psdnet is installed\n", name == "psdnet" ? "psdnet\\-train(1), psdnet\\-path(1)" : "psdnet(1)"
}
