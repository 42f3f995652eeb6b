#!/bin/bash
# The quickstart runs end to end on a small data set and leaves its five files; it fails, and says why, when training does.
set -o pipefail
. "$SOURCE/tests/check.sh"
quickstart=$SOURCE/jobs/quickstart.sh
for script in "$SOURCE"/jobs/*.sh; do bash -n "$script"; done
command -v gnuplot >/dev/null || skip gnuplot
scratch
mkdir data

# idx NAME COUNT: COUNT images of 12 x 12 pixels, with a pattern that their label (0 1 2 0 1 2 ...) has a part in
idx() {
  LC_ALL=C awk -v count="$2" -v images="data/$1-images-idx3-ubyte" -v labels="data/$1-labels-idx1-ubyte" '
    function big_endian(number, file) {
      printf "%c%c%c%c", int(number / 16777216), int(number / 65536) % 256, int(number / 256) % 256, number % 256 >file
    }
    BEGIN {
      big_endian(2051, images); big_endian(count, images); big_endian(12, images); big_endian(12, images)
      big_endian(2049, labels); big_endian(count, labels)
      for (i = 0; i < count; i++) {
        printf "%c", i % 3 >labels
        for (k = 0; k < 144; k++) printf "%c", (40 * (i % 3) + (i % 3 + 1) * k + 7 * i + (i * k * k) % 31) % 256 >images
      }
    }'
}
idx train 240
idx t10k 60

export DATA=$SCRATCH/data OUTPUT=$SCRATCH/output PSDNET
EXTRA_OPTIONS="-limit 200 -gap 1e-2" "$quickstart" 2 >log 2>&1 || fail "quickstart.sh: exit status $?" log
files="model.h5 report.json history.csv evaluation.json convergence.png filters.png"
if /usr/bin/python3 -c "import h5py, numpy" 2>/dev/null; then files="$files run.html"; fi
for file in $files; do
  [ -s "output/$file" ] || fail "quickstart.sh left no $file" log
done
for picture in convergence filters; do
  [ "$(head -c 4 output/$picture.png | tail -c 3)" = PNG ] || fail "$picture.png is not a PNG file"
done
[ "$(find output -mindepth 1 | wc -l)" = "$(echo "$files" | wc -w)" ] || fail "expected $files in output, found: $(ls output)"
grep -q '^gap .*certified' log || fail "quickstart.sh printed no certificate" log

# without a test split: known before the training, and a part is held out
rm data/t10k-*
EXTRA_OPTIONS="-limit 200 -gap 1e-2" "$quickstart" 1 >log 2>&1 || fail "without test images: exit status $?" log
[ "$(grep -n 'no test images' log | cut -d: -f1)" -lt "$(grep -n '^solve' log | head -n 1 | cut -d: -f1)" ] || fail "order" log
grep -q '^accuracy.* of 40 images' log || fail "without test images: nothing was held out" log

if EXTRA_OPTIONS="-patch 99" "$quickstart" 2 >log 2>&1; then fail "quickstart.sh: exit status 0 although training cannot succeed"; fi
grep -q 'psdnet: error: .*99' log || fail "quickstart.sh does not show why training failed:" log
