/*
   PsdNetwork: the object that every rank holds whole, how it comes from and goes to a file by way of rank 0, and what
   it says of itself.
*/
#include "network.h"
#include <petscviewer.h>

PetscErrorCode PsdNetworkCreate(MPI_Comm comm, PsdNetwork *network)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(network));
  (*network)->comm = comm;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkDestroy(PsdNetwork *network)
{
  PetscFunctionBeginUser;
  if (!*network) PetscFunctionReturn(0);
  PetscCall(PetscFree4((*network)->filters, (*network)->weights, (*network)->regions, (*network)->classes));
  PetscCall(PetscFree((*network)->labels));
  PetscCall(PsdPatchesDestroy(&(*network)->patches));
  PetscCall(PetscFree(*network));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- what it is made of */

PetscErrorCode PsdNetworkSetNeurons(PsdNetwork network, PetscInt N, PetscInt f, const PetscReal filters[],
                                    const PetscReal weights[], const PetscInt regions[], const PetscInt classes[])
{
  PetscFunctionBeginUser;
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

PetscErrorCode PsdNetworkSetPatches(PsdNetwork network, PsdPatches patches)
{
  PsdPatchGeometry geometry;
  const PetscReal *transform, *mean;
  PetscInt f;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetGeometry(patches, &geometry));
  PetscCall(PsdPatchesGetTransform(patches, &transform, &mean));
  PetscCall(PsdPatchesGetSizes(patches, NULL, &f, NULL, NULL));
  PetscCall(PsdPatchesDestroy(&network->patches));
  PetscCall(PsdPatchesCreate(network->comm, &network->patches));
  PetscCall(PsdPatchesSetGeometry(network->patches, &geometry));
  if (transform) PetscCall(PsdPatchesSetTransform(network->patches, f, transform, mean));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetClasses(PsdNetwork network, PetscInt count, const PetscInt labels[])
{
  PetscFunctionBeginUser;
  PsdCheckInput(count >= 2, "a network tells classes apart: found %" PetscInt_FMT " class, expected at least 2", count);
  PetscCall(PetscFree(network->labels));
  PetscCall(PetscMalloc1(count, &network->labels));
  PetscCall(PetscArraycpy(network->labels, labels, count));
  network->count = count;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSetTraining(PsdNetwork network, const PsdTraining *training)
{
  PetscFunctionBeginUser;
  network->training = *training;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetNeurons(PsdNetwork network, PetscInt *N, PetscInt *f, const PetscReal *filters[],
                                    const PetscReal *weights[], const PetscInt *regions[], const PetscInt *classes[])
{
  PetscFunctionBeginUser;
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
  *patches = network->patches;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetClasses(PsdNetwork network, PetscInt *count, const PetscInt *labels[], PetscInt *C)
{
  PetscFunctionBeginUser;
  if (count) *count = network->count;
  if (labels) *labels = network->labels;
  if (C) *C = PsdScoreCount(network->count);
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkGetTraining(PsdNetwork network, PsdTraining *training)
{
  PetscFunctionBeginUser;
  *training = network->training;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkCheckData(PsdNetwork network, PsdData data)
{
  PsdPatchGeometry g;
  PetscInt channels, height, width;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetGeometry(network->patches, &g));
  PetscCall(PsdDataGetImageSize(data, &channels, &height, &width));
  PsdCheckInput(channels == g.channels && height == g.height && width == g.width,
                "images of %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT
                " (channels x height x width), but the network was trained on %" PetscInt_FMT "x%" PetscInt_FMT
                "x%" PetscInt_FMT,
                channels, height, width, g.channels, g.height, g.width);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- to and from a file */

/* The network as a model that borrows its arrays. */
static PetscErrorCode Describe(PsdNetwork network, PsdModel *model)
{
  const PetscReal *transform, *mean;

  PetscFunctionBeginUser;
  PetscCheck(network->f && network->patches && network->labels, network->comm, PETSC_ERR_ORDER,
             "The network has no neurons, patches or classes yet");
  PetscCall(PetscMemzero(model, sizeof(*model)));
  PetscCall(PsdPatchesGetGeometry(network->patches, &model->geometry));
  PetscCall(PsdPatchesGetTransform(network->patches, &transform, &mean));
  PetscCall(PsdPatchesGetSizes(network->patches, &model->q, NULL, NULL, NULL));
  model->training = network->training;
  model->N = network->N;
  model->f = network->f;
  model->count = network->count;
  model->has_transform = (PetscBool)(transform != NULL);
  model->filters = network->filters;
  model->weights = network->weights;
  model->transform = (PetscReal *)transform; /* a model that is written is not changed */
  model->mean = (PetscReal *)mean;
  model->regions = network->regions;
  model->classes = network->classes;
  model->labels = network->labels;
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkSave(PsdNetwork network, const char path[])
{
  PsdStatus status = {0};
  PsdModel model;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCall(Describe(network, &model));
  PetscCallMPI(MPI_Comm_rank(network->comm, &rank));
  if (rank == 0) PsdModelWrite(path, &model, &status);
  PetscCall(PsdStatusAgree(network->comm, &status));
  PetscFunctionReturn(0);
}

/* Gives rank 0's bytes to all, in messages that MPI can count. */
static PetscErrorCode Broadcast(MPI_Comm comm, void *values, size_t bytes)
{
  const size_t largest = (size_t)1 << 30;

  PetscFunctionBeginUser;
  for (size_t done = 0; done < bytes; done += largest)
    PetscCallMPI(MPI_Bcast((char *)values + done, (PetscMPIInt)PetscMin(largest, bytes - done), MPI_BYTE, 0, comm));
  PetscFunctionReturn(0);
}

/* Rank 0's model becomes a network on every rank. */
static PetscErrorCode Share(PsdNetwork network, PetscMPIInt rank, const PsdModel *root)
{
  PsdModel model = *root;
  const PetscBool root_rank = (PetscBool)(rank == 0);

  PetscFunctionBeginUser;
  PetscCall(Broadcast(network->comm, &model, sizeof(model)));
  const size_t filters = (size_t)model.N * model.f, N = (size_t)model.N;
  const size_t transform = model.has_transform ? (size_t)model.q * model.f : 0, q = model.has_transform ? model.q : 0;
  struct {
    void *from;
    size_t bytes;
    void *to;
  } parts[] = {{root->filters, filters * sizeof(PetscReal), NULL},
               {root->weights, N * sizeof(PetscReal), NULL},
               {root->regions, N * sizeof(PetscInt), NULL},
               {root->classes, N * sizeof(PetscInt), NULL},
               {root->labels, model.count * sizeof(PetscInt), NULL},
               {root->transform, transform * sizeof(PetscReal), NULL},
               {root->mean, q * sizeof(PetscReal), NULL}};
  const size_t part_count = sizeof(parts) / sizeof(parts[0]);

  for (size_t k = 0; k < part_count; k++) {
    if (root_rank) parts[k].to = parts[k].from;
    else PetscCall(PetscMalloc(parts[k].bytes, &parts[k].to));
    PetscCall(Broadcast(network->comm, parts[k].to, parts[k].bytes));
  }
  PetscCall(PsdNetworkSetNeurons(network, model.N, model.f, parts[0].to, parts[1].to, parts[2].to, parts[3].to));
  PetscCall(PsdNetworkSetClasses(network, model.count, parts[4].to));
  PetscCall(PsdNetworkSetTraining(network, &model.training));
  PetscCall(PsdPatchesCreate(network->comm, &network->patches));
  PetscCall(PsdPatchesSetGeometry(network->patches, &model.geometry));
  if (model.has_transform) PetscCall(PsdPatchesSetTransform(network->patches, model.f, parts[5].to, parts[6].to));
  for (size_t k = 0; k < part_count && !root_rank; k++) PetscCall(PetscFree(parts[k].to));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkLoad(MPI_Comm comm, const char path[], PsdNetwork *network)
{
  PsdStatus status = {0};
  PsdModel model = {0};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  *network = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PsdModelRead(path, &model, &status);
  if (status.failed) PsdModelFree(&model);
  PetscCall(PsdStatusAgree(comm, &status));
  PetscCall(PsdNetworkCreate(comm, network));
  PetscCall(Share(*network, rank, &model));
  PsdModelFree(&model);
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------- in words */

static PetscErrorCode ViewNeurons(PsdNetwork network, PetscViewer viewer)
{
  const PetscInt C = PsdScoreCount(network->count);
  PetscInt *neurons;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(C, &neurons));
  for (PetscInt k = 0; k < network->N; k++) neurons[network->classes[k]]++;
  PetscCall(PetscViewerASCIIPrintf(viewer, "  classes        "));
  for (PetscInt k = 0; k < network->count; k++)
    PetscCall(PetscViewerASCIIPrintf(viewer, " %" PetscInt_FMT, network->labels[k]));
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n  neurons         %" PetscInt_FMT, network->N));
  if (C > 1) {
    PetscCall(PetscViewerASCIIPrintf(viewer, ", by class"));
    for (PetscInt t = 0; t < C; t++) PetscCall(PetscViewerASCIIPrintf(viewer, " %" PetscInt_FMT, neurons[t]));
  }
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n"));
  PetscCall(PetscFree(neurons));
  PetscFunctionReturn(0);
}

static PetscErrorCode ViewTraining(const PsdTraining *t, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  PetscCall(PetscViewerASCIIPrintf(viewer, "  loss            %s, %" PetscInt_FMT " training images%s\n", t->loss,
                                   t->n_train, t->flip ? " and their mirror images" : ""));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  beta            %.6g", (double)t->beta));
  if (t->beta_max > 0)
    PetscCall(PetscViewerASCIIPrintf(viewer, ", %.4g of beta_max %.8g", (double)(t->beta / t->beta_max),
                                     (double)t->beta_max));
  PetscCall(PetscViewerASCIIPrintf(viewer, "\n  objective       %.10g, at least %.10g, gap %.3g\n",
                                   (double)t->objective_primal, (double)t->objective_dual, (double)t->gap));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  activation      %.6g u^2 + %.6g u + %.6g\n", (double)t->activation[0],
                                   (double)t->activation[1], (double)t->activation[2]));
  PetscFunctionReturn(0);
}

static PetscErrorCode ViewPatches(PsdPatches patches, PetscViewer viewer)
{
  PsdPatchGeometry g;
  const PetscReal *transform;
  PetscInt q, f, G, positions;

  PetscFunctionBeginUser;
  PetscCall(PsdPatchesGetGeometry(patches, &g));
  PetscCall(PsdPatchesGetTransform(patches, &transform, NULL));
  PetscCall(PsdPatchesGetSizes(patches, &q, &f, &G, &positions));
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "  images          %" PetscInt_FMT "x%" PetscInt_FMT "x%" PetscInt_FMT ", pixels (value - %.6g)/%.6g\n",
      g.channels, g.height, g.width, (double)g.pixel_shift, (double)g.pixel_scale));
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "  patches         %" PetscInt_FMT "x%" PetscInt_FMT ", stride %" PetscInt_FMT
                                   ", %" PetscInt_FMT " an image in %" PetscInt_FMT " regions\n",
                                   g.patch_height, g.patch_width, g.stride, positions, G));
  PetscCall(PetscViewerASCIIPrintf(viewer, "  preprocessing   "));
  if (g.normalize > 0) PetscCall(PetscViewerASCIIPrintf(viewer, "patches normalised (%.6g), ", (double)g.normalize));
  if (transform)
    PetscCall(PetscViewerASCIIPrintf(viewer, "transform from %" PetscInt_FMT " to %" PetscInt_FMT " numbers\n", q, f));
  else PetscCall(PetscViewerASCIIPrintf(viewer, "no transform, %" PetscInt_FMT " numbers\n", q));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdNetworkView(PsdNetwork network, PetscViewer viewer)
{
  PetscFunctionBeginUser;
  PetscCall(PetscViewerASCIIPrintf(viewer, "network\n"));
  PetscCall(ViewNeurons(network, viewer));
  PetscCall(ViewTraining(&network->training, viewer));
  if (network->patches) PetscCall(ViewPatches(network->patches, viewer));
  PetscFunctionReturn(0);
}
