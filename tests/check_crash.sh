#!/bin/sh
# A crash of one rank ends all, whatever it was doing, with one line.
. "$SOURCE/tests/check.sh"
need_python
scratch
make_images data
options="-data data -patch 3 -stride 1 -pool 2 -patch_normalize 10 -whiten 0.1 -beta_rel 0.02 -progress none"

# wait_until COMMAND...: it succeeds within 30 s
wait_until() {
  tries=300
  until "$@"; do
    [ $tries != 0 ] || return 1
    tries=$((tries - 1))
    sleep 0.1
  done
}
# the second rank, once it works
has_victim() {
  grep -q '^problem' crash.log && victim=$(tr ' ' '\n' <"/proc/$launcher/task/$launcher/children" | sed -n 2p) && [ -n "$victim" ]
}
has_ended() { ! kill -0 "$launcher" 2>/dev/null; }

"$LAUNCH" 3 "$PSDNET" train $options -model m.h5 -check_every 1000000 -max_it 1000000 >crash.log 2>&1 &
launcher=$! status=0
wait_until has_victim || fail "a crash: no second rank" crash.log
kill -SEGV "$victim"
if ! wait_until has_ended; then
  kill -9 "$launcher"
  fail "a crash: hangs" crash.log
fi
wait "$launcher" || status=$?
[ "$status" != 0 ] || fail "a crash: exit status 0" crash.log
[ "$(grep -c '^psdnet: defect: rank 1 was ended by a segmentation fault$' crash.log)" = 1 ] || fail "a crash: no line" crash.log
! grep -q 'PETSC ERROR' crash.log || fail "a crash: a traceback" crash.log
