/*
   A'A in single precision, and what makes up for it (docs/mathematics.md, section 2, "Single precision").

   A kernel has G^ in the place of G = A'A. With c = (G^ - G) w added to h, the step's optimality at S = w is that of the
   program itself: G^ w + shift w = h + c + shift Sh is G w + shift w = h + shift Sh. G w is not known, but M = h - G w is,
   from a pass over the samples.
*/
#include "base/base.h"
#include "consensus_impl.h"
#include "problem/limits.h"
#include "problem/samples.h"
#include <float.h>

/* Half a unit in the last place: what a rounding loses of a number, at most. */
#define HALF_UNIT ((PetscReal)FLT_EPSILON / 2)

PetscBool PsdConsensusIsSingle(PsdConsensus consensus)
{
  return (PetscBool)(consensus->problem && consensus->problem->single);
}

/* Roundings of sums of k products are taken to be independent of each other, so that an entry of n terms is off by sqrt(k n)
   of them and, with sum_i |a_ij| |a_ik| below the root of two entries of the diagonal, the matrix by sqrt(k/n) of its trace
   in the norm of Frobenius. */
PetscReal PsdConsensusSingleFloor(PsdConsensus consensus)
{
  if (!PsdConsensusIsSingle(consensus)) return 0;
  const PetscReal share = PetscMin(1, PSD_CHUNK_ROWS / (PetscReal)consensus->problem->n);
  return HALF_UNIT * PetscSqrtReal(share) * consensus->trace;
}

PetscErrorCode PsdConsensusBeginSingle(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  const Vec h = consensus->problem->h;
  PetscCall(VecDuplicate(h, &consensus->correction));
  PetscCall(VecSet(consensus->correction, 0));
  PetscCall(VecDuplicate(h, &consensus->corrected));
  PetscCall(VecCopy(h, consensus->corrected));
  consensus->target = consensus->corrected;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusEndSingle(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  if (consensus->target == consensus->corrected) consensus->target = consensus->problem ? consensus->problem->h : NULL;
  PetscCall(VecDestroy(&consensus->correction));
  PetscCall(VecDestroy(&consensus->corrected));
  PetscFunctionReturn(0);
}

/* The trace of what was rounded tells whether all of it is in the range of single precision: sums of a chunk's products lose
   a part of its rows at most, by (1 + half a unit)^k. */
PetscErrorCode PsdConsensusIsInRange(PsdConsensus consensus, PetscBool *yes)
{
  PetscFunctionBeginUser;
  const PsdProblem problem = consensus->problem;
  PetscReal squares = problem->folded ? PsdFeaturesGetSquares(problem->folded) : 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &squares, 1, MPIU_REAL, MPI_SUM, problem->comm));
  const PetscReal lost = 2 * PSD_CHUNK_ROWS * HALF_UNIT * squares;
  /* of an A'A from a file nothing was rounded here */
  *yes =
      (PetscBool)(squares == 0 ? consensus->trace <= PETSC_MAX_REAL : PetscAbsReal(consensus->trace - squares) <= lost);
  PetscFunctionReturn(0);
}

static PetscErrorCode UpdateTarget(PsdConsensus consensus)
{
  PetscFunctionBeginUser;
  PetscCall(VecWAXPY(consensus->corrected, 1, consensus->correction, consensus->problem->h));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusCorrect(PsdConsensus consensus, Vec w, Vec M)
{
  PetscFunctionBeginUser;
  PetscReal size, all;
  PetscCall((*consensus->kernel->ops->gram.multiply)(consensus, w, consensus->correction));
  PetscCall(VecAXPBYPCZ(consensus->correction, 1, -1, 1, M, consensus->problem->h));
  PetscCall(UpdateTarget(consensus));
  PetscCall(VecNorm(consensus->correction, NORM_2, &size));
  PetscCall(VecNorm(consensus->problem->h, NORM_2, &all));
  PetscCall(PetscInfo(NULL, "A'A in single precision is corrected by %g of ||h|| = %g\n", (double)size, (double)all));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdConsensusVisitCorrection(PsdConsensus consensus, PsdVisitor visitor)
{
  PetscFunctionBeginUser;
  if (!consensus->correction) PetscFunctionReturn(0);
  PetscCall(PsdVisitPairs(visitor, "/pairs/correction", consensus->correction));
  if (PsdVisitorIsReading(visitor)) PetscCall(UpdateTarget(consensus));
  PetscFunctionReturn(0);
}
