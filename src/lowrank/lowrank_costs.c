/*
   What a run of the low-rank solver takes: its memory from the sizes, and its time from how often it goes through the patches.

   Neither the rank of a solution nor how many passes it takes is known before. Both are options of the plan; the defaults are what
   whole natural images have at beta_max/100 (docs/performance.md).
*/
#include "lowrank.h"

#define COARSE 16      /* passes over the coarse coordinates for one over all patches */
#define PRECISE_PART 3 /* one pass in so many is in double precision */
#define SPAN_PARTS 3   /* filters of a span for each column */
#define ITERATIONS 15
#define SINGLE_RATE 2 /* products in single precision are as much faster */
#define COPYING 20    /* a product with few columns takes as long as one with as many more */
#define CERTIFICATES 1
#define SAMPLES 3000 /* patches that components are found from, ... */
#define SUBSPACES 3  /* ... by so many products with them and their transpose */
#define LANCZOS 40   /* products with a matrix of the order of a patch, for a guess of kappa */
#define BETA_PASSES 5
#define FACTORISATIONS 6 /* of a block's small matrix */

#define REAL PSD_BYTES_REAL
#define SINGLE 4

typedef struct {
  PetscReal patches;        /* of a rank's samples, of all regions */
  PetscReal numbers, level; /* of its patches, and of their coarse coordinates */
  PetscReal columns;        /* of all blocks, ... */
  PetscReal region;         /* ... and of a region */
  PetscReal basis, k, M1;   /* components of the certificate, all its vectors, and those that M1 is multiplied with */
  PetscReal matrix;         /* f^2 of the largest block */
  PetscBool levels;         /* there are two */
} Shape;

static Shape ShapeOf(const PsdSizes *s, const PsdLowrankSettings *settings)
{
  const PetscReal coarse = settings->coarse, rank = settings->plan_columns;
  Shape it = {.patches = s->n_local * s->positions, .columns = rank * (PetscReal)s->pairs};
  it.levels = (PetscBool)(s->f_max > 1.5 * coarse);
  it.numbers = it.patches * s->f_max;
  it.level = it.levels ? it.patches * coarse : it.numbers;
  it.region = it.columns / PetscMax(1, s->G);
  it.basis = it.levels ? PetscMin(s->f_max, 2.0 * coarse) : 0;
  it.k = it.levels ? PetscMin(s->f_max, it.basis + rank) : s->f_max;
  it.M1 = it.levels ? it.basis / 6 + 3 * rank : s->f_max / 2;
  it.matrix = s->f_max * s->f_max;
  return it;
}

static void AddOnAll(PsdMemory *memory, const char name[], PsdPhase first, PsdPhase last, PetscReal bytes)
{
  PsdMemoryAdd(memory, name, first, last, bytes, bytes);
}

/* Bytes, where there is room for them. */
static PetscReal Kept(const PsdSizes *s, PetscReal bytes)
{
  return bytes <= s->feature_memory ? bytes : 0;
}

static void CertificateMemory(const PsdSizes *s, const Shape *it, PsdMemory *memory)
{
  const PetscReal vectors = it->levels ? it->M1 : s->f_max + 1;
  const PetscReal pair = s->f_max * vectors + (it->levels ? 1.5 * it->k * it->k : 0);
  AddOnAll(memory, "certificate: coordinates", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY,
           Kept(s, REAL * it->patches * it->basis));
  AddOnAll(memory, "certificate: sums over patches", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY,
           PetscMin(256e6, REAL * pair * (PetscReal)s->pairs));
  if (!it->levels) return;
  PsdMemoryAdd(memory, "certificate: what the basis leaves", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY,
               (SINGLE + REAL) * it->matrix, SINGLE * it->matrix);
}

static void Memory(const PsdSizes *s, const PsdLowrankSettings *settings, PetscReal program, PsdMemory *memory)
{
  const Shape it = ShapeOf(s, settings);
  const PetscReal coarse = settings->coarse, span = SPAN_PARTS * it.region;
  const PetscReal kept = REAL * it.numbers <= s->feature_memory ? REAL * it.numbers : 32e6;
  const PetscReal complete = it.levels ? Kept(s, SINGLE * it.numbers) : 0;
  const PetscReal factors = it.columns * s->d_max;
  memory->count = 0;
  AddOnAll(memory, "program and libraries", PSD_PHASE_READ, PSD_PHASE_WRITE, program);
  AddOnAll(memory, "images and targets", PSD_PHASE_READ, PSD_PHASE_WRITE, s->n_local * (s->image + 4 * REAL * s->C));
  AddOnAll(memory, "patches", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, kept);
  AddOnAll(memory, "components", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY,
           it.levels ? s->f_max * (REAL * it.basis + SINGLE * coarse) : (REAL + SINGLE) * it.matrix);
  AddOnAll(memory, "coarse level", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, Kept(s, SINGLE * it.level));
  AddOnAll(memory, "complete level", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY, complete);
  AddOnAll(memory, "products with the patches", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY, SINGLE * it.patches * it.region);
  AddOnAll(memory, "factors, directions and their path", PSD_PHASE_SOLVE, PSD_PHASE_SOLVE,
           factors * (12 * REAL + 20 * SINGLE));
  AddOnAll(memory, "spans", PSD_PHASE_SOLVE, PSD_PHASE_SOLVE,
           it.levels ? span * (SINGLE * it.patches + (REAL + SINGLE) * s->f_max * (PetscReal)s->G) : 0);
  CertificateMemory(s, &it, memory);
}

/* 4 flops a number of the patches and column, single precision, `count` times */
static PsdCost Passes(PetscReal count, PetscReal numbers, PetscReal columns, const PsdRates *rates)
{
  const PsdCost plain = PsdCostWork(4 * count * numbers * columns, SINGLE_RATE * rates->gemm);
  return (PsdCost){.seconds = plain.seconds * (columns + COPYING) / PetscMax(1, columns), .flops = plain.flops};
}

/* Components, and the coordinates in them. */
static PsdCost LiftCost(const PsdSizes *s, const Shape *it, PetscInt coarse, const PsdRates *rates)
{
  const PetscReal k = it->basis, f = s->f_max;
  const PetscReal sample = PetscMin(it->patches, PetscMax(SAMPLES, 3 * k) / s->ranks);
  const PsdCost moved = PsdCostMove(4 * REAL * it->numbers, rates);
  if (!it->levels)
    return PsdCostSum(moved,
                      PsdCostSum(PsdCostWork(sample * it->matrix + 2 * it->numbers * f, SINGLE_RATE * rates->gemm),
                                 (PsdCost){.seconds = rates->eigen * f * it->matrix}));
  const PetscReal single = SUBSPACES * 4 * sample * f * k + 2 * it->numbers * (PetscReal)coarse;
  const PetscReal bytes = SUBSPACES * REAL * f * k;
  const PsdCost messages = PsdCostSum(PsdCostCollective(PSD_COLLECTIVE_SPREAD, SUBSPACES, bytes, s->ranks),
                                      PsdCostCollective(PSD_COLLECTIVE_SUM, SUBSPACES, bytes, s->ranks));
  const PsdCost all = PsdCostSum(moved, messages);
  return PsdCostSum(all, PsdCostSum(PsdCostWork(single, SINGLE_RATE * rates->gemm),
                                    PsdCostWork((SUBSPACES - 1) * 4 * f * k * k + 4 * f * k * k, rates->gemm)));
}

/* Each pass begins with a point or direction of the root's and ends in a sum over the ranks, both of as many numbers as the factors
   have on the level. */
static PsdCost PassMessages(const PsdSizes *s, PetscReal count, PetscReal filter, PetscReal columns)
{
  const PetscReal bytes = REAL * count * (filter + 1) * columns;
  return PsdCostSum(PsdCostCollective(PSD_COLLECTIVE_SPREAD, count, bytes, s->ranks),
                    PsdCostCollective(PSD_COLLECTIVE_SUM, count, bytes, s->ranks));
}

static PsdCost SolveCost(const PsdSizes *s, const Shape *it, const PsdLowrankSettings *settings, const PsdRates *rates)
{
  const PetscReal side = it->levels ? settings->coarse : s->f_max, passes = settings->plan_passes;
  /* the moments of all classes, once an iteration, and their eigenvectors */
  PsdCost cost = PsdCostSum(Passes(COARSE * passes, it->level, it->region, rates),
                            PsdCostWork(ITERATIONS * (PetscReal)s->C * it->level * side, SINGLE_RATE * rates->gemm));
  cost = PsdCostSum(cost, (PsdCost){.seconds = ITERATIONS * rates->eigen * side * side * side * 2 *
                                               (PetscReal)s->pairs / (PetscReal)s->ranks});
  cost = PsdCostSum(cost, PassMessages(s, COARSE * passes, side, it->columns));
  if (!it->levels) return cost;
  cost = PsdCostSum(cost, PassMessages(s, passes, s->f_max, it->columns));
  /* products in double precision take what those in single do, once more; the preconditioner has all components */
  const PetscReal more =
      passes / PRECISE_PART * 4 * it->numbers * it->region + passes * 4 * it->basis * s->f_max * it->columns;
  return PsdCostSum(cost, PsdCostSum(Passes(passes, it->numbers, it->region, rates), PsdCostWork(more, rates->gemm)));
}

static PsdCost CertifyCost(const PsdSizes *s, const Shape *it, const PsdRates *rates)
{
  const PetscReal C = (PetscReal)s->C, f = s->f_max, own = (PetscReal)s->pairs / (PetscReal)s->ranks;
  PsdCost cost =
      PsdCostWork(CERTIFICATES * C * (2 * it->numbers * it->M1 + (it->levels ? 1.5 * it->patches * it->k * it->k : 0)),
                  rates->gemm);
  cost = PsdCostSum(cost, PsdCostWork(CERTIFICATES * own *
                                          (2 * FACTORISATIONS / 3.0 * it->k * it->k * it->k +
                                           (it->levels ? 2 * f * it->k * it->k : 0)),
                                      rates->potrf));
  /* products with M1, and where there is a basis what it leaves: a matrix of order f in single precision */
  cost = PsdCostSum(cost, PsdCostCollective(PSD_COLLECTIVE_SUM, CERTIFICATES * (PetscReal)s->pairs,
                                            CERTIFICATES * REAL * f * it->M1 * (PetscReal)s->pairs, s->ranks));
  if (!it->levels) return cost;
  cost = PsdCostSum(cost, PsdCostCollective(PSD_COLLECTIVE_SUM, 1, SINGLE * it->matrix, s->ranks));
  cost = PsdCostSum(cost, PsdCostWork(2 * it->numbers * it->basis, rates->gemm));
  cost = PsdCostSum(cost, PsdCostWork(it->numbers * (f + 2 * it->basis), SINGLE_RATE * rates->syrk));
  return PsdCostSum(
      cost, PsdCostSum(PsdCostMove(LANCZOS * REAL * it->matrix, rates), PsdCostWork(it->matrix * f / 3, rates->potrf)));
}

static void Costs(const PsdSizes *s, const PsdLowrankSettings *settings, const PsdRates *rates, PsdCost cost[])
{
  const Shape it = ShapeOf(s, settings);
  cost[PSD_PHASE_LIFT] = LiftCost(s, &it, settings->coarse, rates);
  cost[PSD_PHASE_FACTOR] = PsdCostMove(BETA_PASSES * 2 * REAL * it.numbers, rates);
  cost[PSD_PHASE_SOLVE] = SolveCost(s, &it, settings, rates);
  cost[PSD_PHASE_CERTIFY] = CertifyCost(s, &it, rates);
}

PetscErrorCode PsdLowrankSetPlanFromOptions(void *data)
{
  PetscFunctionBeginUser;
  PsdLowrankSettings *settings = &((PsdLowrank)data)->settings;
  PetscCall(PsdOptionInt("-coarse", "principal components of the patches that the path of betas is followed in", 1,
                         PETSC_MAX_INT, &settings->coarse, NULL));
  PetscCall(PsdOptionInt("-columns", "solver lowrank: neurons of a class and region that are expected", 1,
                         PETSC_MAX_INT, &settings->plan_columns, NULL));
  PetscCall(PsdOptionInt("-passes", "solver lowrank: passes over all patches that are expected", 1, PETSC_MAX_INT,
                         &settings->plan_passes, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdLowrankPlan(void *data, const PsdSolverJob *job, PsdSolverPlan *plan)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = data;
  plan->iterations = job->iterations > 0 ? job->iterations : ITERATIONS;
  plan->kernels = 0;
  Memory(job->sizes, &it->settings, job->node->program, &plan->memory);
  Costs(job->sizes, &it->settings, job->rates, plan->cost);
  PetscFunctionReturn(0);
}
