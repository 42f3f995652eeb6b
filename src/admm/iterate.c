/*
   One iteration of ADMM, line by line as in docs/mathematics.md, section 2:

     V = Z - U,  Sh = V - V',  Th = V + V'
     S = argmin over <J,S> = 0 of  L(A S) + (rho/4) ||S - Sh||^2       consensus step
     T = P (Th - (2 beta/rho) e4)
     W = (S + T)/2,  W' = (T - S)/2
     Z = proj(relaxed W + U),  U <- U + relaxed W - Z
     v = prox_{L/sigma}(relaxed A S + lambda),  lambda <- lambda + relaxed A S - v      a loss that is split: split.c

   before it, of a loss that is split, now and then a jump to where the last iterations point to: accelerate.c

   All but the consensus step and the last line is local to a block's owner.
*/
#include "admm.h"
#include "base/base.h"

/* The arrays that the local steps read and write, as plain pointers. */
typedef struct {
  PetscReal *Z[2], *Z_last[2], *U[2], *X[2], *S, *Sh;
} Arrays;

static PetscErrorCode GetArrays(PsdAdmm admm, Arrays *a)
{
  PetscFunctionBeginUser;
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(VecGetArray(admm->iterate.Z[s], &a->Z[s]));
    PetscCall(VecGetArray(admm->iterate.Z_last[s], &a->Z_last[s]));
    PetscCall(VecGetArray(admm->iterate.U[s], &a->U[s]));
    PetscCall(VecGetArray(admm->iterate.X[s], &a->X[s]));
  }
  PetscCall(VecGetArray(admm->iterate.S, &a->S));
  PetscCall(VecGetArray(admm->iterate.Sh, &a->Sh));
  PetscFunctionReturn(0);
}

static PetscErrorCode RestoreArrays(PsdAdmm admm, Arrays *a)
{
  PetscFunctionBeginUser;
  for (PetscInt s = 0; s < 2; s++) {
    PetscCall(VecRestoreArray(admm->iterate.Z[s], &a->Z[s]));
    PetscCall(VecRestoreArray(admm->iterate.Z_last[s], &a->Z_last[s]));
    PetscCall(VecRestoreArray(admm->iterate.U[s], &a->U[s]));
    PetscCall(VecRestoreArray(admm->iterate.X[s], &a->X[s]));
  }
  PetscCall(VecRestoreArray(admm->iterate.S, &a->S));
  PetscCall(VecRestoreArray(admm->iterate.Sh, &a->Sh));
  PetscFunctionReturn(0);
}

/* Sh = P (V - V') */
static PetscErrorCode PullTowards(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  Arrays a;
  PetscCall(GetArrays(admm, &a));
  for (PetscInt block = 0; block < admm->blocks->local; block++) {
    const PsdShape own = PsdBlocksOwn(admm->blocks, block);
    const PetscInt at = own.at, m = own.m;
    PetscReal *restrict Sh = a.Sh + at;
    for (PetscInt k = 0; k < m; k++) Sh[k] = (a.Z[0][at + k] - a.U[0][at + k]) - (a.Z[1][at + k] - a.U[1][at + k]);
    PsdShapeRemoveJ(&own, Sh);
  }
  PetscCall(RestoreArrays(admm, &a));
  PetscFunctionReturn(0);
}

/* T, W, W' and X = relaxation W + (1 - relaxation) Z + U. T is made in the place of Sh's successor, X[0]. */
static PetscErrorCode RelaxedStep(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PetscReal alpha = admm->settings.relaxation, shrink = 2 * admm->problem->beta / admm->penalty.rho;
  Arrays a;
  PetscCall(GetArrays(admm, &a));
  for (PetscInt block = 0; block < admm->blocks->local; block++) {
    const PsdShape own = PsdBlocksOwn(admm->blocks, block);
    const PetscInt at = own.at, m = own.m;
    PetscReal *T = a.X[0] + at;
    for (PetscInt k = 0; k < m; k++) T[k] = (a.Z[0][at + k] - a.U[0][at + k]) + (a.Z[1][at + k] - a.U[1][at + k]);
    /* G_P j is zero but for rounding, which a small rho would amplify */
    PsdShapeRemoveJ(&own, a.S + at);
    T[m - 1] -= shrink;
    PsdShapeRemoveJ(&own, T);
    for (PetscInt k = at; k < at + m; k++) {
      const PetscReal t = a.X[0][k], W = (a.S[k] + t) / 2, W_prime = (t - a.S[k]) / 2;
      a.X[0][k] = alpha * W + (1 - alpha) * a.Z[0][k] + a.U[0][k];
      a.X[1][k] = alpha * W_prime + (1 - alpha) * a.Z[1][k] + a.U[1][k];
    }
  }
  PetscCall(RestoreArrays(admm, &a));
  PetscFunctionReturn(0);
}

/* U = X - Z, and the sums of squares that residuals are made of. W is recovered from X. */
static PetscErrorCode UpdateDual(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PetscReal alpha = admm->settings.relaxation;
  const size_t length = (size_t)admm->blocks->length;
  PetscReal primal = 0, change = 0, size_W = 0, size_Z = 0, size_U = 0, T4 = 0;
  Arrays a;
  PetscCall(GetArrays(admm, &a));
  for (PetscInt s = 0; s < 2; s++) {
    const PetscReal *restrict X = a.X[s], *restrict Z = a.Z[s], *restrict Z_last = a.Z_last[s];
    PetscReal *restrict U = a.U[s];
    for (PetscInt block = 0; block < admm->blocks->local; block++) {
      const PsdShape shape = PsdBlocksOwn(admm->blocks, block);
      const PetscInt last = shape.at + shape.m - 1;
      T4 += (X[last] - U[last] - (1 - alpha) * Z_last[last]) / alpha;
    }
#pragma omp simd reduction(+ : primal, change, size_W, size_Z, size_U)
    for (size_t k = 0; k < length; k++) {
      const PetscReal W = (X[k] - U[k] - (1 - alpha) * Z_last[k]) / alpha;
      primal += (W - Z[k]) * (W - Z[k]);
      change += (Z[k] - Z_last[k]) * (Z[k] - Z_last[k]);
      U[k] = X[k] - Z[k];
      size_W += W * W;
      size_Z += Z[k] * Z[k];
      size_U += U[k] * U[k];
    }
  }
  PetscCall(RestoreArrays(admm, &a));
  admm->iterate.sums = (PsdResidualSums){primal, change, size_W, size_Z, size_U, T4};
  PetscFunctionReturn(0);
}

/* What a consensus that works with the samples has to know of the projection. */
static PetscErrorCode FollowSamples(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  if (!PsdConsensusUsesSamples(admm->consensus)) PetscFunctionReturn(0);
  PetscCall(PsdConeGetFactors(admm->cone, &admm->extracted.local_factors));
  PetscCall(PsdFactorsGather(admm->blocks->comm, &admm->extracted.local_factors, &admm->extracted.factors));
  PetscCall(PsdConsensusFollow(admm->consensus, &admm->extracted.factors, admm->settings.relaxation));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmIterate(PsdSolver solver, PetscBool *due)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  *due = (PetscBool)((solver->status.iteration + 1) % admm->settings.check_every == 0);
  PetscCall(PsdAcceleratorBegin(admm));
  PetscCall(PullTowards(admm));
  PetscCall(PsdConsensusStep(admm->consensus, admm->iterate.Sh, admm->iterate.S));
  if (admm->split) PetscCall(PsdSplittingFreeMean(admm->split, admm->iterate.Sh, admm->iterate.S));
  PetscCall(RelaxedStep(admm));
  for (PetscInt s = 0; s < 2; s++) {
    const Vec last = admm->iterate.Z[s];
    admm->iterate.Z[s] = admm->iterate.Z_last[s];
    admm->iterate.Z_last[s] = last;
  }
  PetscCall(PsdConeProject(admm->cone, admm->iterate.X, admm->iterate.Z));
  PetscCall(UpdateDual(admm));
  PetscCall(FollowSamples(admm));
  if (admm->split)
    PetscCall(PsdSplittingStep(admm->split, admm->iterate.S, admm->iterate.Sh, PsdConsensusGetShift(admm->consensus),
                               admm->settings.relaxation));
  PetscCall(PsdAcceleratorEnd(admm));
  PetscFunctionReturn(0);
}
