/* Partial projections are those of the whole spectrum to their tolerance, whatever was kept from the last time: eigenvalues that
 * appear where no start vector looks, clusters, zero blocks, all of one sign, rank one, zeros within rounding, scales; by
 * psdnet's own solver and by SLEPc's, and for blocks that another rank works on. Options of SLEPc reach them. */
#include "network_sample.h"
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <petscblaslapack.h>
#include "cone/cone_impl.h"
#include "cone/eps_block.h"

#define ORDER 64        /* d of the blocks */
#define LATE 1000000000 /* an iteration whose summable tolerance is nothing: only rounding is allowed */

static const EPSType solvers[] = {PSD_EPS_BLOCK, EPSKRYLOVSCHUR, EPSLOBPCG, EPSGD, EPSJD};

/* A fixed orthogonal matrix, by columns. */
static const PetscReal *Columns(void)
{
  static PetscReal Q[ORDER * ORDER];
  static PetscBool known = PETSC_FALSE;
  PetscReal work[ORDER * 3], values[ORDER];
  PetscBLASInt d = ORDER, room = ORDER * 3, info;
  if (known) return Q;
  Fill(7, ORDER * ORDER, Q);
  for (PetscInt j = 0; j < ORDER; j++)
    for (PetscInt i = 0; i < j; i++) Q[i * ORDER + j] = Q[j * ORDER + i];
  LAPACKsyev_("V", "U", &d, Q, &d, values, work, &room, &info);
  Require(info == 0, "dsyev");
  known = PETSC_TRUE;
  return Q;
}

/* X = sum over k of lambda_k q_k q_k', q: the columns */
static void Compose(const PetscReal lambda[], PetscReal svec[])
{
  static PetscReal full[ORDER * ORDER];
  const PetscReal *Q = Columns();
  MUST(PetscArrayzero(full, ORDER * ORDER));
  for (PetscInt k = 0; k < ORDER; k++)
    for (PetscInt j = 0; j < ORDER && lambda[k] != 0; j++)
      for (PetscInt i = 0; i <= j; i++) full[j * ORDER + i] += lambda[k] * Q[k * ORDER + j] * Q[k * ORDER + i];
  PsdPack(ORDER, full, svec);
}

static void PositivePart(const PetscReal lambda[], PetscReal svec[])
{
  PetscReal positive[ORDER];
  for (PetscInt k = 0; k < ORDER; k++) positive[k] = PetscMax(lambda[k], 0);
  Compose(positive, svec);
}

/* One pair whose blocks go through a sequence of matrices; each projection is compared. */
typedef struct {
  PsdBlocks blocks;
  PsdCone cone;
  Vec X[2], Z[2];
  PetscReal x[ORDER * (ORDER + 1) / 2], expected[ORDER * (ORDER + 1) / 2];
} Sequence;

static void SequenceCreate(EPSType type, Sequence *it)
{
  MUST(PsdBlocksCreate(PETSC_COMM_WORLD, 1, 1, ORDER - 1, &it->blocks));
  MUST(PsdConeCreate(&it->cone));
  it->cone->choice = PsdConeFind("partial");
  it->cone->eps_type = type;
  MUST(PsdConeSetUp(it->cone, it->blocks));
  for (PetscInt s = 0; s < 2; s++) {
    MUST(PsdBlocksCreateVec(it->blocks, &it->X[s]));
    MUST(PsdBlocksCreateVec(it->blocks, &it->Z[s]));
  }
}

static void SequenceDestroy(Sequence *it)
{
  for (PetscInt s = 0; s < 2; s++) {
    MUST(VecDestroy(&it->X[s]));
    MUST(VecDestroy(&it->Z[s]));
  }
  MUST(PsdConeDestroy(&it->cone));
  MUST(PsdBlocksDestroy(&it->blocks));
}

static void Put(Sequence *it, PetscInt s, const PetscReal x[])
{
  PetscReal *values;
  MUST(VecGetArray(it->X[s], &values));
  MUST(PetscArraycpy(values, x, it->blocks->local * it->blocks->m_max));
  MUST(VecRestoreArray(it->X[s], &values));
}

/* z is the positive part, and F F' is z; the error allowed is the cone's own tolerance at the end of a run, 4 d eps ||X||, and the
 * rounding of the comparison */
static void CheckOne(Sequence *it, PetscInt s, const char what[])
{
  const PetscInt m = it->blocks->m_max;
  const PetscReal *z, *F;
  PetscReal norm = 0, error = 0, full[ORDER * ORDER] = {0}, product[ORDER * (ORDER + 1) / 2], factored = 0;
  PetscInt rank;
  if (it->blocks->local == 0) return;
  for (PetscInt k = 0; k < m; k++) norm += it->x[k] * it->x[k];
  norm = PetscSqrtReal(norm);
  MUST(VecGetArrayRead(it->Z[s], &z));
  MUST(PsdConeGetFactor(it->cone, s, 0, &rank, &F));
  for (PetscInt k = 0; k < rank; k++)
    for (PetscInt j = 0; j < ORDER; j++)
      for (PetscInt i = 0; i <= j; i++) full[j * ORDER + i] += F[k * ORDER + i] * F[k * ORDER + j];
  PsdPack(ORDER, full, product);
  for (PetscInt k = 0; k < m; k++) {
    error += PetscSqr(z[k] - it->expected[k]);
    factored += PetscSqr(z[k] - product[k]);
  }
  MUST(VecRestoreArrayRead(it->Z[s], &z));
  const PetscReal allowed = 16 * ORDER * PETSC_MACHINE_EPSILON * norm;
  if (!(PetscSqrtReal(error) <= allowed))
    fprintf(stderr, "%s: error %g, allowed %g\n", what, (double)PetscSqrtReal(error), (double)allowed);
  Require(PetscSqrtReal(error) <= allowed, "positive part");
  Require(PetscSqrtReal(factored) <= allowed, "z = F F'");
}

/* X: the spectrum in one block, its negative in the other */
static void Project(Sequence *it, const PetscReal lambda[], const char what[])
{
  PetscReal opposite[ORDER];
  for (PetscInt k = 0; k < ORDER; k++) opposite[k] = -lambda[k];
  Compose(lambda, it->x);
  Put(it, 0, it->x);
  Compose(opposite, it->x);
  Put(it, 1, it->x);
  it->cone->iteration = LATE;
  MUST(PsdConeProject(it->cone, it->X, it->Z));
  PositivePart(opposite, it->expected);
  CheckOne(it, 1, what);
  Compose(lambda, it->x);
  PositivePart(lambda, it->expected);
  CheckOne(it, 0, what);
}

typedef enum { USUAL, NEW_ONE, CLUSTERED, ALL_NEGATIVE, ZEROS, RANK_ONE, NEARLY_ZERO, MANY, ALL_POSITIVE, KINDS } Kind;
static const char *const names[KINDS] = {
    "usual",    "a new positive eigenvalue", "cluster", "all negative", "zero block",
    "rank one", "zeros within rounding",     "many",    "all positive"};

static void Spectrum(Kind kind, PetscReal lambda[])
{
  for (PetscInt k = 0; k < ORDER; k++) {
    lambda[k] = -0.03 - 0.9 * (PetscReal)k / ORDER;
    if (k < 5) lambda[k] = 1 - 0.15 * (PetscReal)k;
    /* the eigenvector of number 40 is orthogonal to all that was kept */
    if (kind == NEW_ONE && k == 40) lambda[k] = 0.7;
    if (kind == CLUSTERED && k < 12) lambda[k] = 0.5 + 1e-12 * (PetscReal)k;
    if (kind == ALL_NEGATIVE) lambda[k] = -1 - 0.1 * (PetscReal)k;
    if (kind == ZEROS) lambda[k] = 0;
    if (kind == RANK_ONE) lambda[k] = k == 33 ? 1 : 0;
    if (kind == NEARLY_ZERO && k >= 5) lambda[k] = (k % 2 ? 1 : -1) * 1e-17;
    if (kind == MANY && k < 30) lambda[k] = 1 + (PetscReal)k;
    if (kind == ALL_POSITIVE) lambda[k] = 1 + 0.1 * (PetscReal)k;
  }
}

/* from every kind to every other: what was kept is then of no use, or worse */
static void FromAnyToAny(EPSType type, PetscReal scale)
{
  PetscReal lambda[ORDER];
  for (Kind from = 0; from < KINDS; from++)
    for (Kind to = 0; to < KINDS; to++) {
      Sequence it;
      SequenceCreate(type, &it);
      for (int step = 0; step < 4; step++) {
        Spectrum(step < 2 ? from : to, lambda);
        for (PetscInt k = 0; k < ORDER; k++) lambda[k] *= scale;
        Project(&it, lambda, names[to]);
      }
      SequenceDestroy(&it);
    }
}

static void OwnSolver(void **state)
{
  (void)state;
  FromAnyToAny(PSD_EPS_BLOCK, 1);
  FromAnyToAny(PSD_EPS_BLOCK, 1e-12);
  FromAnyToAny(PSD_EPS_BLOCK, 1e12);
}

static void SlepcSolvers(void **state)
{
  (void)state;
  for (size_t k = 1; k < sizeof(solvers) / sizeof(*solvers); k++) {
    Sequence it;
    PetscReal lambda[ORDER];
    SequenceCreate(solvers[k], &it);
    for (Kind kind = 0; kind < KINDS; kind++)
      for (int step = 0; step < 2; step++) {
        Spectrum(kind, lambda);
        Project(&it, lambda, solvers[k]);
      }
    SequenceDestroy(&it);
  }
}

/* a slowly turning spectrum is followed without complete decompositions, and a jump is noticed */
static void FollowsWithoutStartingAnew(void **state)
{
  Sequence it;
  PetscReal lambda[ORDER];
  char use[128];
  (void)state;
  SequenceCreate(PSD_EPS_BLOCK, &it);
  Spectrum(USUAL, lambda);
  for (int step = 0; step < 25; step++) {
    if (step == 20) lambda[50] = 0.4;
    for (PetscInt k = 0; k < 5; k++) lambda[k] += 1e-3;
    Project(&it, lambda, "sequence");
  }
  MUST(PsdConeGetUse(it.cone, sizeof(use), use));
  Require(!strcmp(use, "partial"), "name of the kernel");
  if (it.blocks->local > 0) {
    Require(it.cone->state[0][0].rank_Z == 6, "five eigenvalues, and the new one");
    if (!it.cone->shared) Require(it.cone->state[0][0].columns < ORDER, "at the price of a few products");
  }
  SequenceDestroy(&it);
}

/* the words of a file, as far as they fit; the file is removed */
static void ReadOnce(const char path[], size_t size, char text[])
{
  FILE *file = fopen(path, "r");
  Require(file != NULL, path);
  const size_t length = fread(text, 1, size - 1, file);
  text[length] = '\0';
  fclose(file);
  remove(path);
}

/* svec <- the usual spectrum and, so that eigenvectors turn, a little of something else every time; ||svec|| */
static PetscReal ComposeTurning(int step, PetscReal svec[])
{
  PetscReal lambda[ORDER], more[ORDER * (ORDER + 1) / 2], square = 0;
  Spectrum(USUAL, lambda);
  Compose(lambda, svec);
  Fill((uint64_t)(100 + step), sizeof(more) / sizeof(*more), more);
  for (PetscInt k = 0; k < ORDER * (ORDER + 1) / 2; k++) {
    svec[k] += 1e-3 * more[k];
    square += svec[k] * svec[k];
  }
  return PetscSqrtReal(square);
}

/* A few projections of X in both blocks; Z of the first block here, if there is one. Returns the error allowed to Z. */
static PetscReal ProjectTurning(Sequence *it, PetscReal z[])
{
  enum { STEPS = 3, ITERATION = 1000 };
  PetscReal norm = 0;
  const PetscReal *values;
  for (int step = 0; step < STEPS; step++) {
    norm = ComposeTurning(step, it->x);
    for (PetscInt s = 0; s < 2; s++) Put(it, s, it->x);
    it->cone->iteration = ITERATION;
    MUST(PsdConeProject(it->cone, it->X, it->Z));
  }
  MUST(VecGetArrayRead(it->Z[0], &values));
  MUST(PetscArraycpy(z, values, it->blocks->local * it->blocks->m_max));
  MUST(VecRestoreArrayRead(it->Z[0], &values));
  return 0.1 * norm / (ITERATION * PetscSqrtReal(ITERATION)); /* what is summable, as cone.c has it */
}

static void CheckFiles(PetscBool printed, const char type[], const char monitor[], const char view[])
{
  char text[4096];
  if (printed) {
    ReadOnce(monitor, sizeof(text), text);
    Require(strstr(text, "EPS nconv=") != NULL, "what -eps_monitor prints");
    ReadOnce(view, sizeof(text), text);
    Require(strstr(text, type) != NULL, "what -eps_view prints");
  } else {
    (void)remove(monitor);
    (void)remove(view);
  }
}

/* -eps_type has the last word on the solver; each is monitored and viewed as SLEPc does it, settles by itself, and agrees with the
 * first */
static void OptionsReachTheSolver(void **state)
{
  static PetscReal first[ORDER * (ORDER + 1) / 2], z[ORDER * (ORDER + 1) / 2];
  (void)state;
  for (size_t k = 0; k < sizeof(solvers) / sizeof(*solvers); k++) {
    char monitor[64], view[64], to[96];
    PetscReal square = 0;
    Sequence it;
    snprintf(monitor, sizeof(monitor), "eps-monitor-%s-%d.txt", solvers[k], (int)PetscGlobalRank);
    snprintf(view, sizeof(view), "eps-view-%s-%d.txt", solvers[k], (int)PetscGlobalRank);
    snprintf(to, sizeof(to), "ascii:%s", monitor);
    MUST(PetscOptionsSetValue(NULL, "-eps_monitor", to));
    snprintf(to, sizeof(to), "ascii:%s", view);
    MUST(PetscOptionsSetValue(NULL, "-eps_view", to));
    MUST(PetscOptionsSetValue(NULL, "-eps_type", solvers[k]));
    SequenceCreate(EPSSUBSPACE, &it);
    const PetscReal allowed = ProjectTurning(&it, k == 0 ? first : z);
    const PetscInt count = it.blocks->local * it.blocks->m_max;
    const PetscBool alone = (PetscBool)(count > 0 && !it.cone->shared);
    for (PetscInt l = 0; l < count && k > 0; l++) square += PetscSqr(z[l] - first[l]);
    Require(PetscSqrtReal(square) <= 2 * allowed, "solvers agree");
    if (alone) Require(it.cone->state[0][0].kept >= 5, solvers[k]); /* no complete decomposition was needed */
    SequenceDestroy(&it);
    CheckFiles(alone, solvers[k], monitor, view);
  }
  MUST(PetscOptionsClearValue(NULL, "-eps_monitor"));
  MUST(PetscOptionsClearValue(NULL, "-eps_view"));
  MUST(PetscOptionsClearValue(NULL, "-eps_type"));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OwnSolver), cmocka_unit_test(SlepcSolvers),
                                     cmocka_unit_test(FollowsWithoutStartingAnew),
                                     cmocka_unit_test(OptionsReachTheSolver)};
  if (PsdInitialize(&argc, &argv, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || failures;
}
