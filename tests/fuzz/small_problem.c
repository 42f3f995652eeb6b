/*
   The small problem, and what training on it writes.
*/
#include "small_problem.h"
#include <psdmaps.h>
#include "patches/patches_impl.h"

#define IMAGES 14
#define PIXELS (5 * 6)

PsdData FuzzImages(void)
{
  static const PetscInt labels[IMAGES] = {3, 5, 3, 0, 0, 5, 3, 0, 0, 5, 5, 3, 0, 5};
  unsigned char pixels[IMAGES * PIXELS];
  PsdData data;
  for (unsigned k = 0; k < IMAGES; k++)
    for (unsigned b = 0; b < PIXELS; b++) pixels[k * PIXELS + b] = (unsigned char)(31 * k + 7 * b + k * b % 13);
  FUZZ_MUST(PsdDataCreate(PETSC_COMM_WORLD, &data));
  FUZZ_MUST(PsdDataSetArrays(data, IMAGES, 1, 5, 6, pixels, labels));
  return data;
}

static void SetBranch(PsdPatches patches, PetscInt k)
{
  PsdPatches branch;
  FUZZ_MUST(PsdPatchesGetBranch(patches, k, &branch));
  branch->geometry.patch_height = branch->geometry.patch_width = 2;
  branch->geometry.pool = k ? 1 : 2;
  branch->geometry.reduce = k + 1;
  branch->whiten = 0.1;
}

static void AddStage(PsdPatches patches)
{
  PsdPatchGeometry cut = {.channels = 1, .height = 5, .width = 6, .reduce = 1, .patch_height = 2, .patch_width = 3};
  const PsdMapGeometry map = {.count = 4, .threshold = 0.1, .split = PETSC_TRUE, .channels = 3, .normalize = 0.1};
  PsdMaps maps;
  cut.stride = 1;
  cut.pool = 3;
  cut.pixel_shift = 128;
  cut.pixel_scale = 255;
  FUZZ_MUST(PsdMapsCreate(PETSC_COMM_WORLD, &maps));
  FUZZ_MUST(PsdMapsSetGeometry(maps, &cut, &map));
  FUZZ_MUST(PsdPatchesSetMaps(patches, maps));
  FUZZ_MUST(PsdMapsDestroy(&maps));
}

FuzzSolver FuzzSolverCreate(const FuzzKind *kind)
{
  static const PetscInt labels[] = {3, 0, 5};
  FuzzSolver it = {.data = FuzzImages()};
  FUZZ_MUST(PsdDataSetClasses(it.data, 3, labels));
  FUZZ_MUST(PsdDataSetUp(it.data));
  FUZZ_MUST(PsdPatchesCreate(PETSC_COMM_WORLD, &it.patches));
  FUZZ_MUST(PsdPatchesSetBranches(it.patches, kind->branches));
  for (PetscInt k = 0; k < kind->branches; k++) SetBranch(it.patches, k);
  if (kind->stage) AddStage(it.patches);
  FUZZ_MUST(PsdMapsSetSizes(it.patches, 1, 5, 6));
  FUZZ_MUST(PsdProblemCreate(it.data, it.patches, &it.problem));
  FUZZ_MUST(PsdProblemSetLoss(it.problem, kind->loss, 0));
  FUZZ_MUST(PsdProblemSetBeta(it.problem, 0.5));
  FUZZ_MUST(PsdProblemSetUp(it.problem));
  FUZZ_MUST(PsdSolverCreate(it.problem, &it.solver));
  FUZZ_MUST(PsdSolverSetType(it.solver, "admm"));
  const PsdAdmm admm = it.solver->candidate[0];
  PsdConsensusSetKernel(admm->consensus, PsdConsensusFind(kind->consensus));
  return it;
}

void FuzzSolverDestroy(FuzzSolver *it)
{
  FUZZ_MUST(PsdSolverDestroy(&it->solver));
  FUZZ_MUST(PsdProblemDestroy(&it->problem));
  FUZZ_MUST(PsdPatchesDestroy(&it->patches));
  FUZZ_MUST(PsdDataDestroy(&it->data));
}

static void WriteResults(const FuzzSolver *it, const PsdCertificate *certificate, const FuzzOutputs *outputs)
{
  PsdNetwork network;
  PsdWitness witness;
  PetscBool written;
  if (outputs->checkpoint[0]) FUZZ_MUST(PsdCheckpointSave(it->solver, &written));
  FUZZ_MUST(PsdSolverGetNetwork(it->solver, &network));
  FUZZ_MUST(PsdNetworkSetCertificate(network, certificate));
  if (outputs->model[0]) FUZZ_MUST(PsdNetworkSave(network, outputs->model));
  FUZZ_MUST(PsdSolverGetWitness(it->solver, &witness));
  if (outputs->certificate[0]) FUZZ_MUST(PsdWitnessSave(witness, it->problem, outputs->certificate));
  FUZZ_MUST(PsdNetworkDestroy(&network));
}

void FuzzTrain(const FuzzKind *kind, PetscInt iterations, const FuzzOutputs *outputs)
{
  FuzzSolver it = FuzzSolverCreate(kind);
  PsdCheckpoint *checkpoint = &it.solver->checkpoint;
  PsdCertificate certificate;
  FUZZ_MUST(PetscStrncpy(checkpoint->path, outputs->checkpoint, sizeof(checkpoint->path)));
  FUZZ_MUST(PetscStrncpy(checkpoint->gram_path, outputs->gram, sizeof(checkpoint->gram_path)));
  checkpoint->every = 1e9;
  FUZZ_MUST(PsdSolverSetTolerances(it.solver, 1e-12, iterations));
  FUZZ_MUST(PsdSolverKeepWitness(it.solver));
  FUZZ_MUST(PsdSolverSetUp(it.solver));
  FUZZ_MUST(PsdSolverSolve(it.solver, &certificate));
  WriteResults(&it, &certificate, outputs);
  FuzzSolverDestroy(&it);
}
