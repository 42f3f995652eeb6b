/*
   The options of a stage: where filters come from, how its patches are cut, what its map is.
*/
#include "base/base.h"
#include "maps_impl.h"

#define MOST_FILTERS 32768
#define MOST_SIDE 16384

static PetscErrorCode KindFromOptions(PsdMaps maps, PetscBool *given)
{
  PetscFunctionBeginUser;
  enum { MOST_KINDS = 8 };
  PsdChoice choices[MOST_KINDS];
  PetscInt count = 0, kind = -1;
  for (; PsdFilterKinds[count] && count < MOST_KINDS; count++)
    choices[count] = (PsdChoice){PsdFilterKinds[count]->name, NULL, PsdFilterKinds[count]->help};
  PetscCall(PsdOptionChoice("-layer1_filters", "a stage of fixed filters before the patches; made of", count, choices,
                            &kind, given));
  if (*given) maps->kind = PsdFilterKinds[kind];
  PetscCall(PsdOptionPath("-layer1_model", "network whose filters -layer1_filters neurons takes", PSD_PATH_INPUT,
                          PETSC_FALSE, maps->model));
  PetscBool of_branch;
  PetscCall(PsdOptionInt("-layer1_branch", "which branch of that network, where it has several", 1, PSD_MOST_BRANCHES,
                         &maps->branch, &of_branch));
  PsdCheckInput(maps->kind->given == (maps->model[0] != '\0'),
                "option -layer1_model: expected with -layer1_filters neurons, and only with it");
  PsdCheckInput(!of_branch || maps->kind->given, "option -layer1_branch: expected with -layer1_filters neurons only");
  PetscFunctionReturn(0);
}

static PetscErrorCode CutFromOptions(PsdMaps maps, PetscBool *any)
{
  PetscFunctionBeginUser;
  PetscInt size[2], count = 2;
  PetscBool given[6];
  const PetscInt big = 65535;
  PetscCall(PsdOptionIntList("-layer1_patch", "patch height and width of its filters, P or PxQ [6]", 'x', 1, big, size,
                             &count, &given[0]));
  if (given[0]) {
    PsdCheckInput(count == 1 || count == 2, "option -layer1_patch: found %" PetscInt_FMT " numbers, expected P or PxQ",
                  count);
    maps->cut.patch_height = size[0];
    maps->cut.patch_width = size[count - 1];
  }
  PetscCall(PsdOptionInt("-layer1_stride", "pixels between its patches", 1, big, &maps->cut.stride, &given[1]));
  PetscCall(PsdOptionReal("-layer1_patch_normalize", "normalisation of its patches, as -patch_normalize",
                          PSD_NONNEGATIVE, &maps->cut.normalize, &given[2]));
  maps->asked.normalize = given[2];
  PetscCall(PsdOptionReal("-layer1_whiten", "whitening of its patches, as -whiten", PSD_NONNEGATIVE, &maps->whiten,
                          &given[3]));
  PetscCall(PsdOptionInt("-layer1_pca", "principal components of its patches, at most; 0 = all", 0, big, &maps->pca,
                         &given[4]));
  PetscCall(PsdOptionInt("-layer1_pool", "the map has pool x pool places, means of responses", 1, MOST_SIDE,
                         &maps->cut.pool, &given[5]));
  for (int k = 0; k < 6; k++) *any = (PetscBool)(*any || given[k]);
  PetscFunctionReturn(0);
}

static PetscErrorCode MapFromOptions(PsdMaps maps, PetscBool *any)
{
  PetscFunctionBeginUser;
  PetscInt seed = (PetscInt)maps->seed;
  PetscBool given[10];
  PsdMapGeometry *map = &maps->map;
  PetscCall(PsdOptionInt("-layer1_count", "its filters", 1, MOST_FILTERS, &map->count, &given[0]));
  PetscCall(PsdOptionInt("-layer1_seed", "of the random choice of filters", 0, PETSC_MAX_INT, &seed, &given[1]));
  PetscCall(PsdOptionReal("-layer1_threshold", "t of its responses max(z - t, 0)", PSD_NONNEGATIVE, &map->threshold,
                          &given[2]));
  PetscCall(
      PsdOptionBool("-layer1_split", "responses of -z as well, as channels of their own", &map->split, &given[3]));
  PetscCall(PsdOptionInt("-layer1_channels", "principal components of the map's channels; 0 = all, as they are", 0,
                         2 * MOST_FILTERS, &map->channels, &given[4]));
  PetscCall(PsdOptionReal("-layer1_channel_whiten", "their whitening: EPS relative to the mean eigenvalue; 0 = off",
                          PSD_NONNEGATIVE, &maps->channel_whiten, &given[5]));
  PetscCall(PsdOptionReal("-layer1_normalize", "E of x/sqrt(mean square + E) at each place of the map; 0 = off",
                          PSD_NONNEGATIVE, &map->normalize, &given[6]));
  PetscCall(PsdOptionInt("-layer1_responses",
                         "the responses themselves as well, means over r x r parts of the map, for branches with "
                         "-branchN_responses; 0: none",
                         0, MOST_SIDE, &map->responses, &given[7]));
  PetscCall(PsdOptionBool("-layer1_mirror",
                          "half of the filters, and for each its mirror image: with -flip mirror images are folded",
                          &maps->mirror, &given[8]));
  PetscCall(PsdOptionReal("-layer1_response_scale",
                          "these times so much: below 1 beta weighs more on neurons that are on them", PSD_POSITIVE,
                          &map->response_scale, &given[9]));
  PsdCheckInput(!given[9] || map->responses > 0, "option -layer1_response_scale: expected -layer1_responses as well");
  for (int k = 0; k < 10; k++) *any = (PetscBool)(*any || given[k]);
  maps->seed = seed;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdMapsSetFromOptions(PsdMaps maps, PetscBool *wanted)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(maps);
  PetscBool any = PETSC_FALSE;
  PetscCall(
      PsdOptionsHeading("Maps: a stage before the patches, which are then cut of maps, by default 1x1 and pool 2"));
  PetscCall(KindFromOptions(maps, wanted));
  PetscCall(MapFromOptions(maps, &any));
  PetscCall(CutFromOptions(maps, &any));
  PsdCheckInput(*wanted || !any, "options -layer1_...: found some of them, expected -layer1_filters as well");
  PsdCheckInput(!maps->mirror || !maps->kind->given,
                "option -layer1_mirror: the filters are given by a network, and do not come with their mirror images");
  PetscFunctionReturn(0);
}
