#!/bin/sh
# Every operation on an output fails once: one line, what was there before stays, nothing is left over; a checkpoint that cannot be written
# is a warning. EVERY: every so manieth operation, 1 is all of them.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
python fail_files "${EVERY:-47}"
