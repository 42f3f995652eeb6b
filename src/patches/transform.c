/*
   The linear change of coordinates x = (p - mean) transform: ZCA whitening and PCA from the covariance of all patches
   of all images on all ranks.

     covariance = V diag(lambda) V',  lambda descending,  shrink_k = 1/sqrt(lambda_k + EPS * mean lambda)
     ZCA:  transform = V diag(shrink) V'     PCA to K:  V_K     both:  V_K diag(shrink_K)
*/
#include "transform.h"
#include "lift_impl.h"
#include "mirror.h"
#include "patches_impl.h"
#include "base/base.h"
#include "base/eigen.h"

PetscBool PsdPatchesNeedStatistics(PsdPatches patches)
{
  PetscBool need = (PetscBool)((patches->whiten > 0 || patches->pca > 0) && !patches->transform);
  for (PetscInt k = 0; k < patches->branches; k++)
    need = (PetscBool)(need || PsdPatchesNeedStatistics(patches->branch[k]));
  return need;
}

PetscInt PsdPatchesStatisticsLength(PsdPatches patches)
{
  PetscInt length = patches->branches || !PsdPatchesLiftOf(patches)->transform ? 0 : PsdPackedLength(patches->q + 1);
  for (PetscInt k = 0; k < patches->branches; k++) length += PsdPatchesStatisticsLength(patches->branch[k]);
  return length;
}

void PsdPatchesAddStatistics(PsdPatches patches, const PetscReal moments[], PetscReal weight, PetscReal sum[])
{
  const PetscInt packed = PsdPackedLength(patches->q + 1);
  for (PetscInt k = 0; k < patches->branches; k++) {
    PsdPatchesAddStatistics(patches->branch[k], moments, weight, sum);
    moments += PsdPatchesMomentsLength(patches->branch[k]);
    sum += PsdPatchesStatisticsLength(patches->branch[k]);
  }
  if (!PsdPatchesLiftOf(patches)->transform) return;
  for (PetscInt g = 0; g < patches->G; g++, moments += packed)
    for (PetscInt k = 0; k < packed; k++) sum[k] += weight * (PetscReal)patches->region_count[g] * moments[k];
}

enum { VARIED, ALIKE, OVERFLOWN };

/* Mean of the patches and their covariance (upper triangle), and whether it can be worked with: a variance that is not
   above the rounding of the moments it is a difference of is zero. */
static int Judge(PetscInt q, const PetscReal sum[], PetscReal mean[], PetscReal covariance[])
{
  const PetscReal *first = sum + PsdPackedLength(q), count = first[q];
  PetscReal variance = 0, moment = 0;
  for (PetscInt k = 0; k < q; k++) mean[k] = first[k] / count;
  for (PetscInt j = 0; j < q; j++) {
    const PetscReal *column = sum + PsdPackedLength(j);
    for (PetscInt i = 0; i <= j; i++) covariance[(size_t)j * q + i] = column[i] / count - mean[i] * mean[j];
    variance += covariance[(size_t)j * q + j];
    moment += column[j] / count;
  }
  if (PetscIsInfOrNanReal(variance) || PetscIsInfOrNanReal(moment)) return OVERFLOWN;
  return variance > 64 * (PetscReal)q * PETSC_MACHINE_EPSILON * moment ? VARIED : ALIKE;
}

/* The sums over patches (packed, order q+1) <- the mean of those over patches and those over their mirror images. */
static void AverageMirrors(PsdPatches patches, PetscReal sum[])
{
  const PetscInt q = patches->q;
  for (PetscInt j = 0; j <= q; j++) {
    const PetscInt j_mirrored = j < q ? PsdPatchesMirrorPixel(patches, j) : q;
    const PetscReal j_sign = j < q ? PsdPatchesMirrorSign(patches, j) : 1;
    for (PetscInt i = 0; i <= PetscMin(j, q - 1); i++) {
      const PetscInt i_mirrored = PsdPatchesMirrorPixel(patches, i);
      const PetscInt low = PetscMin(i_mirrored, j_mirrored), high = PetscMax(i_mirrored, j_mirrored);
      PetscReal *one = sum + PsdPackedLength(j) + i, *other = sum + PsdPackedLength(high) + low;
      const PetscReal sign = j_sign * PsdPatchesMirrorSign(patches, i);
      if (one > other) continue;
      *one = (*one + sign * *other) / 2;
      if (one < other) *other = sign * *one;
    }
  }
}

static PetscErrorCode Eigendecompose(PetscInt q, PetscReal square[], PetscReal lambda[])
{
  PetscFunctionBeginUser;
  PsdEigen eigen;
  PetscCall(PsdEigenCreate(q, &eigen));
  PetscCall(PsdEigenSolve(eigen, square, lambda));
  PetscCall(PsdEigenDestroy(&eigen));
  PetscFunctionReturn(0);
}

/* Coordinates of even (parity 1) or odd (-1) patches: entry k of one stands for the pixels pixel[k] and its mirror
   image, which may be itself in those of its own sign. Returns how many. */
static PetscInt ListPixels(PsdPatches patches, PetscReal parity, PetscInt pixel[])
{
  PetscInt count = 0;
  for (PetscInt k = 0; k < patches->q; k++) {
    const PetscInt mirrored = PsdPatchesMirrorPixel(patches, k);
    if (k < mirrored || (k == mirrored && parity == PsdPatchesMirrorSign(patches, k))) pixel[count++] = k;
  }
  return count;
}

/* Eigenpairs of a covariance that mirroring leaves alone, among even or odd patches. vectors: q x count, by columns. */
static PetscErrorCode EigendecomposeParity(PsdPatches patches, PetscReal parity, const PetscReal covariance[],
                                           PetscInt *count, PetscReal lambda[], PetscReal vectors[])
{
  PetscFunctionBeginUser;
  const PetscInt q = patches->q;
  PetscInt *pixel;
  PetscReal *small;
  PetscCall(PetscMalloc1(q, &pixel));
  const PetscInt n = *count = ListPixels(patches, parity, pixel);
  PetscCall(PetscMalloc1((size_t)n * n, &small));
#define COVARIANCE(i, j) covariance[(size_t)PetscMax(i, j) * q + PetscMin(i, j)]
  for (PetscInt b = 0; b < n; b++) {
    const PetscInt j = pixel[b], j_mirrored = PsdPatchesMirrorPixel(patches, j);
    const PetscReal sign = parity * PsdPatchesMirrorSign(patches, j);
    for (PetscInt a = 0; a <= b; a++) {
      const PetscInt i = pixel[a];
      const PetscReal own =
          (i == PsdPatchesMirrorPixel(patches, i) ? 1 : PETSC_SQRT2) / (j == j_mirrored ? 1 : PETSC_SQRT2);
      small[(size_t)b * n + a] =
          j == j_mirrored ? own * COVARIANCE(i, j) : own * (COVARIANCE(i, j) + sign * COVARIANCE(i, j_mirrored));
    }
  }
#undef COVARIANCE
  if (n > 0) PetscCall(Eigendecompose(n, small, lambda));
  PetscCall(PetscArrayzero(vectors, (size_t)n * q));
  for (PetscInt k = 0; k < n; k++) {
    for (PetscInt a = 0; a < n; a++) {
      const PetscInt i = pixel[a], mirrored = PsdPatchesMirrorPixel(patches, i);
      const PetscReal value = small[(size_t)k * n + a];
      vectors[(size_t)k * q + i] = i == mirrored ? value : value / PETSC_SQRT2;
      if (i != mirrored)
        vectors[(size_t)k * q + mirrored] = parity * PsdPatchesMirrorSign(patches, i) * value / PETSC_SQRT2;
    }
  }
  PetscCall(PetscFree(small));
  PetscCall(PetscFree(pixel));
  PetscFunctionReturn(0);
}

/* As Eigendecompose, but every eigenvector is even or odd, which those of equal eigenvalues need not be. */
static PetscErrorCode EigendecomposeMirrored(PsdPatches patches, PetscReal square[], PetscReal lambda[])
{
  PetscFunctionBeginUser;
  const size_t q = (size_t)patches->q;
  PetscReal *values, *vectors;
  PetscInt even, odd;
  PetscCall(PetscMalloc2(q, &values, q * q, &vectors));
  PetscCall(EigendecomposeParity(patches, 1, square, &even, values, vectors));
  PetscCall(EigendecomposeParity(patches, -1, square, &odd, values + even, vectors + (size_t)even * q));
  for (PetscInt k = 0, a = 0, b = 0; k < patches->q; k++) {
    const PetscBool is_even = (PetscBool)(b == odd || (a < even && values[a] <= values[even + b]));
    const PetscInt from = is_even ? a++ : even + b++;
    lambda[k] = values[from];
    PetscCall(PetscArraycpy(square + (size_t)k * q, vectors + (size_t)from * q, q));
  }
  PetscCall(PetscFree2(values, vectors));
  PetscFunctionReturn(0);
}

/* transform (q x f row-major) from eigenvectors V (column k belongs to lambda_k, ascending) */
static void BuildTransform(PsdPatches patches, PetscInt f, const PetscReal V[], const PetscReal lambda[],
                           PetscReal transform[])
{
  const PetscInt q = patches->q;
  PetscReal mean_eigenvalue = 0;
  for (PetscInt k = 0; k < q; k++) mean_eigenvalue += lambda[k] / (PetscReal)q;
  for (PetscInt k = 0; k < f; k++) {
    const PetscReal *v = V + (size_t)(q - 1 - k) * q;
    const PetscReal variance = PetscMax(lambda[q - 1 - k], 0) + patches->whiten * mean_eigenvalue;
    const PetscReal shrink = patches->whiten > 0 ? 1 / PetscSqrtReal(variance) : 1;
    for (PetscInt i = 0; i < q; i++) {
      if (patches->pca > 0) transform[(size_t)i * f + k] = shrink * v[i];
      else
        for (PetscInt j = 0; j < q; j++) transform[(size_t)i * f + j] += shrink * v[i] * v[j];
    }
  }
}

/* A transform of ZCA that mirroring leaves alone but for rounding is made one that it leaves alone. */
static void RestoreSymmetry(PsdPatches patches, PetscReal transform[])
{
  const size_t q = (size_t)patches->q;
  for (size_t i = 0; i < q; i++)
    for (size_t j = 0; j < q; j++) {
      const size_t i_mirrored = (size_t)PsdPatchesMirrorPixel(patches, (PetscInt)i);
      const size_t j_mirrored = (size_t)PsdPatchesMirrorPixel(patches, (PetscInt)j);
      const PetscReal sign = PsdPatchesMirrorSign(patches, (PetscInt)i) * PsdPatchesMirrorSign(patches, (PetscInt)j);
      const PetscBool itself = (PetscBool)(i == i_mirrored && j == j_mirrored);
      transform[i_mirrored * q + j_mirrored] = itself && sign < 0 ? 0 : sign * transform[i * q + j];
    }
}

PetscErrorCode PsdPatchesSetStatistics(PsdPatches patches, PetscReal sum[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < patches->branches; k++) {
    PetscCall(PsdPatchesSetStatistics(patches->branch[k], sum));
    sum += PsdPatchesStatisticsLength(patches->branch[k]);
  }
  if (!PsdPatchesNeedStatistics(patches)) PetscFunctionReturn(0);
  const PetscInt q = patches->q, f = PsdPatchesFinalDimension(patches);
  PetscReal *mean, *square, *lambda, *transform;
  PetscMPIInt rank;
  int verdict = VARIED;
  PetscCallMPI(MPI_Comm_rank(patches->comm, &rank));
  PetscCall(PetscMalloc3(q, &mean, (size_t)q * q, &square, q, &lambda));
  PetscCall(PetscCalloc1((size_t)q * f, &transform));
  if (rank == 0 && patches->mirrored) AverageMirrors(patches, sum);
  if (rank == 0) verdict = Judge(q, sum, mean, square);
  PetscCallMPI(MPI_Bcast(&verdict, 1, MPI_INT, 0, patches->comm));
  if (verdict == VARIED) {
    if (rank == 0) {
      if (patches->mirrored) {
        PetscCall(EigendecomposeMirrored(patches, square, lambda));
      } else {
        PetscCall(Eigendecompose(q, square, lambda));
      }
      BuildTransform(patches, f, square, lambda, transform);
      if (patches->mirrored && patches->pca == 0) RestoreSymmetry(patches, transform);
    }
    PetscCall(PsdBroadcastArray(patches->comm, MPIU_REAL, (size_t)q * f, transform));
    PetscCall(PsdBroadcastArray(patches->comm, MPIU_REAL, (size_t)q, mean));
    PetscCall(PsdPatchesSetTransform(patches, f, transform, mean));
  }
  PetscCall(PetscFree3(mean, square, lambda));
  PetscCall(PetscFree(transform));
  PsdCheckInput(verdict != OVERFLOWN, "patches overflow: see -pixel_shift, -pixel_scale and -patch_normalize");
  PsdCheckInput(verdict == VARIED,
                "the patches are all alike: their covariance is zero, so -whiten and -pca have no meaning");
  PetscFunctionReturn(0);
}

/* The largest number of a raw patch. Maps come of whitened patches and unit filters. */
static PetscReal LargestPixel(const PsdPatchGeometry *g)
{
  if (g->map) return 1;
  const PetscReal spread = g->step > 0 ? PsdPixelsLargest(g) / 2 : 128;
  return g->normalize > 0 ? PetscMin(1, spread / PetscSqrtReal(g->normalize)) : PsdPixelsFarthest(g) / g->pixel_scale;
}

/* A whitened number has variance lambda/(lambda + EPS mean lambda); a transform is measured by its columns. */
static PetscReal LargestNumber(PsdPatches patches, PetscReal pixel)
{
  PetscReal squares = 0;
  if (patches->whiten > 0 && !patches->transform) return 1 / PetscSqrtReal(1 + patches->whiten);
  if (!patches->transform) return pixel;
  for (size_t k = 0; k < (size_t)patches->q * patches->f; k++) squares += patches->transform[k] * patches->transform[k];
  return pixel * PetscSqrtReal(squares / (PetscReal)patches->f);
}

void PsdPatchesGetRange(PsdPatches patches, PsdPatchRange *range)
{
  *range = (PsdPatchRange){PETSC_MAX_REAL, 0, 0};
  for (PetscInt k = 0; k < PetscMax(1, patches->branches); k++) {
    const PsdPatches branch = patches->branches ? patches->branch[k] : patches;
    const PetscReal pixel = LargestPixel(&branch->geometry), x = LargestNumber(branch, pixel);
    range->least = PetscMin(range->least, PetscMin(pixel, x));
    range->largest = PetscMax(range->largest, PetscMax(pixel, x));
    range->x = PetscMax(range->x, x);
  }
}
