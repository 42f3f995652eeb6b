/*
   Seconds by phase: the operations of each step over the rate of the kernel that does them (docs/performance.md says which).

   What cannot be known before a run is assumed: the penalty changes twice (a factorisation each), blocks of large order are
   decomposed completely in the first four iterations and by eight products with their vectors afterwards.
*/
#include "plan.h"

#define REAL ((PetscReal)sizeof(PetscReal))
#define CHECK_EVERY 10
#define JUMP_EVERY 5     /* of losses that are split */
#define FACTORIZATIONS 2 /* after the first */
#define COMPLETE 4       /* iterations */
#define PRODUCTS 4       /* sweeps over a block in a partial projection, ten vectors each */
#define LANCZOS 16
#define GRID_EFFICIENCY 0.65 /* of dgemm's rate: pdpotrf and pdtrtri together, measured at orders of 5,000 to 20,000 */
#define LARGE_BLOCK 80
#define TEAM_BLOCK 100
#define LARGE_POLAR 300

PsdRates PsdRatesNominal(const PsdPlanSizes *sizes)
{
  const PetscReal gemm = 45e9;
  return (PsdRates){.gemm = gemm,
                    .syrk = gemm,
                    .potrf = 0.8 * gemm,
                    .bandwidth = 8e9,
                    .eigen = 150e-12,
                    .lift = sizes->positions * sizes->q * sizes->q / (0.5 * gemm)};
}

/* Of one rank and one occurrence. */
typedef struct {
  PetscReal seconds, flops;
} Cost;

static Cost Work(PetscReal flops, PetscReal rate)
{
  return (Cost){flops / rate, flops};
}

static Cost Move(PetscReal bytes, const PsdRates *rates)
{
  return (Cost){bytes / rates->bandwidth, 0};
}

static Cost Sum(Cost a, Cost b)
{
  return (Cost){a.seconds + b.seconds, a.flops + b.flops};
}

static Cost Times(PetscReal count, Cost cost)
{
  return (Cost){count * cost.seconds, count * cost.flops};
}

/* Order of the system that is factorised. */
static PetscReal Order(const PsdPlanSizes *s, PsdPlanKind kind)
{
  return kind == PSD_PLAN_KERNEL ? s->n : s->order;
}

/* All samples of a rank to lifted features, once. Mirror images that are folded need no lifting of their own. */
static Cost Lift(const PsdPlanSizes *s, const PsdRates *rates)
{
  const PetscReal lifted = PsdPlanRows(s, s->n_local);
  return (Cost){lifted * rates->lift, lifted * s->positions * s->q * s->q};
}

/* Images to patches: a copy, and a product when they are transformed. */
static Cost Cut(const PsdPlanSizes *s, const PsdRates *rates)
{
  const PetscReal patches = s->n_local * s->positions;
  const Cost copy = Move(4 * REAL * patches * s->q, rates);
  return s->transform ? Sum(copy, Work(2 * patches * s->q * s->f, rates->gemm)) : copy;
}

/* A'nu from patches. */
static Cost Adjoint(const PsdPlanSizes *s, const PsdRates *rates)
{
  const PetscReal patches = s->n_local * s->positions * s->C;
  return Sum(Work(patches * s->f * s->f, rates->syrk),
             Move(2 * REAL * (patches * s->f + s->pairs * s->m * (s->ranks > 1 ? 2 : 1)), rates));
}

static Cost Gram(const PsdPlanSizes *s, PsdPlanKind kind, const PsdRates *rates)
{
  const PetscReal ranks = (PetscReal)s->ranks;
  if (kind == PSD_PLAN_KERNEL)
    return Sum(Work(s->n * s->n * s->positions * s->positions * s->f / ranks, 0.9 * rates->gemm), Adjoint(s, rates));
  const PetscReal rows = PsdPlanRows(s, s->n);
  const Cost products = Work(rows * s->order * s->order / ranks, kind == PSD_PLAN_ROOT ? rates->syrk : rates->gemm);
  if (s->ranks == 1) return products;
  if (kind == PSD_PLAN_ROOT)
    return Sum(products, Move(3 * REAL * s->order * s->order * PetscLog2Real(2 * ranks), rates));
  return Sum(products, Move(2 * REAL * rows * s->order, rates));
}

static Cost Factor(const PsdPlanSizes *s, PsdPlanKind kind, const PsdRates *rates)
{
  const PetscReal N = Order(s, kind), cube = N * N * N / 3;
  if (kind == PSD_PLAN_ROOT) return Sum(Work(cube, rates->potrf), Move(REAL * N * N, rates));
  return Work(2 * cube / (PetscReal)s->ranks, GRID_EFFICIENCY * rates->gemm);
}

/* One pass over the stored triangle. */
static Cost Triangle(const PsdPlanSizes *s, PsdPlanKind kind, const PsdRates *rates)
{
  const PetscReal N = Order(s, kind), ranks = kind == PSD_PLAN_ROOT ? 1 : (PetscReal)s->ranks;
  return Sum(Move(REAL * N * N / 2 / ranks, rates), Work(N * N * s->C / ranks, rates->gemm));
}

static Cost Polar(const PsdPlanSizes *s, const PsdRates *rates)
{
  const PetscReal pairs = PetscCeilReal((PetscReal)s->pairs / (PetscReal)s->ranks), cube = s->f * s->f * s->f;
  if (s->f < LARGE_POLAR) return (Cost){pairs * rates->eigen * cube, pairs * 9 * cube};
  return Times(8 * pairs, Work(cube / 3, rates->potrf));
}

/* All projections of an iteration on the rank that has most of them. */
static Cost Projections(const PsdPlanSizes *s, const PsdRates *rates, PetscBool complete)
{
  const PetscBool large = (PetscBool)(s->d > LARGE_BLOCK);
  const PetscReal blocks = s->d > TEAM_BLOCK && s->ranks > s->pairs
                               ? PetscCeilReal(2 * (PetscReal)s->pairs / (PetscReal)s->ranks)
                               : 2 * PetscCeilReal((PetscReal)s->pairs / (PetscReal)s->ranks);
  if (!large || complete) return (Cost){blocks * rates->eigen * s->d * s->d * s->d, blocks * 9 * s->d * s->d * s->d};
  const Cost product = Work(2 * s->d * s->d * 10, rates->gemm / 3); /* narrow products are bound by memory */
  return Times(blocks, Sum(Times(PRODUCTS, product), Move(6 * REAL * s->m, rates)));
}

/* One pass over the lifted features with C columns, there and back; lifted again when they are not kept. */
static Cost Pass(const PsdPlanSizes *s, const PsdRates *rates)
{
  const PetscReal numbers = PsdPlanRows(s, s->n_local) * s->order;
  const Cost pass = Sum(Work(4 * numbers * s->C, rates->gemm), Move(REAL * numbers, rates));
  return PsdPlanKeptBytes(s) > 0 ? pass : Sum(pass, Lift(s, rates));
}

/* One iteration but for the projections. */
static Cost Iteration(const PsdPlanSizes *s, PsdPlanKind kind, const PsdRates *rates)
{
  const PetscReal owned = PetscCeilReal((PetscReal)s->pairs / (PetscReal)s->ranks);
  Cost cost = Sum(Times(2, Triangle(s, kind, rates)), Move(25 * REAL * s->m * owned, rates));
  if (kind == PSD_PLAN_KERNEL) cost = Sum(cost, Adjoint(s, rates));
  /* a check makes two halves of a pass, as does a jump */
  return s->split ? Sum(cost, Times(1 + 1.0 / CHECK_EVERY + 1.0 / JUMP_EVERY, Pass(s, rates))) : cost;
}

static Cost Certificate(const PsdPlanSizes *s, PsdPlanKind kind, const PsdRates *rates)
{
  const PetscReal patches = s->n_local * s->positions * s->C;
  if (kind == PSD_PLAN_KERNEL)
    return Sum(Times(2, Adjoint(s, rates)),
               Sum(Work(2 * patches * s->f * s->f, rates->gemm), Times(2, Polar(s, rates))));
  const Cost products =
      Sum(Work(10 * s->n_local * s->D * s->C, rates->gemm), Move(3 * REAL * s->n_local * s->D, rates));
  return Sum(products, Times(2, Polar(s, rates)));
}

void PsdPlanTime(const PsdPlanSizes *s, PsdPlanKind kind, const PsdRates *rates, PetscInt iterations,
                 PetscReal seconds[PSD_PHASE_COUNT], PetscReal flops[PSD_PHASE_COUNT])
{
  const PetscReal complete = PetscMin(COMPLETE, (PetscReal)iterations), checks = (PetscReal)iterations / CHECK_EVERY;
  Cost cost[PSD_PHASE_COUNT] = {{0, 0}};
  cost[PSD_PHASE_READ] = Move(10 * s->n_local * s->image, rates);
  if (kind == PSD_PLAN_KERNEL) {
    cost[PSD_PHASE_LIFT] = Cut(s, rates);
    if (s->transform) cost[PSD_PHASE_LIFT] = Sum(cost[PSD_PHASE_LIFT], Lift(s, rates));
  } else {
    /* the certificate has samples by themselves, so that folded rows that are kept do not serve it */
    const PetscBool once = (PetscBool)(PsdPlanKeptBytes(s) > 0 && !s->folded);
    cost[PSD_PHASE_LIFT] = Times(once ? 1 : s->transform ? 3 : 2, Lift(s, rates));
  }
  cost[PSD_PHASE_GRAM] = Gram(s, kind, rates);
  cost[PSD_PHASE_FACTOR] = Sum(Sum(Factor(s, kind, rates), Times(LANCZOS, Triangle(s, kind, rates))), Polar(s, rates));
  cost[PSD_PHASE_ADMM] =
      Sum(Sum(Times((PetscReal)iterations, Iteration(s, kind, rates)), Times(FACTORIZATIONS, Factor(s, kind, rates))),
          Sum(Times(complete, Projections(s, rates, PETSC_TRUE)),
              Times((PetscReal)iterations - complete, Projections(s, rates, PETSC_FALSE))));
  cost[PSD_PHASE_ADMM] =
      Sum(cost[PSD_PHASE_ADMM], Times(checks, Sum(Times(kind == PSD_PLAN_KERNEL ? 1 : 2, Polar(s, rates)),
                                                  Times(kind == PSD_PLAN_KERNEL ? 1 : 4, Triangle(s, kind, rates)))));
  cost[PSD_PHASE_CERTIFY] = Certificate(s, kind, rates);
  for (int phase = 0; phase < PSD_PHASE_COUNT; phase++) {
    seconds[phase] = cost[phase].seconds;
    flops[phase] = cost[phase].flops * (PetscReal)s->ranks;
  }
}
