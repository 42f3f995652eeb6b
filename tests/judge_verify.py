"""judge_verify.py NAME: what psdnet claimed in a model against what ../shared/verify.py found from it, in NAME.json."""
import sys

from judge import finish, report, require

name = sys.argv[1]
v = report(name)
primal, claimed, dual, bound = v['primal'], v['claimed_primal'], v['claimed_dual'], v['bound']
for what, holds in {
        'primal': abs(primal / claimed - 1) <= 1e-9,
        'claimed dual <= primal': dual <= primal,
        'bound <= primal': bound <= primal * (1 + 1e-9),
        'bound <= claimed primal': bound <= claimed,
        'unit filters': v['unit'] <= 1e-12,
        'neurons': v['neurons'] > 0}.items():
    require(holds, name, what, v)
finish()
