/*
   The leading eigenvectors of X'X of some of the patches. Where f is small X'X is formed and decomposed. Otherwise block
   subspace iteration from vectors that look random (Halko, Martinsson and Tropp): X'X itself is never formed, and all work
   is products of X with hundreds of vectors, which a Krylov method, that multiplies few vectors many times, does not have.
*/
#include "components.h"
#include "base/base.h"
#include "base/eigen.h"
#include "base/gemm.h"
#include <petscblaslapack.h>

#define SAMPLES 3000 /* patches, about; and at least PER_VECTOR for each component */
#define PER_VECTOR 3
#define GUARDS 20 /* vectors beyond those that are wanted */
#define ITERATIONS 2

/* This rank's patches that are looked at. */
typedef struct {
  PsdPatchMatrix matrix;
  const PetscInt *count, *f;
  const PetscInt *region_branch;
  PetscInt branch, first, stride; /* first: number of this rank's first sample among all */
  size_t rows;
  float *x; /* rows x f */
} Sample;

static PetscErrorCode Collect(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[])
{
  PetscFunctionBeginUser;
  Sample *it = context;
  const size_t length = (size_t)it->count[g] * it->f[g];
  if (it->region_branch[g] != it->branch) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < count; i++) {
    if ((it->first + first + i) % it->stride) continue;
    const PetscReal *from = x + (size_t)i * length;
    float *to = it->x + it->rows * it->f[g];
    for (size_t k = 0; k < length; k++) to[k] = (float)from[k];
    it->rows += (size_t)it->count[g];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CollectBranch(PsdData data, PsdPatchMatrix matrix, const PsdComponentList *list, PetscInt branch,
                                    PetscInt K, PetscInt f, Sample *sample)
{
  PetscFunctionBeginUser;
  PetscInt n, n_local, G;
  size_t patches = 0;
  *sample = (Sample){.matrix = matrix, .region_branch = list->branch, .branch = branch};
  PetscCall(PsdDataGetSizes(data, &n, &n_local, &sample->first));
  PsdPatchMatrixGetSizes(matrix, NULL, &G, &sample->count, &sample->f);
  for (PetscInt g = 0; g < G; g++)
    if (list->branch[g] == branch) patches += (size_t)sample->count[g];
  const size_t wanted = PetscMax(SAMPLES, PER_VECTOR * (size_t)K);
  sample->stride = (PetscInt)PetscMax(1, (size_t)n * patches / wanted);
  PetscCall(PetscMalloc1(((size_t)n_local / (size_t)sample->stride + 1) * patches * (size_t)f, &sample->x));
  PetscCall(PsdPatchMatrixPass(matrix, Collect, sample));
  PetscFunctionReturn(0);
}

/* E <- all eigenvectors of the sum of X'X over ranks, the strongest first */
static PetscErrorCode Decompose(MPI_Comm comm, const Sample *sample, PsdComponents *it)
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f;
  PetscReal *moment, *lambda;
  float *part;
  PsdEigen eigen;
  PetscCall(PetscCalloc3((size_t)f * f, &moment, f, &lambda, (size_t)f * f, &part));
  PetscCall(PsdSyrkSingle('N', f, (PetscInt)sample->rows, sample->x, f, part, f));
  for (size_t k = 0; k < (size_t)f * f; k++) moment[k] = part[k];
  PetscCall(PsdSumArray(comm, MPIU_REAL, (size_t)f * f, moment));
  PetscCall(PsdEigenCreate(f, &eigen));
  PetscCall(PsdEigenSolve(eigen, moment, lambda));
  PetscCall(PsdEigenDestroy(&eigen));
  for (PetscInt k = 0; k < f; k++) PetscCall(PetscArraycpy(it->E + (size_t)k * f, moment + (size_t)(f - 1 - k) * f, f));
  PetscCall(PetscFree3(moment, lambda, part));
  PetscFunctionReturn(0);
}

/* Q (f x columns) <- an orthonormal basis of its columns, by Householder's reflections */
static PetscErrorCode Reflect(PetscInt f, PetscInt columns, PetscReal Q[])
{
  PetscFunctionBeginUser;
  PetscBLASInt bf, bcolumns, room, info;
  PetscReal *tau, *work;
  PetscCall(PetscBLASIntCast(f, &bf));
  PetscCall(PetscBLASIntCast(columns, &bcolumns));
  PetscCall(PetscBLASIntCast(64 * columns, &room));
  PetscCall(PetscMalloc2(columns, &tau, room, &work));
  PetscCallBLAS("LAPACKgeqrf", LAPACKgeqrf_(&bf, &bcolumns, Q, &bf, tau, work, &room, &info));
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "geqrf: %d", (int)info);
  PetscCallBLAS("LAPACKorgqr", LAPACKorgqr_(&bf, &bcolumns, &bcolumns, Q, &bf, tau, work, &room, &info));
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "orgqr: %d", (int)info);
  PetscCall(PetscFree2(tau, work));
  PetscFunctionReturn(0);
}

/* The same by Cholesky's factor R of Q'Q, Q R^-1, twice for its rounding: a few times faster. Where Q is singular to rounding there
   is no factor. */
static PetscErrorCode Orthonormalise(PetscInt f, PetscInt columns, PetscReal Q[])
{
  PetscFunctionBeginUser;
  const PetscReal one = 1;
  PetscBLASInt bf, bcolumns, info = 0;
  PetscReal *R;
  PetscCall(PetscBLASIntCast(f, &bf));
  PetscCall(PetscBLASIntCast(columns, &bcolumns));
  PetscCall(PetscMalloc1((size_t)columns * columns, &R));
  for (int again = 0; again < 2 && info == 0; again++) {
    PetscCall(PsdSyrkDouble('T', columns, f, Q, f, R, columns));
    PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &bcolumns, R, &bcolumns, &info));
    if (info == 0) PetscCallBLAS("BLAStrsm", BLAStrsm_("R", "U", "N", "N", &bf, &bcolumns, &one, R, &bcolumns, Q, &bf));
  }
  PetscCall(PetscFree(R));
  if (info != 0) PetscCall(Reflect(f, columns, Q));
  PetscFunctionReturn(0);
}

/* SQ <- sum over ranks of X'(X Q) */
static PetscErrorCode Multiply(MPI_Comm comm, const Sample *sample, PetscInt f, PetscInt columns, const PetscReal Q[],
                               float Q_single[], float XQ[], float SQ_single[], PetscReal SQ[])
{
  PetscFunctionBeginUser;
  const PetscInt rows = (PetscInt)sample->rows;
  const size_t length = (size_t)f * columns;
  for (size_t k = 0; k < length; k++) Q_single[k] = (float)Q[k];
  PetscCall(PsdGemmSingle('T', 'N', rows, columns, f, sample->x, f, Q_single, f, XQ, PetscMax(1, rows)));
  PetscCall(PsdGemmSingle('N', 'N', f, columns, rows, sample->x, f, XQ, PetscMax(1, rows), SQ_single, f));
  for (size_t k = 0; k < length; k++) SQ[k] = rows ? SQ_single[k] : 0;
  PetscCall(PsdSumArray(comm, MPIU_REAL, length, SQ));
  PetscFunctionReturn(0);
}

/* Numbers in (-1, 1) that look random. */
static void Scatter(size_t count, PetscReal values[])
{
  uint64_t state = 1;
  for (size_t k = 0; k < count; k++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values[k] = (PetscReal)(state >> 11) / (PetscReal)((uint64_t)1 << 52) - 1;
  }
}

static PetscErrorCode Iterate(MPI_Comm comm, const Sample *sample, PsdComponents *it)
{
  PetscFunctionBeginUser;
  const PetscInt f = it->f, columns = PetscMin(f, it->K + GUARDS);
  const size_t length = (size_t)f * columns;
  PetscReal *Q, *SQ, *small, *lambda;
  float *Q_single, *SQ_single, *XQ;
  PsdEigen eigen;
  PetscCall(PetscMalloc4(length, &Q, length, &SQ, (size_t)columns * columns, &small, columns, &lambda));
  PetscCall(PetscMalloc3(length, &Q_single, length, &SQ_single, (sample->rows + 1) * (size_t)columns, &XQ));
  Scatter(length, Q);
  for (int k = 0; k < ITERATIONS; k++) {
    PetscCall(Multiply(comm, sample, f, columns, Q, Q_single, XQ, SQ_single, SQ));
    PetscCall(PetscArraycpy(Q, SQ, length));
    PetscCall(Orthonormalise(f, columns, Q));
    PetscCall(PsdBroadcastArray(comm, MPIU_REAL, length, Q));
  }
  PetscCall(Multiply(comm, sample, f, columns, Q, Q_single, XQ, SQ_single, SQ));
  PetscCall(PsdGemmDouble('T', 'N', columns, columns, f, Q, f, SQ, f, small, columns));
  PetscCall(PsdEigenCreate(columns, &eigen));
  PetscCall(PsdEigenSolve(eigen, small, lambda));
  PetscCall(PsdEigenDestroy(&eigen));
  PetscCall(PsdGemmDouble('N', 'N', f, columns, columns, Q, f, small, columns, SQ, f));
  for (PetscInt k = 0; k < it->K; k++)
    PetscCall(PetscArraycpy(it->E + (size_t)k * f, SQ + (size_t)(columns - 1 - k) * f, f));
  PetscCall(PetscFree4(Q, SQ, small, lambda));
  PetscCall(PetscFree3(Q_single, SQ_single, XQ));
  PetscFunctionReturn(0);
}

static PetscErrorCode NumberBranches(PsdPatches patches, PsdComponentList *list)
{
  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetBranchCount(patches, &list->branches));
  PetscCall(PetscMalloc1(list->G, &list->branch));
  PetscCall(PetscCalloc1(list->branches, &list->of));
  for (PetscInt k = 0, g = 0; k < list->branches; k++) {
    PsdPatches branch;
    PetscInt G;
    PetscCall(PsdPatchesGetBranch(patches, k, &branch));
    PetscCall(PsdPatchesGetSizes(branch, NULL, NULL, &G, NULL));
    for (PetscInt end = g + G; g < end; g++) list->branch[g] = k;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdComponentsCreate(MPI_Comm comm, PsdData data, PsdPatches patches, PsdPatchMatrix matrix, PetscInt K,
                                   PetscInt complete, PsdComponentList *list)
{
  PetscFunctionBeginUser;
  const PetscInt *f;
  *list = (PsdComponentList){0};
  PsdPatchMatrixGetSizes(matrix, NULL, &list->G, NULL, &f);
  PetscCall(NumberBranches(patches, list));
  for (PetscInt k = 0; k < list->branches; k++) {
    PsdComponents *it = &list->of[k];
    Sample sample;
    for (PetscInt g = 0; g < list->G; g++)
      if (list->branch[g] == k) it->f = f[g];
    const PetscBool all = (PetscBool)(it->f <= PetscMax(K, complete));
    it->K = all ? it->f : K;
    PetscCall(PetscMalloc1((size_t)it->f * it->K, &it->E));
    PetscCall(CollectBranch(data, matrix, list, k, it->K, it->f, &sample));
    if (all) PetscCall(Decompose(comm, &sample, it));
    else PetscCall(Iterate(comm, &sample, it));
    PetscCall(PetscFree(sample.x));
    PetscCall(PsdBroadcastArray(comm, MPIU_REAL, (size_t)it->f * it->K, it->E));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdComponentsDestroy(PsdComponentList *list)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < list->branches; k++) PetscCall(PetscFree(list->of[k].E));
  PetscCall(PetscFree(list->of));
  PetscCall(PetscFree(list->branch));
  *list = (PsdComponentList){0};
  PetscFunctionReturn(0);
}
