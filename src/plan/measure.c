/*
   Rates: those of this machine, all ranks at work at once, each operation timed until it has taken a tenth of a second;
   or as they were given for another machine.
*/
#include "base/eigen.h"
#include "base/gemm.h"
#include "measure.h"
#include "patches/lift.h"
#include <petscblaslapack.h>

#define ORDER 1024
#define EIGEN_MOST 500 /* larger blocks: by the cube of the order */
#define ENOUGH 0.1

typedef PetscErrorCode (*Operation)(void *context);

/* Seconds of one call: the first is not counted, and the slowest rank counts. */
static PetscErrorCode Time(MPI_Comm comm, Operation operation, void *context, PetscReal *seconds)
{
  PetscFunctionBeginUser;
  PetscInt calls = 0;
  PetscCall((*operation)(context));
  PetscCallMPI(MPI_Barrier(comm));
  const PetscLogDouble start = MPI_Wtime();
  PetscLogDouble elapsed = 0;
  while (elapsed < ENOUGH) {
    PetscCall((*operation)(context));
    calls++;
    elapsed = MPI_Wtime() - start;
  }
  *seconds = elapsed / (PetscReal)calls;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seconds, 1, MPIU_REAL, MPI_MAX, comm));
  PetscFunctionReturn(0);
}

/* Operands of the dense operations: A and B of ORDER x ORDER, C as well or larger; vectors longer than any cache. */
typedef struct {
  PetscReal *A, *B, *C, *lambda;
  float *single; /* two */
  size_t length; /* of the triad's vectors, which lie in one array behind each other */
  PetscReal *vectors;
  PetscInt d;
  PsdEigen eigen;
  PsdPatches patches;
  const PetscReal *activation;
  void *image;
  PetscReal *moments;
} Operands;

static PetscErrorCode Gemm(void *context)
{
  PetscFunctionBeginUser;
  Operands *it = context;
  const PetscReal one = 1, zero = 0;
  const PetscBLASInt n = ORDER;
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &n, &n, &n, &one, it->A, &n, it->B, &n, &zero, it->C, &n));
  PetscFunctionReturn(0);
}

static PetscErrorCode Syrk(void *context)
{
  PetscFunctionBeginUser;
  Operands *it = context;
  const PetscReal one = 1, zero = 0;
  const PetscBLASInt n = ORDER;
  PetscCallBLAS("BLASsyrk", BLASsyrk_("U", "N", &n, &n, &one, it->A, &n, &zero, it->C, &n));
  PetscFunctionReturn(0);
}

static PetscErrorCode SyrkOfSingle(void *context)
{
  PetscFunctionBeginUser;
  Operands *it = context;
  PetscCall(PsdSyrkSingle('N', ORDER, ORDER, it->single, ORDER, it->single + (size_t)ORDER * ORDER, ORDER));
  PetscFunctionReturn(0);
}

static PetscErrorCode Potrf(void *context)
{
  PetscFunctionBeginUser;
  Operands *it = context;
  const PetscBLASInt n = ORDER;
  PetscBLASInt info;
  PetscCall(PetscArraycpy(it->C, it->B, (size_t)ORDER * ORDER));
  for (size_t k = 0; k < ORDER; k++) it->C[k * ORDER + k] += 2 * ORDER;
  PetscCallBLAS("LAPACKpotrf", LAPACKpotrf_("U", &n, it->C, &n, &info));
  PetscFunctionReturn(0);
}

static PetscErrorCode Triad(void *context)
{
  PetscFunctionBeginUser;
  Operands *it = context;
  PetscReal *restrict a = it->vectors, *restrict b = a + it->length, *restrict c = b + it->length;
  for (size_t k = 0; k < it->length; k++) a[k] = b[k] + 0.5 * c[k];
  PetscFunctionReturn(0);
}

static PetscErrorCode Eigen(void *context)
{
  PetscFunctionBeginUser;
  Operands *it = context;
  for (PetscInt j = 0; j < it->d; j++)
    PetscCall(PetscArraycpy(it->C + (size_t)j * it->d, it->B + (size_t)j * ORDER, it->d));
  PetscCall(PsdEigenSolve(it->eigen, it->C, it->lambda));
  PetscFunctionReturn(0);
}

static PetscErrorCode Lift(void *context)
{
  PetscFunctionBeginUser;
  Operands *it = context;
  PetscInt branches;
  PetscCall(PsdPatchesGetBranchCount(it->patches, &branches));
  PetscCall(PsdPatchesMoments(it->patches, it->image, it->moments));
  if (branches == 1) PetscCall(PsdPatchesLift(it->patches, it->activation, it->moments, it->moments));
  PetscFunctionReturn(0);
}

/* Seconds an image that whitened patches take beyond the others: two more products a region, at less than dgemm's
   rate. */
static PetscReal TransformSeconds(const PsdSizes *sizes, PetscReal gemm)
{
  PetscReal flops = 0;
  if (!sizes->transform) return 0;
  for (PetscInt b = 0; b < sizes->branches; b++) {
    const PsdBranchSizes *branch = &sizes->branch[b];
    flops += (PetscReal)branch->G * 2 * sizes->q * branch->f * (sizes->q + branch->f);
  }
  return flops / (0.7 * gemm);
}

/* An image of bytes or a map, of numbers that look random. */
static PetscErrorCode MakeImage(const PsdSizes *sizes, void **image)
{
  PetscFunctionBeginUser;
  const PetscBool map = (PetscBool)(sizes->map > 0);
  const size_t count = (size_t)(map ? sizes->map : sizes->image);
  PetscRandom random;
  PetscReal value;
  PetscCall(PetscRandomCreate(PETSC_COMM_SELF, &random));
  PetscCall(PetscMalloc(count * (map ? sizeof(float) : 1), image));
  for (size_t k = 0; k < count; k++) {
    PetscCall(PetscRandomGetValueReal(random, &value));
    if (map) ((float *)*image)[k] = (float)value;
    else ((unsigned char *)*image)[k] = (unsigned char)(255 * value);
  }
  PetscCall(PetscRandomDestroy(&random));
  PetscFunctionReturn(0);
}

/* What is timed is without a transform, which is counted; a stage of maps is counted by itself. With several branches only
   the moments are timed, and what lifting adds to them without a transform, a copy, is left out. */
static PetscErrorCode TimeLift(MPI_Comm comm, const PsdSizes *sizes, Operands *it, PsdRates *rates)
{
  PetscFunctionBeginUser;
  PetscCall(MakeImage(sizes, &it->image));
  PetscCall(PetscMalloc1((size_t)PsdPatchesMomentsLength(it->patches), &it->moments));
  PetscCall(Time(comm, Lift, it, &rates->lift));
  rates->lift += TransformSeconds(sizes, rates->gemm);
  PetscCall(PetscFree(it->image));
  PetscCall(PetscFree(it->moments));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRatesMeasure(MPI_Comm comm, const PsdSizes *sizes, PsdPatches patches, const PetscReal activation[3],
                               PsdRates *rates)
{
  PetscFunctionBeginUser;
  const PetscReal cube = (PetscReal)ORDER * ORDER * ORDER;
  const size_t square = (size_t)ORDER * ORDER;
  Operands it = {.length = (size_t)4 << 20, .patches = patches, .activation = activation};
  PetscReal seconds;
  it.d = (PetscInt)PetscMin(sizes->d_max, EIGEN_MOST);
  PetscCall(PetscMalloc5(square, &it.A, square, &it.B, square, &it.C, ORDER, &it.lambda, 3 * it.length, &it.vectors));
  for (size_t k = 0; k < square; k++) it.A[k] = it.B[k] = (PetscReal)((k * 7919) % 1009) / 1009;
  for (size_t k = 0; k < 3 * it.length; k++) it.vectors[k] = 1;
  PetscCall(Time(comm, Gemm, &it, &seconds));
  rates->gemm = 2 * cube / seconds;
  PetscCall(Time(comm, Syrk, &it, &seconds));
  rates->syrk = cube / seconds;
  PetscCall(PetscMalloc1(2 * square, &it.single));
  for (size_t k = 0; k < square; k++) it.single[k] = (float)it.A[k];
  PetscCall(Time(comm, SyrkOfSingle, &it, &seconds));
  rates->single = cube / seconds;
  PetscCall(PetscFree(it.single));
  PetscCall(Time(comm, Potrf, &it, &seconds));
  rates->potrf = cube / 3 / seconds;
  PetscCall(Time(comm, Triad, &it, &seconds));
  rates->bandwidth = 3 * (PetscReal)(it.length * sizeof(PetscReal)) / seconds;
  PetscCall(PsdEigenCreate(it.d, &it.eigen));
  PetscCall(Time(comm, Eigen, &it, &seconds));
  rates->eigen = seconds / ((PetscReal)it.d * it.d * it.d);
  PetscCall(PsdEigenDestroy(&it.eigen));
  PetscCall(TimeLift(comm, sizes, &it, rates));
  PetscCall(PetscFree5(it.A, it.B, it.C, it.lambda, it.vectors));
  PetscFunctionReturn(0);
}

void PsdRatesGiven(const PsdSizes *sizes, PetscInt count, const PetscReal given[], PsdRates *rates)
{
  const PsdRates nominal = PsdRatesNominal(sizes);
  const PetscReal slower = nominal.gemm / (given[0] * 1e9);
  *rates = (PsdRates){.gemm = given[0] * 1e9,
                      .syrk = given[1] * 1e9,
                      .potrf = given[2] * 1e9,
                      .bandwidth = given[3] * 1e9,
                      .single = nominal.single / slower,
                      .eigen = nominal.eigen * slower,
                      .lift = nominal.lift * slower + TransformSeconds(sizes, given[0] * 1e9)};
  if (count < PSD_RATES_MORE) return;
  rates->lift = given[4] / 1e3;
  rates->eigen = given[5] / 1e3 / (sizes->d_max * sizes->d_max * sizes->d_max);
  if (count == PSD_RATES) rates->single = given[6] * 1e9;
}
