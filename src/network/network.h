/*
   Private to the folder: the network object, and the plain model that a file is read into and written from.

   A network's file is read and written by rank 0 alone. What it holds is therefore kept in a struct without handles,
   PsdModel, which is checked as a whole before it is written and after it is read: what psdnet writes, psdnet reads.
*/
#ifndef PSD_NETWORK_PRIVATE_H
#define PSD_NETWORK_PRIVATE_H

#include <psdnetwork.h>
#include <hdf5.h>
#include "base/base.h"

struct _p_PsdNetwork {
  MPI_Comm comm;
  PetscInt N, f;
  PetscReal *filters, *weights; /* N x f row-major, N */
  PetscInt *regions, *classes;  /* N, N */
  PsdPatches patches;           /* own copy */
  PetscInt count, *labels;      /* what classes 0 .. count-1 stand for */
  PsdTraining training;
  PetscInt crop_shift; /* see PsdNetworkSetCrops */
};

/* How one branch sees an image; channels, height and width are the same for all. */
typedef struct {
  PsdPatchGeometry geometry;
  PetscBool has_transform;
  PetscInt q, f; /* rows and columns of the transform */
  PetscReal *transform, *mean;
} PsdModelBranch;

/* Everything that model.h5 says (docs/formats.md). */
typedef struct {
  PsdTraining training;
  PetscInt branches;
  PsdModelBranch branch[PSD_MOST_BRANCHES];
  PetscInt N, f, count;
  PetscReal *filters, *weights;
  PetscInt *regions, *classes, *labels;
} PsdModel;

/* Number of scores of a network that tells `count` classes apart. */
static inline PetscInt PsdScoreCount(PetscInt count)
{
  return count == 2 ? 1 : count;
}

/* model_check.c: sizes before anything of that size is allocated, then the numbers. path is for the message. */
void PsdModelCheckSizes(const PsdModel *model, const char path[], PsdStatus *status);
void PsdModelCheckNumbers(const PsdModel *model, const char path[], PsdStatus *status);

/* model_file.c: on one rank. PsdModelRead allocates the arrays with malloc, also when it fails; PsdModelFree frees
 * them. */
void PsdModelRead(const char path[], PsdModel *model, PsdStatus *status);
void PsdModelWrite(const char path[], const PsdModel *model, PsdStatus *status);
void PsdModelFree(PsdModel *model);

/* hdf5_read.c, hdf5_write.c: small steps over HDF5 that name what is wrong. A step after a failure does nothing. */
typedef enum { PSD_H5_INTEGER, PSD_H5_REAL } PsdH5Kind; /* PetscInt, PetscReal */

typedef struct {
  hid_t id;         /* negative: not open */
  const char *path; /* for messages */
} PsdH5File;

hid_t PsdH5MemoryType(PsdH5Kind kind);
PsdH5File PsdH5Open(const char path[], PsdStatus *status);
void PsdH5Close(PsdH5File *file);
PetscBool PsdH5Exists(PsdH5File file, const char name[]); /* name begins with '/' */

/* A group of a file, for data sets and attributes of its own. */
PsdH5File PsdH5OpenGroup(PsdH5File file, const char name[], PsdStatus *status);
PsdH5File PsdH5CreateGroup(PsdH5File file, const char name[], PsdStatus *status);
void PsdH5CloseGroup(PsdH5File *group);
PetscBool PsdH5HasAttribute(PsdH5File file, const char name[]);
/* Attributes of the root: `count` numbers; a text; whole numbers given in digits as an array of texts (malloc). */
void PsdH5ReadAttribute(PsdH5File file, const char name[], PsdH5Kind kind, PetscInt count, void *values,
                        PsdStatus *status);
void PsdH5ReadText(PsdH5File file, const char name[], char text[], size_t size, PsdStatus *status);
void PsdH5ReadLabels(PsdH5File file, const char name[], PetscInt *count, PetscInt **labels, PsdStatus *status);

/* Data sets of `axes` (1 or 2) axes: their shape, and all of their numbers (malloc). */
void PsdH5ReadShape(PsdH5File file, const char name[], int axes, PetscInt shape[], PsdStatus *status);
void *PsdH5ReadArray(PsdH5File file, const char name[], PsdH5Kind kind, PsdStatus *status);

/* A file that is built in memory, so that only PsdH5Save meets the disk, and its errors are the system's own. */
PsdH5File PsdH5Create(const char path[], PsdStatus *status);
/* count 0: a scalar, else a list */
void PsdH5WriteAttribute(PsdH5File file, const char name[], PsdH5Kind kind, PetscInt count, const void *values,
                         PsdStatus *status);
void PsdH5WriteTexts(PsdH5File file, const char name[], PetscInt count, const char *const texts[], PsdStatus *status);
void PsdH5WriteArray(PsdH5File file, const char name[], PsdH5Kind kind, int axes, const PetscInt shape[],
                     const void *values, PsdStatus *status);
void PsdH5Save(PsdH5File file, PsdFile *output, PsdStatus *status);

#endif
