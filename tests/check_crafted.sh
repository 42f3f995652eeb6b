#!/bin/sh
# Checkpoints whose checksums are right and whose numbers are not: refused in one line, or gone on from to a true certificate. EVERY: which
# part of the cases is looked at, every 401st unless it is set.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
python craft_checkpoints "${EVERY:-401}"
