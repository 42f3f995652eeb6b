/*
   Transpose reduction (docs/mathematics.md, section 2): this rank's part of A'A, and A'Y summed over all ranks.

   A chunk of lifted features, row-major rows x D, is the D x rows matrix that dsyrk adds as Phi' Phi.
*/
#include "problem.h"
#include "base/base.h"
#include <petscblaslapack.h>

/* Up to this order A'A is summed in twice the working precision, chunk by chunk: two more arrays of D x D and an addition
   of them a chunk, a fifth of the time of the product at this order and less below it. */
#define EXACT_UP_TO 2000

typedef struct {
  PetscReal *h;           /* A'Y of a chunk, or of all so far */
  PsdSum gram_sum, h_sum; /* NULL: sums are plain */
} Accumulator;

/* gram = beta gram + Phi' Phi (upper triangle), h = beta h + Phi' Y, for one chunk */
static PetscErrorCode Multiply(PsdProblem problem, PetscInt first, PetscInt rows, const PetscReal *phi, PetscInt ld,
                               PetscReal beta, PetscReal *h)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt D, C, bld, brows;
  PetscCall(PetscBLASIntCast(problem->blocks->D, &D));
  PetscCall(PetscBLASIntCast(problem->blocks->C, &C));
  PetscCall(PetscBLASIntCast(ld, &bld));
  PetscCall(PetscBLASIntCast(rows, &brows));
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &D, &brows, &one, phi, &bld, &beta, problem->gram, &D));
  PetscCallBLAS("BLASgemm",
                BLASgemm_("N", "T", &D, &C, &brows, &one, phi, &bld, problem->Y + (size_t)first * C, &C, &beta, h, &D));
  PetscCall(PetscLogFlops((PetscLogDouble)rows * D * (D + 2.0 * C)));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddChunk(PsdProblem problem, PetscInt k, Accumulator *to, PsdProgress progress)
{
  PetscFunctionBeginUser;
  const size_t D = problem->blocks->D;
  PetscInt first, rows, ld;
  const PetscReal *phi;
  PetscCall(PsdFeaturesGetChunk(problem->features, k, &first, &rows, &phi, &ld));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(Multiply(problem, first, rows, phi, ld, to->gram_sum ? 0 : 1, to->h));
  if (to->gram_sum) {
    for (size_t column = 0; column < D; column++)
      PsdSumAdd(to->gram_sum, column * D, column + 1, problem->gram + column * D);
    PsdSumAdd(to->h_sum, 0, D * problem->blocks->C, to->h);
  }
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscCall(PsdProgressUpdate(progress, first + rows));
  PetscFunctionReturn(0);
}

/* h on all ranks; of A'A, all on the root when sums are exact, else still this rank's part */
static PetscErrorCode Reduce(PsdProblem problem, Accumulator *from)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  PetscReal *local;
  PetscMPIInt count;
  PetscCall(PetscMPIIntCast(blocks->D * blocks->C, &count));
  if (from->gram_sum) {
    PetscCall(PsdSumReduce(from->gram_sum, problem->comm, problem->gram));
    PetscCall(PsdSumReduce(from->h_sum, problem->comm, from->h));
    PetscCallMPI(MPI_Bcast(from->h, count, MPIU_REAL, 0, problem->comm));
  } else {
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, from->h, count, MPIU_REAL, MPI_SUM, problem->comm));
  }
  PetscCall(VecGetArray(problem->h, &local));
  PetscCall(PetscArraycpy(local, from->h + (size_t)blocks->first * blocks->m, (size_t)blocks->local * blocks->m));
  PetscCall(VecRestoreArray(problem->h, &local));
  PetscFunctionReturn(0);
}

PetscReal PsdProblemGramBytes(PsdProblem problem)
{
  const PetscReal D = problem->blocks->D;
  return (D <= EXACT_UP_TO ? 3 : 1) * D * D * (PetscReal)sizeof(PetscReal);
}

PetscErrorCode PsdProblemComputeGram(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const size_t D = problem->blocks->D, columns = D * problem->blocks->C;
  Accumulator sums = {0};
  PsdProgress progress;
  PetscCall(PetscCalloc1(D * D, &problem->gram));
  PetscCall(PetscCalloc1(columns, &sums.h));
  if (D <= EXACT_UP_TO) {
    PetscCall(PsdSumCreate(D * D, &sums.gram_sum));
    PetscCall(PsdSumCreate(columns, &sums.h_sum));
  }
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(problem->features); k++)
    PetscCall(AddChunk(problem, k, &sums, progress));
  PetscCall(PsdProgressDestroy(&progress));
  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(Reduce(problem, &sums));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
  PetscCall(PetscFree(sums.h));
  PetscCall(PsdSumDestroy(&sums.gram_sum));
  PetscCall(PsdSumDestroy(&sums.h_sum));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemTakeGram(PsdProblem problem, PetscReal *gram[])
{
  PetscFunctionBeginUser;
  PetscCheck(problem->gram, problem->comm, PETSC_ERR_ARG_WRONGSTATE, "A'A has not been computed, or was taken before");
  *gram = problem->gram;
  problem->gram = NULL;
  PetscFunctionReturn(0);
}
