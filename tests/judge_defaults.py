"""check_defaults.sh's judgement: one beta and one objective, whatever the ranks, the consensus and where A'A comes from."""
from judge import finish, report, require


def same(name, other):
    one, two = report(name), report(other)
    for key, tolerance in ('beta', 1e-12), ('objective_primal', 1e-8):
        require(abs(one[key] / two[key] - 1) < tolerance, name, other, key, one[key], two[key])


for name in 'scalapack-2', 'scalapack-3', 'scalapack-4', 'dual-3', 'root-1', 'gram':
    same(name, 'nothing')
same('flip-2', 'flip-1')
same('unfolded-3', 'folded-2')
require(abs(report('five')['beta'] / report('nothing')['beta'] - 5) < 1e-12, report('five')['beta'])
# of targets that have to do with the images R* is larger than of random ones
require(report('nothing')['beta'] < 0.01 * report('nothing')['beta_max'], 'beta_max')
finish()
