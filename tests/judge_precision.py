"""check_precision.sh's judgement: objectives and bounds of one program enclose one optimum, whatever precision they were found in."""
from judge import finish, report, require, text


def mixed(name):
    return report(name).get('precision') == 'mixed'


def agree(names, gap):
    found = {name: report(name) for name in names}
    highest = max(it['objective_dual'] for it in found.values())
    lowest = min(it['objective_primal'] for it in found.values())
    require(highest <= lowest, 'a bound is above an objective', *names, highest, lowest)
    for name, it in found.items():
        require(0 <= it['gap'] <= gap, name, 'gap', it['gap'])
        require(it['objective_primal'] <= lowest * (1 + gap), name, 'objective', it['objective_primal'], lowest)
        require(abs(it['beta_max'] / found[names[0]]['beta_max'] - 1) <= 1e-12, name, 'beta_max', it['beta_max'])


CONTINUED = ['whole', 'same', 'other']
agree(['double', 'root-1', 'root-2', 'root-3', 'scalapack-2', 'scalapack-4', 'leaves'] + CONTINUED, 1e-8)
agree(['coarse-double', 'coarse-mixed'], 1e-2)
agree(['folded-double', 'folded-mixed'], 1e-8)
agree(['far-double', 'far-mixed'], 1e-8)
for name in 'root-1', 'root-2', 'root-3', 'scalapack-2', 'scalapack-4', 'coarse-mixed', 'folded-mixed', 'far-mixed', *CONTINUED:
    require(mixed(name), name, 'is not in mixed precision')
for name in 'double', 'leaves', 'tiny-double', 'tiny-mixed':
    require(not mixed(name), name, 'is in mixed precision')

# 4e-9 of the features is lost when they are kept in 32 bits, and a certificate from them says so
coarse = text('coarse-mixed.log')
require('warning  rounding' in coarse, 'rounded features are not said to be', coarse)
require('warning  rounding' not in text('root-1.log'), 'a gap of 1e-8 was proved from rounded features')
require(report('same')['iterations'] > 135, 'the second limit was not within the run')

for name, tolerance in ('same', 1e-12), ('other', 1e-10):
    one, whole = report(name), report('whole')
    require(one['iterations'] == whole['iterations'], name, 'iterations', one['iterations'], whole['iterations'])
    for key in 'objective_primal', 'objective_dual':
        require(abs(one[key] / whole[key] - 1) <= tolerance, name, key, one[key], whole[key])

# single precision was left before the first iteration: the same steps
one, other = report('tiny-mixed'), report('tiny-double')
for key in 'iterations', 'objective_primal', 'objective_dual':
    require(one[key] == other[key], 'tiny', key, one[key], other[key])
finish()
