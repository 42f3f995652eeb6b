"""What ranks say to each other in a run with `-consensus scalapack`, `dual` or `-solver lowrank`, phase by phase, as src/problem, src/consensus
and src/lowrank do it and ScaLAPACK in them: of any size, without running it. replay.py simulates it, and compares it with runs that were recorded.

N is the order of A'A or A A', C the classes, n the samples; the grid has H x W places, rank = row W + column. Sizes of messages are in bytes.
"""
import collections
import functools
import math

from messages import Trace, spread_children, spread_parent

REAL = 8
LARGEST_BLOCK, LEAST_BLOCK, BLOCKS_A_RANK, MOST_OBLONG = 64, 32, 4, 4  # src/base/grid_shape.c
PART_ORDER, FEW_RANKS, FEW_PARTS, MOST_PARTS, LEAST_ORDER = 460, 64, 4, 8, 2500  # src/consensus/grid_parts.c
STEPS = 16  # of Lanczos, before the first factorisation
TERMS = 10  # filters of a pair of blocks
EFFICIENCY = 0.8  # src/consensus/grid_cost.c
ITERATIONS, CHECK_EVERY, REFACTORED = 60, 10, 2  # of the solver; src/admm
STRETCH, MOST_PANELS = 4, 24  # panels that are simulated one after the other, and in all
CHUNK_ROWS, CHUNK_BYTES, SAMPLE_PARTS = 1024, 64 << 20, 24  # src/problem/limits.h
GRAM_MESSAGE, ROWS_MESSAGE = 1 << 18, 4194304  # numbers, there
NODE = 64  # ranks of a node, as cluster.xml has them


def highest(ranks, oblong):
    height = max(k for k in range(1, math.isqrt(ranks // oblong) + 1) if ranks % k == 0)
    return height, ranks // height


def shape_of(ranks, node=NODE):
    """Height and width of the grid of all ranks (src/base/grid_shape.c leaves some out where that is too oblong; powers of two are not)."""
    height, width = highest(ranks, 2)
    return (height, width) if node < ranks and width <= min(node, MOST_OBLONG * height) else highest(ranks, 1)


def parts_of(N, ranks):
    """Of the factor, whose triangles on the diagonal are inverted (src/consensus/grid_parts.c)."""
    return max(1, min(max(FEW_PARTS, min(MOST_PARTS, N // LEAST_ORDER)), int(N / (PART_ORDER * min(ranks, FEW_RANKS) ** (1 / 3)) + 0.5)))


class Run:
    shape = staticmethod(shape_of)

    def __init__(self, n, N, C, pairs, ranks, node=NODE):
        self.n, self.N, self.C, self.pairs, self.ranks, self.node = n, N, C, pairs, ranks, node
        self.H, self.W = self.shape(ranks, node)
        self.block = max(LEAST_BLOCK, min(LARGEST_BLOCK, math.ceil(N / (BLOCKS_A_RANK * ranks))))
        self.parts = parts_of(self.N, ranks)
        self.rows = [[h * self.W + w for w in range(self.W)] for h in range(self.H)]
        self.columns = [[h * self.W + w for h in range(self.H)] for w in range(self.W)]
        self.everyone = list(range(ranks))
        # the owners of pairs, as many on each node as on another (src/cone/blocks.c)
        self.owning = sorted(sorted(self.everyone, key=lambda rank: (rank % node, rank))[:min(ranks, pairs)])

    def group_shape(self):
        """Height and width of the groups that receive least, the widest of them (src/problem/sample_costs.c, PsdGramGroup)."""
        n, D, ranks = self.n, self.N, self.ranks
        shapes = [(h, w) for h in range(1, self.H + 1) if self.H % h == 0 for w in range(1, self.W + 1) if self.W % w == 0]
        return min(shapes, key=lambda shape: (n * D * (shape[0] * shape[1] - 1) / ranks + D * D / 2 / (shape[0] * shape[1]), shape[0]))

    # ------------------------------------------------------------ A'A

    def groups(self):
        """Ranks of each group of samples, a smaller grid."""
        h, w = self.group_shape()
        corners = [(row, column) for row in range(0, self.H, h) for column in range(0, self.W, w)]
        return [[(row + i) * self.W + column + j for i in range(h) for j in range(w)] for row, column in corners]

    def chunks(self):
        local = math.ceil(self.n / self.ranks)
        return math.ceil(local / min(CHUNK_ROWS, math.ceil(self.n / SAMPLE_PARTS), CHUNK_BYTES // (REAL * self.N)))

    def gram_chunk(self, trace, flops):
        """A chunk of each member's samples to its group; flops: of a rank in all of A'A."""
        groups, local = self.groups(), math.ceil(self.n / self.ranks)
        for k in range(len(groups[0])):
            for members in groups if len(groups[0]) > 1 else ():
                trace.broadcast(members, members[k], REAL * local / self.chunks() * self.N)
            trace.compute_all(flops / self.chunks() / len(groups[0]))

    def gram_messages(self):
        """Between groups, for each of their members: so many columns of tiles at once (src/problem/gram_tiles.c)."""
        h, w = self.group_shape()
        wide = min(self.block, max(1, GRAM_MESSAGE // (self.W // w * math.ceil(self.N / h))))
        return math.ceil(self.N / self.block / self.W) * math.ceil(self.block / wide)

    def gram_sum(self, trace):
        """One of these messages, by all ranks."""
        groups = self.groups()
        for place in range(len(groups[0]) if len(groups) > 1 else 0):
            size = REAL * self.N ** 2 / 2 / len(groups[0]) / self.gram_messages()
            trace.reduce_scatter([members[place] for members in groups], [size / len(groups)] * len(groups))

    def gram_steps(self, flops):
        """What A'A is made of, and how often each of it is done."""
        return [(self.chunks(), lambda trace: self.gram_chunk(trace, flops)), (self.gram_messages(), self.gram_sum),
                (1, lambda trace: trace.allreduce(2 * REAL * self.N * self.C))]

    # ------------------------------------------------------------ vectors

    @functools.lru_cache(maxsize=None)
    def blocks_of(self, rank):
        """Numbers of a vector that a rank has, one right-hand side: blocks are dealt out to all in turn."""
        return sum(min(self.block, self.N - first) for first in range(rank * self.block, self.N, self.block * self.ranks))

    def owned(self):
        """(owner, rank): numbers of the owner's pairs that are in blocks of the rank."""
        m, numbers = self.N // (self.pairs // self.C), collections.Counter()
        for pair in range(self.pairs):
            owner, at = self.owning[pair * len(self.owning) // self.pairs], pair % (self.pairs // self.C) * m
            for block in range(at // self.block, -(-(at + m) // self.block)):
                numbers[owner, block % self.ranks] += min(at + m, (block + 1) * self.block) - max(at, block * self.block)
        return numbers

    def owners(self, trace, back):
        """Right-hand sides between the owners of pairs and the ranks that have the columns."""
        trace.scatter([(*((rank, owner) if back else (owner, rank)), REAL * count) for (owner, rank), count in self.owned().items()])

    def share_out(self, members, holders):
        """The members of a team: (holder of numbers, who fetches them) of each, and how many numbers each fetches (src/consensus/grid_sides.c)."""
        keeper, fetched = {}, dict.fromkeys(members, 0)
        for holder in sorted(holders, key=lambda holder: (holder not in fetched, holder)):
            keeper[holder] = holder if holder in fetched else min(members, key=lambda member: (fetched[member], member))
            fetched[keeper[holder]] += self.blocks_of(holder)
        return keeper, fetched

    def teams(self, side):
        """(members, who has numbers that they want) of each team: ranks of a node that are in one line of this side of the grid."""
        for line, members in enumerate(side):
            nodes = collections.defaultdict(list)
            for member in members:
                nodes[member // self.node if self.node < self.ranks else member].append(member)
            for team in nodes.values():
                yield team, range(line, self.ranks, len(side))

    def along(self, trace, side, back=False):
        """A vector from the ranks that have it to all ranks of the columns or rows of the grid that want it, or back to be added up: teams fetch
        shares and hand them to each other."""
        messages, shares = [], []
        for members, holders in self.teams(side):
            keeper, fetched = self.share_out(members, holders)
            shares.append((members, [REAL * self.C * fetched[member] for member in members]))
            messages += [(*((keeper[holder], holder) if back else (holder, keeper[holder])), REAL * self.C * self.blocks_of(holder))
                         for holder in holders]
        for members, counts in shares if back else ():
            trace.reduce_scatter(members, counts)
        trace.scatter(messages)
        for members, counts in () if back else shares:
            trace.ring(members, sum(counts))

    def sum_part(self, trace, lines):
        """A part of a vector, of which the ranks of each of these lines of the grid have shares."""
        for members in lines:
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
        self.along(trace, self.columns, back=True)
        self.owners(trace, True)

    def multiply(self, trace, flops):
        self.owners(trace, False)
        for back in False, True:
            for side in self.rows, self.columns:
                self.along(trace, side, back)
            trace.compute_all(0 if back else flops)
        self.owners(trace, True)

    # ------------------------------------------------------------ factor

    @staticmethod
    def blocks_within(begin, end, at, places):
        """Of the blocks from number `begin` on and before `end`, those that are at a place of so many."""
        return len(range(begin + (at - begin) % places, end, places))

    def blocks_behind(self, k, *places):
        """Blocks after number k that are, modulo each of some numbers of places, at a place: (at, places) of each."""
        return sum(all(J % count == at for at, count in places) for J in range(k + 1, self.panels()))

    def spread(self, trace, members, root, tag, size):
        """Of each of some ranks, by its place: what is done when the array has come. Receipts are asked for at once."""
        ranks = len(members)
        order = members[root:] + members[:root]
        for place in range(1, ranks) if size > 0 else ():
            trace.post(order[spread_parent(place)], order[place], tag, size)

        def come(rank):
            place = order.index(rank)
            if size > 0 and place > 0:
                trace.await_posted(order[spread_parent(place)], rank, tag)
            for child in spread_children(place, ranks) if size > 0 else ():
                trace.give(rank, order[child], tag, size)
        return come

    def announce(self, trace, k):
        """Panel k (src/consensus/grid_cholesky.c): what to do when a block on the diagonal, rows or columns have come."""
        row, column, tile = k % self.H, k % self.W, REAL * self.block ** 2
        diagonal = self.spread(trace, self.columns[column], row, 1, tile if self.panels() > k else 0)
        along = [self.spread(trace, members, column, 2, tile * self.blocks_behind(k, (h, self.H))) for h, members in enumerate(self.rows)]
        down = [[self.spread(trace, members, h, 5 + h, tile * self.blocks_behind(k, (w, self.W), (h, self.H))) for h in range(self.H)]
                for w, members in enumerate(self.columns)]
        return diagonal, along, down

    def announce_inverse(self, trace, k):
        """Block row k of the inverses (src/consensus/grid_inverse.c): what to do when the block on the diagonal or the row have come."""
        row, column, tile = k % self.H, k % self.W, REAL * self.block ** 2
        begin, end = self.part_of(k)
        tag = 3 + k % 2  # two rows are under way at once, and SimGrid knows messages by tag
        along = self.spread(trace, self.rows[row], column, tag, tile)
        down = [self.spread(trace, members, row, tag, tile * self.blocks_within(begin, k + 1, w, self.W) if k + 1 < end else 0)
                for w, members in enumerate(self.columns)]
        return along, down

    def make_row(self, trace, k, way):
        """On the ranks of its row: what is left of it times the inverse of the block on the diagonal."""
        along, down = way
        begin, _ = self.part_of(k)
        for w in sorted(range(self.W), key=lambda w: (w - k) % self.W):
            rank = self.rows[k % self.H][w]
            along(rank)
            trace.compute(rank, self.blocks_within(begin, k + 1, w, self.W) * self.block ** 3)
            down[w](rank)

    def reduce_inverse(self, trace, k, way, flops):
        """What block row k takes from those behind it in its part; flops: of a rank, on average, in all rows of it."""
        begin, end = self.part_of(k)
        _, down = way
        tile = flops * self.ranks / max(1, (k + 1 - begin) * (end - k - 1))
        for rank in self.everyone:
            h, w = rank // self.W, rank % self.W
            if h != k % self.H:
                down[w](rank)
            yield rank, tile * self.blocks_within(k + 1, end, h, self.H) * self.blocks_within(begin, k + 1, w, self.W)

    def make_panel(self, trace, k, way):
        """On the ranks of its column: the block on the diagonal, and what is below it times its inverse."""
        diagonal, _, _ = way
        members = self.columns[k % self.W]
        for h in sorted(range(self.H), key=lambda h: (h - k) % self.H):
            if h == k % self.H:
                trace.compute(members[h], self.block ** 3 / 3)
            diagonal(members[h])
            trace.compute(members[h], self.blocks_behind(k, (h, self.H)) * self.block ** 3)

    def turns(self, k, way, h, w):
        """What a rank does for panel k on its way, in order, and how many hops from its root each can be done at the earliest."""
        _, along, down = way
        rank, hops = self.rows[h][w], bin((w - k) % self.W).count('1')
        yield hops, lambda: along[h](rank)
        for depth, g in sorted((bin((h - g) % self.H).count('1'), g) for g in range(self.H)):
            yield hops + depth, lambda g=g: down[w][g](rank)

    def begin_panel(self, trace, k, inverse, first=()):
        """Panel k and block row k of the inverses: asked for and, on the ranks of its column, made when they have reduced its block column, `first`."""
        way = self.announce(trace, k)
        row = self.announce_inverse(trace, k) if inverse else None
        for rank, flops in first:
            trace.compute(rank, flops)
        self.make_panel(trace, k, way)
        return way, row

    def look_after(self, trace, k, way, rank, columns, flops):
        """Panel k, while a rank computes with so many block columns: after as many of them as the panel has hops to it, or at their end."""
        done = 0
        for hops, turn in self.turns(k, way, rank // self.W, rank % self.W) if way else ():
            at = min(hops, columns)
            trace.compute(rank, flops * (at - done) / max(1, columns))
            done = at
            turn()
        trace.compute(rank, flops * (columns - done) / columns if columns else flops)

    def cholesky(self, trace, panels, flops, inverse=None):
        """Of these panels; flops(k), inverse(k): of a rank, on average, behind panel k, and for the inverses behind block row k."""
        way, row = self.begin_panel(trace, panels[0], inverse)
        for rank in self.everyone:
            for _, turn in self.turns(panels[0], way, rank // self.W, rank % self.W):
                turn()
        for k in panels:
            last = k == panels[-1]
            tile = flops(k) * self.ranks / max(1, (self.panels() - k - 1) ** 2 / 2)
            ahead, rest = [], []
            for rank in self.everyone:
                rows, columns = (self.blocks_behind(k, (at, count)) for at, count in ((rank // self.W, self.H), (rank % self.W, self.W)))
                first = rows if (k + 1) % self.W == rank % self.W else 0
                ahead.append((rank, tile * first))
                rest.append((columns - (first > 0), max(0, tile * (rows * columns / 2 - first))))
            way, following = (None, None) if last else self.begin_panel(trace, k + 1, inverse, ahead)
            if inverse:
                self.make_row(trace, k, row)
            for rank, (columns, left) in enumerate(rest):
                self.look_after(trace, k + 1, way, rank, columns, left)
            for rank, work in self.reduce_inverse(trace, k, row, inverse(k)) if inverse else ():
                trace.compute(rank, work)
            row = following

    def part_of(self, k):
        """The panels that the part of panel k begins and ends with."""
        starts = [self.panels() * part // self.parts for part in range(self.parts + 1)]
        return max(start for start in starts if start <= k), min(start for start in starts if start > k)

    def panels(self):
        return math.ceil(self.N / self.block)

    def share(self, k, flops):
        """What panel k has of the flops of the factor, which go as the square of what is left."""
        return flops * 3 * max(0, self.N - (k + 1) * self.block) ** 2 * self.block / self.N ** 3

    def inverse_share(self, k, flops):
        """What block row k has of the flops of the inverse of all of it."""
        begin, end = self.part_of(k)
        return flops * 6 * (k + 1 - begin) * (end - k - 1) * (self.block / self.N) ** 3

    def cubic(self):
        """Flops of a rank, at the rate of dgemm, for the Cholesky factor, and for the inverse of all of it."""
        return self.N ** 3 / 3 / self.ranks / EFFICIENCY, self.N ** 3 / 3 / self.ranks / EFFICIENCY

    def factor_panels(self, trace, panels):
        """Of the factor and the inverses of its parts."""
        factor, inverse = self.cubic()
        self.cholesky(trace, panels, lambda k: self.share(k, factor), lambda k: self.inverse_share(k, inverse))

    def factor(self, trace):
        self.factor_panels(trace, range(self.panels()))

    def stretches(self):
        """Stretches of panels that stand for all of them, and how many each panel of them stands for."""
        panels = self.panels()
        if panels <= MOST_PANELS:
            return [range(panels)], 1
        count = MOST_PANELS // STRETCH
        starts = [round((k + 0.5) * panels / count - STRETCH / 2) for k in range(count)]
        return [range(start, start + STRETCH) for start in starts], panels / (count * STRETCH)

    def factor_steps(self, times):
        """Panels of the factor are under way while those before them are subtracted: a stretch takes what it takes after the panel before it, less
        what that takes by itself."""
        chosen, weight = self.stretches()
        if len(chosen) == 1:
            return [(times, self.factor)]
        steps = []
        for panels in chosen:
            before = range(panels[0] - 1, panels[0])
            steps += [(times * weight, functools.partial(self.factor_panels, panels=range(before[0], panels[-1] + 1))),
                      (-times * weight, functools.partial(self.factor_panels, panels=before))]
        return steps

    def lanczos_step(self, trace, flops):
        self.multiply(trace, flops)
        for _ in range(2):
            trace.allreduce(2 * REAL)

    # ------------------------------------------------------------ iterations and certificate

    PRODUCTS_OF_A_CHECK = 3  # a solve and two products

    def steps(self, flops):
        """Of each phase: how often something is done, and what. flops: of a rank in each phase."""
        cubic = self.cubic()[0] + self.cubic()[1] / self.parts ** 2
        checks = ITERATIONS // CHECK_EVERY
        share = (flops['solve'] - REFACTORED * cubic) / (ITERATIONS + self.PRODUCTS_OF_A_CHECK * checks)
        lanczos = max(0, flops['factor'] - cubic) / STEPS
        return {'gram': self.gram_steps(flops['gram']),
                'factor': [*self.factor_steps(1), (STEPS, lambda trace: self.lanczos_step(trace, lanczos))],
                'solve': [*self.factor_steps(REFACTORED), (ITERATIONS, lambda trace: self.iteration(trace, share)),
                          (checks, lambda trace: self.check(trace, self.PRODUCTS_OF_A_CHECK * share))],
                'certify': [(1, lambda trace: self.certify(trace, flops['certify']))]}

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

    def __init__(self, n, C, pairs, m, numbers, ranks, node=NODE):
        super().__init__(n, n, C, pairs, ranks, node)
        self.m, self.numbers = m, numbers
        self.terms = REAL * pairs * TERMS * math.isqrt(2 * m)  # bytes of the filters of Z - Z', which all ranks get
        local = math.ceil(n / ranks)
        self.block = math.ceil(local / math.ceil(local / LARGEST_BLOCK))
        self.N = ranks * self.block * math.ceil(local / LARGEST_BLOCK)
        self.parts = parts_of(self.N, ranks)

    def owners(self, trace, back):
        """None."""

    def batches(self):
        """Pairs of each message that sums svecs."""
        batch = max(1, ROWS_MESSAGE // self.m)
        return [range(first, min(first + batch, self.pairs)) for first in range(0, self.pairs, batch)]

    def adjoint(self, trace):
        """Sums of svecs to the owners of pairs, of a few pairs at once."""
        for pairs in self.batches():
            counts = [0] * self.ranks
            for pair in pairs:
                counts[self.owning[pair * len(self.owning) // self.pairs]] += REAL * self.m
            trace.reduce_scatter(self.everyone, counts)

    def hand_patches(self, trace):
        """Those of a rank to its place in the transposed grid."""
        size = REAL * self.n / self.ranks * self.numbers if self.H > 1 else 0
        trace.exchange((rank, rank % self.H * self.W + rank // self.H, size) for rank in self.everyone)

    def patches_go_round(self, trace, lines, flops):
        """Patches of a block of samples of each member of the columns, or rows, of the grid to the others."""
        for k in range(len(lines[0])):
            for members in lines:
                trace.broadcast(members, members[k], REAL * min(self.block, self.n / self.ranks) * self.numbers)
            trace.compute_all(flops / len(lines[0]))

    def gram_steps(self, flops):
        """Patches of columns go round in columns of the grid, those of rows in its rows."""
        blocks = self.N // self.block // self.ranks  # of a rank
        return [(1, self.hand_patches), (blocks, lambda trace: self.patches_go_round(trace, self.columns, 0)),
                (blocks, lambda trace: self.patches_go_round(trace, self.rows, flops / blocks)), (2, self.adjoint)]

    PRODUCTS_OF_A_CHECK = 1

    def iteration(self, trace, flops):
        self.solve(trace, flops)
        self.adjoint(trace)
        trace.ring(self.everyone, self.terms)
        for _ in range(2):
            trace.allreduce(64)

    def check(self, trace, flops):
        trace.compute_all(flops)
        trace.ring(self.everyone, self.terms)
        trace.allreduce(256)

    def certify(self, trace, flops):
        trace.compute_all(flops)
        for _ in range(3):
            self.adjoint(trace)


class LowrankRun:
    """`-solver lowrank`: patches of f numbers in one region, `coarse` components of them on the coarse level, `columns` of factors a class;
    passes over all patches. Every product ends in a sum of as many numbers as the factors have (src/lowrank/lowrank_costs.c)."""

    COARSE_PASSES, SUBSPACES = 16, 3

    def __init__(self, f, C, coarse, columns, passes, ranks):
        self.f, self.C, self.coarse, self.columns, self.passes, self.ranks = f, C, coarse, columns, passes, ranks
        self.basis = 2 * coarse
        self.vectors = self.basis // 6 + 3 * columns  # what sums over patches are multiplied with

    def spread_and_sum(self, trace, numbers, flops):
        trace.broadcast(list(range(self.ranks)), 0, REAL * numbers)
        trace.compute_all(flops)
        trace.allreduce(REAL * numbers)

    def sum_of(self, trace, size, flops):
        trace.compute_all(flops)
        trace.allreduce(size)

    def steps(self, flops):
        """As Run.steps. All passes of the solve take the same share of its flops."""
        passes = (self.COARSE_PASSES + 1) * self.passes
        wide, narrow = self.C * self.columns * (self.f + 1), self.C * self.columns * (self.coarse + 1)
        return {'lift': [(self.SUBSPACES, lambda trace: self.spread_and_sum(trace, self.f * self.basis, flops['lift'] / self.SUBSPACES))],
                'factor': [(1, lambda trace: trace.compute_all(flops['factor']))],
                'solve': [(self.COARSE_PASSES * self.passes, lambda trace: self.spread_and_sum(trace, narrow, flops['solve'] / passes)),
                          (self.passes, lambda trace: self.spread_and_sum(trace, wide, flops['solve'] / passes))],
                'certify': [(self.C, lambda trace: self.sum_of(trace, REAL * self.f * self.vectors, flops['certify'] / self.C)),
                            (1, lambda trace: trace.allreduce(REAL / 2 * self.f ** 2))]}


class ProjectionRun(Run):
    """The projection of one matrix of order N by the partial method (src/projection): `found` eigenvalues on the side that has fewer, looked
    for from the vectors of the last projection in `rounds` products with all of them and a few guards."""

    shape = staticmethod(lambda ranks, _: highest(ranks, 1))  # src/base/layout.c
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

    def transpose(self, trace, size):
        """A panel, which each row of the grid has its part of, to where its transpose is wanted: part w to column w, from row w mod H."""
        trace.exchange((self.rows[w % self.H][(w - w % self.H + h) % self.W], self.rows[h][w], size / self.W)
                       for w in range(self.W) for h in range(self.H) if h != w % self.H)

    def compute_tiles(self, trace, first, flops):
        """flops of each rank on average, shared out as they have blocks of rows and columns from `first` on."""
        shares = [[len(range(first + (at - first) % places, self.panels(), places)) for at in range(places)] for places in (self.H, self.W)]
        left = max(1, self.panels() - first) ** 2 / self.ranks
        for rank in self.everyone:
            trace.compute(rank, flops * shares[0][rank // self.W] * shares[1][rank % self.W] / left)

    def cholesky_step(self, trace, k, flops):
        """Panel k of pdpotrf, which src/base/layout.c calls: the block on the diagonal down its column, the panel along all rows, and its transpose to all columns."""
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
        self.compute_tiles(trace, k + 1, flops)

    def proof(self, trace, panels):
        for k in panels:
            left = max(0, self.N - (k + 1) * self.block)
            self.cholesky_step(trace, k, self.FACTOR * left ** 2 * self.block / self.ranks)
