/* psdnet as a guest: in a program that has started PETSc it leaves PETSc, and what the program had set, as they were; it trains
   on a part of the ranks while the others do something else. */
#include "data_files.h"
#include <setjmp.h>
#include <signal.h>
#include <cmocka.h>
#include <psdnet.h>

#define IMAGES 60
#define SIDE 6

/* Classes 3, 0, 5 and 9 of noisy images, the first brighter on its left. */
static PsdData Images(MPI_Comm comm)
{
  unsigned char images[IMAGES][SIDE][SIDE];
  PetscInt labels[IMAGES];
  PsdData data;
  PetscMPIInt rank;
  MUST(MPI_Comm_rank(comm, &rank));
  for (int k = 0; k < IMAGES; k++) {
    labels[k] = LabelOf(k);
    for (int row = 0; row < SIDE; row++)
      for (int column = 0; column < SIDE; column++)
        images[k][row][column] =
            (unsigned char)(PixelOf(k, SIDE * row + column) / 2 + (labels[k] == 3 && column < SIDE / 2 ? 100 : 0));
  }
  MUST(PsdDataCreate(comm, &data));
  MUST(PsdDataSetArrays(data, rank ? 0 : IMAGES, 1, SIDE, SIDE, &images[0][0][0], labels));
  MUST(PsdDataSetUp(data));
  return data;
}

static PsdCertificate Train(MPI_Comm comm, const char loss[], PetscInt *predicted)
{
  PsdData data = Images(comm);
  PsdPatches patches;
  PsdProblem problem;
  PsdSolver solver;
  PsdNetwork network;
  PsdCertificate certificate;
  PetscInt n_local, C;
  PetscReal *scores, accuracy;
  PetscInt64 confusion[16];
  MUST(PsdPatchesCreate(comm, &patches));
  MUST(PsdPatchesSetImageSize(patches, 1, SIDE, SIDE));
  MUST(PsdProblemCreate(data, patches, &problem));
  MUST(PsdProblemSetLoss(problem, loss, 1));
  MUST(PsdProblemSetUp(problem));
  MUST(PsdSolverCreate(problem, &solver));
  MUST(PsdSolverSetFromOptions(solver));
  MUST(PsdSolverSetUp(solver));
  MUST(PsdSolverSolve(solver, &certificate));
  MUST(PsdSolverGetNetwork(solver, &network));
  MUST(PsdNetworkSetCertificate(network, &certificate));
  MUST(PsdDataGetSizes(data, NULL, &n_local, NULL));
  MUST(PsdNetworkGetClasses(network, NULL, NULL, &C));
  MUST(PetscMalloc1(n_local * C, &scores));
  MUST(PsdNetworkApply(network, data, scores));
  MUST(PsdNetworkConfusion(network, data, scores, confusion, &accuracy));
  *predicted = 0;
  for (int k = 0; k < 16; k++) *predicted += (PetscInt)confusion[k];
  Require(PetscAbsReal(accuracy - certificate.accuracy) < 1e-12, "accuracy of the network and of its certificate");
  MUST(PetscFree(scores));
  MUST(PsdNetworkDestroy(&network));
  MUST(PsdSolverDestroy(&solver));
  MUST(PsdProblemDestroy(&problem));
  MUST(PsdPatchesDestroy(&patches));
  MUST(PsdDataDestroy(&data));
  return certificate;
}

/* All but the last rank, where there are several, train; the last one takes no part in anything. */
static void AssertTrains(const char consensus[], const char loss[])
{
  MPI_Comm comm;
  const int trains = Size() == 1 || Rank() < Size() - 1;
  int good = 1;
  MUST(PetscOptionsSetValue(NULL, "-consensus", consensus));
  MUST(MPI_Comm_split(PETSC_COMM_WORLD, trains ? 0 : MPI_UNDEFINED, -Rank(), &comm));
  if (trains) {
    PetscInt predicted;
    const PsdCertificate certificate = Train(comm, loss, &predicted);
    good = certificate.gap >= 0 && certificate.gap <= 1e-4 && certificate.dual <= certificate.primal &&
           predicted == IMAGES;
    MUST(MPI_Comm_free(&comm));
  }
  MUST(MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_LAND, PETSC_COMM_WORLD));
  MUST(PetscOptionsClearValue(NULL, "-consensus"));
  assert_true(good);
}

static void APartOfTheRanksTrains(void **state)
{
  (void)state;
  AssertTrains("root", "squared");
  AssertTrains("scalapack", "squared");
  AssertTrains("kernel", "squared");
  AssertTrains("auto", "logistic");
}

/* ---------------------------------------------------------------- what psdnet leaves behind */

static int seen;

static PetscErrorCode Remember(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                               PetscErrorType type, const char *message, void *context)
{
  (void)comm, (void)line, (void)function, (void)file, (void)type, (void)message, (void)context;
  seen++;
  return code;
}

static PetscErrorCode Fails(void)
{
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_USER_INPUT, "of the program itself");
}

static herr_t Report(hid_t stack, void *context)
{
  (void)stack, (void)context;
  return 0;
}

static void WhatTheProgramHasSetComesBack(void **state)
{
  (void)state;
  PetscBool runs;
  H5E_auto2_t report;
  void *context;
  struct sigaction before, during;
  MUST(PsdFinalize());
  MUST(sigaction(SIGSEGV, NULL, &before));
  MUST(PetscPushErrorHandler(Remember, NULL));
  MUST(H5Eset_auto2(H5E_DEFAULT, Report, &seen));
  MUST(PsdInitialize(NULL, NULL, NULL));
  MUST(PsdInitialize(NULL, NULL, NULL));
  MUST(sigaction(SIGSEGV, NULL, &during));
  assert_true(before.sa_handler == during.sa_handler);
  MUST(PsdFinalize());
  MUST(PsdFinalize());
  MUST(PetscInitialized(&runs));
  assert_true(runs);
  assert_int_equal(seen, 0);
  assert_int_equal(Fails(), PETSC_ERR_USER_INPUT);
  assert_int_equal(seen, 1);
  MUST(H5Eget_auto2(H5E_DEFAULT, &report, &context));
  assert_true(report == Report && context == &seen);
  MUST(H5Eset_auto2(H5E_DEFAULT, NULL, NULL));
  MUST(PetscPopErrorHandler());
  MUST(PsdInitialize(NULL, NULL, NULL));
}

/* Who ends a PETSc that psdnet has begun, and begins another one, has that one to himself. */
static int LeavesAnotherPetsc(void)
{
  PetscBool runs = PETSC_FALSE, ended = PETSC_TRUE;
  if (PsdInitialize(NULL, NULL, NULL) || PetscFinalize()) return 1;
  if (PetscInitialize(NULL, NULL, NULL, NULL) || PsdFinalize() || PetscInitialized(&runs) || PetscFinalized(&ended))
    return 1;
  return !runs || ended || PetscFinalize();
}

/* An object that is not there is an error and no crash. */
static PetscErrorCode Quiet(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                            PetscErrorType type, const char *message, void *context)
{
  (void)comm, (void)line, (void)function, (void)file, (void)type, (void)message, (void)context;
  return code;
}

static void NoObjectIsAnError(void **state)
{
  (void)state;
  PetscInt count;
  PetscReal value;
  PsdCertificate certificate;
  PsdTraining training;
  PsdNetwork network;
  MUST(PetscPushErrorHandler(Quiet, NULL));
  assert_int_equal(PsdDataSetUp(NULL), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdDataSetPath(NULL, "images"), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdDataGetSizes(NULL, &count, NULL, NULL), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdPatchesGetBranchCount(NULL, &count), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdProblemSetUp(NULL), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdProblemGetBeta(NULL, &value, NULL), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdSolverSetUp(NULL), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdSolverSolve(NULL, &certificate), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdSolverGetNetwork(NULL, &network), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdNetworkGetTraining(NULL, &training), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdNetworkSave(NULL, "model.h5"), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdNetworkDestroy(NULL), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdPlanSetUp(NULL), PETSC_ERR_ARG_NULL);
  assert_int_equal(PsdCertifyNetwork(NULL, NULL, NULL, 0, 0, &certificate, NULL), PETSC_ERR_ARG_NULL);
  MUST(PetscPopErrorHandler());
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(APartOfTheRanksTrains),
                                     cmocka_unit_test(WhatTheProgramHasSetComesBack),
                                     cmocka_unit_test(NoObjectIsAnError)};
  if (MPI_Init(&argc, &argv) || LeavesAnotherPetsc()) return 1;
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  if (PsdInitialize(NULL, NULL, NULL)) return 1;
  const int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PsdFinalize() || PetscFinalize() || MPI_Finalize() || failures;
}
