#!/bin/sh
# Random instances, ordinary and extreme ones: no network is below the bound, objectives are those of the networks, and every run ends
# as a user is told (tests/adversary/run.py runs as many as you like).
. "$SOURCE/tests/check.sh"
need_python
/usr/bin/python3 -c "import gmpy2, scipy" 2>/dev/null || skip "python3-gmpy2, python3-scipy"
scratch
for kind in ordinary extreme; do
  python adversary/run "$PSDNET" "$LAUNCH" -kind $kind -first 1000000 -count 60 || fail "the adversary won"
  python adversary/run "$PSDNET" "$LAUNCH" -kind $kind -first 2000000 -count 30 -solver lowrank || fail "the adversary won"
done

# a certificate file of patches whose transform stretches what then cancels: features are not known well enough to prove it again
python adversary/run "$PSDNET" "$LAUNCH" -kind extreme -seed 33003927 >known.log || fail "the adversary won" known.log

# and it does find a bound that is too high
export REAL="$PSDNET"
if python adversary/run "$SOURCE/tests/adversary/liar.py" "$LAUNCH" -kind ordinary -first 1 -count 3 -ranks 1 >liar.log; then
  fail "nothing was found against a program that lies" liar.log
fi
grep -q '^3 ordinary instances: 3 WRONG (false bound)' liar.log || fail "not every lie was found" liar.log
