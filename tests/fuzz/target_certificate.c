/*
   Certificate files, sealed: loaded and proved again from the images, as certify -certificate does.
*/
#include "hdf5_files.h"
#include "small_problem.h"

static const FuzzHdf5 hdf5 = {.bases = 3, .seal = FuzzSealArchive};
static const FuzzKind kinds[] = {
    {"squared", "root", 1, PETSC_FALSE}, {"hinge", "root", 2, PETSC_FALSE}, {"squared", "root", 1, PETSC_TRUE}};
#define CERTIFICATE "certificate.h5"

static void SetUp(void)
{
  for (int k = 0; k < hdf5.bases; k++) {
    FuzzOutputs outputs = {.certificate = ""};
    (void)snprintf(outputs.certificate, sizeof(outputs.certificate), "%s", FuzzBasePath(k));
    FuzzTrain(&kinds[k], 20, &outputs);
  }
  FuzzWriteFile(FuzzPath("outside"), "", 0);
}

/* The images as the file says they are used. */
static PetscErrorCode SelectImages(PsdNetwork network, PsdData data)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PetscInt count;
  const PetscInt *labels;
  PetscCall(PsdNetworkGetClasses(network, &count, &labels, NULL));
  PetscCall(PsdNetworkGetTraining(network, &training));
  PetscErrorCode code = PsdDataSetClasses(data, count, labels);
  if (code) PetscFunctionReturn(code);
  PetscCall(PsdDataSetMirror(data, (PetscBool)training.flip));
  PetscCall(PsdDataSetShifts(data, PetscMax(1, training.shifts)));
  code = PsdDataSetUp(data);
  if (!code) code = PsdNetworkCheckData(network, data);
  PetscFunctionReturn(code);
}

static PetscErrorCode SetUpProblem(PsdNetwork network, PsdData data, PsdProblem *problem)
{
  PetscFunctionBeginUser;
  PsdTraining training;
  PsdPatches patches;
  PetscCall(PsdNetworkGetPatches(network, &patches));
  PetscCall(PsdNetworkGetTraining(network, &training));
  PetscCall(PsdProblemCreate(data, patches, problem));
  PetscErrorCode code = PsdProblemSetLoss(*problem, training.loss, training.loss_parameter);
  if (!code) code = PsdProblemSetActivation(*problem, training.activation);
  if (!code) code = PsdProblemSetBeta(*problem, training.beta);
  if (!code) code = PsdProblemSetUp(*problem);
  PetscFunctionReturn(code);
}

static PetscErrorCode Check(PsdWitness witness)
{
  PetscFunctionBeginUser;
  PsdData data = FuzzImages();
  PsdProblem problem = NULL;
  PsdNetwork network;
  PsdVerdict verdict;
  PetscCall(PsdWitnessGetNetwork(witness, &network));
  PetscErrorCode code = SelectImages(network, data);
  if (!code) code = SetUpProblem(network, data, &problem);
  if (!code) code = PsdWitnessCheck(witness, problem, NULL, &verdict);
  PetscCall(PsdProblemDestroy(&problem));
  PetscCall(PsdDataDestroy(&data));
  PetscFunctionReturn(code);
}

static PetscErrorCode Read(const FuzzInput *input)
{
  PetscFunctionBeginUser;
  PsdWitness witness;
  FuzzMakeHdf5(&hdf5, input, CERTIFICATE);
  PetscErrorCode code = PsdWitnessLoad(PETSC_COMM_WORLD, FuzzPath(CERTIFICATE), &witness);
  if (!code) code = Check(witness);
  PetscCall(PsdWitnessDestroy(&witness));
  PetscFunctionReturn(code);
}

const FuzzTarget FuzzTheTarget = {.kinds = FUZZ_FILE_KINDS, .set_up = SetUp, .read = Read};
