"""The convex program of the 2021 configuration by an interior-point solver: bench-cvxopt.py CIFAR10_DIRECTORY [BETA].

Images of classes 0 and 1 (targets -1 and +1), pixels (x - 128)/255, patches 4x4x3 at stride 4, one pooling region, squared
loss. A'A and A'Y are made here from the pixels alone; CVXOPT then solves the cone program in Z and Z' (docs/mathematics.md,
section 1). Prints its primal and dual objectives, its iterations and the solve's seconds.
"""
import glob
import sys
import time

import numpy
from cvxopt import matrix, solvers, spmatrix

ACTIVATION = (0.09, 0.5, 0.47)
PATCH = 4


def read_images(directory):
    """Pixels n x 3 x 32 x 32 and targets of classes 0 and 1."""
    files = sorted(glob.glob(directory + '/data_batch_*.bin'))
    if not files:
        sys.exit(f'bench-cvxopt.py: {directory}: no data_batch_*.bin')
    records = numpy.concatenate([numpy.fromfile(file, numpy.uint8).reshape(-1, 3073) for file in files])
    records = records[records[:, 0] <= 1]
    return (records[:, 1:].reshape(-1, 3, 32, 32) - 128.0) / 255, 2.0 * records[:, 0] - 1


def triangle(order):
    """Rows and columns of the upper triangle, and what svec multiplies its entries by."""
    rows, columns = numpy.triu_indices(order)
    return rows, columns, numpy.where(rows == columns, 1, numpy.sqrt(2))


def lift(pixels):
    """The n x D matrix of svec(Phi)."""
    n, channels, height, width = pixels.shape
    patches = pixels.reshape(n, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    patches = patches.transpose(0, 2, 4, 1, 3, 5).reshape(n, -1, channels * PATCH * PATCH)
    a, b, c = ACTIVATION
    f = patches.shape[2]
    phi = numpy.empty((n, f + 1, f + 1))
    phi[:, :f, :f] = a * numpy.matmul(patches.transpose(0, 2, 1), patches) / patches.shape[1]
    phi[:, :f, f] = phi[:, f, :f] = b / 2 * patches.mean(axis=1)
    phi[:, f, f] = c
    rows, columns, scale = triangle(f + 1)
    return phi[:, rows, columns] * scale


def cone_program(A, Y, beta, order):
    """min 1/2 x'Px + q'x over x = (svec Z, svec Z'), Z and Z' positive semidefinite (Gx + s = 0) with <J,Z> = <J,Z'> = 0."""
    gram, h, D = A.T @ A, A.T @ Y, A.shape[1]
    rows, columns, scale = triangle(order)
    corner = numpy.zeros(D)
    corner[-1] = beta
    J = numpy.where(rows == columns, 1.0, 0.0)
    J[-1] = -1
    entry = numpy.arange(D)
    off = rows != columns
    # entry k of svec Z stands at (row, column) and at (column, row) of Z, stored by columns
    place = numpy.concatenate([columns * order + rows, (rows * order + columns)[off]])
    which = numpy.concatenate([entry, entry[off]])
    value = -1 / scale[which]
    size = order * order
    zero = numpy.zeros(D)
    return dict(
        P=matrix(numpy.block([[gram, -gram], [-gram, gram]])),
        q=matrix(numpy.concatenate([corner - h, corner + h])),
        G=spmatrix(numpy.tile(value, 2), numpy.concatenate([place, place + size]).tolist(),
                   numpy.concatenate([which, which + D]).tolist(), (2 * size, 2 * D)),
        h=matrix(0.0, (2 * size, 1)),
        dims={'l': 0, 'q': [], 's': [order, order]},
        A=matrix(numpy.array([numpy.concatenate([J, zero]), numpy.concatenate([zero, J])])),
        b=matrix(0.0, (2, 1)))


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] in ('-h', '--help'):
        sys.exit(__doc__)
    beta = float(sys.argv[2]) if len(sys.argv) == 3 else 1.9
    pixels, Y = read_images(sys.argv[1])
    A = lift(pixels)
    program = cone_program(A, Y, beta, 3 * PATCH * PATCH + 1)
    solvers.options['show_progress'] = False
    start = time.perf_counter()
    solution = solvers.coneqp(**program)
    seconds = time.perf_counter() - start
    if solution['status'] != 'optimal':
        sys.exit(f'bench-cvxopt.py: CVXOPT ended as {solution["status"]}')
    optimum, bound = (solution[name] + Y @ Y / 2 for name in ('primal objective', 'dual objective'))
    print(f'{optimum:.6f} {bound:.6f} {solution["iterations"]} {seconds:.3f}')


if __name__ == '__main__':
    main()
