"""SDPA and CSDP: interior-point methods for linear semidefinite programs, which read SDPA's sparse format.

They get the dual of the program, with A'A = R'R and R'w = A'Y - A'(Y - A s) = A'A s as its variables besides theta, theta', t:

    minimise t/2  subject to  diag(theta I, beta - theta) - mat(h - R'w),  diag(theta' I, beta - theta') + mat(h - R'w)
                              and [I, w; w', t] positive semidefinite

so that each variable w_i is in one entry of the last matrix. Z and Z' are the multipliers of the first two.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy

from program import COLUMNS, D, ORDER, ROWS, SCALE

# Variables are counted from 1: w, theta, theta', t.


def write(program, path):
    R = numpy.linalg.cholesky(program.gram).T
    h = program.h / SCALE
    with open(path, 'w', encoding='ascii') as file:
        file.write(f'{D + 3}\n3\n{ORDER} {ORDER} {D + 1}\n')
        file.write(' '.join(['0'] * (D + 2) + ['0.5']) + '\n')
        for block, sign in ((1, 1), (2, -1)):  # F0 is subtracted
            for k in range(D):
                constant = sign * h[k] - (program.beta if k == D - 1 else 0)
                file.write(f'0 {block} {ROWS[k] + 1} {COLUMNS[k] + 1} {constant:.17g}\n')
        for i in range(D):
            file.write(f'0 3 {i + 1} {i + 1} -1\n')
        for i in range(D):
            for block, sign in ((1, 1), (2, -1)):
                for k in range(i, D):
                    if R[i, k] != 0:
                        value = sign * R[i, k] / SCALE[k]
                        file.write(f'{i + 1} {block} {ROWS[k] + 1} {COLUMNS[k] + 1} {value:.17g}\n')
            file.write(f'{i + 1} 3 {i + 1} {D + 1} 1\n')
        for block in (1, 2):
            for i in range(ORDER):
                file.write(f'{D + block} {block} {i + 1} {i + 1} {1 if i < ORDER - 1 else -1}\n')
        file.write(f'{D + 3} 3 {D + 1} {D + 1} 1\n')


def read_csdp(path):
    """Z and Z', the entries of its second matrix, and w."""
    Z = [numpy.zeros((ORDER, ORDER)) for _ in range(2)]
    with open(path, encoding='ascii') as file:
        variables = numpy.array(next(file).split(), float)
        for line in file:
            matrix, block, row, column, value = line.split()
            if matrix == '2' and block in '12':
                row, column = int(row) - 1, int(column) - 1
                Z[int(block) - 1][row, column] = Z[int(block) - 1][column, row] = float(value)
    return Z, variables[:D]


def read_sdpa(path):
    """Z and Z', the first two blocks of its yMat, and w."""
    with open(path, encoding='ascii') as file:
        text = file.read()
    number = re.compile(r'[-+]?\d\.?\d*(?:[eE][-+]?\d+)?')

    def numbers_after(name, count):
        return numpy.array(number.findall(text[text.index('{', text.index(name)):])[:count], float)

    return numbers_after('yMat', 2 * ORDER * ORDER).reshape(2, ORDER, ORDER), numbers_after('xVec', D)


def run(program, command, read, iterations):
    """As of the other modules; the program is written to a file before the command is timed."""
    with tempfile.TemporaryDirectory() as directory:
        write(program, os.path.join(directory, 'program.dat-s'))
        start = time.perf_counter()
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        solution = os.path.join(directory, 'solution')
        if not os.path.exists(solution):
            sys.exit(f'{command[0]} ended with status {done.returncode}: {(done.stdout + done.stderr)[-500:]}')
        Z, w = read(solution)
    dual = numpy.linalg.solve(numpy.linalg.cholesky(program.gram).T, w)
    return Z[0], Z[1], dual, int(re.findall(iterations, done.stdout, re.MULTILINE)[-1]), seconds


def solve_by_csdp(program, tolerance):
    return run(program, ['csdp', 'program.dat-s', 'solution'], read_csdp, r'^Iter: +(\d+)')


def solve_by_sdpa(program, tolerance):
    return run(program, ['sdpa', 'program.dat-s', 'solution', '-numThreads', str(os.cpu_count())], read_sdpa,
               r'^ *(\d+) +[-+0-9.e]+ ')
