"""judge_resume.py RUN REFERENCE TOLERANCE ...: the history and the network of RUN, which was interrupted, against REFERENCE's, which was
not; values to a relative tolerance, residuals to that of their first one."""
import sys

from judge import attributes, finish, require, table


def rows(name):
    return [{key: float(value) for key, value in row.items()} for row in table(name + '.csv')]


def compare(name, reference, tolerance):
    found, expected = rows(name), rows(reference)
    if not require([row['iteration'] for row in found] == [row['iteration'] for row in expected],
                   name, 'iterations', [row['iteration'] for row in found]):
        return
    models = [attributes(n + '.h5')['objective_primal'] for n in (name, reference)]
    errors = [abs(models[0] / models[1] - 1)]
    for a, b in zip(found, expected):
        for key in 'primal_residual', 'dual_residual', 'rho', 'objective', 'bound', 'rank':
            scale = expected[0][key] if 'residual' in key else abs(b[key])
            errors.append(abs(a[key] - b[key]) / scale)
    seconds = [row['seconds'] for row in found]
    require(all(error <= tolerance for error in errors), name, 'differs from', reference, 'by', max(errors))
    require(sorted(seconds) == seconds, name, 'seconds', seconds)


for name, reference, tolerance in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
    compare(name, reference, float(tolerance))
finish()
