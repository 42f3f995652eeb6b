/*
   Lists of columns: making, joining, retraction, compression. F F' stays when F is multiplied by an orthogonal matrix
   from the right, so that a block's columns can be made orthogonal, and short ones be left out.
*/
#include "columns.h"
#include "base/eigen.h"
#include "base/gemm.h"

PetscErrorCode PsdColumnsCreate(PetscInt G, PetscInt C, const PetscInt K[], PetscInt count, const PetscInt block[],
                                PsdColumns *columns)
{
  PetscFunctionBeginUser;
  *columns = (PsdColumns){.G = G, .C = C, .count = count};
  PetscCall(PetscCalloc4(G, &columns->K, G + 1, &columns->first, count, &columns->block, count + 1, &columns->at));
  PetscCall(PetscArraycpy(columns->K, K, G));
  for (PetscInt j = 0; j < count; j++) {
    const PetscInt g = PsdBlockRegion(columns, block[j]);
    columns->block[j] = block[j];
    columns->at[j + 1] = columns->at[j] + (size_t)K[g] + 1;
    columns->first[g + 1]++;
  }
  for (PetscInt g = 0; g < G; g++) columns->first[g + 1] += columns->first[g];
  PetscCall(PetscCalloc1(columns->at[count], &columns->F));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdColumnsDestroy(PsdColumns *columns)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree4(columns->K, columns->first, columns->block, columns->at));
  PetscCall(PetscFree(columns->F));
  *columns = (PsdColumns){0};
  PetscFunctionReturn(0);
}

static PetscErrorCode Replace(PsdColumns *columns, PsdColumns *by)
{
  PetscFunctionBeginUser;
  PetscCall(PsdColumnsDestroy(columns));
  *columns = *by;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdColumnsJoin(PsdColumns *columns, const PsdColumns *more)
{
  PetscFunctionBeginUser;
  const PetscInt count = columns->count + more->count;
  PetscInt *block, i = 0, k = 0;
  const PetscReal **from;
  PsdColumns both;
  PetscCall(PetscMalloc2(count, &block, count, &from));
  for (PetscInt j = 0; j < count; j++) {
    const PetscBool old = (PetscBool)(k == more->count || (i < columns->count && columns->block[i] <= more->block[k]));
    block[j] = old ? columns->block[i] : more->block[k];
    from[j] = old ? columns->F + columns->at[i] : more->F + more->at[k];
    if (old) i++;
    else k++;
  }
  PetscCall(PsdColumnsCreate(columns->G, columns->C, columns->K, count, block, &both));
  for (PetscInt j = 0; j < count; j++)
    PetscCall(PetscArraycpy(both.F + both.at[j], from[j], both.at[j + 1] - both.at[j]));
  PetscCall(PetscFree2(block, from));
  PetscCall(Replace(columns, &both));
  PetscFunctionReturn(0);
}

/* One past the last column of column j's block. */
static PetscInt EndOfBlock(const PsdColumns *columns, PetscInt j)
{
  PetscInt end = j;
  while (end < columns->count && columns->block[end] == columns->block[j]) end++;
  return end;
}

void PsdColumnsRetract(const PsdColumns *columns, PetscReal F[])
{
  for (PetscInt j = 0, end; j < columns->count; j = end) {
    PetscReal v = 0, w = 0;
    end = EndOfBlock(columns, j);
    for (PetscInt i = j; i < end; i++) {
      const size_t last = columns->at[i + 1] - 1;
      for (size_t k = columns->at[i]; k < last; k++) v += F[k] * F[k];
      w += F[last] * F[last];
    }
    if (v == 0 || w == 0) {
      for (size_t k = columns->at[j]; k < columns->at[end]; k++) F[k] = 0;
      continue;
    }
    const PetscReal tau = PetscSqrtReal(PetscSqrtReal(v / w));
    for (PetscInt i = j; i < end; i++) {
      const size_t last = columns->at[i + 1] - 1;
      for (size_t k = columns->at[i]; k < last; k++) F[k] /= tau;
      F[last] *= tau;
    }
  }
}

void PsdColumnsMultipliers(const PsdColumns *columns, const PetscReal gradient[], PetscReal mu[])
{
  const PetscReal *F = columns->F;
  for (PetscInt j = 0, end; j < columns->count; j = end) {
    PetscReal product = 0, square = 0;
    end = EndOfBlock(columns, j);
    for (PetscInt i = j; i < end; i++) {
      const size_t last = columns->at[i + 1] - 1;
      for (size_t k = columns->at[i]; k < last; k++) product += F[k] * gradient[k], square += F[k] * F[k];
      product -= F[last] * gradient[last];
      square += F[last] * F[last];
    }
    mu[columns->block[j]] = square > 0 ? -product / square : 0;
  }
}

/* F <- F U for the r columns of one block, the longest first; kept: how many are long enough. */
static PetscErrorCode Orthogonalise(PetscInt d, PetscInt r, PetscReal F[], PetscReal least, PetscInt *kept)
{
  PetscFunctionBeginUser;
  PetscReal *gram, *lambda, *product;
  PsdEigen eigen;
  PetscCall(PetscMalloc3((size_t)r * r, &gram, r, &lambda, (size_t)d * r, &product));
  PetscCall(PsdGemmDouble('T', 'N', r, r, d, F, d, F, d, gram, r));
  PetscCall(PsdEigenCreate(r, &eigen));
  PetscCall(PsdEigenSolve(eigen, gram, lambda));
  PetscCall(PsdEigenDestroy(&eigen));
  PetscCall(PsdGemmDouble('N', 'N', d, r, r, F, d, gram, r, product, d));
  *kept = 0;
  for (PetscInt j = r - 1; j >= 0; j--)
    if (lambda[j] > least * least * lambda[r - 1]) {
      PetscCall(PetscArraycpy(F + (size_t)d * *kept, product + (size_t)d * j, d));
      (*kept)++;
    }
  PetscCall(PetscFree3(gram, lambda, product));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdColumnsCompress(PsdColumns *columns, PetscReal least)
{
  PetscFunctionBeginUser;
  PetscInt *block, count = 0;
  const PetscReal **from;
  PsdColumns fewer;
  PetscCall(PetscMalloc2(columns->count, &block, columns->count, &from));
  for (PetscInt j = 0, end; j < columns->count; j = end) {
    const PetscInt d = columns->K[PsdBlockRegion(columns, columns->block[j])] + 1;
    PetscInt kept = 0;
    end = EndOfBlock(columns, j);
    PetscCall(Orthogonalise(d, end - j, columns->F + columns->at[j], least, &kept));
    for (PetscInt i = j; i < j + kept; i++) {
      block[count] = columns->block[i];
      from[count++] = columns->F + columns->at[i];
    }
  }
  PetscCall(PsdColumnsCreate(columns->G, columns->C, columns->K, count, block, &fewer));
  for (PetscInt j = 0; j < count; j++)
    PetscCall(PetscArraycpy(fewer.F + fewer.at[j], from[j], fewer.at[j + 1] - fewer.at[j]));
  PetscCall(PetscFree2(block, from));
  PsdColumnsRetract(&fewer, fewer.F);
  PetscCall(Replace(columns, &fewer));
  PetscFunctionReturn(0);
}
