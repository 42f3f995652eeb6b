"""CVXOPT's coneqp: an interior-point method for quadratic cone programs in Z and Z'."""
import time

import numpy
from cvxopt import matrix, solvers, spmatrix

from program import COLUMNS, D, DIAGONAL, J, ORDER, ROWS, SCALE, smat


def solve(program, tolerance):
    """Z, Z', an s whose residual makes a bound, iterations and seconds."""
    corner = numpy.zeros(D)
    corner[-1] = program.beta
    zero = numpy.zeros(D)
    entry = numpy.arange(D)
    off = ~DIAGONAL
    # entry k of svec Z stands at (row, column) and at (column, row) of Z, stored by columns
    place = numpy.concatenate([COLUMNS * ORDER + ROWS, (ROWS * ORDER + COLUMNS)[off]])
    which = numpy.concatenate([entry, entry[off]])
    value = -1 / SCALE[which]
    size = ORDER * ORDER
    gram, h = program.gram, program.h
    solvers.options.update(show_progress=False, feastol=tolerance, reltol=10 * tolerance)
    arguments = dict(
        P=matrix(numpy.block([[gram, -gram], [-gram, gram]])),
        q=matrix(numpy.concatenate([corner - h, corner + h])),
        G=spmatrix(numpy.tile(value, 2), numpy.concatenate([place, place + size]).tolist(),
                   numpy.concatenate([which, which + D]).tolist(), (2 * size, 2 * D)),
        h=matrix(0.0, (2 * size, 1)),
        dims={'l': 0, 'q': [], 's': [ORDER, ORDER]},
        A=matrix(numpy.array([numpy.concatenate([J, zero]), numpy.concatenate([zero, J])])),
        b=matrix(0.0, (2, 1)))
    start = time.perf_counter()
    solution = solvers.coneqp(**arguments)
    seconds = time.perf_counter() - start
    x = numpy.array(solution['x']).ravel()
    return smat(x[:D]), smat(x[D:]), x[:D] - x[D:], solution['iterations'], seconds
