/*
   What a run of the low-rank solver takes: its memory from the sizes, and its time from how often it goes through the patches.

   The rank of a solution is not known before. It is assumed to be RANK columns a class and region, which is what beta_max/100
   has for natural images; the work goes with it, and most of the memory does not.
*/
#include "lowrank.h"

#define RANK 12
#define COARSE_PRODUCTS 250 /* of gradients and Hessians on the coarse level, and on the complete one, ... */
#define COMPLETE_PRODUCTS 25
#define PRECISE 4 /* ... of which in double precision, there */
#define ITERATIONS 25
#define SINGLE_RATE 2 /* products in single precision are as much faster */
#define CERTIFICATES 3

#define REAL PSD_BYTES_REAL
#define SINGLE 4

typedef struct {
  PetscReal patches;        /* of a rank's samples, of all regions */
  PetscReal numbers, level; /* of its patches, and of their coarse coordinates */
  PetscReal columns, basis,
      matrix;       /* columns of all blocks; vectors of a certificate's basis; f^2 of the largest block */
  PetscBool levels; /* there are two */
} Shape;

static Shape ShapeOf(const PsdSizes *s, PetscInt coarse)
{
  Shape it = {.patches = s->n_local * s->positions, .columns = RANK * (PetscReal)s->pairs};
  it.levels = (PetscBool)(s->f_max > 1.5 * coarse);
  it.numbers = it.patches * s->f_max;
  it.level = it.levels ? it.patches * coarse : it.numbers;
  it.basis = it.levels ? PetscMin(s->f_max, 2.0 * coarse + RANK) : s->f_max;
  it.matrix = s->f_max * s->f_max;
  return it;
}

static void AddOnAll(PsdMemory *memory, const char name[], PsdPhase first, PsdPhase last, PetscReal bytes)
{
  PsdMemoryAdd(memory, name, first, last, bytes, bytes);
}

static void Memory(const PsdSizes *s, PetscInt coarse, PetscReal program, PsdMemory *memory)
{
  const Shape it = ShapeOf(s, coarse);
  const PetscReal kept = REAL * it.numbers <= s->feature_memory ? REAL * it.numbers : 32e6;
  const PetscReal complete = it.levels && SINGLE * it.numbers <= s->feature_memory ? SINGLE * it.numbers : 0;
  const PetscReal factors = it.columns * s->d_max;
  memory->count = 0;
  AddOnAll(memory, "program and libraries", PSD_PHASE_READ, PSD_PHASE_WRITE, program);
  AddOnAll(memory, "images and targets", PSD_PHASE_READ, PSD_PHASE_WRITE, s->n_local * (s->image + 4 * REAL * s->C));
  AddOnAll(memory, "patches", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY, kept);
  AddOnAll(memory, "coarse level", PSD_PHASE_LIFT, PSD_PHASE_CERTIFY,
           SINGLE * it.level <= s->feature_memory ? SINGLE * it.level : 0);
  AddOnAll(memory, "complete level", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY, complete);
  AddOnAll(memory, "products with the patches", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY,
           SINGLE * it.patches * it.columns / PetscMax(1, s->G));
  AddOnAll(memory, "factors, directions and their path", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY,
           factors * (12 * REAL + 40 * SINGLE));
  AddOnAll(memory, "certificate: products with bases", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY,
           PetscMin(256e6, 2 * REAL * s->f_max * it.basis * (PetscReal)s->pairs));
  AddOnAll(memory, "certificate: X'X", PSD_PHASE_CERTIFY, PSD_PHASE_CERTIFY, it.levels ? 2 * REAL * it.matrix : 0);
}

static void Costs(const PsdSizes *s, PetscInt coarse, const PsdRates *rates, PsdCost cost[])
{
  const Shape it = ShapeOf(s, coarse);
  const PetscReal columns = it.columns / PetscMax(1, s->G), pair = 2 * columns;
  PetscReal single = COARSE_PRODUCTS * 2 * pair * it.level, precise = 0;
  /* the moments of all classes, once an iteration */
  single += ITERATIONS * (PetscReal)s->C * it.level * (it.levels ? coarse : s->f_max);
  if (it.levels) {
    single += COMPLETE_PRODUCTS * 2 * pair * it.numbers + 4 * it.numbers * coarse;
    precise = PRECISE * 2 * pair * it.numbers;
  }
  cost[PSD_PHASE_LIFT] = PsdCostMove(4 * REAL * it.numbers, rates);
  cost[PSD_PHASE_SOLVE] = PsdCostSum(PsdCostWork(single, SINGLE_RATE * rates->gemm), PsdCostWork(precise, rates->gemm));
  cost[PSD_PHASE_CERTIFY] =
      PsdCostSum(PsdCostWork(CERTIFICATES * 4 * it.numbers * it.basis * (PetscReal)s->C, rates->gemm),
                 PsdCostSum(PsdCostWork(it.levels ? it.numbers * s->f_max : 0, rates->syrk),
                            PsdCostWork(it.levels ? it.matrix * s->f_max / 3 : 0, rates->potrf)));
}

PetscErrorCode PsdLowrankPlan(void *data, const PsdSolverJob *job, PsdSolverPlan *plan)
{
  PetscFunctionBeginUser;
  const PsdLowrank it = data;
  plan->iterations = job->iterations > 0 ? job->iterations : ITERATIONS;
  plan->kernels = 0;
  Memory(job->sizes, it->settings.coarse, job->node->program, &plan->memory);
  Costs(job->sizes, it->settings.coarse, job->rates, plan->cost);
  PetscFunctionReturn(0);
}
