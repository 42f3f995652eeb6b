"""What ranks say to each other in a run with `-consensus scalapack` or `dual`, phase by phase, as src/problem and src/consensus do it and
ScaLAPACK in them: of any size, without running it. replay.py simulates it, and compares it with runs that were recorded.

N is the order of A'A or A A', C the classes, n the samples; the grid has H x W places, rank = row W + column. Sizes of messages are in bytes.
"""
import math

REAL = 8
LARGEST_BLOCK, LEAST_BLOCK, BLOCKS_A_RANK = 64, 16, 4  # src/base/grid_shape.c
PART_ORDER, MOST_PARTS = 460, 4  # src/consensus/grid_parts.c
STEPS = 16  # of Lanczos, before the first factorisation
ROUND, ROUNDS = 4, 32  # messages of a rank that are under way at once, at least; rounds of them, at most
SMALL = 10000  # bytes of an allreduce
STRIP = 32  # columns that PBLAS takes of a panel at once
CHUNK_ROWS, CHUNK_BYTES, SAMPLE_PARTS = 1024, 64 << 20, 24  # src/problem/limits.h
NODE = 64  # ranks of a node, as cluster.xml has them


class Trace:
    """Actions of each rank, in their order."""

    def __init__(self, ranks):
        self.ranks, self.lines, self.messages, self.bytes = ranks, [[] for _ in range(ranks)], [0] * ranks, [0] * ranks

    def compute(self, rank, flops):
        if flops > 0:
            self.lines[rank].append(f'compute {flops:.0f}')

    def compute_all(self, flops):
        for rank in range(self.ranks):
            self.compute(rank, flops)

    def send(self, source, target, size):
        if source != target and size > 0:
            self.lines[source].append(f'isend {target} 0 {size:.0f}')
            self.lines[target].append(f'recv {source} 0 {size:.0f}')
            self.messages[source] += 1
            self.bytes[source] += size

    def exchange(self, messages):
        """(source, target, size) of each: all send, then all receive."""
        messages = [message for message in messages if message[0] != message[1] and message[2] > 0]
        for source, target, size in messages:
            self.lines[source].append(f'isend {target} 0 {size:.0f}')
            self.messages[source] += 1
            self.bytes[source] += size
        for source, target, size in messages:
            self.lines[target].append(f'recv {source} 0 {size:.0f}')

    def exchange_in_rounds(self, pairs, steps, size):
        """pairs(step), for each of the steps: a few steps at a time, as the links take them, and SimGrid in a time that is not quadratic."""
        width = max(ROUND, math.ceil(steps / ROUNDS))
        for first in range(1, steps + 1, width):
            self.exchange((*pair, size) for step in range(first, min(first + width, steps + 1)) for pair in pairs(step))

    def allreduce(self, size):
        """Of all ranks. Large ones by SimGrid, with Open MPI's algorithms; small ones, which it gets wrong, by recursive doubling."""
        if size >= SMALL and self.ranks > 1:
            for rank in range(self.ranks):
                self.lines[rank].append(f'allreduce {size:.0f} 0')
                self.bytes[rank] += size
        else:
            self.double(list(range(self.ranks)), size)

    def double(self, members, size):
        """An allreduce by recursive doubling; of other than powers of two the last ranks join by a message to and fro."""
        most = 1 << (len(members).bit_length() - 1)
        self.exchange((members[k], members[k - most], size) for k in range(most, len(members)))
        for step in (1 << k for k in range(most.bit_length() - 1)):
            self.exchange((members[k], members[k ^ step], size) for k in range(most))
        self.exchange((members[k - most], members[k], size) for k in range(most, len(members)))

    # ------------------------------------------------------------ collectives of some ranks, which SimGrid's traces do not have

    def tree(self, members, root):
        """Pairs of parent and child of a binomial tree, from the root down: ranks that are far from each other first, so that few pairs are on
        different nodes. That Open MPI's large broadcasts and reductions cross between nodes one to one and a half times was counted."""
        ranks, start = len(members), members.index(root)
        order = members[start:] + members[:start]
        for step in (1 << k for k in reversed(range((ranks - 1).bit_length()))):
            for k in range(0, ranks - step, 2 * step):
                yield order[k], order[k + step]

    def broadcast(self, members, root, size):
        for parent, child in self.tree(members, root):
            self.send(parent, child, size)

    def reduce(self, members, root, size):
        for parent, child in reversed(list(self.tree(members, root))):
            self.send(child, parent, size)

    def sum_up(self, members, size):
        """An allreduce: a reduce-scatter and an allgather by rings."""
        if size < SMALL:
            self.double(members, size)
        else:
            for _ in range(2):
                self.ring(members, size)

    def ring(self, members, size):
        """A reduce-scatter or an allgather of so many bytes in all."""
        ranks = len(members)
        for _ in range(ranks - 1):
            self.exchange((members[k], members[(k + 1) % ranks], size / ranks) for k in range(ranks))

    def split_ring(self, members, root, size):
        """From the root both ways, each handing on to the next."""
        ranks, start = len(members), members.index(root)
        order = members[start:] + members[:start]
        right = (ranks - 1 + 1) // 2
        for k in range(right):
            self.send(order[k], order[k + 1], size)
        for k in range(ranks - 1 - right):
            self.send(order[-k % ranks], order[-k - 1], size)


def shape_of(ranks):
    """Height and width of the grid: the squarest of all ranks (src/base/grid_shape.c leaves some out where that is too oblong; powers of
    two are not)."""
    height = max(k for k in range(1, math.isqrt(ranks) + 1) if ranks % k == 0)
    return height, ranks // height


class Run:
    def __init__(self, n, N, C, pairs, ranks):
        self.n, self.N, self.C, self.pairs, self.ranks = n, N, C, pairs, ranks
        self.H, self.W = shape_of(ranks)
        self.block = max(LEAST_BLOCK, min(LARGEST_BLOCK, math.ceil(N / (BLOCKS_A_RANK * ranks))))
        self.parts = max(1, min(MOST_PARTS, int(self.N / (PART_ORDER * ranks ** (1 / 3)) + 0.5)))
        self.rows = [[h * self.W + w for w in range(self.W)] for h in range(self.H)]
        self.columns = [[h * self.W + w for h in range(self.H)] for w in range(self.W)]
        self.everyone = list(range(ranks))
        # the owners of pairs, as many on each node as on another (src/cone/blocks.c)
        self.owning = sorted(sorted(self.everyone, key=lambda rank: (rank % NODE, rank))[:min(ranks, pairs)])

    def group_shape(self):
        """Height and width of the groups that receive least, the widest of them (src/problem/sample_costs.c, PsdGramGroup)."""
        n, D, ranks = self.n, self.N, self.ranks
        shapes = [(h, w) for h in range(1, self.H + 1) if self.H % h == 0 for w in range(1, self.W + 1) if self.W % w == 0]
        return min(shapes, key=lambda shape: (n * D * (shape[0] * shape[1] - 1) / ranks + D * D / 2 / (shape[0] * shape[1]), shape[0]))

    # ------------------------------------------------------------ A'A

    def gram(self, trace, flops):
        """Samples go round in groups, which are smaller grids; then sums between ranks of the same place in them."""
        h, w = self.group_shape()
        corners = [(row, column) for row in range(0, self.H, h) for column in range(0, self.W, w)]
        groups = [[(row + i) * self.W + column + j for i in range(h) for j in range(w)] for row, column in corners]
        local = math.ceil(self.n / self.ranks)
        chunks = math.ceil(local / min(CHUNK_ROWS, math.ceil(self.n / SAMPLE_PARTS), CHUNK_BYTES // (REAL * self.N)))
        for _ in range(chunks):
            for member in range(h * w):
                for members in groups:
                    if h * w > 1:
                        trace.broadcast(members, members[member], REAL * local / chunks * self.N)
                trace.compute_all(flops / chunks / (h * w))
        if len(groups) > 1:
            sums = REAL * self.N * self.N / 2 / (h * w)
            turns = math.ceil(self.N / self.block / self.W)
            for _ in range(turns):
                for place in range(h * w):
                    trace.ring([members[place] for members in groups], sums / turns)
        trace.allreduce(2 * REAL * self.N * self.C)

    # ------------------------------------------------------------ vectors

    def owners(self, trace, back):
        """Right-hand sides between the owners of pairs and the ranks that have the columns: all to all, REAL N C in all."""
        size = REAL * self.N * self.C / len(self.owning) / self.ranks
        trace.exchange_in_rounds(lambda step: [(owner, (owner + step) % self.ranks)[::-1 if back else 1] for owner in self.owning],
                                 self.ranks - 1, size)

    def along(self, trace, lines):
        """A vector to all ranks of a column or row of the grid, or back to be added up."""
        size = REAL * self.N * self.C / self.ranks
        trace.exchange_in_rounds(lambda step: [(member, members[(k + step) % len(members)]) for members in lines for k, member in enumerate(members)],
                                 len(lines[0]) - 1, size)

    def sum_part(self, trace, lines):
        """A part of a vector, of which the ranks of each of these lines of the grid have shares."""
        for members in lines:
            if len(members) > 1:
                trace.sum_up(members, REAL * self.N * self.C / len(lines) / self.parts)

    def hand_over(self, trace, lines):
        """A part that the ranks of the other lines know, to all ranks of each of these: from where both meet."""
        common = math.gcd(self.H, self.W)
        for k, members in enumerate(lines):
            for root in members[k % common::common]:
                trace.broadcast(members, root, REAL * self.N * self.C / len(lines) / self.parts / (len(members) / common))

    def solve(self, trace, flops):
        """Forward and back, part by part (src/consensus/grid_parts.c): inverses on the diagonal, and products with what is beside them."""
        self.owners(trace, False)
        self.along(trace, self.columns)
        for lines, others in (self.rows, self.columns), (self.columns, self.rows):
            for part in range(self.parts):
                if part > 0:
                    self.sum_part(trace, lines)
                    self.hand_over(trace, others)
                trace.compute_all(flops / 2 / self.parts)
                if part < self.parts - 1 or lines is self.rows:
                    self.sum_part(trace, lines)
                if part < self.parts - 1:
                    self.hand_over(trace, others)
        self.along(trace, self.columns)
        self.owners(trace, True)

    def multiply(self, trace, flops):
        self.owners(trace, False)
        for lines in self.rows, self.columns:
            self.along(trace, lines)
        trace.compute_all(flops)
        for lines in self.rows, self.columns:
            self.along(trace, lines)
        self.owners(trace, True)

    # ------------------------------------------------------------ factor

    def transpose(self, trace, size):
        """A panel, which each row of the grid has its part of, to where its transpose is wanted: part w to column w, from row w mod H."""
        trace.exchange((self.rows[w % self.H][(w - w % self.H + h) % self.W], self.rows[h][w], size / self.W)
                       for w in range(self.W) for h in range(self.H) if h != w % self.H)

    def cholesky_step(self, trace, k, flops):
        """Panel k of pdpotrf: the block on the diagonal down its column, the panel along all rows, and its transpose to all columns."""
        left, row, column = self.N - (k + 1) * self.block, k % self.H, k % self.W
        panel = REAL * max(0, left) * self.block
        owner = self.rows[row][column]
        trace.compute(owner, self.block ** 3 / 3)
        trace.split_ring(self.columns[column], owner, REAL * self.block ** 2 * 3 / 4)
        for rank in self.columns[column]:
            trace.compute(rank, max(0, left) * self.block ** 2 / self.H)
        for members in self.rows:
            trace.split_ring(members, members[column], panel / self.H)
        self.transpose(trace, panel)
        trace.compute_all(flops)

    def part_end(self, k):
        """The end of the part that panel k is in."""
        starts = [self.panels() * part // self.parts for part in range(self.parts + 1)]
        return min(self.N, self.block * next(start for start in starts if start > k))

    def inverse_step(self, trace, k, flops):
        """Panel k of pdtrtri of its part: what is below it times what is inverted already, in strips: to all columns, and summed along rows."""
        left, column = max(0, self.part_end(k) - (k + 1) * self.block), k % self.W
        strips = math.ceil(self.block / STRIP)
        size = REAL * left * self.block / strips
        root = self.rows[(column + 1) % self.H]
        for _ in range(strips if size > 0 else 0):
            trace.exchange((self.rows[w % self.H][column], root[w], size / self.W) for w in range(self.W))
            for w, members in enumerate(self.columns):
                trace.broadcast(members, root[w], size / self.W)
            trace.compute_all(flops / strips)
            for members in self.rows:
                trace.reduce(members, members[column], size / self.H)

    def panels(self):
        return math.ceil(self.N / self.block)

    def factor(self, trace, flops, panels=None):
        """Cholesky and inverses of parts, of the panels given or of all; flops: of all of both, on a rank."""
        cholesky = flops / (1 + self.parts ** -2)
        panels = panels or range(self.panels())
        for k in panels:
            self.cholesky_step(trace, k, cholesky * 3 * max(0, self.N - (k + 1) * self.block) ** 2 * self.block / self.N ** 3)
        for k in panels[::-1]:
            self.inverse_step(trace, k, cholesky * 3 * max(0, self.part_end(k) - (k + 1) * self.block) ** 2 * self.block / self.N ** 3)

    def lanczos_step(self, trace, flops):
        self.multiply(trace, flops)
        for _ in range(2):
            trace.allreduce(2 * REAL)

    # ------------------------------------------------------------ iterations and certificate

    PRODUCTS_OF_A_CHECK = 3  # a solve and two products

    def iteration(self, trace, flops):
        self.solve(trace, flops)
        trace.allreduce(12)

    def check(self, trace, flops):
        self.solve(trace, flops / 3)
        for _ in range(2):
            self.multiply(trace, flops / 3)
        trace.allreduce(256)

    def certify(self, trace, flops):
        trace.compute_all(flops)
        for _ in range(2):
            trace.allreduce(REAL * self.N * self.C)


class DualRun(Run):
    """Samples are where the columns of A A' are, so that vectors do not come from owners; what goes to these is A' of a vector, svecs of m numbers
    a pair. numbers: of a sample's patches."""

    def __init__(self, n, C, pairs, m, numbers, ranks):
        super().__init__(n, n, C, pairs, ranks)
        self.m, self.numbers = m, numbers
        local = math.ceil(n / ranks)
        self.block = math.ceil(local / math.ceil(local / LARGEST_BLOCK))
        self.N = ranks * self.block * math.ceil(local / LARGEST_BLOCK)
        self.parts = max(1, min(MOST_PARTS, int(self.N / (PART_ORDER * ranks ** (1 / 3)) + 0.5)))

    def owners(self, trace, back):
        """None."""

    def adjoint(self, trace):
        """Sums of svecs to the owners of pairs, by trees."""
        for pair in range(self.pairs):
            trace.reduce(self.everyone, self.owning[pair * len(self.owning) // self.pairs], REAL * self.m)

    def gram(self, trace, flops):
        """Patches of columns go round in columns of the grid, those of rows in its rows."""
        for lines, places, flops in (self.columns, self.W, 0), (self.rows, self.H, flops):
            blocks = math.ceil(self.N / self.block / places)
            for k in range(blocks):
                for members in lines:
                    trace.broadcast(members, members[k % len(members)], REAL * self.block * self.numbers)
                trace.compute_all(flops / blocks)
        for _ in range(2):
            self.adjoint(trace)

    PRODUCTS_OF_A_CHECK = 1

    def iteration(self, trace, flops):
        self.solve(trace, flops)
        self.adjoint(trace)
        for _ in range(3):
            trace.allreduce(64)

    def check(self, trace, flops):
        self.multiply(trace, flops)
        trace.allreduce(256)

    def certify(self, trace, flops):
        trace.compute_all(flops)
        for _ in range(2):
            self.adjoint(trace)


class ProjectionRun(Run):
    """The projection of one matrix of order N by the partial method (src/projection): `found` eigenvalues on the side that has fewer, looked
    for from the vectors of the last projection in `rounds` products with all of them and a few guards."""

    GUARDS, RANDOM = 3, 2  # src/cone/eps_block.c
    DECOMPOSITION = 5.6  # flops of a core for each n^3 of dsyevd, at the rate of dgemm: 140 ps at 40 GFLOP/s (docs/performance.md)
    FACTOR = 1 / 0.65  # of pdpotrf, src/consensus/grid_cost.c

    def __init__(self, N, found, rounds, ranks):
        super().__init__(N, N, 1, ranks, ranks)
        self.found, self.rounds, self.wide = found, rounds, found + self.GUARDS
        self.rows_here = math.ceil(N / ranks)

    def turn(self, trace, number):
        """Blocks of vectors change places between ranks: as many partners as a rank has blocks, at most."""
        size = REAL * self.N * number / self.ranks
        partners = max(1, min(self.ranks - 1, math.ceil(self.N / self.block / self.ranks)))
        stride = max(1, self.ranks // (partners + 1))
        trace.exchange_in_rounds(lambda step: [(rank, (rank + step * stride) % self.ranks) for rank in self.everyone], partners, size / partners)

    def to_columns(self, trace, number):
        for members in self.columns:
            trace.ring(members, REAL * self.N * number / self.W)

    def to_rows(self, trace, number):
        self.turn(trace, number)
        for members in self.rows:
            trace.ring(members, REAL * self.N * number / self.H)

    def product(self, trace, number):
        self.to_columns(trace, number)
        trace.compute_all(2 * self.N ** 2 * number / self.ranks)
        self.to_rows(trace, number)  # a sum and blocks back: as many numbers as the way there

    def extend(self, trace, size, number):
        """`number` vectors more in a space of `size`: orthonormal to it twice, among each other twice, multiplied, Ritz pairs."""
        rows = self.rows_here
        for _ in range(2):
            trace.allreduce(REAL * size * number)
            trace.allreduce(REAL * number)
            trace.compute_all(4 * rows * size * number)
        for _ in range(2):
            trace.allreduce(REAL * number ** 2)
            trace.compute_all(4 * rows * number ** 2 + self.DECOMPOSITION * number ** 3)
        self.product(trace, number)
        size += number
        trace.allreduce(REAL * size * number)
        trace.compute_all(2 * rows * size * number + self.DECOMPOSITION * size ** 3)
        trace.broadcast(self.everyone, 0, REAL * size ** 2)
        trace.compute_all(4 * rows * size * self.wide)
        trace.allreduce(REAL * self.wide)
        return size

    def search(self, trace):
        size, most = self.extend(trace, 0, self.wide + self.RANDOM), 4 * (self.found + self.GUARDS) + 8
        for _ in range(self.rounds - 1):
            if size + self.wide > min(most, 8 * self.wide):
                size = min(2 * self.wide, most - self.wide)
                trace.compute_all(4 * self.rows_here * most * size)
            size = self.extend(trace, size, self.wide)

    def add_product(self, trace):
        self.to_rows(trace, self.found)
        self.to_columns(trace, self.found)
        trace.compute_all(2 * self.N ** 2 * self.found / self.ranks)

    def mirror(self, trace):
        """The transpose of a part: to the ranks that have its rows as columns."""
        size = REAL * self.N ** 2 / self.ranks / (self.W // math.gcd(self.H, self.W))
        trace.exchange((self.rows[h][w], self.rows[w % self.H][column], size) for h in range(self.H) for w in range(self.W)
                       for column in range(self.W) if column % math.gcd(self.H, self.W) == h % math.gcd(self.H, self.W))

    def cholesky(self, trace, panels):
        for k in panels:
            left = max(0, self.N - (k + 1) * self.block)
            self.cholesky_step(trace, k, self.FACTOR * left ** 2 * self.block / self.ranks)
