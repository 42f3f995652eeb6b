/*
   PsdData: a labelled set of images, sharded over the ranks of a communicator.

   A data set is found from what a directory holds (CIFAR-10 binary batches; the IDX files of the MNIST family, plain or
   .gz; one HDF5 file). Images are selected by split, class, number and part, in the order of the files; the selection is
   divided evenly, each rank holding a contiguous piece of it in memory as unsigned bytes, channel-row-column order.
*/
#ifndef PSDDATA_H
#define PSDDATA_H

#include <psdbase.h>

typedef struct _p_PsdData *PsdData;

typedef enum { PSD_SPLIT_TRAIN, PSD_SPLIT_TEST } PsdSplit;

/* Which images of a selection: all; all but the last fraction; the last fraction alone (see PsdDataSetValidation). */
typedef enum { PSD_PART_ALL, PSD_PART_TRAIN, PSD_PART_VALIDATION } PsdDataPart;

/* PsdDataCreate - a data set with no path, split train, all classes, no limit. Collective on comm. */
PETSC_EXTERN PetscErrorCode PsdDataCreate(MPI_Comm comm, PsdData *data);

/* Before PsdDataSetUp; logically collective. path: a directory, or an HDF5 file itself. */
PETSC_EXTERN PetscErrorCode PsdDataSetPath(PsdData data, const char path[]);
PETSC_EXTERN PetscErrorCode PsdDataSetSplit(PsdData data, PsdSplit split);

/* PsdDataSetClasses - keep only images with these labels; class k is the k-th label given. count = 0: every label found
   in the split's files, ascending. */
PETSC_EXTERN PetscErrorCode PsdDataSetClasses(PsdData data, PetscInt count, const PetscInt labels[]);

/* PsdDataSetLimit - keep the first `limit` images of the chosen classes; 0 for all. */
PETSC_EXTERN PetscErrorCode PsdDataSetLimit(PsdData data, PetscInt limit);

/* PsdDataSetValidation - of the n images selected so far the last floor(fraction n) are the validation part. */
PETSC_EXTERN PetscErrorCode PsdDataSetValidation(PsdData data, PetscReal fraction, PsdDataPart part);

/* PsdDataSetMirror - every image is followed by its mirror image (left and right exchanged) as a sample of its own. Not among the
   options of a data set: it is training that wants it. */
PETSC_EXTERN PetscErrorCode PsdDataSetMirror(PsdData data, PetscBool mirror);

/* PsdDataGetCopies - samples an image: 2 with mirror images, else 1. Samples of one image follow each other. Not collective. */
PETSC_EXTERN PetscErrorCode PsdDataGetCopies(PsdData data, PetscInt *copies);

/* PsdDataSetFromOptions - -data DIR, -split train|test, -classes a,b,..., -limit N, -validation F (which makes the part
   PSD_PART_TRAIN). Collective. */
PETSC_EXTERN PetscErrorCode PsdDataSetFromOptions(PsdData data);

/*
   PsdDataSetUp - finds the format, checks every file against its own header and size, and reads this rank's shard.

   Collective; an error on one rank is an error on all. Files that can be seeked are read by each rank in its own part
   only; a .gz is streamed by rank 0 in bounded pieces. Errors (PSD_ERR_INPUT): no or an empty directory, files of more
   than one format, truncated, oversized or corrupt files, headers that disagree, labels out of range, a class with no
   images, fewer images than ranks.
*/
PETSC_EXTERN PetscErrorCode PsdDataSetUp(PsdData data);

/* After PsdDataSetUp; not collective. n: samples in the selection, images and mirror images; n_local: held here; first: position of the first held. */
PETSC_EXTERN PetscErrorCode PsdDataGetSizes(PsdData data, PetscInt *n, PetscInt *n_local, PetscInt *first);
PETSC_EXTERN PetscErrorCode PsdDataGetImageSize(PsdData data, PetscInt *channels, PetscInt *height, PetscInt *width);

/* PsdDataGetClasses - number of classes, the label each stands for, and names (names[k] is the label in digits when the
   data set names none). Borrowed. Any of the arguments may be NULL. */
PETSC_EXTERN PetscErrorCode PsdDataGetClasses(PsdData data, PetscInt *count, const PetscInt *labels[],
                                              const char *const *names[]);

/* Borrowed pointers to this rank's shard: images (n_local x channels x height x width bytes), the class of each
   (n_local, 0 .. count-1), and its index in the split's files before any selection. Any may be NULL. */
PETSC_EXTERN PetscErrorCode PsdDataGetShard(PsdData data, const unsigned char *images[], const PetscInt *classes[],
                                            const PetscInt64 *indices[]);

/* PsdDataGetFormat - name of the format found: "cifar10", "idx", "hdf5". */
PETSC_EXTERN PetscErrorCode PsdDataGetFormat(PsdData data, const char *name[]);

/* PsdDataView - what the data set is, in a few lines: path, format, sizes, images in each class. Collective. */
PETSC_EXTERN PetscErrorCode PsdDataView(PsdData data, PetscViewer viewer);
PETSC_EXTERN PetscErrorCode PsdDataDestroy(PsdData *data);

#endif
