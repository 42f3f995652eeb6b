#!/bin/bash
# The quickstart runs end to end on a small data set and leaves its five files; it fails, and says why, when training does.
set -euo pipefail
quickstart=$SOURCE/jobs/quickstart.sh
for script in "$SOURCE"/jobs/*.sh; do bash -n "$script"; done
command -v gnuplot >/dev/null || {
  echo "skipped: needs gnuplot"
  exit 77
}
rm -rf "$SCRATCH"
mkdir -p "$SCRATCH/data"

# idx NAME COUNT: COUNT images of 12 x 12 pixels, with a pattern that their label (0 1 2 0 1 2 ...) has a part in
idx() {
  LC_ALL=C awk -v count="$2" -v images="$SCRATCH/data/$1-images-idx3-ubyte" -v labels="$SCRATCH/data/$1-labels-idx1-ubyte" '
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
EXTRA_OPTIONS="-limit 200 -gap 1e-2" "$quickstart" 2 >"$SCRATCH/log" 2>&1 || {
  echo "quickstart.sh: exit status $?"
  cat "$SCRATCH/log"
  exit 1
}
for file in model.h5 report.json history.csv convergence.png filters.png; do
  [ -s "$OUTPUT/$file" ] || {
    echo "quickstart.sh left no $file"
    cat "$SCRATCH/log"
    exit 1
  }
done
for picture in convergence filters; do
  [ "$(head -c 4 "$OUTPUT/$picture.png" | tail -c 3)" = PNG ] || {
    echo "$picture.png is not a PNG file"
    exit 1
  }
done
[ "$(find "$OUTPUT" -mindepth 1 | wc -l)" = 5 ] || {
  echo "expected five files in $OUTPUT, found:"
  ls "$OUTPUT"
  exit 1
}
grep -q '^gap .*certified' "$SCRATCH/log" || {
  echo "quickstart.sh printed no certificate"
  cat "$SCRATCH/log"
  exit 1
}

if EXTRA_OPTIONS="-patch 99" "$quickstart" 2 >"$SCRATCH/log" 2>&1; then
  echo "quickstart.sh: exit status 0 although training cannot succeed"
  exit 1
fi
grep -q 'psdnet: error: .*99' "$SCRATCH/log" || {
  echo "quickstart.sh does not show why training failed:"
  cat "$SCRATCH/log"
  exit 1
}
rm -rf "$SCRATCH"
