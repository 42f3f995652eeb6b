/*
   What model.h5 holds (docs/formats.md), and where in PsdModel it belongs: one table for reading and writing.
*/
#include "model_layout.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of the root, in PsdModel: what training found, ... */
static const PsdPlace result_attributes[] = {
    {"beta_max", PSD_H5_REAL, 0, offsetof(PsdModel, training.beta_max), 0, PSD_MODEL_VERSION},
    {"objective_primal", PSD_H5_REAL, 0, offsetof(PsdModel, training.objective_primal), 0, PSD_MODEL_VERSION},
    {"objective_dual", PSD_H5_REAL, 0, offsetof(PsdModel, training.objective_dual), 0, PSD_MODEL_VERSION},
    {"gap", PSD_H5_REAL, 0, offsetof(PsdModel, training.gap), 0, PSD_MODEL_VERSION},
};
const PsdPlaces PsdResultAttributes = {COUNT(result_attributes), result_attributes};

/* ... and the problem that it was given. Channels, height and width are kept with the first branch. */
static const PsdPlace problem_attributes[] = {
    {"beta", PSD_H5_REAL, 0, offsetof(PsdModel, training.beta), 0, PSD_MODEL_VERSION},
    {"n_train", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.n_train), 0, PSD_MODEL_VERSION},
    {"flip", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.flip), 1, PSD_MODEL_VERSION},
    {"activation", PSD_H5_REAL, 3, offsetof(PsdModel, training.activation), 0, PSD_MODEL_VERSION},
    {"channels", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.channels), 0, PSD_MODEL_VERSION},
    {"height", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.height), 0, PSD_MODEL_VERSION},
    {"width", PSD_H5_INTEGER, 0, offsetof(PsdModel, branch[0].geometry.width), 0, PSD_MODEL_VERSION},
};
const PsdPlaces PsdProblemAttributes = {COUNT(problem_attributes), problem_attributes};

/* What version 3 does not say. */
static const PsdPlace later_attributes[] = {
    {"stage", PSD_H5_INTEGER, 0, offsetof(PsdModel, stages), 1, PSD_MODEL_STAGE},
    {"shifts", PSD_H5_INTEGER, 0, offsetof(PsdModel, training.shifts), 1, PSD_MODEL_STAGE},
    {"outputs", PSD_H5_INTEGER, 0, offsetof(PsdModel, outputs), 1, PSD_MODEL_LATER},
};
const PsdPlaces PsdLaterAttributes = {COUNT(later_attributes), later_attributes};

/* Of a branch, in PsdModelBranch: attributes of the root or of /branch/K. */
static const PsdPlace branch_attributes[] = {
    {"patch_height", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.patch_height), 0, PSD_MODEL_VERSION},
    {"patch_width", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.patch_width), 0, PSD_MODEL_VERSION},
    {"stride", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.stride), 0, PSD_MODEL_VERSION},
    {"pool", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.pool), 0, PSD_MODEL_VERSION},
    {"pixel_shift", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.pixel_shift), 0, PSD_MODEL_VERSION},
    {"pixel_scale", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.pixel_scale), 0, PSD_MODEL_VERSION},
    {"patch_normalize", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.normalize), 0, PSD_MODEL_VERSION},
    {"reduce", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.reduce), 1, PSD_MODEL_VERSION},
    {"pool_overlap", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.overlap), 1, PSD_MODEL_VERSION},
};
const PsdPlaces PsdBranchAttributes = {COUNT(branch_attributes), branch_attributes};

/* How its images are held: each is written where it says something. */
static const PsdPlace bits_attributes[] = {
    {"bits", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.bits), 1, PSD_MODEL_VERSION},
};
const PsdPlaces PsdBitsAttributes = {COUNT(bits_attributes), bits_attributes};
static const PsdPlace level_attributes[] = {
    {"pixel_step", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.step), 1, PSD_MODEL_VERSION},
    {"pixel_low", PSD_H5_REAL, 0, offsetof(PsdModelBranch, geometry.low), 1, PSD_MODEL_VERSION},
};
const PsdPlaces PsdLevelAttributes = {COUNT(level_attributes), level_attributes};

/* How its regions meet: written where it says something. */
static const PsdPlace shared_attributes[] = {
    {"pool_shared", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.shared), 1, PSD_MODEL_VERSION},
};
const PsdPlaces PsdSharedAttributes = {COUNT(shared_attributes), shared_attributes};

/* ... of what it is cut: of which stage, and whether of its responses. */
static const PsdPlace later_branch_attributes[] = {
    {"lift", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.lift), 1, PSD_MODEL_LATER},
    {"of_stage", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.stage), 1, PSD_MODEL_LEVELS},
    {"responses", PSD_H5_INTEGER, 0, offsetof(PsdModelBranch, geometry.responses), 1, PSD_MODEL_RESPONSES},
};
const PsdPlaces PsdLaterBranchAttributes = {COUNT(later_branch_attributes), later_branch_attributes};

/* Of a stage, in PsdModelStage: attributes of /layer1 and so on, beside those of its patches as of a branch, ... */
static const PsdPlace stage_attributes[] = {
    {"channels", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, images.geometry.channels), 0, PSD_MODEL_VERSION},
    {"height", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, images.geometry.height), 0, PSD_MODEL_VERSION},
    {"width", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, images.geometry.width), 0, PSD_MODEL_VERSION},
    {"count", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, map.count), 0, PSD_MODEL_VERSION},
    {"threshold", PSD_H5_REAL, 0, offsetof(PsdModelStage, map.threshold), 0, PSD_MODEL_VERSION},
    {"split", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, split), 0, PSD_MODEL_VERSION},
    {"map_channels", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, map.channels), 0, PSD_MODEL_VERSION},
    {"map_normalize", PSD_H5_REAL, 0, offsetof(PsdModelStage, map.normalize), 0, PSD_MODEL_VERSION},
    {"responses", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, map.responses), 1, PSD_MODEL_RESPONSES},
    {"response_scale", PSD_H5_REAL, 0, offsetof(PsdModelStage, map.response_scale), 1, PSD_MODEL_LAST},
};
const PsdPlaces PsdStageAttributes = {COUNT(stage_attributes), stage_attributes};

/* ... and where its filters are a network's, with `network_loss`, which is a text. */
static const PsdPlace origin_attributes[] = {
    {"network_neurons", PSD_H5_INTEGER, 0, offsetof(PsdModelStage, origin.neurons), 0, PSD_MODEL_VERSION},
    {"network_beta", PSD_H5_REAL, 0, offsetof(PsdModelStage, origin.beta), 0, PSD_MODEL_VERSION},
    {"network_objective_primal", PSD_H5_REAL, 0, offsetof(PsdModelStage, origin.primal), 0, PSD_MODEL_VERSION},
    {"network_objective_dual", PSD_H5_REAL, 0, offsetof(PsdModelStage, origin.bound), 0, PSD_MODEL_VERSION},
    {"network_gap", PSD_H5_REAL, 0, offsetof(PsdModelStage, origin.gap), 0, PSD_MODEL_VERSION},
};
const PsdPlaces PsdOriginAttributes = {COUNT(origin_attributes), origin_attributes};

static const PsdArrayPlace arrays[] = {
    {"/neurons/filter", PSD_H5_REAL, 2, {offsetof(PsdModel, N), offsetof(PsdModel, f)}, offsetof(PsdModel, filters)},
    {"/neurons/weight", PSD_H5_REAL, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, weights)},
    {"/neurons/region", PSD_H5_INTEGER, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, regions)},
    {"/neurons/class", PSD_H5_INTEGER, 1, {offsetof(PsdModel, N), 0}, offsetof(PsdModel, classes)},
};
const PsdArrayPlaces PsdNeuronArrays = {COUNT(arrays), arrays};

/* In the group `preprocess` of the root, or of the branch. */
static const PsdArrayPlace branch_arrays[] = {
    {"preprocess/transform",
     PSD_H5_REAL,
     2,
     {offsetof(PsdModelBranch, q), offsetof(PsdModelBranch, f)},
     offsetof(PsdModelBranch, transform)},
    {"preprocess/mean", PSD_H5_REAL, 1, {offsetof(PsdModelBranch, q), 0}, offsetof(PsdModelBranch, mean)},
};
const PsdArrayPlaces PsdTransformArrays = {COUNT(branch_arrays), branch_arrays};

/* In a stage's group, where that has them: filters, and what reduces channels. */
static const PsdArrayPlace stage_filters[] = {
    {"filter",
     PSD_H5_REAL,
     2,
     {offsetof(PsdModelStage, map.count), offsetof(PsdModelStage, f)},
     offsetof(PsdModelStage, filters)},
};
const PsdArrayPlaces PsdFilterArrays = {COUNT(stage_filters), stage_filters};
static const PsdArrayPlace stage_channels[] = {
    {"channels/transform",
     PSD_H5_REAL,
     2,
     {offsetof(PsdModelStage, rows), offsetof(PsdModelStage, columns)},
     offsetof(PsdModelStage, transform)},
    {"channels/mean", PSD_H5_REAL, 1, {offsetof(PsdModelStage, rows), 0}, offsetof(PsdModelStage, mean)},
};
const PsdArrayPlaces PsdChannelArrays = {COUNT(stage_channels), stage_channels};

/* Whether responses are kept as other numbers than they are. */
static PetscBool ScalesResponses(const PsdMapGeometry *map)
{
  return (PetscBool)(map->responses > 0 && map->response_scale != 0 && map->response_scale != 1);
}

PetscInt PsdModelVersion(const PsdModel *model)
{
  for (PetscInt l = 0; l < model->stages; l++)
    if (model->stage[l].images.geometry.shared || ScalesResponses(&model->stage[l].map)) return PSD_MODEL_LAST;
  for (PetscInt b = 0; b < model->branches; b++)
    if (model->branch[b].geometry.shared) return PSD_MODEL_LAST;
  for (PetscInt l = 0; l < model->stages; l++)
    if (model->stage[l].map.responses > 0) return PSD_MODEL_RESPONSES;
  if (model->stages > 1 || model->branch[0].geometry.step > 0 || model->stage[0].images.geometry.step > 0)
    return PSD_MODEL_LEVELS;
  if (model->outputs > 0 || model->branch[0].geometry.bits || model->stage[0].images.geometry.bits)
    return PSD_MODEL_LATER;
  for (PetscInt b = 0; b < model->branches; b++)
    if (model->branch[b].geometry.lift != PSD_LIFT_QUADRATIC) return PSD_MODEL_LATER;
  return model->stages > 0 || model->training.shifts > 1 ? PSD_MODEL_STAGE : PSD_MODEL_VERSION;
}

static void FreeArrays(const PsdArrayPlaces *list, void *whole)
{
  for (size_t k = 0; k < list->count; k++) {
    void **values = PsdModelMember(whole, list->place[k].offset);
    free(*values);
    *values = NULL;
  }
}

void PsdModelFree(PsdModel *model)
{
  FreeArrays(&PsdNeuronArrays, model);
  for (PetscInt b = 0; b < PSD_MOST_BRANCHES; b++) FreeArrays(&PsdTransformArrays, &model->branch[b]);
  for (PetscInt l = 0; l < PSD_MOST_STAGES; l++) {
    FreeArrays(&PsdTransformArrays, &model->stage[l].images);
    FreeArrays(&PsdFilterArrays, &model->stage[l]);
    FreeArrays(&PsdChannelArrays, &model->stage[l]);
  }
  free(model->labels);
  free(model->names);
  model->labels = NULL;
  model->names = NULL;
}

PetscBool PsdModelIsGrouped(PetscInt version, PetscInt branches)
{
  return (PetscBool)(version == 2 || (version > 2 && branches > 1));
}

void PsdModelBranchName(PetscInt branch, char name[PSD_GROUP_NAME])
{
  (void)snprintf(name, PSD_GROUP_NAME, "/branch/%" PetscInt_FMT, branch);
}

void PsdModelStageName(PetscInt l, char name[PSD_GROUP_NAME])
{
  (void)snprintf(name, PSD_GROUP_NAME, "layer%" PetscInt_FMT, l + 1);
}
