"""SCS: an operator-splitting method, with the quadratic objective as it is; variables z, z'."""
import time

import numpy
import scipy.sparse
import scs

from program import D, J, ORDER, smat


def solve(program, tolerance):
    """Z, Z', an s whose residual makes a bound, iterations and seconds."""
    corner = numpy.zeros(D)
    corner[-1] = program.beta
    zero = numpy.zeros(D)
    gram, h = program.gram, program.h
    whole = numpy.block([[gram, -gram], [-gram, gram]])
    conditions = numpy.array([numpy.concatenate([J, zero]), numpy.concatenate([zero, J])])
    # svec is SCS's own order: the lower triangle by columns
    data = {'P': scipy.sparse.csc_matrix(numpy.triu(whole)),
            'A': scipy.sparse.vstack([conditions, -scipy.sparse.identity(2 * D)], format='csc'),
            'b': numpy.zeros(2 + 2 * D),
            'c': numpy.concatenate([corner - h, corner + h])}
    start = time.perf_counter()
    solution = scs.solve(data, {'z': 2, 's': [ORDER, ORDER]}, verbose=False, eps_abs=tolerance, eps_rel=tolerance,
                         max_iters=1000000, time_limit_secs=600)
    seconds = time.perf_counter() - start
    # the slack of Z is beta E + y J - A'nu, and so is that of Z' with -A'nu
    y, slack, slack_m = solution['y'][:2], solution['y'][2:2 + D], solution['y'][2 + D:]
    gradient = (corner + y[0] * J - slack - (corner + y[1] * J - slack_m)) / 2
    dual = numpy.linalg.solve(gram, h - gradient)
    return smat(solution['x'][:D]), smat(solution['x'][D:]), dual, solution['info']['iter'], seconds
