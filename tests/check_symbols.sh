#!/bin/bash
# libpsdnet shows what the headers of include/ declare, no function more and none less.
set -o pipefail
. "$SOURCE/tests/check.sh"
command -v nm pkg-config mpicc >/dev/null || skip "nm, pkg-config and mpicc"
scratch
for module in PETSc petsc; do pkg-config --exists $module && break; done
read -ra flags < <(pkg-config --cflags "$module")

# declarations by the preprocessor, one a line; then the words before a parenthesis that are no types of functions
mpicc -E -P -I"$SOURCE/include" "${flags[@]}" "$SOURCE/include/psdnet.h" | tr '\n' ' ' | sed 's/[;{}]/&\n/g' |
  grep -v typedef | sed 's/__attribute__((visibility("default")))//' |
  sed -n 's/^[^(]*\b\(Psd[A-Za-z0-9]*\)(.*;$/\1/p' | sort -u >declared
nm -D --defined-only "$(dirname "$PSDNET")/libpsdnet.so" | sed -n 's/.* [A-Z] \([A-Za-z].*\)/\1/p' | sort -u >shown
[ "$(grep -c . declared)" -gt 80 ] || fail "the headers seem to declare these functions only:" declared
diff declared shown >difference || fail "declared in include/ alone (<), shown by libpsdnet alone (>):" difference
