"""The convex program of the 2021 configuration, and a referee of what solvers say of it.

Images of classes 0 and 1 (targets -1 and +1), pixels (x - 128)/255, patches 4x4x3 at stride 4, one pooling region, squared
loss. In svec coordinates z, z' of positive semidefinite matrices Z, Z' of order 49, s = z - z' (docs/mathematics.md, section 1):

    minimise  1/2 |A s - Y|^2 + beta (Z_last + Z'_last)  subject to  <J, Z> = <J, Z'> = 0

A, A'A and A'Y are made here from the pixels alone, with nothing of psdnet's.
"""
import glob
import sys

import numpy

ACTIVATION = (0.09, 0.5, 0.47)
PATCH = 4
ORDER = 3 * PATCH * PATCH + 1
D = ORDER * (ORDER + 1) // 2

# svec: the upper triangle by rows (that is, the lower one by columns), off the diagonal times sqrt(2)
ROWS, COLUMNS = numpy.triu_indices(ORDER)
DIAGONAL = ROWS == COLUMNS
SCALE = numpy.where(DIAGONAL, 1, numpy.sqrt(2))
J = numpy.where(DIAGONAL, 1.0, 0.0)
J[-1] = -1


def svec(matrices):
    return matrices[..., ROWS, COLUMNS] * SCALE


def smat(vector):
    matrix = numpy.zeros((ORDER, ORDER))
    matrix[ROWS, COLUMNS] = matrix[COLUMNS, ROWS] = vector / SCALE
    return matrix


def read_images(directory):
    """Pixels n x 3 x 32 x 32 and targets of classes 0 and 1, in the order of the files."""
    files = sorted(glob.glob(directory + '/data_batch_*.bin'))
    if not files:
        sys.exit(f'{directory}: no data_batch_*.bin')
    records = numpy.concatenate([numpy.fromfile(file, numpy.uint8).reshape(-1, 3073) for file in files])
    records = records[records[:, 0] <= 1]
    return (records[:, 1:].reshape(-1, 3, 32, 32) - 128.0) / 255, 2.0 * records[:, 0] - 1


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
    return svec(phi)


class Program:
    """Training on all images but the last fifth, which are held out."""

    def __init__(self, directory, beta):
        pixels, targets = read_images(directory)
        features = lift(pixels)
        n = len(targets) - len(targets) // 5
        self.beta = beta
        self.A, self.Y = features[:n], targets[:n]
        self.held_out = features[n:], targets[n:]
        self.gram, self.h = self.A.T @ self.A, self.A.T @ self.Y

    def accuracy(self, s):
        """Of the held-out images, in percent."""
        features, targets = self.held_out
        return 100 * numpy.mean((features @ s > 0) == (targets > 0))

    def value(self, Z, Zm):
        """The objective of a feasible pair near matrices Z and Z' that need not be one, and its s."""
        s, cost = numpy.zeros(D), 0.0
        for matrix, sign in ((Z, 1), (Zm, -1)):
            z = svec(make_feasible(matrix))
            s += sign * z
            cost += z[-1]
        return 0.5 * numpy.sum((self.A @ s - self.Y)**2) + self.beta * cost, s

    def bound(self, s):
        """No s has a lower objective: the dual function at the best multiple of nu = Y - A s that is feasible."""
        nu = self.Y - self.A @ s
        M = smat(self.A.T @ nu)
        polar = max(largest_form(M), largest_form(-M))
        t = min(nu @ self.Y / (nu @ nu), self.beta / polar if polar > 0 else numpy.inf)
        return t * (nu @ self.Y) - t * t / 2 * (nu @ nu)


def make_feasible(matrix):
    """A positive semidefinite matrix with <J, Z> = 0 beside a given one: projected, then raised on its diagonal."""
    values, vectors = numpy.linalg.eigh((matrix + matrix.T) / 2)
    Z = (vectors * numpy.maximum(values, 0)) @ vectors.T
    excess = numpy.trace(Z[:-1, :-1]) - Z[-1, -1]
    if excess > 0:
        Z[-1, -1] += excess
    else:
        Z[range(ORDER - 1), range(ORDER - 1)] -= excess / (ORDER - 1)
    return Z


def largest_form(M):
    """max [u;1]'M[u;1] over unit vectors u: the least theta + phi with [theta I - M1, -m; -m', phi - M4] semidefinite."""
    values, vectors = numpy.linalg.eigh(M[:-1, :-1])
    weights = (vectors.T @ M[:-1, -1])**2
    low, high = values[-1], values[-1] + numpy.sqrt(weights.sum())
    for _ in range(200):
        middle = (low + high) / 2
        with numpy.errstate(divide='ignore', invalid='ignore'):
            above = numpy.sum(numpy.where(weights > 0, weights / (middle - values)**2, 0)) > 1
        low, high = (middle, high) if above else (low, middle)
    theta = high + 1e-12 * abs(high)
    return theta + numpy.sum(numpy.where(weights > 0, weights / (theta - values), 0)) + M[-1, -1]
