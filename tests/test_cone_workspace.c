/* Projections make no workspace: once each block has been projected a few times with the same rank, PETSc allocates nothing more, by any
 * kernel and for blocks that another rank works on. (SLEPc's own eigensolvers, -cone_partial krylovschur to jd, may.) */
#include "network_sample.h"
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "cone/cone_impl.h"

#define ORDER 104  /* large enough for partial projections, and for teams */
#define POSITIVE 5 /* eigenvalues of X; of X' all but these */
#define WARM_UP 8  /* projections that may allocate: complete ones, and the first partial ones */
#define PROJECTIONS 8
#define LATE 1000000000 /* an iteration whose summable tolerance is nothing: only rounding is allowed */

/* ---------------------------------------------------------------- counting */

typedef PetscErrorCode (*Malloc)(size_t, PetscBool, int, const char[], const char[], void **);
typedef PetscErrorCode (*Realloc)(size_t, int, const char[], const char[], void **);

static Malloc petsc_malloc;
static Realloc petsc_realloc;
static int allocations;
static const char *last = ""; /* function that made the last one */

static PetscErrorCode CountMalloc(size_t size, PetscBool clear, int line, const char function[], const char file[],
                                  void **result)
{
  allocations++;
  last = function;
  return (*petsc_malloc)(size, clear, line, function, file, result);
}

static PetscErrorCode CountRealloc(size_t size, int line, const char function[], const char file[], void **result)
{
  allocations++;
  last = function;
  return (*petsc_realloc)(size, line, function, file, result);
}

static void StartCounting(void)
{
  petsc_malloc = PetscTrMalloc;
  petsc_realloc = PetscTrRealloc;
  PetscTrMalloc = CountMalloc;
  PetscTrRealloc = CountRealloc;
  allocations = 0;
}

static int StopCounting(void)
{
  PetscTrMalloc = petsc_malloc;
  PetscTrRealloc = petsc_realloc;
  return allocations;
}

/* ---------------------------------------------------------------- blocks */

/* The first one has no negative eigenvalue, so that there is room for all that Z can have. Others: sign times a matrix with POSITIVE positive eigenvalues, which turns a little with every step */
static void Compose(PetscReal sign, int step, PetscReal svec[])
{
  static PetscReal full[ORDER * ORDER];
  for (PetscInt j = 0; j < ORDER; j++)
    for (PetscInt i = 0; i < ORDER; i++)
      full[j * ORDER + i] = i == j ? (step == 0 ? 1 : -sign * (0.1 + 0.005 * (PetscReal)j)) : 0;
  for (PetscInt k = 0; k < POSITIVE && step > 0; k++) {
    PetscReal v[ORDER];
    for (PetscInt i = 0; i < ORDER; i++)
      v[i] = PetscCosReal((PetscReal)(k + 1) * ((PetscReal)i + 0.5 + 1e-3 * step) * PETSC_PI / ORDER);
    for (PetscInt j = 0; j < ORDER; j++)
      for (PetscInt i = 0; i <= j; i++) full[j * ORDER + i] += sign * (1 - 0.1 * (PetscReal)k) * v[i] * v[j];
  }
  PsdPack(ORDER, full, svec);
}

static void FillAll(PsdBlocks blocks, int step, Vec X[2])
{
  for (PetscInt s = 0; s < 2; s++) {
    PetscReal *x;
    MUST(VecGetArray(X[s], &x));
    for (PetscInt k = 0; k < blocks->local; k++)
      Compose(s == 0 ? 1 : -1, step == 0 ? 0 : step + (int)(blocks->first + k), x + (size_t)k * blocks->m_max);
    MUST(VecRestoreArray(X[s], &x));
  }
}

/* One projection and, as at a check, the factors. */
static void Project(PsdCone cone, Vec X[2], Vec Z[2])
{
  cone->iteration = LATE;
  MUST(PsdConeProject(cone, X, Z));
  for (PetscInt s = 0; s < 2; s++)
    for (PetscInt k = 0; k < cone->blocks->local; k++) {
      PetscInt rank;
      const PetscReal *F;
      MUST(PsdConeGetFactor(cone, s, k, &rank, &F));
      Require(rank >= POSITIVE, "rank of the projection");
    }
}

static void CountOf(const char kernel[], PsdConeDriver driver, PetscInt pairs)
{
  PsdBlocks blocks;
  PsdCone cone;
  Vec X[2], Z[2];
  char use[128];
  MUST(PsdBlocksCreate(PETSC_COMM_WORLD, pairs, 1, ORDER - 1, &blocks));
  for (PetscInt s = 0; s < 2; s++) {
    MUST(PsdBlocksCreateVec(blocks, &X[s]));
    MUST(PsdBlocksCreateVec(blocks, &Z[s]));
  }
  MUST(PsdConeCreate(&cone));
  cone->choice = PsdConeFind(kernel);
  cone->driver = driver;
  MUST(PsdConeSetUp(cone, blocks));
  for (int step = 0; step < WARM_UP; step++) {
    FillAll(blocks, step, X);
    Project(cone, X, Z);
  }
  for (int step = WARM_UP; step < WARM_UP + PROJECTIONS; step++) {
    FillAll(blocks, step, X);
    StartCounting();
    Project(cone, X, Z);
    const int count = StopCounting();
    if (count > 0)
      fprintf(stderr, "%s, %d pairs, projection %d: %d allocations, the last in %s\n", kernel, (int)pairs, step, count,
              last);
    Require(count == 0, "allocations of a projection");
  }
  MUST(PsdConeGetUse(cone, sizeof(use), use));
  Require(strstr(use, strcmp(kernel, "auto") ? kernel : "partial") != NULL, "the kernel was used");
  for (PetscInt s = 0; s < 2; s++) {
    MUST(VecDestroy(&X[s]));
    MUST(VecDestroy(&Z[s]));
  }
  MUST(PsdConeDestroy(&cone));
  MUST(PsdBlocksDestroy(&blocks));
}

/* what is counted is counted */
static void TheCounterCounts(void **state)
{
  PetscReal *some = NULL;
  (void)state;
  StartCounting();
  MUST(PetscMalloc1(3, &some));
  MUST(PetscRealloc(5 * sizeof(*some), &some));
  Require(StopCounting() == 2, "one allocation, and one that grows");
  MUST(PetscFree(some));
}

static void NoKernelAllocates(void **state)
{
  (void)state;
  for (PetscInt pairs = 1; pairs <= 3; pairs += 2) {
    CountOf("auto", PSD_LAPACK_AUTO, pairs);
    CountOf("partial", PSD_LAPACK_AUTO, pairs);
    CountOf("lapack", PSD_LAPACK_AUTO, pairs);
    CountOf("lapack", PSD_LAPACK_COMPLETE, pairs);
    CountOf("lapack", PSD_LAPACK_RANGE, pairs);
    CountOf("scalapack", PSD_LAPACK_AUTO, pairs);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TheCounterCounts), cmocka_unit_test(NoKernelAllocates)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
