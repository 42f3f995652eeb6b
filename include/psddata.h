/*
   PsdData: a labelled set of images, sharded over the ranks of a communicator.

   The images are in the caller's memory (PsdDataSetArrays, PsdDataSetTypedArrays), or a directory's (PsdDataSetPath),
   whose format is found from what it holds: CIFAR-10 and CIFAR-100 in their binary forms, the IDX files of the MNIST family, plain or .gz,
   HDF5, NumPy's arrays, folders of pictures. Images are selected by split, class, number and part, in their order; the
   selection is divided evenly, each rank holding a contiguous piece of it in memory, in channel-row-column order, as
   PsdPixels says.
*/
#ifndef PSDDATA_H
#define PSDDATA_H

#include <psdbase.h>

typedef struct _p_PsdData *PsdData;

typedef enum { PSD_SPLIT_TRAIN, PSD_SPLIT_TEST } PsdSplit;

/*
   How the pixels of images are held in memory. Whole numbers are held as they are, step 0. Of real numbers levels are held:
   level k, of 0 .. 255 or 0 .. 65535, stands for low + k step. step is a power of two and low a multiple of it, so that
   sums and differences of such numbers are exact in double precision.
*/
typedef struct {
  PetscInt bits;            /* 8 or 16 */
  PetscReal step, low;      /* of real numbers; step 0: whole numbers */
  PetscReal least, largest; /* of real numbers: those that the files have, which defaults of options follow */
} PsdPixels;

/* Which images of a selection: all; all but the last fraction; the last fraction alone (see PsdDataSetValidation). */
typedef enum { PSD_PART_ALL, PSD_PART_TRAIN, PSD_PART_VALIDATION } PsdDataPart;

/* What the images are for. Training images must be labelled and have one of every class; a network is evaluated on
   labelled images of whatever classes; images that are only to be predicted need no labels. */
typedef enum { PSD_TO_TRAIN, PSD_TO_EVALUATE, PSD_TO_PREDICT, PSD_TO_SAVE } PsdDataPurpose;

/*
   PsdDataCreate - Creates a data set: of no images yet, split train, all classes, no limit. PsdDataDestroy frees it.

   Collective on comm, which is duplicated.
*/
PSD_EXTERN PetscErrorCode PsdDataCreate(MPI_Comm comm, PsdData *data);

/*
   PsdDataSetPath - Takes the images from files. Of PsdDataSetPath, PsdDataSetArrays and the option -data the last one
   counts.

   Logically collective; before PsdDataSetUp. path: a directory, or an HDF5 file itself; fewer than PETSC_MAX_PATH_LEN
   bytes. Option: -data DIR.
*/
PSD_EXTERN PetscErrorCode PsdDataSetPath(PsdData data, const char path[]);

/*
   PsdDataSetArrays - Takes the images from memory, in the order of the ranks.

   Collective; before PsdDataSetUp.

   Input:
     n_local - images that this rank gives; ranks may give different numbers, and 0 as well
     channels, height, width - of each image, alike on all ranks
     images  - n_local x channels x height x width bytes; NULL when n_local is 0
     labels  - n_local, each 0 .. 2^31 - 1. NULL on all ranks for images that are only to be predicted, as
               PsdDataSetPurpose then says

   Both arrays are copied, and the caller may free them at once. Classes, limit, validation and mirror images work as
   they do for files, and indices (PsdDataGetShard) count from 0 over the images of all ranks. PsdDataSetUp moves the
   images selected to even shards, so training goes the same way however the caller had them distributed.

   Errors (PSD_ERR_INPUT): sizes that differ or are out of range, an array missing where there are images, labels on
   some ranks only, a negative label, no images, no memory. Source: tests/examples/train_arrays.c
*/
PSD_EXTERN PetscErrorCode PsdDataSetArrays(PsdData data, PetscInt n_local, PetscInt channels, PetscInt height,
                                           PetscInt width, const unsigned char images[], const PetscInt labels[]);

/*
   PsdDataSetTypedArrays - The same of images that are other numbers than bytes.

   Collective; before PsdDataSetUp. type: of the numbers, which are in the machine's order, alike on all ranks; images: n_local x channels x
   height x width of them. The other arguments, errors and copies are as of PsdDataSetArrays.

   Numbers are held as those of files are (docs/formats.md, "Input: images", "Numbers"): by what those of all ranks are,
   as bytes, as whole numbers of 16 bits, or as levels of real numbers (PsdDataSetLevels), of which PsdDataGetPixels tells.
   Images that a network is to be applied to are held as it wants them, PsdDataSetPixels with what PsdNetworkGetPixels
   gives. While PsdDataSetUp moves them a rank holds its shard once more in the caller's type. Errors (PSD_ERR_INPUT):
   another type, or not the same on all ranks; of PsdDataSetUp: numbers that are not finite, are above 1e30, or cannot be
   held as the network wants them. Source: tests/examples/train_measurements.c
*/
typedef enum { PSD_ARRAY_UINT8, PSD_ARRAY_UINT16, PSD_ARRAY_FLOAT32, PSD_ARRAY_FLOAT64 } PsdArrayType;
PSD_EXTERN PetscErrorCode PsdDataSetTypedArrays(PsdData data, PsdArrayType type, PetscInt n_local, PetscInt channels,
                                                PetscInt height, PetscInt width, const void *images,
                                                const PetscInt labels[]);

/*
   PsdDataSetArrayTargets - Gives the images of PsdDataSetArrays, which then have no labels, real targets: what
   regression learns.

   Collective; after PsdDataSetArrays, before PsdDataSetUp. outputs: targets of an image, 1..1024, alike on all ranks.
   targets: n_local x outputs, finite; copied. Errors (PSD_ERR_INPUT): labels as well, a number out of range or not
   finite, no memory.

   PsdDataSetArrayTargetNames - What the targets are called, and the outputs of networks that are trained on them.

   Collective; after PsdDataSetArrayTargets, before PsdDataSetUp. names: as many as there are outputs, alike on all ranks;
   copied, of which PSD_CLASS_NAME_LENGTH - 1 bytes are kept. Errors (PSD_ERR_INPUT): an empty name. The names of classes
   are PsdDataSetClassNames'.
*/
PSD_EXTERN PetscErrorCode PsdDataSetArrayTargets(PsdData data, PetscInt outputs, const PetscReal targets[]);
PSD_EXTERN PetscErrorCode PsdDataSetArrayTargetNames(PsdData data, const char *const names[]);

/*
   PsdDataSetOutputs - Says how many outputs the network has that is applied to the images or trained on the others; 0,
   as at first: it tells classes apart, or there is none yet. PsdDataGetTargets - targets of an image, 0 where images
   have labels or nothing, and this rank's n_local x outputs targets, borrowed; either may be NULL.

   Logically collective, before PsdDataSetUp; not collective, after it. Errors (PSD_ERR_INPUT), of PsdDataSetUp: targets
   of another number. Images that are only to be predicted need none, and are all selected, whatever labels they have.
*/
PSD_EXTERN PetscErrorCode PsdDataSetOutputs(PsdData data, PetscInt outputs);
PSD_EXTERN PetscErrorCode PsdDataGetTargets(PsdData data, PetscInt *outputs, const PetscReal *targets[]);

/*
   PsdDataSetArrayWeights - Gives the images of PsdDataSetArrays weights: a sample's loss counts as often as its weight
   says. PsdDataSetWeightsPath - Takes the weights from a file, in the place of those of the data set; "", as at first:
   from no file. PsdDataSetClassWeights - Multiplies the weights, 1 where there are none, of each class's images by a
   factor: weights, count of them, in the order of the classes; NULL with a count above 0: factors with which all classes
   weigh alike, n/(K n_k) for class k of n_k images of K classes that have n in all, before -validation divides them; 0,
   as at first: no factors.

   Collective after PsdDataSetArrays; logically collective; all before PsdDataSetUp. weights: n_local, copied. path: a
   .npy of one number for each image of the split. Errors (PSD_ERR_INPUT): factors out of 1e-30 .. 1e30; of
   PsdDataSetUp: weights that are neither 0 nor in that range, all weights 0, as many factors as there are no classes.
   Options: -weights FILE, -class_weights a,b,...|balanced. Source: docs/mathematics.md, section 1, "Weights of images"

   An image of weight 0 is left out as if it was not there. Images that are only to be predicted have no weights.
*/
PSD_EXTERN PetscErrorCode PsdDataSetArrayWeights(PsdData data, const PetscReal weights[]);
PSD_EXTERN PetscErrorCode PsdDataSetWeightsPath(PsdData data, const char path[]);
PSD_EXTERN PetscErrorCode PsdDataSetClassWeights(PsdData data, PetscInt count, const PetscReal weights[]);

/*
   PsdDataGetWeights - This rank's n_local weights, all above 0, borrowed; NULL: all are 1. Mirror images and shifted
   images have their image's.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscErrorCode PsdDataGetWeights(PsdData data, const PetscReal *weights[]);

/*
   PsdDataSetPurpose - Says what the images are for; PSD_TO_TRAIN at first.

   Logically collective; before PsdDataSetFromOptions. With another purpose than to train, the classes are those of the
   network that is applied (PsdDataSetClasses), whatever the data have, and -classes selects images among them, one class
   or more; every label that it gives must be a network's and must occur. Images that have no labels, with PSD_TO_PREDICT
   and PSD_TO_SAVE, are all selected, and count as of the first class; weights are read but with PSD_TO_PREDICT.
*/
PSD_EXTERN PetscErrorCode PsdDataSetPurpose(PsdData data, PsdDataPurpose purpose);

/*
   PsdDataSetSplit - Chooses the training images or the test images of a data set. Training images must have one of
   every class; arrays are what the split says they are.

   Logically collective; before PsdDataSetUp. Option: -split train|test.
*/
PSD_EXTERN PetscErrorCode PsdDataSetSplit(PsdData data, PsdSplit split);

/*
   PsdDataSetClasses - Keeps only images with these labels; class k is the k-th label given.

   Logically collective; before PsdDataSetUp. count: 2..1024, or 0 for every label found, ascending. labels: count,
   different, 0 or more; copied. Option: -classes a,b,...; a label that is given so must occur. Errors: labels as they
   must not be.
*/
PSD_EXTERN PetscErrorCode PsdDataSetClasses(PsdData data, PetscInt count, const PetscInt labels[]);

/*
   PsdDataSetClassNames - Says what labels are called, of a network that is applied: folders of pictures find their labels by
   it, those of other names are none of its classes, and PsdDataGetClasses gives these names.

   Logically collective; before PsdDataSetUp. labels, names: count, copied; a name longer than PSD_CLASS_NAME_LENGTH - 1
   bytes is cut.
*/
#define PSD_CLASS_NAME_LENGTH 64
PSD_EXTERN PetscErrorCode PsdDataSetClassNames(PsdData data, PetscInt count, const PetscInt labels[],
                                               const char *const names[]);

/*
   PsdDataSetLimit - Keeps the first `limit` images of the chosen classes; 0 for all.

   Logically collective; before PsdDataSetUp. Option: -limit N. Errors: limit < 0.
*/
PSD_EXTERN PetscErrorCode PsdDataSetLimit(PsdData data, PetscInt limit);

/*
   PsdDataSetValidation - Divides the n images selected so far: the last floor(fraction n), 0 <= fraction < 1, are the
   validation part.

   Logically collective; before PsdDataSetUp. Option: -validation F, which makes the part PSD_PART_TRAIN. Errors:
   fraction out of range; in PsdDataSetUp: no images in the part.
*/
PSD_EXTERN PetscErrorCode PsdDataSetValidation(PsdData data, PetscReal fraction, PsdDataPart part);

/*
   PsdDataSetResize - Has pictures (PNG, JPEG) averaged over areas to this many rows and columns; 0, 0 for as they are, which
   then must be alike.

   Logically collective; before PsdDataSetUp. Option: -resize HxW. Errors: sides out of range; in PsdDataSetUp: images of
   another format.
*/
PSD_EXTERN PetscErrorCode PsdDataSetResize(PsdData data, PetscInt height, PetscInt width);

/*
   PsdDataSetCoarse - Has the labels be the coarse ones, of a data set that has two kinds (CIFAR-100); PETSC_FALSE, as
   at first: the fine ones. PsdDataGetCoarse - whether they are.

   Logically collective; before PsdDataSetUp. Not collective. Option: -labels fine|coarse. Errors, of PsdDataSetUp:
   coarse labels of another format; labels that a network that is applied has other names for.
*/
PSD_EXTERN PetscErrorCode PsdDataSetCoarse(PsdData data, PetscBool coarse);
PSD_EXTERN PetscErrorCode PsdDataGetCoarse(PsdData data, PetscBool *coarse);

/*
   PsdDataSetMirror - Has every image followed by its mirror image (left and right exchanged) as a sample of its own.

   Logically collective; before PsdDataSetUp. No option of a data set reaches it, as it is training that wants it
   (psdnet train -flip).
*/
PSD_EXTERN PetscErrorCode PsdDataSetMirror(PsdData data, PetscBool mirror);

/*
   PsdDataSetShifts - Has every image be several samples: with 5 itself and its shifts by 2 pixels along both diagonals, with 9
   also along both axes; the edge is repeated where something moves in. 1, as at first: itself alone. PsdDataGetShifts -
   that number. Each of these is followed by its mirror image, with PsdDataSetMirror.

   Logically collective; before PsdDataSetUp. As of mirror images, it is training that wants them (psdnet train -shifts).
*/
PSD_EXTERN PetscErrorCode PsdDataSetShifts(PsdData data, PetscInt shifts);
PSD_EXTERN PetscErrorCode PsdDataGetShifts(PsdData data, PetscInt *shifts);

/*
   PsdOptionShifts - Reads -shifts, 1, 5 or 9, for PsdDataSetShifts; *shifts is left as it is without it.

   Logically collective. Errors (PSD_ERR_INPUT): another number.
*/
PSD_EXTERN PetscErrorCode PsdOptionShifts(PetscInt *shifts);

/*
   PsdDataGetCopies - Samples of an image or of a shifted image: 2 with mirror images, else 1. Samples of one image follow
   each other.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdDataGetCopies(PsdData data, PetscInt *copies);

/*
   PsdDataSetFromOptions - Reads the options of a data set: -data DIR, -split train|test, -classes a,b,..., -limit N,
   -validation F, -labels fine|coarse, -resize HxW, -levels N, and, of images that are not only to be predicted,
   -weights FILE and -class_weights a,b,...|balanced.

   Collective; before PsdDataSetUp. See the functions above for what each does and what is refused.
*/
PSD_EXTERN PetscErrorCode PsdDataSetFromOptions(PsdData data);

/*
   PsdDataSetOptionsPrefix - What the names of this data set's options have in front: with "inner_" its -limit is
   -inner_limit. NULL or "" is nothing, as at first. Values may come from PetscOptionsSetValue, so that what options
   reach is reached of every data set by itself.

   Logically collective; before PsdDataSetFromOptions. prefix: without a dash; copied. Errors (PSD_ERR_INPUT): it begins
   with a dash, or is too long.
*/
PSD_EXTERN PetscErrorCode PsdDataSetOptionsPrefix(PsdData data, const char prefix[]);

/*
   PsdDataSetUp - Finds the format, checks every file against its own header and size, selects, and reads this rank's
   shard; of arrays, selects and moves. A second time it does nothing.

   Collective; an error on one rank is an error on all. Files that can be seeked are read by each rank in its own part
   only; a .gz is streamed by rank 0 in bounded pieces. Progress lines on rank 0 when the program asked for them.

   Errors (PSD_ERR_INPUT): neither a path nor arrays; no or an empty directory, files of more than one format,
   truncated, oversized or corrupt files, headers that disagree; labels out of range, a class with no images, fewer
   than two classes, fewer images than ranks, no memory. The data set is then as it was before.
*/
PSD_EXTERN PetscErrorCode PsdDataSetUp(PsdData data);

/*
   PsdDataGetSizes - Samples (images, and shifted and mirror images where there are) in the selection, on this rank, and the
   position of the first one here. Rank r of R has positions floor(n r / R) to floor(n (r+1) / R) - 1, in images.

   Not collective; after PsdDataSetUp. Any of n, n_local and first may be NULL.
*/
PSD_EXTERN PetscErrorCode PsdDataGetSizes(PsdData data, PetscInt *n, PetscInt *n_local, PetscInt *first);

/*
   PsdDataGetImageSize - Channels, rows and columns of every image; any may be NULL.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscErrorCode PsdDataGetImageSize(PsdData data, PetscInt *channels, PetscInt *height, PetscInt *width);

/*
   PsdDataSetPixels - Says how images are to be held, for a network that was trained on such; bits 0, as at first: as the
   files have them, 16 bits where a number is above 255, levels where numbers are real. Real numbers beyond the levels
   are then clipped, with a warning that counts them. PsdDataGetPixels - how they are held. PsdDataGetImageBytes - bytes of
   an image in memory: those of 16 bits have two a pixel, in the machine's order.

   Logically collective, before PsdDataSetUp; not collective, after it.
*/
PSD_EXTERN PetscErrorCode PsdDataSetPixels(PsdData data, const PsdPixels *pixels);
PSD_EXTERN PetscErrorCode PsdDataGetPixels(PsdData data, PsdPixels *pixels);
PSD_EXTERN PetscErrorCode PsdDataGetImageBytes(PsdData data, size_t *bytes);

/*
   PsdDataSetLevels - Of images of real numbers the number of levels, at most, that lie between the least and the largest
   of the files' numbers; 65536 at first. Up to 256 are held in 8 bits.

   Logically collective; before PsdDataSetUp. Option: -levels N. Errors (PSD_ERR_INPUT): a number outside 4..65536.
*/
PSD_EXTERN PetscErrorCode PsdDataSetLevels(PsdData data, PetscInt levels);

/*
   PsdDataGetClasses - Number of classes, the label that each stands for, and their names: names[k] is the label in
   digits when the data set names none. labels and names are borrowed; any may be NULL. Where images have targets there
   are no classes, and count is 0.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscErrorCode PsdDataGetClasses(PsdData data, PetscInt *count, const PetscInt *labels[],
                                            const char *const *names[]);

/*
   PsdDataGetOutputNames - What the targets of an image are called, borrowed; *names is NULL where they have no names, or
   images have none.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscErrorCode PsdDataGetOutputNames(PsdData data, const char *const *names[]);

/*
   PsdDataGetScoreCount - C, the scores that a network of these samples has: its outputs where images have targets, else
   one for two classes and one a class for more.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscErrorCode PsdDataGetScoreCount(PsdData data, PetscInt *C);

/*
   PsdDataHasClassNames - Returns whether any class is called otherwise than by its label.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscBool PsdDataHasClassNames(PsdData data);

/*
   PsdDataIsLabelled - Returns whether the images have labels; those that have targets have none.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscBool PsdDataIsLabelled(PsdData data);

/*
   PsdDataGetShard - This rank's samples: images (n_local x channels x height x width pixels, of PsdDataGetPixels), the
   class of each (n_local, 0 .. count-1), and its index in the split's files, or in the arrays of all ranks, before any
   selection. Borrowed; any may be NULL.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscErrorCode PsdDataGetShard(PsdData data, const unsigned char *images[], const PetscInt *classes[],
                                          const PetscInt64 *indices[]);

/*
   PsdDataGetFormat - Where the images came from: "cifar10", "cifar100", "idx", "hdf5", "numpy", "pictures" or "arrays".
   Borrowed.

   Not collective; after PsdDataSetUp.
*/
PSD_EXTERN PetscErrorCode PsdDataGetFormat(PsdData data, const char *name[]);

/*
   PsdDataHasSplit - Whether there are images of a split at the path of a data set. A single HDF5 file whose images are of
   either split has those of training alone.

   Collective; after PsdDataSetPath. Errors (PSD_ERR_INPUT): nothing is there that a format knows.
*/
PSD_EXTERN PetscErrorCode PsdDataHasSplit(PsdData data, PsdSplit split, PetscBool *has);

/*
   PsdDataSave - Writes data sets, `count` splits of one, to an HDF5 file that PsdDataSetPath reads (docs/formats.md): images
   as they are held, labels or targets, names. The file appears whole or not at all; every rank writes its own part.

   Collective, on the communicator of the first; after PsdDataSetUp, of images without mirror images and shifts. Errors
   (PSD_ERR_INPUT): the file cannot be written. Source: src/app/convert.c
*/
PSD_EXTERN PetscErrorCode PsdDataSave(PetscInt count, const PsdData data[], const char path[]);

/*
   PsdDataReadsName - Whether a file of that name in a directory of images is one that a format looks at, or would if it
   were there, and so no place for an output. Beside train.h5 or test.h5, other HDF5 files are passed over.
   A name of a folder's file, such as "cats/1.png", is one of a picture or of nothing that is read.

   Not collective.
*/
PSD_EXTERN PetscBool PsdDataReadsName(const char directory[], const char name[]);

/*
   PsdDataView - Prints what the data set is, in a few lines: path, format, split, sizes, images in each class.

   Collective; after PsdDataSetUp. viewer: an ASCII viewer on the same ranks.
*/
PSD_EXTERN PetscErrorCode PsdDataView(PsdData data, PetscViewer viewer);

/*
   PsdDataDestroy - Frees a data set, and sets the handle to NULL; NULL is left as it is.

   Collective. Problems made of the data must have been destroyed before.
*/
PSD_EXTERN PetscErrorCode PsdDataDestroy(PsdData *data);

#endif
