"""check_replay.sh's judgement. The schedule leaves out sizes and counts that go ahead of arrays, and gives ScaLAPACK's panels the same trees
everywhere: bytes are near those of a run, and what messages take when they are simulated is within a factor of 1.5."""
import csv
import sys

from judge import finish, require

NEAR = 0.06  # of the bytes
FACTOR = 1.5

with open(sys.argv[1], newline='') as file:
    rows = list(csv.DictReader(file))
require([(row['consensus'], row['phase']) for row in rows] == [(consensus, phase) for consensus in ('scalapack', 'dual')
                                                              for phase in ('gram', 'factor', 'solve', 'certify')], 'phases', *rows)
for row in rows:
    recorded, scheduled = float(row['recorded_mb']), float(row['scheduled_mb'])
    require(abs(scheduled / recorded - 1) <= NEAR, row['consensus'], row['phase'], 'MB', recorded, 'scheduled', scheduled)
    recorded, scheduled = float(row['recorded_seconds']), float(row['scheduled_seconds'])
    require(1 / FACTOR <= scheduled / recorded <= FACTOR, row['consensus'], row['phase'], 'seconds', recorded, 'scheduled', scheduled)
finish()
