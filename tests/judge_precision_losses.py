"""check_precision_losses.sh's judgement: objectives and bounds of one program enclose one optimum, whatever precision they were found in."""
from judge import finish, report, require


def agree(names, gap):
    """of runs of one program, the first of them in double precision"""
    found = {name: report(name) for name in names}
    highest = max(it['objective_dual'] for it in found.values())
    lowest = min(it['objective_primal'] for it in found.values())
    require(highest <= lowest, 'a bound is above an objective', *names, highest, lowest)
    for name, it in found.items():
        require(0 <= it['gap'] <= gap, name, 'gap', it['gap'])
        # what rounding does to an iteration is far below what the iteration changes
        require(it['iterations'] <= 1.25 * found[names[0]]['iterations'], name, 'iterations', it['iterations'])
        require(abs(it['beta_max'] / found[names[0]]['beta_max'] - 1) <= 1e-12, name, 'beta_max', it['beta_max'])


def mixed(name):
    return report(name).get('precision') == 'mixed'


for loss in 'softmax', 'logistic', 'huber', 'hinge', 'l1':
    names = [f'{loss}-{run}' for run in ('double', 'root', 'scalapack')]
    agree(names, 1e-4 if loss in ('hinge', 'l1') else 1e-5)
    for name in names[1:]:
        require(mixed(name), name, 'is not in mixed precision')
agree(['softmax-double', 'softmax-root', 'other'], 1e-5)
agree(['exact-double', 'exact-mixed', 'exact-kept'], 1e-9)
agree(['folded-double', 'folded-mixed'], 1e-5)
for name in 'exact-mixed', 'exact-kept', 'folded-mixed', 'other':
    require(mixed(name), name, 'is not in mixed precision')
fine, exact = report('fine-mixed'), report('exact-double')
require(0 <= fine['gap'] <= 5e-11 and not mixed('fine-mixed'), 'rows of 32 bits were not left for a gap of', fine['gap'])
require(fine['objective_dual'] <= exact['objective_primal'] and exact['objective_dual'] <= fine['objective_primal'],
        'objectives and bounds', fine['objective_primal'], exact['objective_primal'])
one, other = report('tiny-mixed'), report('tiny-double')
require(not mixed('tiny-mixed'), 'curvature of single precision was enough for a tiny beta')
for key in 'iterations', 'objective_primal', 'objective_dual':
    require(one[key] == other[key], 'tiny', key, one[key], other[key])
finish()
