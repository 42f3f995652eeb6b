"""judge_same.py MODEL OTHER TOLERANCE: two models have one objective."""
import sys

from judge import attributes, finish, require

one, two = (attributes(path)['objective_primal'] for path in sys.argv[1:3])
require(abs(one / two - 1) <= float(sys.argv[3]), sys.argv[1], one, sys.argv[2], two)
finish()
