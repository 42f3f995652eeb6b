/*
   Model files, sealed: loaded, described, normalised and applied to images, as info, certify and predict do. Those of the
   versions before there was a seal as well.
*/
#include "network_file.h"
#include "hdf5_files.h"
#include "small_problem.h"

enum { KINDS = 2 };
static const FuzzHdf5 hdf5 = {.bases = 2 * KINDS, .seal = FuzzSealModel};
static const FuzzKind kinds[] = {{"squared", "root", 1}, {"huber", "root", 2}};
static PsdData images;
#define MODEL "model.h5"

static void SetUp(void)
{
  for (int k = 0; k < KINDS; k++) {
    FuzzOutputs outputs = {.model = ""};
    (void)snprintf(outputs.model, sizeof(outputs.model), "%s", FuzzBasePath(k));
    FuzzTrain(&kinds[k], 20, &outputs);
    MakeOld(outputs.model, FuzzBasePath(KINDS + k));
  }
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
