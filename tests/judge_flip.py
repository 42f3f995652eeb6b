"""judge_flip.py squared or losses: runs with -flip, once-KIND-*, against those of the data set in which every image is followed by
its mirror image, twice-KIND. For check_flip.sh and check_flip_losses.sh."""
import glob
import sys

from judge import attributes, certificate, finish, numbers, report, require, text


def judge_kind(kind, gap):
    """one objective, to that gap; A'A is folded with -flip, where patches and regions are their own mirror image. Names of the runs."""
    expected = report('twice-' + kind)
    names = [path[:-5] for path in sorted(glob.glob(f'once-{kind}-*.json'))]
    require(names and expected['n'] == 300, kind, names, expected['n'], 'samples, expected 300')
    for name in ['twice-' + kind] + names:
        run, folded = report(name), 'folded to' in text(name + '.log')
        error = abs(run['objective_primal'] / expected['objective_primal'] - 1)
        require(error <= 1e-8 and run['gap'] <= gap and run['n'] == 300, name, run['objective_primal'], 'off by', error, 'gap', run['gap'])
        symmetric = kind != 'asymmetric' and run['consensus'] != 'dual'
        require(folded == (name in names and symmetric), name, 'folded is', folded)
    return names


def judge_loss(kind, gap):
    """the same path as well, passes over kept or streamed rows as they were asked for"""
    names, other = judge_kind(kind, gap), report('twice-' + kind)
    for name in names:
        run = report(name)
        error = abs(run['objective_dual'] / other['objective_dual'] - 1)
        require(error <= 1e-9 and run['iterations'] == other['iterations'], name, 'bound off by', error, run['iterations'],
                'iterations, expected', other['iterations'])
        streamed = 'lifted again' in text(name + '.log')
        require(streamed == ('-memory 0 ' in run['options'] + ' '), name, 'streamed is', streamed)
    return names


def squared():
    for kind in 'plain', 'principal', 'raw', 'asymmetric', 'branches':
        judge_kind(kind, 4e-9)
    # the same sums in the same order
    expected = report('twice-plain')
    require(report('once-plain-1')['iterations'] == expected['iterations'], 'another path than with the mirrored data set')
    model = attributes('once-plain-1.m')
    require(model['flip'] == 1 and model['n_train'] == 150, 'model: flip', model['flip'], 'n_train', model['n_train'])
    found = certificate('certify')['primal']
    require(abs(found / expected['objective_primal'] - 1) <= 1e-8, 'certify', found)
    require('150' in text('evaluate.log'), 'evaluate: expected the 150 images, without mirror images', text('evaluate.log'))


def losses():
    judge_loss('hinge', 1e-4)
    expected = numbers('twice-softmax.csv')
    for name in judge_loss('softmax', 1e-5):
        found = numbers(name + '.csv')
        error = max(abs(a - b) for row, other in zip(found, expected) for a, b in zip(row, other))
        require(error <= 1e-6 and len(found) == 150, name, len(found), 'predictions, off by', error)
    found, primal = certificate('certify'), report('twice-softmax')['objective_primal']
    require(abs(found['primal'] / primal - 1) <= 1e-8 and found['gap'] <= 1e-5 * (1 + 1e-3), 'certify', found)


{'squared': squared, 'losses': losses}[sys.argv[1]]()
finish()
