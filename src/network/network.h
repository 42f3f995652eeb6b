/*
   Private to the folder: the network object, and the plain model that a file is read into and written from.

   A network's file is read and written by rank 0 alone. What it holds is therefore kept in a struct without handles,
   PsdModel, which is checked as a whole before it is written and after it is read: what psdnet writes, psdnet reads.
*/
#ifndef PSD_NETWORK_PRIVATE_H
#define PSD_NETWORK_PRIVATE_H

#include <psdmaps.h>
#include <psdnetwork.h>
#include "base/base.h"
#include "base/hdf5_file.h"

struct _p_PsdNetwork {
  MPI_Comm comm; /* our own duplicate */
  PetscInt N, f;
  PetscReal *filters, *weights;         /* N x f row-major, N */
  PetscInt *regions, *classes;          /* N, N */
  PsdPatches patches;                   /* own copy */
  PetscInt outputs;                     /* real numbers that it gives for an image; 0: it tells classes apart */
  PetscInt count, *labels;              /* what classes 0 .. count-1 stand for; of outputs 0, NULL */
  char (*names)[PSD_CLASS_NAME_LENGTH]; /* what they are called; NULL: by their labels */
  const char **name;                    /* each of them */
  PsdTraining training;
  PetscInt crop_shift; /* see PsdNetworkSetCrops */
  PetscBool crop_mirrored;
};

/* How one branch sees an image; channels, height and width are the same for all. */
typedef struct {
  PsdPatchGeometry geometry;
  PetscBool has_transform;
  PetscInt q, f; /* rows and columns of the transform */
  PetscReal *transform, *mean;
} PsdModelBranch;

/* A stage before the patches. */
typedef struct {
  PsdModelBranch images; /* its patches, of images or of the maps of the stage below, and their transform */
  PsdMapGeometry map;
  PetscInt split;         /* 0 or 1 */
  PetscInt f;             /* columns of the filters */
  PetscReal *filters;     /* count x f */
  PetscInt rows, columns; /* of the transform of the channels */
  PetscReal *transform, *mean;
  PsdMapOrigin origin;
} PsdModelStage;

/* Everything that model.h5 says (docs/formats.md). */
typedef struct {
  PsdTraining training;
  PetscInt stages;
  PsdModelStage stage[PSD_MOST_STAGES]; /* from the images on */
  PetscInt branches;
  PsdModelBranch branch[PSD_MOST_BRANCHES];
  PetscInt N, f, outputs, count; /* outputs 0: there are `count` classes, else none */
  PetscReal *filters, *weights;
  PetscInt *regions, *classes, *labels;
  char (*names)[PSD_CLASS_NAME_LENGTH]; /* of classes; NULL: they have none */
} PsdModel;

/* PsdNetworkGetImageSize - channels, height and width of the images that it is applied to. Not collective. */
PetscErrorCode PsdNetworkGetImageSize(PsdNetwork network, PetscInt size[3]);

/* Number of scores of a network that has so many outputs, or, without any, tells `count` classes apart. */
static inline PetscInt PsdScoreCount(PetscInt count, PetscInt outputs)
{
  return outputs > 0 ? outputs : count == 2 ? 1 : count;
}

/* Roundings of eps by which a filter of f numbers that was divided by its length may differ from length 1, or seem to: f/2
   + 2 in either of the two sums of squares, and one in each quotient. */
#define PSD_UNIT_ROUNDINGS(f) ((PetscReal)(f) + 5)

/* PsdFilterLength - of a row u of f numbers. Not collective. */
static inline PetscReal PsdFilterLength(PetscInt f, const PetscReal filter[])
{
  PetscReal square = 0;

  for (PetscInt k = 0; k < f; k++) square += filter[k] * filter[k];
  return PetscSqrtReal(square);
}

/* PsdModelMapOf - the stage whose map a branch is cut of; NULL: it is cut of images. Not collective. */
static inline const PsdModelStage *PsdModelMapOf(const PsdModel *model, const PsdModelBranch *branch)
{
  const PetscInt stage = branch->geometry.stage > 0 ? branch->geometry.stage : model->stages;

  return stage > 0 ? &model->stage[stage - 1] : NULL;
}

/* PsdModelChannels, PsdModelSide - of what patches of a stage above or of a branch are cut: the map that a stage makes, or
   the responses that it keeps beside it. Not collective. */
static inline PetscInt PsdModelChannels(const PsdModelStage *stage, const PsdPatchGeometry *patches)
{
  const PetscInt all = (stage->map.split ? 2 : 1) * stage->map.count;

  return stage->map.channels > 0 && !patches->responses ? stage->map.channels : all;
}

static inline PetscInt PsdModelSide(const PsdModelStage *stage, const PsdPatchGeometry *patches)
{
  return patches->responses ? stage->map.responses : stage->images.geometry.pool;
}

/* PsdModelDimension - numbers in the largest branch's patch: columns of the filters. Not collective. */
PetscInt PsdModelDimension(const PsdModel *model);

/* network.c: a network as a model that borrows its arrays, and rank 0's model as a network on all ranks (collective). */
PetscErrorCode PsdNetworkDescribe(PsdNetwork network, PsdModel *model);
PetscErrorCode PsdNetworkShare(MPI_Comm comm, const PsdModel *model, PsdNetwork *network);

/* class_names.c: PsdNetworkForgetNames - not collective. PsdNetworkShareNames - those of rank 0's model; collective. */
PetscErrorCode PsdNetworkForgetNames(PsdNetwork network);
PetscErrorCode PsdNetworkShareNames(PsdNetwork network, const PsdModel *model);

/* PsdModelCheckStages - the part of PsdModelCheckSizes that sizes of branches are taken of. */
void PsdModelCheckStages(const PsdModel *model, const char path[], PsdFailure *failure);
/* PsdModelCheckBranches - the part of PsdModelCheckSizes that PsdModelDimension relies on. */
void PsdModelCheckBranches(const PsdModel *model, const char path[], PsdFailure *failure);
/* model_check.c: sizes before anything of that size is allocated, then the numbers. path is for the message. */
void PsdModelCheckSizes(const PsdModel *model, const char path[], PsdFailure *failure);
void PsdModelCheckNumbers(const PsdModel *model, const char path[], PsdFailure *failure);
/* PsdModelCheckPadding - filters end with their branch's patches. Of what is written, and of networks that are to be certified or
   started from; others only predict. */
void PsdModelCheckPadding(const PsdModel *model, const char path[], PsdFailure *failure);

/* PsdNetworkCheckPadding - the same of a network; an input error. Collective. */
PetscErrorCode PsdNetworkCheckPadding(PsdNetwork network);

/* model_read.c, model_write.c, model_layout.c: on one rank. PsdModelRead allocates the arrays with malloc, also when it
   fails; PsdModelFree frees them. */
void PsdModelRead(const char path[], PsdModel *model, PsdFailure *failure);
void PsdModelWrite(const char path[], const PsdModel *model, PsdFailure *failure);
void PsdModelFree(PsdModel *model);
/* Of a model without neurons, in a file that holds other things as well, always with groups of branches: what there is to
 * say of the problem. Written without the arrays of the branches' preprocessing, which are for the caller to write. */
void PsdModelReadProblem(PsdH5Group file, PsdModel *model, PsdFailure *failure);
void PsdModelWriteProblem(PsdH5File file, const PsdModel *model, PsdFailure *failure);

#endif
