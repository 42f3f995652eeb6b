/*
   What model.h5 holds, as tables, for the files of this folder that read and write it.
*/
#ifndef PSD_MODEL_LAYOUT_PRIVATE_H
#define PSD_MODEL_LAYOUT_PRIVATE_H

#include "network.h"

#define PSD_MODEL_FORMAT "psdnet-model"
#define PSD_MODEL_CLASS_NAMES "class_names"
#define PSD_MODEL_OUTPUT_NAMES "output_names"
#define PSD_MODEL_ORIGIN_LOSS "network_loss"

/* Versions that are written. */
enum {
  PSD_MODEL_VERSION = 3,   /* where it says everything, as other readers know it, ... */
  PSD_MODEL_STAGE = 4,     /* ... with a stage or shifts, which they must not pass over, ... */
  PSD_MODEL_LATER = 5,     /* ... of outputs in the place of classes, with pixels of 16 bits or linear neurons, ... */
  PSD_MODEL_LEVELS = 6,    /* ... of images of real numbers, and of stages one on another, ... */
  PSD_MODEL_RESPONSES = 7, /* ... with branches on the responses of a stage, ... */
  PSD_MODEL_LAST = 8       /* ... and with regions that share their middle, or scaled responses */
};
#define PSD_MODEL_LAST_UNSEALED 2 /* files of this version and of 1 begin as HDF5 does, without a checksum */

typedef struct {
  const char *name;
  PsdH5Kind kind;
  PetscInt count; /* 0: a scalar */
  size_t offset;
  PetscBool optional; /* 0 when absent: files from before there was one */
  PetscInt since;     /* written from this version on */
} PsdPlace;

typedef struct {
  size_t count;
  const PsdPlace *place;
} PsdPlaces;

typedef struct {
  const char *name;
  PsdH5Kind kind;
  int axes;
  size_t extent[2]; /* where each extent is kept */
  size_t offset;    /* of the pointer to the numbers */
} PsdArrayPlace;

typedef struct {
  size_t count;
  const PsdArrayPlace *place;
} PsdArrayPlaces;

/* In PsdModel, PsdModelBranch and PsdModelStage: see model_layout.c. */
extern const PsdPlaces PsdResultAttributes, PsdProblemAttributes, PsdLaterAttributes;
extern const PsdPlaces PsdBranchAttributes, PsdBitsAttributes, PsdLevelAttributes, PsdSharedAttributes,
    PsdLaterBranchAttributes;
extern const PsdPlaces PsdStageAttributes, PsdOriginAttributes;
extern const PsdArrayPlaces PsdNeuronArrays, PsdTransformArrays, PsdFilterArrays, PsdChannelArrays;

static inline void *PsdModelMember(void *whole, size_t offset)
{
  return (char *)whole + offset;
}

static inline const void *PsdModelConstMember(const void *whole, size_t offset)
{
  return (const char *)whole + offset;
}

/* The first version that says everything of a model. */
PetscInt PsdModelVersion(const PsdModel *model);
/* Whether branches have groups of their own: a branch by itself is described in the root, but for version 2. */
PetscBool PsdModelIsGrouped(PetscInt version, PetscInt branches);

#define PSD_GROUP_NAME 32
void PsdModelBranchName(PetscInt branch, char name[PSD_GROUP_NAME]);
/* Of stage l, counted from 0 at the images. */
void PsdModelStageName(PetscInt l, char name[PSD_GROUP_NAME]);

#endif
