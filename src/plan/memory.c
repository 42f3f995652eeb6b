/*
   Bytes a rank. Each line is an allocation of the file named beside it; pages that are never touched are not counted.
*/
#include "plan.h"

#define REAL ((PetscReal)sizeof(PetscReal))
#define SUMMED_TWICE 2000 /* problem/gram.c, EXACT_UP_TO */
#define LARGE_BLOCK 80    /* cone/cone.c, SMALL_ORDER */
#define TEAM_BLOCK 100    /* cone/cone.c, TEAM_ORDER */
#define LARGE_POLAR 300   /* cone/polar.c, LARGE */
#define RECORDS 6         /* admm/admm.h, PSD_RECORDS */

const char *const PsdPlanNames[PSD_PLAN_KINDS] = {"root", "scalapack", "kernel"};

void PsdPlanSetSizes(PetscInt n, PetscInt ranks, PetscInt C, PetscInt G, PetscInt positions, PetscInt q, PetscInt f,
                     PetscInt image, PsdPlanSizes *sizes)
{
  *sizes = (PsdPlanSizes){.ranks = ranks, .pairs = C * G, .C = C, .G = G};
  sizes->n = n;
  sizes->n_local = (n + ranks - 1) / ranks;
  sizes->image = image;
  sizes->positions = positions;
  sizes->q = q;
  sizes->f = f;
  sizes->d = f + 1;
  sizes->m = sizes->d * (sizes->d + 1) / 2;
  sizes->D = sizes->m * G;
  sizes->order = sizes->D;
}

void PsdPlanFold(PetscReal order, PsdPlanSizes *sizes)
{
  sizes->order = order;
  sizes->folded = PETSC_TRUE;
}

PetscReal PsdPlanRows(const PsdPlanSizes *s, PetscReal samples)
{
  return s->folded ? samples / 2 : samples;
}

PetscReal PsdPlanKeptBytes(const PsdPlanSizes *s)
{
  const PetscReal bytes = REAL * PsdPlanRows(s, s->n_local) * s->order;
  return (s->folded && !s->split) || bytes > s->feature_memory ? 0 : bytes;
}

/* The list under construction. */
typedef struct {
  PetscInt count;
  PsdPlanItem *items;
} List;

static void Add(List *list, const char name[], PsdPhase first, PsdPhase last, PetscReal root, PetscReal others)
{
  if (root + others > 0) list->items[list->count++] = (PsdPlanItem){name, root, others, first, last};
}

/* Of one chunk at most, in samples: problem/features.c, CutChunks. */
static PetscReal ChunkSamples(const PsdPlanSizes *s)
{
  return PetscMax(1, PetscMin(PetscMin(1024, PetscCeilReal(s->n / 24)), 67108864 / (REAL * s->D)));
}

static void AddSamples(List *list, const PsdPlanSizes *s, PsdPlanKind kind)
{
  const PetscReal kept = PsdPlanKeptBytes(s);
  const PetscReal rows = ChunkSamples(s);
  const PetscReal statistics = s->transform ? REAL * 3 * s->q * s->q : 0;
  Add(list, "images and targets", PSD_PHASE_READ, PSD_PHASE_WRITE, s->n_local * (s->image + REAL * s->C),
      s->n_local * (s->image + REAL * s->C));
  Add(list, "random targets", PSD_PHASE_READ, PSD_PHASE_GRAM, s->n_local * REAL * s->C, s->n_local * REAL * s->C);
  Add(list, "statistics of patches", PSD_PHASE_LIFT, PSD_PHASE_LIFT, statistics, statistics);
  if (kind == PSD_PLAN_KERNEL) { /* problem/rows.c */
    const PetscReal patches = REAL * s->n_local * s->positions * s->f;
    const PetscReal work = REAL * (2 * 1024 * s->f + s->d * s->d + s->m);
    Add(list, "patches", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, patches, patches);
    Add(list, "work on patches", PSD_PHASE_GRAM, PSD_PHASE_CERTIFY, work, work);
  } else if (kept > 0) { /* problem/features.c; a certificate has samples by themselves, folded or not */
    const PetscReal samples = s->folded ? REAL * rows * s->D : 0;
    Add(list, "lifted features, kept", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, kept, kept);
    Add(list, "lifted samples, a chunk", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY, samples, samples);
  } else {
    const PetscReal chunk = REAL * rows * (s->folded ? s->D + s->order / 2 : s->D);
    Add(list, "lifted features, a chunk", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, chunk, chunk);
  }
}

static void AddConsensus(List *list, const PsdPlanSizes *s, PsdPlanKind kind)
{
  const PetscReal square = REAL * s->order * s->order, sums = s->order <= SUMMED_TWICE ? 3 * square : square / 2;
  const PetscReal rows = PsdPlanRows(s, ChunkSamples(s));
  const PetscReal columns = REAL * s->order * s->C, ranks = (PetscReal)s->ranks;
  if (kind == PSD_PLAN_ROOT) { /* problem/gram.c: the upper triangle alone is touched; consensus/root.c */
    Add(list, "A'A, own samples'", PSD_PHASE_GRAM, PSD_PHASE_GRAM, sums, sums);
    Add(list, "A'A and its factor", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, square, 0);
    Add(list, "right-hand sides", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, 2 * columns, 0);
  } else if (kind == PSD_PLAN_SCALAPACK) { /* consensus/grid.c: the lower triangle alone is touched */
    const PetscReal visiting = s->ranks > 1 ? REAL * rows * (s->order + 512) : REAL * rows * 512;
    Add(list, "A'A by columns", PSD_PHASE_GRAM, PSD_PHASE_CERTIFY, square / ranks / 2, square / ranks / 2);
    if (s->order <= SUMMED_TWICE) Add(list, "A'A, own samples'", PSD_PHASE_GRAM, PSD_PHASE_GRAM, sums, sums);
    else Add(list, "chunk of another rank", PSD_PHASE_GRAM, PSD_PHASE_GRAM, visiting, visiting);
    Add(list, "its factor", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, square / ranks, square / ranks);
    Add(list, "right-hand sides", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, columns + 2 * columns / ranks,
        columns + 2 * columns / ranks);
  } else {
    const PetscReal N = ranks * 64 * PetscCeilReal(s->n_local / 64), kernel = REAL * N * N / ranks;
    Add(list, "kernel matrix A A'", PSD_PHASE_GRAM, PSD_PHASE_CERTIFY, kernel, kernel);
    Add(list, "its factor", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, kernel, kernel);
  }
}

/* Pairs owned by rank 0 and, when there are fewer pairs than ranks, by the last one. */
static void AddSolver(List *list, const PsdPlanSizes *s, PsdPlanKind kind)
{
  const PetscReal most = PetscCeilReal((PetscReal)s->pairs / (PetscReal)s->ranks);
  const PetscReal least = s->pairs >= s->ranks ? most : 0;
  const PetscBool large = (PetscBool)(s->d > LARGE_BLOCK),
                  shared = (PetscBool)(s->d > TEAM_BLOCK && s->ranks > s->pairs);
  const PetscReal working = shared || least > 0 ? 1 : 0, square = REAL * s->d * s->d;
  const PetscReal vector = REAL * s->m;
  /* cone: X, its complete decomposition (dsyevd wants 2 d^2) and the product of that; F of a third of the order; beyond
     small orders the proof of a partial one, and the block it was made for */
  const PetscReal slot = square / 3 + (large ? vector : 0), kernel = square * (large ? 5 : 4);
  const PetscReal polar = REAL * s->f * s->f * (s->f >= LARGE_POLAR ? 1 : 3);
  Add(list, "solver's vectors", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, 19 * vector * most, 19 * vector * least);
  if (s->split) { /* admm/split.c, certificate/bounds.c; problem/products.c */
    const PetscReal numbers = REAL * PsdPlanRows(s, s->n_local) * s->C, points = 2 * REAL * s->n_local * s->C;
    const PetscReal samples = (s->folded ? 9 : 8) * numbers + 2 * REAL * s->D * s->C;
    Add(list, "splitting", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, samples + 4 * vector * most,
        samples + 4 * vector * least);
    Add(list, "records of iterations", PSD_PHASE_ADMM, PSD_PHASE_CERTIFY, RECORDS * (2 * numbers + 4 * vector * most),
        RECORDS * (2 * numbers + 4 * vector * least)); /* admm/accelerate.c */
    Add(list, "dual points", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY, points, points);
  }
  Add(list, "projection", PSD_PHASE_ADMM, PSD_PHASE_CERTIFY, kernel + 2 * slot * most,
      working * (kernel + 2 * slot * PetscMax(least, shared ? 1 : 0) + (shared ? vector : 0)));
  Add(list, "polar", PSD_PHASE_FACTOR, PSD_PHASE_CERTIFY, polar, least > 0 ? polar : 0);
  if (kind == PSD_PLAN_KERNEL) {
    Add(list, "dual points", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY, 2 * vector * most, 2 * vector * least);
  } else {
    const PetscReal columns = REAL * s->D * s->C * 5;
    Add(list, "pass over the samples", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY, columns, columns);
  }
}

PetscInt PsdPlanMemory(const PsdPlanSizes *sizes, PsdPlanKind kind, PetscReal base, PsdPlanItem items[PSD_PLAN_ITEMS])
{
  List list = {0, items};
  Add(&list, "program and libraries", PSD_PHASE_READ, PSD_PHASE_WRITE, base, base);
  AddSamples(&list, sizes, kind);
  AddConsensus(&list, sizes, kind);
  AddSolver(&list, sizes, kind);
  return list.count;
}

void PsdPlanPeak(PetscInt count, const PsdPlanItem items[], PetscReal *root, PetscReal *others)
{
  *root = *others = 0;
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    PetscReal here = 0, there = 0;
    for (PetscInt k = 0; k < count; k++) {
      if (phase < (int)items[k].first || phase > (int)items[k].last) continue;
      here += items[k].root;
      there += items[k].others;
    }
    *root = PetscMax(*root, here);
    *others = PetscMax(*others, there);
  }
}
