#!/usr/bin/python3
"""bytes.py -ranks LIST [-program FILE] [-iterations A,B] -options "..."

Bytes that a rank gives to messages, by phase and number of ranks, as a table in Markdown: of the busiest rank, as psdnet train -count counts
them, with OPTIONS. Beside them is what the design allows (numbers of 8 bytes, N the order of A'A, R ranks):

    gram      1.2 (n D s/R + D^2/s), the least over groups of s ranks
    factor    4 N^2/sqrt(R)
    a solve   3 N C/sqrt(R), of the bytes of an iteration

An iteration is the difference of two runs of A and B iterations, without checks. MB are 1e6 bytes. Counts do not depend on the machine, so that
ranks may be more than cores. Standard library only.
"""
import argparse
import collections
import csv
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOT_GIVEN = 'recv', 'wait'
COLLECTIVES = 'bcast reduce allreduce reduce_scatter gather allgather scatter alltoall scan barrier'.split()


def counted(path):
    """phase -> bytes of the busiest rank; phase -> most collectives of a rank"""
    given, calls = collections.Counter(), collections.Counter()
    with open(path, newline='') as file:
        for row in csv.DictReader(file):
            if row['call'] not in NOT_GIVEN:
                given[row['phase'], row['rank']] += int(row['bytes'])
            if row['call'] in COLLECTIVES:
                calls[row['phase'], row['rank']] += int(row['calls'])
    return [{phase: max(n for (p, _), n in counts.items() if p == phase) for phase, _ in counts} for counts in (given, calls)]


def run(ranks, iterations, arguments, folder):
    stem = os.path.join(folder, f'{ranks}-{iterations}')
    command = [os.path.join(ROOT, 'jobs', 'launch'), str(ranks), arguments.program, 'train', *shlex.split(arguments.options), '-gap', '1e-15',
               '-check_every', '1000', '-max_it', str(iterations), '-progress', 'none', '-model', stem + '.h5', '-report', stem + '.json', '-count',
               stem + '.csv']
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 2):
        sys.exit(f'bytes.py: psdnet on {ranks} ranks: exit status {done.returncode}\n{done.stderr[-2000:]}')
    with open(stem + '.json') as file:
        report = json.load(file)
    return report, *counted(stem + '.csv')


def limits(n, D, C, ranks):
    """Bytes: A'A, factor, a solve."""
    gram = min(1.2 * (n * D * s / ranks + D * D / s) for s in range(1, ranks + 1))
    return 8 * gram, 8 * 4 * D * D / math.sqrt(ranks), 8 * 3 * D * C / math.sqrt(ranks)


def line(ranks, arguments, folder):
    few, many = arguments.iterations
    _, first, first_calls = run(ranks, few, arguments, folder)
    report, given, calls = run(ranks, many, arguments, folder)
    n, D = report['n'], report['D']
    classes = round(report['blocks'] * (report['f'] + 1) * (report['f'] + 2) / 4 / D)
    gram, factor, solve = limits(n, D, classes, ranks)
    each = (given['solve'] - first['solve']) / (many - few)
    collectives = (calls['solve'] - first_calls['solve']) / (many - few)
    return (f"| {ranks} | {given['gram'] / 1e6:.1f} ({gram / 1e6:.1f}) | {given['factor'] / 1e6:.1f} ({factor / 1e6:.1f}) | "
            f"{each / 1e6:.3f} ({solve / 1e6:.3f}) | {collectives:g} | {given['certify'] / 1e6:.1f} | {calls.get('none', 0)} | "
            f"{report['peak_memory_mb']:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('-ranks', required=True, type=lambda text: [int(r) for r in text.split(',')])
    parser.add_argument('-program', default=os.path.join(ROOT, 'build', 'psdnet'))
    parser.add_argument('-iterations', default='4,12', type=lambda text: [int(n) for n in text.split(',')])
    parser.add_argument('-options', required=True)
    arguments = parser.parse_args()
    print('| ranks | gram MB | factor MB | an iteration MB | its collectives | certify MB | collectives outside phases | memory MB |\n' + '|---' * 8 + '|',
          flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for ranks in arguments.ranks:
            print(line(ranks, arguments, folder), flush=True)


main()
