/*
   PsdNetwork: the object that every rank holds whole, and how it comes from and goes to a file by way of rank 0.
*/
#include "network.h"
#include <psdcertificate.h>
#include "maps/mirror_maps.h"

PetscErrorCode PsdNetworkCreate(MPI_Comm comm, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(network));
  PetscCall(PetscCommDuplicate(comm, &(*network)->comm, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkDestroy(PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  if (!*network) PetscFunctionReturn(0);
  PetscCall(PetscFree4((*network)->filters, (*network)->weights, (*network)->regions, (*network)->classes));
  PetscCall(PsdNetworkForgetNames(*network));
  PetscCall(PetscFree((*network)->labels));
  PetscCall(PsdPatchesDestroy(&(*network)->patches));
  PetscCall(PetscCommDestroy(&(*network)->comm));
  PetscCall(PetscFree(*network));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- what it is made of */

PetscErrorCode PsdNetworkSetNeurons(PsdNetwork network, PetscInt N, PetscInt f, const PetscReal filters[],
                                    const PetscReal weights[], const PetscInt regions[], const PetscInt classes[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PetscCheck(N >= 0 && f >= 1, network->comm, PETSC_ERR_ARG_OUTOFRANGE,
             "%" PetscInt_FMT " neurons with filters of %" PetscInt_FMT " numbers", N, f);
  PetscCall(PetscFree4(network->filters, network->weights, network->regions, network->classes));
  PetscCall(
      PetscMalloc4((size_t)N * f, &network->filters, N, &network->weights, N, &network->regions, N, &network->classes));
  network->N = N;
  network->f = f;
  PetscCall(PetscArraycpy(network->filters, filters, (size_t)N * f));
  PetscCall(PetscArraycpy(network->weights, weights, N));
  PetscCall(PetscArraycpy(network->regions, regions, N));
  PetscCall(PetscArraycpy(network->classes, classes, N));
  PetscFunctionReturn(0);
}

static PetscErrorCode CopyBranch(PsdPatches from, PsdPatches to)
{
  PsdPatchGeometry geometry;
  const PetscReal *transform, *mean;
  PetscInt f;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetGeometry(from, &geometry));
  PetscCall(PsdPatchesGetTransform(from, &transform, &mean));
  PetscCall(PsdPatchesGetSizes(from, NULL, &f, NULL, NULL));
  PetscCall(PsdPatchesSetGeometry(to, &geometry));
  if (transform) PetscCall(PsdPatchesSetTransform(to, f, transform, mean));
  PetscFunctionReturn(0);
}

/* Empty patches with as many branches, of maps where there is a stage. */
static PetscErrorCode NewPatches(PsdNetwork network, PetscInt branches, PsdMaps maps)
{
  PetscFunctionBeginUser;
  PetscCall(PsdPatchesDestroy(&network->patches));
  PetscCall(PsdPatchesCreate(network->comm, &network->patches));
  if (branches > 1) PetscCall(PsdPatchesSetBranches(network->patches, branches));
  if (maps) PetscCall(PsdPatchesSetMaps(network->patches, maps));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetPatches(PsdNetwork network, PsdPatches patches)
{
  PetscInt branches;
  PsdPatches from, to;
  PsdMaps maps;

  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PetscCall(PsdPatchesGetBranchCount(patches, &branches));
  PetscCall(PsdPatchesGetMaps(patches, &maps));
  PetscCall(NewPatches(network, branches, maps));
  for (PetscInt b = 0; b < branches; b++) {
    PetscCall(PsdPatchesGetBranch(patches, b, &from));
    PetscCall(PsdPatchesGetBranch(network->patches, b, &to));
    PetscCall(CopyBranch(from, to));
    if (maps) PsdMapsTellMirror(maps, to);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetClasses(PsdNetwork network, PetscInt count, const PetscInt labels[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PsdCheckInput(count >= 2, "a network tells classes apart: found %" PetscInt_FMT " class, expected at least 2", count);
  PetscCall(PsdNetworkForgetNames(network));
  PetscCall(PetscFree(network->labels));
  PetscCall(PetscMalloc1(count, &network->labels));
  PetscCall(PetscArraycpy(network->labels, labels, count));
  network->count = count;
  network->outputs = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetOutputs(PsdNetwork network, PetscInt outputs)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PsdCheckInput(outputs >= 1, "a network has outputs: found %" PetscInt_FMT ", expected 1 or more", outputs);
  PetscCall(PsdNetworkForgetNames(network));
  PetscCall(PetscFree(network->labels));
  network->count = 0;
  network->outputs = outputs;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetOutputs(PsdNetwork network, PetscInt *outputs)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  *outputs = network->outputs;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkNormalize(PsdNetwork network, PetscReal *deviation)
{
  const PetscInt f = network->f;
  PetscReal largest = 0;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < network->N; k++)
    largest = PetscMax(largest, PetscAbsReal(PsdFilterLength(f, network->filters + (size_t)k * f) - 1));
  if (largest <= PSD_UNIT_ROUNDINGS(f) * PETSC_MACHINE_EPSILON) largest = 0;
  for (PetscInt k = 0; k < network->N && largest > 0; k++) {
    PetscReal *filter = network->filters + (size_t)k * f, length = PsdFilterLength(f, filter);
    for (PetscInt j = 0; j < f; j++) filter[j] /= length;
  }
  if (deviation) *deviation = largest;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetTraining(PsdNetwork network, const PsdTraining *training)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  network->training = *training;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetCertificate(PsdNetwork network, const PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  network->training.objective_primal = certificate->primal;
  network->training.objective_dual = certificate->dual;
  network->training.gap = certificate->gap;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetNeurons(PsdNetwork network, PetscInt *N, PetscInt *f, const PetscReal *filters[],
                                    const PetscReal *weights[], const PetscInt *regions[], const PetscInt *classes[])
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  if (N) *N = network->N;
  if (f) *f = network->f;
  if (filters) *filters = network->filters;
  if (weights) *weights = network->weights;
  if (regions) *regions = network->regions;
  if (classes) *classes = network->classes;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetPatches(PsdNetwork network, PsdPatches *patches)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  *patches = network->patches;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetClasses(PsdNetwork network, PetscInt *count, const PetscInt *labels[], PetscInt *C)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  if (count) *count = network->count;
  if (labels) *labels = network->labels;
  if (C) *C = PsdScoreCount(network->count, network->outputs);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetTraining(PsdNetwork network, PsdTraining *training)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  *training = network->training;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetImageSize(PsdNetwork network, PetscInt size[3])
{
  PsdPatchGeometry g;
  PsdMaps maps;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetGeometry(network->patches, &g));
  PetscCall(PsdPatchesGetMaps(network->patches, &maps));
  if (maps) PetscCall(PsdMapsGetImages(maps, &g));
  size[0] = g.channels;
  size[1] = g.height;
  size[2] = g.width;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- to and from a file */

static PetscErrorCode DescribeStage(PsdMaps maps, PsdModelStage *stage)
{
  const PetscReal *transform, *mean, *filters, *channel_transform, *channel_mean;
  PsdPatchGeometry *g = &stage->images.geometry;

  PetscFunctionBeginUser;
  PetscCall(PsdMapsGetOrigin(maps, &stage->origin));
  PetscCall(PsdMapsGetGeometry(maps, g, &stage->map));
  PetscCall(PsdMapsGetFilters(maps, &stage->f, &transform, &mean, &filters));
  PetscCall(PsdMapsGetChannels(maps, &channel_transform, &channel_mean));
  stage->images.q = g->channels * g->patch_height * g->patch_width;
  stage->images.f = stage->f;
  stage->images.has_transform = (PetscBool)(transform != NULL);
  stage->split = stage->map.split;
  stage->rows = (stage->map.split ? 2 : 1) * stage->map.count;
  stage->columns = stage->map.channels;
  stage->images.transform = (PetscReal *)transform; /* a model that is written is not changed */
  stage->images.mean = (PetscReal *)mean;
  stage->filters = (PetscReal *)filters;
  stage->transform = (PetscReal *)channel_transform;
  stage->mean = (PetscReal *)channel_mean;
  PetscFunctionReturn(0);
}

/* From the last one down to the images. */
static PetscErrorCode DescribeStages(PsdPatches patches, PsdModel *model)
{
  PsdMaps maps;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetMaps(patches, &maps));
  if (maps) PetscCall(PsdMapsGetDepth(maps, &model->stages));
  for (PetscInt l = model->stages - 1; l >= 0; l--) {
    PetscCall(DescribeStage(maps, &model->stage[l]));
    PetscCall(PsdMapsGetBelow(maps, &maps));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode DescribeBranch(PsdPatches patches, PetscInt b, PsdModelBranch *branch)
{
  const PetscReal *transform, *mean;
  PsdPatches from;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetBranch(patches, b, &from));
  PetscCall(PsdPatchesGetGeometry(from, &branch->geometry));
  PetscCall(PsdPatchesGetTransform(from, &transform, &mean));
  PetscCall(PsdPatchesGetSizes(from, &branch->q, &branch->f, NULL, NULL));
  branch->has_transform = (PetscBool)(transform != NULL);
  branch->transform = (PetscReal *)transform; /* a model that is written is not changed */
  branch->mean = (PetscReal *)mean;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkDescribe(PsdNetwork network, PsdModel *model)
{
  PetscFunctionBeginUser;
  PetscCheck(network->f && network->patches && (network->labels || network->outputs), network->comm, PETSC_ERR_ORDER,
             "The network has no neurons, patches or classes yet");
  PetscCall(PetscMemzero(model, sizeof(*model)));
  PetscCall(PsdPatchesGetBranchCount(network->patches, &model->branches));
  for (PetscInt b = 0; b < model->branches; b++) PetscCall(DescribeBranch(network->patches, b, &model->branch[b]));
  PetscCall(DescribeStages(network->patches, model));
  model->training = network->training;
  model->N = network->N;
  model->f = network->f;
  model->count = network->count;
  model->outputs = network->outputs;
  model->filters = network->filters;
  model->weights = network->weights;
  model->regions = network->regions;
  model->classes = network->classes;
  model->labels = network->labels;
  model->names = network->names;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkCheckPadding(PsdNetwork network)
{
  PsdFailure failure = {0};
  PsdModel model;

  PetscFunctionBeginUser;
  PetscCall(PsdNetworkDescribe(network, &model));
  PsdModelCheckPadding(&model, "the network", &failure);
  PetscCall(PsdFailureAgree(network->comm, &failure));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSave(PsdNetwork network, const char path[])
{
  PsdFailure failure = {0};
  PsdModel model;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PsdCheckHandle(network);
  PetscCall(PsdNetworkDescribe(network, &model));
  PetscCallMPI(MPI_Comm_rank(network->comm, &rank));
  if (rank == 0) PsdModelWrite(path, &model, &failure);
  PetscCall(PsdFailureAgree(network->comm, &failure));
  PetscFunctionReturn(0);
}

/* Rank 0's array on every rank: the array itself there, a copy elsewhere. */
static PetscErrorCode ShareArray(MPI_Comm comm, PetscMPIInt rank, size_t bytes, void *from, void **to)
{
  PetscFunctionBeginUser;
  if (rank == 0) *to = from;
  else PetscCall(PetscMalloc(bytes, to));
  PetscCall(PsdBroadcastArray(comm, MPI_BYTE, bytes, *to));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReturnArray(PetscMPIInt rank, void **array)
{
  PetscFunctionBeginUser;
  if (rank > 0) PetscCall(PetscFree(*array));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareNeurons(PsdNetwork network, PetscMPIInt rank, const PsdModel *model)
{
  const size_t filters = (size_t)model->N * model->f, N = (size_t)model->N;
  void *part[5];

  PetscFunctionBeginUser;
  PetscCall(ShareArray(network->comm, rank, filters * sizeof(PetscReal), model->filters, &part[0]));
  PetscCall(ShareArray(network->comm, rank, N * sizeof(PetscReal), model->weights, &part[1]));
  PetscCall(ShareArray(network->comm, rank, N * sizeof(PetscInt), model->regions, &part[2]));
  PetscCall(ShareArray(network->comm, rank, N * sizeof(PetscInt), model->classes, &part[3]));
  PetscCall(ShareArray(network->comm, rank, (size_t)model->count * sizeof(PetscInt), model->labels, &part[4]));
  PetscCall(PsdNetworkSetNeurons(network, model->N, model->f, part[0], part[1], part[2], part[3]));
  if (model->outputs > 0) PetscCall(PsdNetworkSetOutputs(network, model->outputs));
  else PetscCall(PsdNetworkSetClasses(network, model->count, part[4]));
  PetscCall(PsdNetworkShareNames(network, model));
  for (int k = 0; k < 5; k++) PetscCall(ReturnArray(rank, &part[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShareBranch(PsdNetwork network, PetscMPIInt rank, const PsdModelBranch *branch, PsdPatches to)
{
  const size_t q = (size_t)branch->q, f = (size_t)branch->f;
  void *transform, *mean;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesSetGeometry(to, &branch->geometry));
  if (!branch->has_transform) PetscFunctionReturn(0);
  PetscCall(ShareArray(network->comm, rank, q * f * sizeof(PetscReal), branch->transform, &transform));
  PetscCall(ShareArray(network->comm, rank, q * sizeof(PetscReal), branch->mean, &mean));
  PetscCall(PsdPatchesSetTransform(to, branch->f, transform, mean));
  PetscCall(ReturnArray(rank, &transform));
  PetscCall(ReturnArray(rank, &mean));
  PetscFunctionReturn(0);
}

/* The stage's arrays on every rank; those that it does not have are NULL. */
typedef struct {
  void *filters, *transform, *mean, *channel_transform, *channel_mean;
} StageArrays;

static PetscErrorCode ShareStageArrays(MPI_Comm comm, PetscMPIInt rank, const PsdModelStage *stage, StageArrays *to)
{
  const size_t q = (size_t)stage->images.q, f = (size_t)stage->f, K = (size_t)stage->map.count;
  const size_t rows = (size_t)stage->rows, columns = (size_t)stage->columns, real = sizeof(PetscReal);

  PetscFunctionBeginUser;
  *to = (StageArrays){NULL, NULL, NULL, NULL, NULL};
  PetscCall(ShareArray(comm, rank, K * f * real, stage->filters, &to->filters));
  if (stage->images.has_transform) {
    PetscCall(ShareArray(comm, rank, q * f * real, stage->images.transform, &to->transform));
    PetscCall(ShareArray(comm, rank, q * real, stage->images.mean, &to->mean));
  }
  if (stage->map.channels > 0) {
    PetscCall(ShareArray(comm, rank, rows * columns * real, stage->transform, &to->channel_transform));
    PetscCall(ShareArray(comm, rank, rows * real, stage->mean, &to->channel_mean));
  }
  PetscFunctionReturn(0);
}

/* below: NULL, or what it stands on. Errors are those of the input, the same on all ranks; *maps is then NULL. */
static PetscErrorCode ShareStage(MPI_Comm comm, PetscMPIInt rank, const PsdModelStage *stage, PsdMaps below,
                                 PsdMaps *maps)
{
  StageArrays array;

  PetscFunctionBeginUser;
  PetscCall(PsdMapsCreate(comm, maps));
  if (below) PetscCall(PsdMapsSetBelow(*maps, below));
  PetscCall(PsdMapsSetOrigin(*maps, &stage->origin));
  PetscCall(ShareStageArrays(comm, rank, stage, &array));
  PetscErrorCode code = PsdMapsSetGeometry(*maps, &stage->images.geometry, &stage->map);
  if (!code) code = PsdMapsSetFilters(*maps, stage->f, array.transform, array.mean, array.filters);
  if (!code && stage->map.channels > 0) code = PsdMapsSetChannels(*maps, array.channel_transform, array.channel_mean);
  PetscCall(ReturnArray(rank, &array.filters));
  PetscCall(ReturnArray(rank, &array.transform));
  PetscCall(ReturnArray(rank, &array.mean));
  PetscCall(ReturnArray(rank, &array.channel_transform));
  PetscCall(ReturnArray(rank, &array.channel_mean));
  if (code) PetscCall(PsdMapsDestroy(maps));
  PetscFunctionReturn(code);
}

/* The last stage, which holds the others and hands on what branches are of; errors as above. */
static PetscErrorCode ShareStages(MPI_Comm comm, PetscMPIInt rank, const PsdModel *model, PsdMaps *maps)
{
  PetscFunctionBeginUser;
  PetscErrorCode code = 0;
  *maps = NULL;
  for (PetscInt l = 0; l < model->stages && !code; l++) {
    PsdMaps below = *maps;
    code = ShareStage(comm, rank, &model->stage[l], below, maps);
    PetscCall(PsdMapsDestroy(&below));
  }
  for (PetscInt b = 0; b < model->branches && *maps && !code; b++)
    code = PsdMapsHandOn(*maps, model->branch[b].geometry.stage, model->branch[b].geometry.responses);
  if (code) PetscCall(PsdMapsDestroy(maps));
  PetscFunctionReturn(code);
}

PetscErrorCode PsdNetworkShare(MPI_Comm comm, const PsdModel *root, PsdNetwork *shared)
{
  PsdModel model = *root;
  PsdNetwork network;
  PsdMaps maps;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PsdNetworkCreate(comm, &network));
  PetscCall(
      PsdBroadcastArray(network->comm, MPI_BYTE, sizeof(model), &model)); /* pointers are of use to rank 0 alone */
  PetscCall(ShareNeurons(network, rank, &model));
  PetscCall(PsdNetworkSetTraining(network, &model.training));
  const PetscErrorCode code = ShareStages(network->comm, rank, &model, &maps);
  if (code) {
    PetscCall(PsdNetworkDestroy(&network));
    PetscFunctionReturn(code);
  }
  PetscCall(NewPatches(network, model.branches, maps));
  for (PetscInt b = 0; b < model.branches && maps; b++) {
    PsdPatchGeometry *g = &model.branch[b].geometry;
    PetscCall(PsdMapsGetPlace(maps, g->stage, g->responses, &g->channels, &g->height, &g->width, &g->begin));
  }
  for (PetscInt b = 0; b < model.branches; b++) {
    PsdPatches to;
    PetscCall(PsdPatchesGetBranch(network->patches, b, &to));
    PetscCall(ShareBranch(network, rank, &model.branch[b], to));
    if (maps) PsdMapsTellMirror(maps, to);
  }
  PetscCall(PsdMapsDestroy(&maps));
  *shared = network;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkLoad(MPI_Comm comm, const char path[], PsdNetwork *network)
{
  PsdFailure failure = {0};
  PsdModel model = {0};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  *network = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PsdModelRead(path, &model, &failure);
  if (failure.failed) PsdModelFree(&model);
  PetscCall(PsdFailureAgree(comm, &failure));
  const PetscErrorCode code = PsdNetworkShare(comm, &model, network);
  PsdModelFree(&model);
  PetscFunctionReturn(code);
}
