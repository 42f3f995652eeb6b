/*
   psdnet certify: objective, bound and gap of a model, from its file and the data alone; or the bound of a certificate
   file, proved again without a solver.
*/
#include "app.h"

/* A gap below this is made of the rounding of sums, which differs with the number of ranks. */
#define ALL_ROUNDING 1e-10

typedef struct {
  char model[PETSC_MAX_PATH_LEN], certificate[PETSC_MAX_PATH_LEN], certificate_out[PETSC_MAX_PATH_LEN];
  const char *solver;
  PetscReal target, memory;
  PetscInt max_it;
} Choices;

static PetscErrorCode CheckChoices(const Choices *choices)
{
  PetscFunctionBeginUser;
  PetscBool given;
  PetscCall(PetscOptionsHasName(NULL, NULL, "-classes", &given));
  PsdCheckInput(!given, "option -classes: certify takes the classes from the file");
  PetscCall(PetscOptionsHasName(NULL, NULL, "-max_it", &given));
  PsdCheckInput(!given || !choices->certificate[0], "option -max_it: nothing is searched for with -certificate");
  PetscCall(PetscOptionsHasName(NULL, NULL, "-solver", &given));
  PsdCheckInput(!given || !choices->certificate[0], "option -solver: nothing is searched for with -certificate");
  PsdCheckInput(choices->model[0] || choices->certificate[0],
                "options -model and -certificate: found neither, expected a network, a certificate, or both");
  PsdCheckInput(!choices->certificate[0] || !choices->certificate_out[0],
                "options -certificate and -certificate_out: found both, expected one to check or one to write");
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadOptions(Choices *choices, PsdData data, PetscBool *done)
{
  PetscFunctionBeginUser;
  *choices = (Choices){.memory = 1024, .max_it = 5000};
  PetscCall(PsdDataSetFromOptions(data));
  PetscCall(PsdOptionsHeading("What is certified"));
  PetscCall(PsdOptionPath("-model", "file a network was written to by psdnet train", PSD_PATH_INPUT, PETSC_FALSE,
                          choices->model));
  PetscCall(PsdOptionPath("-certificate", "file a bound's proof was written to, to be checked without a search",
                          PSD_PATH_INPUT, PETSC_FALSE, choices->certificate));
  PetscCall(PsdOptionsHeading("Search for a bound"));
  PetscCall(PsdSolverTypeFromOptions(&choices->solver));
  PetscCall(PsdOptionReal("-gap", "stop looking for a better bound at this gap; 0 = the model's", PSD_NONNEGATIVE,
                          &choices->target, NULL));
  PetscCall(PsdOptionInt("-max_it", "most iterations of that search; 0 = only the network's own residual", 0,
                         PETSC_MAX_INT, &choices->max_it, NULL));
  PetscCall(PsdOptionPath("-certificate_out", "file the proof of the bound that was found is written to (HDF5)",
                          PSD_PATH_OUTPUT, PETSC_FALSE, choices->certificate_out));
  PetscCall(PsdOptionReal("-memory", "MB a rank for lifted features", PSD_NONNEGATIVE, &choices->memory, NULL));
  PetscCall(PsdOptionsEnd(done));
  if (!*done) PetscCall(CheckChoices(choices));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSamples(PsdNetwork network, PsdData data)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PetscInt n, copies, shifts;
  PetscCall(PsdNetworkGetTraining(network, &training));
  PetscCall(PsdDataGetSizes(data, &n, NULL, NULL));
  PetscCall(PsdDataGetCopies(data, &copies));
  PetscCall(PsdDataGetShifts(data, &shifts));
  n /= copies * shifts;
  PsdCheckInput(n == training.n_train,
                "the file is of a training with %" PetscInt_FMT " images, found %" PetscInt_FMT
                ": give -limit and -validation as they were in training",
                training.n_train, n);
  PetscFunctionReturn(0);
}

/* The problem that a file says it is of: a model's, or a certificate's. */
static PetscErrorCode SetUpProblem(PsdNetwork network, PsdData data, PetscReal memory, PsdProblem *problem)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PsdPatches patches;
  PetscCall(CheckSamples(network, data));
  PetscCall(PsdNetworkGetPatches(network, &patches));
  PetscCall(PsdNetworkGetTraining(network, &training));
  PetscCall(PsdProblemCreate(data, patches, problem));
  PetscCall(PsdProblemSetMemory(*problem, memory));
  PetscCall(PsdProblemSetLoss(*problem, training.loss, training.loss_parameter));
  PetscCall(PsdProblemSetActivation(*problem, training.activation));
  PetscCall(PsdProblemSetBeta(*problem, training.beta));
  PetscCall(PsdProblemSetUp(*problem));
  PetscFunctionReturn(0);
}

/* The bound is of networks with filters of length 1. */
static PetscErrorCode Normalize(PsdNetwork network)
{
  PetscFunctionBeginUser;
  PetscReal deviation;
  char text[PSD_DECIMAL_LENGTH];
  PetscCall(PsdNetworkNormalize(network, &deviation));
  if (deviation > 0)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "filters  normalised: lengths differed from 1 by up to %s; primal and gap are those of the "
                          "network with filters of length 1\n",
                          PsdDecimal(deviation, 3, 'g', PSD_ROUND_UP, text)));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- a model, with a search */

/* Beside what the file claims, as it is there. */
static PetscErrorCode PrintModel(const PsdCertificate *found, const PsdTraining *file, PetscInt outputs)
{
  PetscFunctionBeginUser;
  char fit[PSD_FIT_LENGTH];
  PsdCertificateText text, claimed;
  PsdCertificateWords(found->primal + found->primal_error, found->dual, found->gap, 12, 4, &text);
  PsdCertificateWords(file->objective_primal, file->objective_dual, file->gap, 12, 4, &claimed);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "primal   %s   (file: %s)\n", text.primal, claimed.primal));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "bound    %s   (file: %s)\n", text.bound, claimed.bound));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "gap      %s        (file: %s)\n", text.gap, claimed.gap));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s %s training\n", PsdFitName(outputs),
                        PsdFitText(outputs, found->accuracy, fit)));
  PetscFunctionReturn(0);
}

static PetscErrorCode CertifyModel(const Choices *choices, PsdData data, int *exit_status)
{
  PetscFunctionBeginUser;
  PsdNetwork network;
  PsdProblem problem;
  PsdCertificate certificate;
  PsdTraining training;
  PetscInt outputs;
  PsdWitness witness = NULL;
  PetscCall(PsdLoadModelAndData(choices->model, data, PETSC_TRUE, &network));
  PetscCall(SetUpProblem(network, data, choices->memory, &problem));
  PetscCall(PsdNetworkGetTraining(network, &training));
  const PetscReal target = choices->target > 0 ? choices->target : PetscMax(training.gap, ALL_ROUNDING);
  PetscCall(Normalize(network));
  PetscCall(PsdCertifyNetwork(problem, network, choices->solver, target, choices->max_it, &certificate,
                              choices->certificate_out[0] ? &witness : NULL));
  *exit_status = certificate.gap <= target ? PSD_EXIT_DONE : PSD_EXIT_NOT_CONVERGED;
  PetscCall(PsdNetworkGetOutputs(network, &outputs));
  PetscCall(PrintModel(&certificate, &training, outputs));
  PetscCall(PsdWarnOfRounding(&certificate));
  PetscCall(PsdTrainingExplain(&certificate, target, PSD_ITERATION_LIMIT));
  if (witness) PetscCall(PsdCertificateSave(witness, problem, choices->certificate_out));
  PetscCall(PsdWitnessDestroy(&witness));
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- a certificate, without one */

static PetscErrorCode PrintVerdict(const PsdVerdict *verdict, PsdNetwork network)
{
  PetscFunctionBeginUser;
  char fit[PSD_FIT_LENGTH];
  PetscInt outputs = 0;
  if (network) PetscCall(PsdNetworkGetOutputs(network, &outputs));
  const PsdCertificate *certificate = &verdict->certificate;
  PsdCertificateText text;
  char claimed[PSD_DECIMAL_LENGTH];
  PsdCertificateWords(certificate->primal + certificate->primal_error, certificate->dual, certificate->gap, 12, 4,
                      &text);
  if (network) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "primal   %s   the network's objective\n", text.primal));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "bound    %s   no network has less (file: %s)\n", text.bound,
                        PsdDecimal(verdict->claimed, 12, 'g', PSD_ROUND_DOWN, claimed)));
  if (network) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "gap      %s        certified, relative\n", text.gap));
  if (network)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s %s training\n", PsdFitName(outputs),
                          PsdFitText(outputs, certificate->accuracy, fit)));
  if (network) PetscCall(PsdWarnOfRounding(certificate));
  if (verdict->holds) PetscCall(PetscPrintf(PETSC_COMM_WORLD, "certificate holds\n"));
  else PetscCall(PetscPrintf(PETSC_COMM_WORLD, "certificate does not hold: %s\n", verdict->reason));
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadModel(const Choices *choices, PsdNetwork described, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  *network = NULL;
  if (!choices->model[0]) PetscFunctionReturn(0);
  PetscCall(PsdNetworkLoad(PETSC_COMM_WORLD, choices->model, network));
  PetscCall(PsdNetworkCheckProblem(*network, choices->model, described, choices->certificate));
  PetscCall(Normalize(*network));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckCertificate(const Choices *choices, PsdData data, int *exit_status)
{
  PetscFunctionBeginUser;
  PsdWitness witness;
  PsdNetwork described, network;
  PsdProblem problem;
  PsdVerdict verdict;
  PetscCall(PsdWitnessLoad(PETSC_COMM_WORLD, choices->certificate, &witness));
  PetscCall(PsdWitnessGetNetwork(witness, &described));
  PetscCall(LoadModel(choices, described, &network));
  PetscCall(PsdLoadDataOf(described, data, PETSC_TRUE));
  PetscCall(SetUpProblem(described, data, choices->memory, &problem));
  PetscCall(PsdWitnessCheck(witness, problem, network, &verdict));
  PetscCall(PrintVerdict(&verdict, network));
  const PetscBool wide = (PetscBool)(network && choices->target > 0 && !(verdict.certificate.gap <= choices->target));
  *exit_status = verdict.holds && !wide ? PSD_EXIT_DONE : PSD_EXIT_NOT_CONVERGED;
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdNetworkDestroy(&network));
  PetscCall(PsdWitnessDestroy(&witness));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdRunCertify(const PsdInvocation *invocation, int *exit_status)
{
  PetscFunctionBeginUser;
  (void)invocation;
  Choices choices;
  PsdData data;
  PetscBool done;
  PetscCall(PsdDataCreate(PETSC_COMM_WORLD, &data));
  PetscCall(ReadOptions(&choices, data, &done));
  if (!done) {
    if (choices.certificate[0]) PetscCall(CheckCertificate(&choices, data, exit_status));
    else PetscCall(CertifyModel(&choices, data, exit_status));
  }
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(0);
}
