#!/usr/bin/python3
"""A random adversary against psdnet's certificate.

    run.py PSDNET LAUNCH -kind ordinary|extreme [-count N] [-first SEED] [-jobs J] [-ranks R] [-solver TYPE]   as many instances as you like
    run.py PSDNET LAUNCH -kind ordinary|extreme -seed S [-keep DIR] [-ranks R] [-solver TYPE]    one again; DIR keeps its files

An instance is made from its seed. Ends with status 1 when psdnet was found wrong: a false bound, an objective that is not the
network's, a gap that is not reached, a traceback, a signal, a hang. LAUNCH starts ranks: jobs/launch.
"""
import argparse
import collections
import multiprocessing
import os
import shutil
import sys
import tempfile
import traceback

import numpy

from verdict import Judge

Result = collections.namedtuple('Result', 'seed loss default faults commands refusal reached iterations')


def judge(task):
    program, kind, seed, ranks, solver, directory = task
    own = directory or tempfile.mkdtemp(prefix='adversary.')
    os.makedirs(own, exist_ok=True)
    one = None
    try:
        with numpy.errstate(all='ignore'):
            one = Judge(program, seed, kind, own, ranks, solver)
            one.judge()
    except Exception:  # of the judge's own: it is reported with the instance it belongs to
        fault = ('the judge failed', traceback.format_exc())
        return Result(seed, '', False, [fault], one.commands if one else [], '', None, None)
    finally:
        if not directory:
            shutil.rmtree(own, ignore_errors=True)
    it = one.it
    return Result(seed, it.loss, it.default_solver and it.command == 'train' and '-max_it' not in it.options, one.faults, one.commands,
                  one.refusal, one.reached, one.iterations)


def summarise(results, kind):
    """verdicts, refusals, and how the default settings did by loss"""
    verdicts = collections.Counter(verdict(result) for result in results)
    print(f'\n{len(results)} {kind} instances: ' + ', '.join(f'{count} {name}' for name, count in verdicts.most_common()))
    for message, count in collections.Counter(result.refusal for result in results if result.refusal).most_common():
        first = min(result.seed for result in results if result.refusal == message)
        print(f'  refused {count:5d}  {message} (seed {first})')
    table = collections.defaultdict(list)
    for result in results:
        if result.default and result.iterations is not None and not result.faults:
            table[result.loss].append(result)
    if table:
        print('  default solver: loss, runs, gap not reached, iterations (median, most), seeds of those not reached')
    for loss, runs in sorted(table.items()):
        iterations = sorted(run.iterations for run in runs)
        missed = sorted(run.seed for run in runs if not run.reached)
        print(f'    {loss:9s} {len(runs):5d} {len(missed):5d} {iterations[len(runs) // 2]:6d} {iterations[-1]:6d}   {" ".join(map(str, missed[:20]))}')


def verdict(result):
    if result.faults:
        return 'WRONG (' + result.faults[0][0] + ')'
    return 'refused' if result.reached is None else 'reached' if result.reached else 'not reached'


def report(result, kind, details):
    for word, evidence in result.faults:
        print(f'seed {result.seed} ({kind}): {word}: {evidence if details else evidence[:300]}')
    for command in result.commands if result.faults or details else []:
        print('   ', command)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument('psdnet')
    parser.add_argument('launch')
    parser.add_argument('-kind', choices=['ordinary', 'extreme'], required=True)
    parser.add_argument('-count', type=int, default=100)
    parser.add_argument('-first', type=int, default=0)
    parser.add_argument('-jobs', type=int, default=2)
    parser.add_argument('-seed', type=int)
    parser.add_argument('-keep')
    parser.add_argument('-ranks', type=int, help='of every instance; without it most have one, some up to four')
    parser.add_argument('-solver', choices=['admm', 'lowrank'], help='of every instance whose loss it takes; without it psdnet chooses')
    given = parser.parse_args()
    program = os.path.abspath(given.psdnet), os.path.abspath(given.launch)
    os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
    if given.seed is not None:
        result = judge((program, given.kind, given.seed, given.ranks, given.solver, given.keep and os.path.abspath(given.keep)))
        report(result, given.kind, details=True)
        print(verdict(result), f'after {result.iterations} iterations')
        sys.exit(1 if result.faults else 0)
    results = []
    with multiprocessing.Pool(given.jobs) as pool:
        seeds = range(given.first, given.first + given.count)
        for result in pool.imap_unordered(judge, [(program, given.kind, seed, given.ranks, given.solver, None) for seed in seeds]):
            results.append(result)
            report(result, given.kind, details=False)
    summarise(results, given.kind)
    sys.exit(1 if any(result.faults for result in results) else 0)


if __name__ == '__main__':
    main()
