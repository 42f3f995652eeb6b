/*
   Sizes from patches, loss and the shape of the samples: the same for a run and for the plan of one.
*/
#include "sizes.h"
#include <psdmaps.h>
#include "maps/mirror_maps.h"
#include "patches/lift.h"
#include "patches/mirror.h"
#include "patches/transform.h"

static PetscErrorCode SetStage(PsdMaps maps, PsdStageSizes *stage)
{
  PetscFunctionBeginUser;
  PsdPatchGeometry g;
  PsdMapGeometry map;
  PetscInt channels, side;
  const PetscReal *filters;
  PetscCall(PsdMapsGetFilters(maps, NULL, NULL, NULL, &filters));
  stage->given = (PetscBool)(filters != NULL);
  PetscCall(PsdMapsGetGeometry(maps, &g, &map));
  PetscCall(PsdMapsGetSize(maps, &channels, &side, NULL));
  stage->places = (PetscReal)side * side;
  stage->channels = channels;
  stage->numbers = stage->channels * stage->places;
  const PetscInt rows = (g.height - g.patch_height) / g.stride + 1, columns = (g.width - g.patch_width) / g.stride + 1;
  stage->positions = (PetscReal)rows * (PetscReal)columns;
  stage->q = (PetscReal)g.channels * g.patch_height * g.patch_width;
  stage->K = map.count;
  stage->raw = (map.split ? 2 : 1) * stage->K;
  stage->reduced = (PetscBool)(map.channels > 0);
  PetscFunctionReturn(0);
}

static PetscErrorCode SetStages(PsdPatches patches, PetscBool flip, PsdSizes *sizes)
{
  PetscFunctionBeginUser;
  PsdMaps maps;
  size_t numbers;
  PetscCall(PsdPatchesGetMaps(patches, &maps));
  if (!maps) PetscFunctionReturn(0);
  if (flip && PsdMapsAreMirrored(maps)) sizes->map_samples = 2;
  PetscCall(PsdMapsGetLength(maps, &numbers));
  PetscCall(PsdMapsGetDepth(maps, &sizes->stages));
  sizes->map = (PetscReal)numbers;
  for (PetscInt l = sizes->stages - 1; l >= 0; l--) {
    PetscCall(SetStage(maps, &sizes->stage[l]));
    PetscCall(PsdMapsGetBelow(maps, &maps));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemPlanSizes(PsdProblem problem, const PsdSampleShape *shape, PetscInt ranks, PsdSizes *sizes)
{
  PetscFunctionBeginUser;
  const PsdPatches patches = problem->patches;
  PetscInt q, f, G, positions, branches, f_each[PSD_MOST_BRANCHES], G_each[PSD_MOST_BRANCHES];
  PetscBool vector[PSD_MOST_BRANCHES];
  PetscCall(PsdPatchesGetSizes(patches, &q, &f, &G, &positions));
  PsdCheckInput((PetscReal)G * shape->C <= (PetscReal)PETSC_MAX_INT,
                "%" PetscInt_FMT " regions and %" PetscInt_FMT " classes need a PETSc with 64-bit indices", G,
                shape->C);
  PsdSizesSet(shape->n, ranks, shape->C, G, positions, q, f, shape->image, sizes);
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  for (PetscInt b = 0; b < branches; b++) {
    PsdPatches branch;
    PetscCall(PsdPatchesGetBranch(patches, b, &branch));
    PetscCall(PsdPatchesGetSizes(branch, NULL, &f_each[b], &G_each[b], NULL));
    vector[b] = PsdPatchesHaveVectors(branch);
  }
  PsdSizesSetBranches(branches, G_each, f_each, vector, sizes);
  PetscCall(SetStages(patches, shape->flip, sizes));
  if (shape->flip && PsdPatchesAreSymmetric(patches)) PsdSizesFold(PsdSymmetryEstimateOrder(patches), sizes);
  sizes->transform = PsdPatchesNeedStatistics(patches);
  sizes->split = problem->loss.ops->splits;
  sizes->feature_memory = problem->memory * 1024 * 1024;
  sizes->single = problem->single;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdProblemFindSizes(PsdProblem problem, PsdSizes *sizes)
{
  PetscFunctionBeginUser;
  PsdSampleShape shape = {.n = problem->n};
  PetscInt copies;
  PetscMPIInt ranks;
  size_t bytes;
  PetscCallMPI(MPI_Comm_size(problem->comm, &ranks));
  PetscCall(PsdDataGetImageBytes(problem->data, &bytes));
  PetscCall(PsdDataGetScoreCount(problem->data, &shape.C));
  PetscCall(PsdDataGetCopies(problem->data, &copies));
  shape.image = (PetscReal)bytes;
  shape.flip = (PetscBool)(copies == 2);
  PetscCall(PsdProblemPlanSizes(problem, &shape, ranks, sizes));
  PetscFunctionReturn(0);
}
