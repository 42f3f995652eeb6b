/*
   What h sees of G_P: a few Lanczos steps give nodes and weights of h' g(G_P) h for every function g at once (Golub
   and Meurant), and so the norm of the first S for every penalty.
*/
#include "admm.h"
#include "base/base.h"
#include "base/eigen.h"

static PetscErrorCode DecomposeLanczosMatrix(const PetscReal alpha[], const PetscReal beta[], PetscReal square,
                                             PsdSpectrum *spectrum)
{
  PetscFunctionBeginUser;
  const PetscInt k = spectrum->steps;
  PetscReal T[PSD_LANCZOS_STEPS * PSD_LANCZOS_STEPS] = {0};
  PsdEigen eigen;
  for (PetscInt i = 0; i < k; i++) {
    T[i * k + i] = alpha[i];
    if (i > 0) T[i * k + i - 1] = beta[i - 1];
  }
  PetscCall(PsdEigenCreate(k, &eigen));
  PetscCall(PsdEigenSolve(eigen, T, spectrum->node));
  PetscCall(PsdEigenDestroy(&eigen));
  for (PetscInt i = 0; i < k; i++) {
    spectrum->node[i] = PetscMax(spectrum->node[i], 0);
    spectrum->weight[i] = square * T[(size_t)i * k] * T[(size_t)i * k];
  }
  spectrum->mean = alpha[0];
  PetscFunctionReturn(0);
}

/* Lanczos on G_P from h, all C columns as one vector; or, where the consensus works with the samples, on A A' from Y,
   whose weights become h's when each is multiplied by its node. */
PetscErrorCode PsdSpectrumFind(PsdConsensus consensus, PsdSpectrum *spectrum)
{
  PetscFunctionBeginUser;
  PetscReal alpha[PSD_LANCZOS_STEPS], beta[PSD_LANCZOS_STEPS], norm, size;
  PetscBool weighted;
  Vec v, last, next;
  PetscCall(PsdConsensusKrylovStart(consensus, &v, &weighted));
  PetscCall(VecDuplicate(v, &last));
  PetscCall(VecDuplicate(v, &next));
  PetscCall(VecNormalize(v, &size));
  PetscCall(VecSet(last, 0));
  spectrum->steps = 0;
  for (PetscInt k = 0; k < PSD_LANCZOS_STEPS && size > 0; k++) {
    PetscCall(PsdConsensusKrylovMultiply(consensus, v, next));
    PetscCall(VecDot(next, v, &alpha[k]));
    PetscCall(VecAXPBYPCZ(next, -alpha[k], k > 0 ? -beta[k - 1] : 0, 1, v, last));
    PetscCall(VecNorm(next, NORM_2, &norm));
    spectrum->steps = k + 1;
    beta[k] = norm;
    /* also where all of it is 0, of features that say nothing of the targets */
    if (!(norm > PETSC_SQRT_MACHINE_EPSILON * PetscAbsReal(alpha[0]))) break;
    PetscCall(VecScale(next, 1 / norm));
    const Vec freed = last;
    last = v;
    v = next;
    next = freed;
  }
  if (spectrum->steps > 0) PetscCall(DecomposeLanczosMatrix(alpha, beta, size * size, spectrum));
  for (PetscInt k = 0; k < spectrum->steps && weighted; k++) spectrum->weight[k] *= spectrum->node[k];
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&last));
  PetscCall(VecDestroy(&next));
  PetscFunctionReturn(0);
}
