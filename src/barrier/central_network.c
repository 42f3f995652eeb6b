/*
   The networks of the primal-dual method: Z's eigenvectors as neurons, and a network's objective.
*/
#include "central_impl.h"
#include "base/gemm.h"

/* Z of all blocks by eigenvalues and vectors, once for a point. */
static PetscErrorCode DecomposeAll(PsdCentral it)
{
  PetscFunctionBeginUser;
  if (it->decomposed) PetscFunctionReturn(0);
  it->largest = 0;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    const PetscInt d = it->blocks->region[block / 2 % it->blocks->G].d;
    PetscReal *vectors = PsdCentralSquare(it, it->vectors, block), *size = it->size + (size_t)block * it->blocks->d_max;
    PetscCall(PetscArraycpy(vectors, PsdCentralSquare(it, it->point.Z, block), (size_t)d * d));
    PetscCall(PsdEigenSolveUpTo(it->eigen, d, vectors, size));
    it->largest = PetscMax(it->largest, size[d - 1]);
  }
  it->decomposed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCentralNetwork(PsdCentral it, PetscReal least, PsdNeurons *neurons)
{
  PetscFunctionBeginUser;
  PetscReal *F = it->full[0];
  PetscCall(DecomposeAll(it));
  neurons->N = 0;
  for (PetscInt block = 0; block < 2 * it->blocks->pairs; block++) {
    const PetscInt pair = block / 2, g = pair % it->blocks->G, d = it->blocks->region[g].d;
    const PetscReal *V = PsdCentralSquare(it, it->vectors, block), *size = it->size + (size_t)block * it->blocks->d_max;
    PetscInt first = 0;
    while (first < d && !(size[first] > least * it->largest && size[first] > 0)) first++;
    for (PetscInt c = first; c < d; c++)
      for (PetscInt r = 0; r < d; r++) F[(c - first) * d + r] = V[c * d + r] * PetscSqrtReal(size[c]);
    PsdDecompose(d, d - first, F, block % 2 == 0 ? 1 : -1, g, pair / it->blocks->G, neurons);
  }
  PetscFunctionReturn(0);
}

/* S of a network, C columns of D, and the sum of its weights */
static PetscReal Assemble(PsdCentral it, const PsdNeurons *neurons, PetscReal S[])
{
  PetscReal weight = 0;
  for (size_t k = 0; k < (size_t)it->C * it->D; k++) S[k] = 0;
  for (PetscInt k = 0; k < neurons->N; k++) {
    const PetscInt g = neurons->region[k], d = it->blocks->region[g].d;
    const PetscReal *filter = neurons->filter + (size_t)k * neurons->f, alpha = neurons->weight[k];
    PetscReal *own = S + (size_t)neurons->class[k] * it->D + (size_t)it->at[g];
    for (PetscInt c = 0, j = 0; c < d; c++)
      for (PetscInt r = 0; r <= c; r++, j++)
        own[j] += alpha * (r == c ? 1 : PETSC_SQRT2) * (r + 1 < d ? filter[r] : 1) * (c + 1 < d ? filter[c] : 1);
    weight += PetscAbsReal(alpha);
  }
  return weight;
}

PetscErrorCode PsdCentralObjective(PsdCentral it, const PsdNeurons *neurons, PetscReal *objective)
{
  PetscFunctionBeginUser;
  const PetscReal weight = Assemble(it, neurons, it->M);
  PetscCall(PsdGemmDouble('T', 'N', it->C, it->n, it->D, it->M, it->D, it->A, it->D, it->by_sample, it->C));
  for (PetscInt i = 0; i < it->n && it->weights; i++) /* A's rows have them */
    for (PetscInt t = 0; t < it->C; t++) it->by_sample[(size_t)i * it->C + t] /= it->weights[i];
  *objective = PsdWeightedValue(it->loss, it->n, it->C, it->weights, it->by_sample, it->Y) + it->point.goal * weight;
  PetscFunctionReturn(0);
}
