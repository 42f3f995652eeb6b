/*
   Transpose reduction (docs/mathematics.md, section 2): this rank's part of A'A, and A'Y summed over all ranks.

   A chunk of lifted features, row-major rows x D, is the D x rows matrix that dsyrk adds as Phi' Phi.
*/
#include "problem.h"
#include "base/base.h"
#include <petscblaslapack.h>

/* gram += Phi' Phi (upper triangle), h += Phi' Y, for one chunk */
static PetscErrorCode AddChunk(PsdProblem problem, PetscInt first, PetscInt rows, const PetscReal *phi, PetscInt ld,
                               PetscReal *h)
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt D, C, bld, brows;
  PetscCall(PetscBLASIntCast(problem->blocks->D, &D));
  PetscCall(PetscBLASIntCast(problem->blocks->C, &C));
  PetscCall(PetscBLASIntCast(ld, &bld));
  PetscCall(PetscBLASIntCast(rows, &brows));
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &D, &brows, &one, phi, &bld, &one, problem->gram, &D));
  PetscCallBLAS("BLASgemm",
                BLASgemm_("N", "T", &D, &C, &brows, &one, phi, &bld, problem->Y + (size_t)first * C, &C, &one, h, &D));
  PetscCall(PetscLogFlops((PetscLogDouble)rows * D * (D + 2.0 * C)));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemComputeGram(PsdProblem problem)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = problem->blocks;
  const size_t D = blocks->D, columns = D * blocks->C;
  PetscReal *h, *local;
  PetscMPIInt count;
  PsdProgress progress;
  PetscCall(PetscCalloc1(D * D, &problem->gram));
  PetscCall(PetscCalloc1(columns, &h));
  PetscCall(PsdProgressCreate(problem->comm, "gram", "images", problem->n_local, problem->n, &progress));
  for (PetscInt k = 0; k < PsdFeaturesCountChunks(problem->features); k++) {
    PetscInt first, rows, ld;
    const PetscReal *phi;
    PetscCall(PsdFeaturesGetChunk(problem->features, k, &first, &rows, &phi, &ld));
    PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
    PetscCall(AddChunk(problem, first, rows, phi, ld, h));
    PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
    PetscCall(PsdProgressUpdate(progress, first + rows));
  }
  PetscCall(PsdProgressDestroy(&progress));

  PetscCall(PsdPhaseBegin(PSD_PHASE_GRAM));
  PetscCall(PetscMPIIntCast((PetscInt)columns, &count));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, h, count, MPIU_REAL, MPI_SUM, problem->comm));
  PetscCall(VecGetArray(problem->h, &local));
  PetscCall(PetscArraycpy(local, h + (size_t)blocks->first * blocks->m, (size_t)blocks->local * blocks->m));
  PetscCall(VecRestoreArray(problem->h, &local));
  PetscCall(PetscFree(h));
  PetscCall(PsdPhaseEnd(PSD_PHASE_GRAM));
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
