"""check_plan_rates.sh's judgement: half the rates take twice the time; ssyrk is what A'A in single precision takes; lifting 50,000 images takes 2.5 ms each on 48 ranks."""
from judge import finish, report, require

fast, slow, six, mixed, faster = (report(name)['seconds'] for name in ('four', 'slow', 'six', 'mixed', 'faster'))
require(abs(slow['total'] / fast['total'] - 2) <= 1e-3, 'half the rates', slow, fast)
require(abs(six['lift'] / (50000 / 48 * 2.5e-3) - 1) <= 1e-2, 'lifting', six)
require(faster['gram'] < mixed['gram'] < six['gram'], "A'A in single precision", faster, mixed, six)
finish()
