/*
   The functions of precision.h for the type PSD_NUMBER, as the table PSD_TABLE. Included once for
   each type, with its products PSD_GEMM and PSD_SYRK.
*/
#include "precision.h"
#include "base/gemm.h"

static void Pack(PetscInt K, PetscInt columns, const PetscReal F[], void *V)
{
  PSD_NUMBER *to = V;
  for (PetscInt j = 0; j < columns; j++, F += K + 1, to += K)
    for (PetscInt k = 0; k < K; k++) to[k] = (PSD_NUMBER)F[k];
}

static PetscErrorCode Gemm(char transA, char transB, PetscInt m, PetscInt n, PetscInt k, const void *A, PetscInt lda,
                           const void *B, PetscInt ldb, void *C, PetscInt ldc)
{
  PetscFunctionBeginUser;
  PetscCall(PSD_GEMM(transA, transB, m, n, k, A, lda, B, ldb, C, ldc));
  PetscFunctionReturn(0);
}

static void AddScores(PetscInt samples, PetscInt count, PsdColumnScale scale, PetscReal w, const void *products,
                      PetscReal yhat[])
{
  const PSD_NUMBER *p = products;
  const PSD_NUMBER a = (PSD_NUMBER)scale.a, linear = (PSD_NUMBER)(scale.b * w);
  const PetscReal constant = scale.c * w * w * (PetscReal)count;
  if (count == 1) {
    for (PetscInt i = 0; i < samples; i++)
      yhat[i] += scale.factor * ((PetscReal)(p[i] * (a * p[i] + linear)) + constant);
    return;
  }
  for (PetscInt i = 0; i < samples; i++, p += count) {
    PSD_NUMBER sum = 0;
#pragma omp simd reduction(+ : sum)
    for (PetscInt l = 0; l < count; l++) sum += p[l] * (a * p[l] + linear);
    yhat[i] += scale.factor * ((PetscReal)sum + constant);
  }
}

static PetscReal Slopes(PetscInt samples, PetscInt count, PsdColumnScale scale, PetscReal w, const PetscReal slope[],
                        void *products)
{
  PSD_NUMBER *p = products;
  const PSD_NUMBER linear = (PSD_NUMBER)(scale.b * w), twice = (PSD_NUMBER)(2 * scale.a);
  const PetscReal constant = 2 * scale.c * w * (PetscReal)count;
  PetscReal of_w = 0;
  for (PetscInt i = 0; i < samples; i++, p += count) {
    const PSD_NUMBER weight = (PSD_NUMBER)(scale.factor * slope[i]);
    PSD_NUMBER sum = 0;
#pragma omp simd reduction(+ : sum)
    for (PetscInt l = 0; l < count; l++) {
      sum += p[l];
      p[l] = weight * (twice * p[l] + linear);
    }
    of_w += scale.factor * slope[i] * (scale.b * (PetscReal)sum + constant);
  }
  return of_w;
}

static void Keep(PetscInt rows, const void *p, float kept[])
{
  const PSD_NUMBER *from = p;
  for (PetscInt k = 0; k < rows; k++) kept[k] = (float)from[k];
}

static PetscInt Select(PetscInt samples, PetscInt count, PetscInt K, PetscReal sign, PetscReal factor,
                       const PetscReal nu[], const void *x, void *rows)
{
  const PSD_NUMBER *from = x;
  PSD_NUMBER *to = rows;
  const size_t length = (size_t)count * K;
  PetscInt selected = 0;
  for (PetscInt i = 0; i < samples; i++, from += length) {
    if (!(sign * nu[i] > 0)) continue;
    const PSD_NUMBER root = (PSD_NUMBER)PetscSqrtReal(factor * PetscAbsReal(nu[i]));
    for (size_t k = 0; k < length; k++) to[k] = root * from[k];
    to += length;
    selected += count;
  }
  return selected;
}

static PetscErrorCode Syrk(PetscInt K, PetscInt rows, const void *x, void *S)
{
  PetscFunctionBeginUser;
  PetscCall(PSD_SYRK('N', K, rows, x, K, S, K));
  PetscFunctionReturn(0);
}

static void AddUpper(PetscInt K, PetscReal scale, const void *S, PetscReal M[], PetscInt ld)
{
  const PSD_NUMBER *from = S;
  for (PetscInt l = 0; l < K; l++)
    for (PetscInt k = 0; k <= l; k++) M[(size_t)l * ld + k] += scale * (PetscReal)from[(size_t)l * K + k];
}

static void AddWeighted(PetscInt samples, PetscInt count, PetscInt K, PetscReal factor, const PetscReal nu[],
                        const void *x, PetscReal sum[])
{
  const PSD_NUMBER *from = x;
  for (PetscInt i = 0; i < samples; i++) {
    const PetscReal weight = factor * nu[i];
    for (PetscInt l = 0; l < count; l++, from += K)
      for (PetscInt k = 0; k < K; k++) sum[k] += weight * (PetscReal)from[k];
  }
}

static void UnpackAdd(PetscInt K, PetscInt columns, const void *V, PetscReal F[])
{
  const PSD_NUMBER *from = V;
  for (PetscInt j = 0; j < columns; j++, F += K + 1, from += K)
    for (PetscInt k = 0; k < K; k++) F[k] += (PetscReal)from[k];
}

const PsdPrecisionOps PSD_TABLE = {.size = sizeof(PSD_NUMBER),
                                   .pack = Pack,
                                   .gemm = Gemm,
                                   .add_scores = AddScores,
                                   .slopes = Slopes,
                                   .keep = Keep,
                                   .select = Select,
                                   .syrk = Syrk,
                                   .add_upper = AddUpper,
                                   .add_weighted = AddWeighted,
                                   .unpack_add = UnpackAdd};
