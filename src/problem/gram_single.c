/*
   Phi' Phi of a chunk of rounded features: products in single precision, which are added up over chunks in double.

   What a product of k rows loses grows with k, and what adding it takes in memory is the same for every k
   (docs/mathematics.md, section 2, "Single precision"). Made by panels of columns, so that the products of one stay in
   cache until they are added.
*/
#include "gram_impl.h"
#include "base/gemm.h"
#include "limits.h"

#define PANEL PSD_GRAM_GROUP

size_t PsdGramSingleWork(PetscInt D)
{
  return (size_t)D * (size_t)PetscMin(PANEL, D);
}

/* to = beta to + from, m x n */
static void Add(PetscInt m, PetscInt n, const float *restrict from, PetscReal beta, PetscReal *restrict to, PetscInt ld)
{
  for (PetscInt j = 0; j < n; j++, from += m, to += ld)
    for (PetscInt i = 0; i < m; i++) to[i] = (beta == 0 ? 0 : to[i]) + (PetscReal)from[i];
}

/* The same of a square block on the diagonal, of which `from` has the upper triangle. */
static void AddDiagonal(PetscInt n, const float *from, PetscReal beta, char triangle, PetscReal *to, PetscInt ld)
{
  for (PetscInt j = 0; j < n; j++)
    for (PetscInt i = 0; i <= j; i++) {
      PetscReal *entry =
          triangle == 'U' ? to + (size_t)j * (size_t)ld + (size_t)i : to + (size_t)i * (size_t)ld + (size_t)j;
      *entry = (beta == 0 ? 0 : *entry) + (PetscReal)from[(size_t)j * (size_t)n + (size_t)i];
    }
}

PetscErrorCode PsdGramSingle(PetscInt D, PetscInt rows, const float *phi, PetscReal beta, char triangle, float *work,
                             PetscReal *gram)
{
  PetscFunctionBeginUser;
  for (PetscInt first = 0; first < D; first += PANEL) {
    const PetscInt width = PetscMin(PANEL, D - first), begin = triangle == 'U' ? 0 : first + width,
                   end = triangle == 'U' ? first : D;
    PetscReal *column = gram + (size_t)first * (size_t)D;
    PetscCall(PsdGemmSingle('N', 'T', end - begin, width, rows, phi + begin, D, phi + first, D, work,
                            PetscMax(1, end - begin)));
    Add(end - begin, width, work, beta, column + begin, D);
    PetscCall(PsdSyrkSingle('N', width, rows, phi + first, D, work, width));
    AddDiagonal(width, work, beta, triangle, column + first, D);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdGramSingleAdd(PetscInt m, PetscInt n, PetscInt rows, const float *A, PetscInt lda, const float *B,
                                float *work, PetscReal *C, PetscInt ldc)
{
  PetscFunctionBeginUser;
  PetscCall(PsdGemmSingle('N', 'T', m, n, rows, A, lda, B, n, work, m));
  Add(m, n, work, 1, C, ldc);
  PetscFunctionReturn(0);
}
