/*
   Model files, sealed: loaded, described, normalised and applied to images, as info, certify and predict do. Those of the
   versions before there was a seal as well.
*/
#include "network_file.h"
#include "hdf5_files.h"
#include "small_problem.h"

enum { KINDS = 2, STAGE = 2 * KINDS, BASES };
static const FuzzHdf5 hdf5 = {.bases = BASES, .seal = FuzzSealModel};
static const FuzzKind kinds[] = {{"squared", "root", 1, PETSC_FALSE}, {"huber", "root", 2, PETSC_FALSE}};
static const FuzzKind with_stage = {"squared", "root", 1, PETSC_TRUE};
static PsdData images;
#define MODEL "model.h5"

static void Train(const FuzzKind *kind, int base)
{
  FuzzOutputs outputs = {.model = ""};
  (void)snprintf(outputs.model, sizeof(outputs.model), "%s", FuzzBasePath(base));
  FuzzTrain(kind, 20, &outputs);
}

/* The versions before there was a seal knew no stage. */
static void SetUp(void)
{
  for (int k = 0; k < KINDS; k++) {
    char model[PETSC_MAX_PATH_LEN];
    Train(&kinds[k], k);
    (void)snprintf(model, sizeof(model), "%s", FuzzBasePath(k));
    MakeOld(model, FuzzBasePath(KINDS + k));
  }
  Train(&with_stage, STAGE);
  FuzzWriteFile(FuzzPath("outside"), "", 0);
  images = FuzzImages();
  FUZZ_MUST(PsdDataSetPurpose(images, PSD_TO_PREDICT));
  FUZZ_MUST(PsdDataSetUp(images));
}

static PetscErrorCode Apply(PsdNetwork network)
{
  PetscFunctionBeginUser;
  PetscInt n, C;
  PetscReal *scores;
  PetscErrorCode code = PsdNetworkCheckData(network, images);
  if (code) PetscFunctionReturn(code);
  PetscCall(PsdDataGetSizes(images, &n, NULL, NULL));
  PetscCall(PsdNetworkGetClasses(network, NULL, NULL, &C));
  PetscCall(PetscMalloc1((size_t)n * (size_t)C, &scores));
  code = PsdNetworkApply(network, images, scores);
  PetscCall(PetscFree(scores));
  PetscFunctionReturn(code);
}

static PetscErrorCode Use(PsdNetwork network)
{
  PetscFunctionBeginUser;
  PetscReal deviation;
  PetscCall(PsdNetworkView(network, PETSC_VIEWER_STDOUT_SELF));
  PetscErrorCode code = Apply(network);
  if (!code) code = PsdNetworkNormalize(network, &deviation);
  PetscFunctionReturn(code);
}

static PetscErrorCode Read(const FuzzInput *input)
{
  PetscFunctionBeginUser;
  PsdNetwork network;
  FuzzMakeHdf5(&hdf5, input, MODEL);
  PetscErrorCode code = PsdNetworkLoad(PETSC_COMM_WORLD, FuzzPath(MODEL), &network);
  FuzzRequire(!code == !!network, "a network and an error, or neither");
  if (!code) code = Use(network);
  PetscCall(PsdNetworkDestroy(&network));
  PetscFunctionReturn(code);
}

const FuzzTarget FuzzTheTarget = {.kinds = FUZZ_FILE_KINDS, .set_up = SetUp, .read = Read};
