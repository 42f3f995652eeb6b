/*
   PSD projection of one block over a team of ranks: a complete eigendecomposition by ScaLAPACK (pdsyevd).

   The team's first rank has X and keeps F; the others take part, each with its part of X. Where ScaLAPACK fails, or X is of
   a size that it might fail at, the first rank decomposes X by itself, which is still there.
*/
#include "cone_impl.h"
#include "base/base.h"
#include "base/layout.h"
#include <stdlib.h>

#define BLOCK 32

typedef struct {
  PsdLayout layout;
  PsdLayoutEigen eigen;
  PetscReal *matrix, *vectors, *lambda; /* parts; d */
  PetscReal *whole;                     /* d x d on the first rank */
} Scalapack;

static PetscErrorCode SetUp(PsdCone cone, PetscInt order, void **kernel)
{
  PetscFunctionBeginUser;
  const size_t d = order, whole = cone->team.rank == 0 ? d * d : 0;
  Scalapack *it;
  PetscCall(PetscNew(&it));
  PetscCall(PsdLayoutCreate(cone->team.comm, order, BLOCK, &it->layout));
  PetscCall(PsdLayoutEigenCreate(it->layout, &it->eigen));
  PetscCall(PsdLayoutAllocate(it->layout, &it->matrix));
  PetscCall(PsdLayoutAllocate(it->layout, &it->vectors));
  PetscCall(PetscMalloc2(d, &it->lambda, whole, &it->whole));
  *kernel = it;
  PetscFunctionReturn(0);
}

static PetscErrorCode Project(PsdCone cone, void *kernel, PsdBlockState *state, const PetscReal x[], PetscReal *X,
                              PetscReal tolerance, PetscReal z[], PetscBool *settled)
{
  PetscFunctionBeginUser;
  Scalapack *it = kernel;
  const PetscInt d = it->layout->order;
  PetscBool done;
  (void)x, (void)tolerance;
  PetscCall(PsdLayoutDistribute(it->layout, X, it->matrix));
  PetscCall(PsdLayoutEigenSolve(it->eigen, 'U', it->matrix, it->lambda, it->vectors, &done));
  *settled = (PetscBool)(done || cone->team.rank > 0); /* the first rank sees to it */
  state->columns = 0;
  if (done) PetscCall(PsdLayoutCollect(it->layout, it->vectors, it->whole));
  if (!done || cone->team.rank > 0) PetscFunctionReturn(0);
  const PetscReal floor = PsdEigenFloor(d, PetscMax(-it->lambda[0], it->lambda[d - 1]));
  PetscInt negative = 0;
  while (negative < d && it->lambda[negative] <= floor) negative++;
  PetscCall(PsdConeTakeDecomposition(state, negative, it->lambda, it->whole));
  if (z) PetscCall(PsdConePackProduct(cone, d, state->rank_Z, state->F, z));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *kernel)
{
  PetscFunctionBeginUser;
  Scalapack *it = kernel;
  free(it->matrix);
  free(it->vectors);
  PetscCall(PetscFree2(it->lambda, it->whole));
  PetscCall(PsdLayoutEigenDestroy(&it->eigen));
  PetscCall(PsdLayoutDestroy(&it->layout));
  PetscCall(PetscFree(kernel));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- costs */

/* The whole of the vectors on a team's first rank; parts of X and of the vectors, and what pdsyevd wants, about as much again. */
static void Memory(const PsdSizes *s, PetscReal d, PsdMemory *memory)
{
  const PetscReal team = PetscMax(1, PetscFloorReal((PetscReal)s->ranks / (2 * (PetscReal)s->pairs)));
  const PetscReal bytes = PSD_BYTES_REAL * d * d * (1 + 4 / team);
  PsdMemoryAdd(memory, "complete decomposition", PSD_PHASE_SOLVE, PSD_PHASE_CERTIFY, bytes, bytes);
}

/* As one rank by itself: an upper end, as what a small team gains goes into its messages at orders of a few hundred. */
static PsdCost Cost(PetscReal d, const PsdRates *rates)
{
  const PetscReal cube = d * d * d;
  return (PsdCost){.seconds = rates->eigen * cube, .flops = 9 * cube};
}

const PsdConeOps PsdConeScalapack = {.name = "scalapack",
                                     .old_name = NULL,
                                     .help = "all, over a team of ranks",
                                     .complete = PETSC_TRUE,
                                     .uses_team = PETSC_TRUE,
                                     .setup = SetUp,
                                     .project = Project,
                                     .destroy = Destroy,
                                     .memory = Memory,
                                     .cost = Cost};
