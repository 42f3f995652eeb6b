/*
   psdnet certify: objective, bound and gap of a model, from its file and the data alone.
*/
#include "app.h"

/* A gap below this is made of the rounding of sums, which differs with the number of ranks. */
#define ALL_ROUNDING 1e-10

/* The problem that the file says the network was trained on. */
static PetscErrorCode SetUpProblem(PsdProblem problem, PsdNetwork network)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PetscCall(PsdNetworkGetTraining(network, &training));
  PetscCall(PsdProblemSetLoss(problem, training.loss, training.loss_parameter));
  PetscCall(PsdProblemSetActivation(problem, training.activation));
  PetscCall(PsdProblemSetBeta(problem, training.beta));
  PetscCall(PsdProblemSetUp(problem));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSamples(PsdNetwork network, PsdData data)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PetscInt n, copies;
  PetscCall(PsdNetworkGetTraining(network, &training));
  PetscCall(PsdDataGetSizes(data, &n, NULL, NULL));
  PetscCall(PsdDataGetCopies(data, &copies));
  n /= copies;
  PsdCheckInput(n == training.n_train,
                "the model was trained on %" PetscInt_FMT " images, found %" PetscInt_FMT
                ": give -limit and -validation as they were in training",
                training.n_train, n);
  PetscFunctionReturn(0);
}

static PetscErrorCode Certify(PsdNetwork network, PsdData data, PetscReal memory, PetscReal target, PetscInt max_it,
                              int *exit_status)
{
  PetscFunctionBeginUser;
  PsdPatches patches;
  PsdProblem problem;
  PsdCertificate certificate;
  PsdTraining training;
  PetscCall(PsdNetworkGetPatches(network, &patches));
  PetscCall(PsdProblemCreate(data, patches, &problem));
  PetscCall(PsdProblemSetMemory(problem, memory));
  PetscCall(SetUpProblem(problem, network));
  PetscCall(PsdNetworkGetTraining(network, &training));
  if (target == 0) target = PetscMax(training.gap, ALL_ROUNDING);
  PetscCall(PsdCertifyNetwork(problem, network, target, max_it, &certificate));
  *exit_status = certificate.gap <= target ? PSD_EXIT_DONE : PSD_EXIT_NOT_CONVERGED;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "primal   %.12g   (file: %.12g)\n", (double)certificate.primal,
                        (double)training.objective_primal));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "bound    %.12g   (file: %.12g)\n", (double)certificate.dual,
                        (double)training.objective_dual));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "gap      %.3e        (file: %.3e)\n", (double)certificate.gap,
                        (double)training.gap));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "accuracy %.2f%% training\n", 100 * (double)certificate.accuracy));
  PetscCall(PsdWarnOfRounding(&certificate));
  PetscCall(PsdTrainingExplain(&certificate, target, PSD_ITERATION_LIMIT));
  PetscCall(PsdProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunCertify(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)invocation;
  char model[PETSC_MAX_PATH_LEN];
  PsdData data;
  PsdNetwork network;
  PetscReal target = 0, memory = 1024;
  PetscInt max_it = 5000;
  PetscBool done, classes;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionsHeading("Model and search for a bound"));
  PetscCall(
      PsdOptionPath("-model", "file a network was written to by psdnet train", PSD_PATH_INPUT, PETSC_TRUE, model));
  PetscCall(PsdOptionReal("-gap", "stop looking for a better bound at this gap; 0 = the file's", PSD_NONNEGATIVE,
                          &target, NULL));
  PetscCall(PsdOptionInt("-max_it", "most iterations of that search; 0 = only the network's own residual", 0,
                         PETSC_MAX_INT, &max_it, NULL));
  PetscCall(PsdOptionReal("-memory", "MB a rank for lifted features", PSD_NONNEGATIVE, &memory, NULL));
  PetscCall(PsdOptionsEnd(&done));
  if (!done) {
    PetscCall(PetscOptionsHasName(NULL, NULL, "-classes", &classes));
    PsdCheckInput(!classes, "option -classes: certify takes the classes from the model");
    PetscCall(PsdLoadModelAndData(model, data, PETSC_TRUE, &network));
    PetscCall(CheckSamples(network, data));
    PetscCall(Certify(network, data, memory, target, max_it, exit_status));
    PetscCall(PsdNetworkDestroy(&network));
  }
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}
