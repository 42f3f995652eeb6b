/*
   PsdNetwork: a trained network and the file it lives in (docs/mathematics.md, section 4; docs/formats.md).

   score_t(image) = sum over neurons of class t of weight * mean over the patches x of the neuron's region of s(filter
   . x), s(u) = a u^2 + b u + c. With two classes there is one score (t = 0) and the image is of class 1 when it is
   positive; with more the class is that of the largest score. Of real targets the scores are the outputs. Every rank
   holds the whole network.
*/
#ifndef PSDNETWORK_H
#define PSDNETWORK_H

#include <psdbase.h>
#include <psddata.h>
#include <psdmaps.h>
#include <psdpatches.h>

typedef struct _p_PsdNetwork *PsdNetwork;

/* What the file says of how the network was trained; scalars of model.h5 with the same names. */
typedef struct {
  char loss[32];
  PetscReal beta, beta_max, objective_primal, objective_dual, gap;
  PetscInt n_train;         /* images, without shifted and mirror images */
  PetscInt flip;            /* 1: trained on their mirror images as well */
  PetscInt shifts;          /* samples of each by shifting, as of PsdDataSetShifts; 0 as 1 */
  PetscReal activation[3];  /* a, b, c */
  PetscReal loss_parameter; /* of a loss that has one, under its option's name in the file: huber_delta; else 0 */
} PsdTraining;

/*
   PsdNetworkCreate - Creates an empty network; one that is trained comes from PsdSolverGetNetwork, one in a file from
   PsdNetworkLoad. PsdNetworkDestroy frees it.

   Collective on comm, which is duplicated.
*/
PSD_EXTERN PetscErrorCode PsdNetworkCreate(MPI_Comm comm, PsdNetwork *network);

/*
   PsdNetworkSetNeurons - Sets the neurons, N of them.

   Logically collective; all arrays are copied.

   Input:
     filters - N x f, rows of length 1; of several branches f is that of the largest, and a filter of a branch with shorter
               patches ends with zeros
     weights - N: alpha, of either sign
     regions - N, each 0..G-1
     classes - N: the score that the neuron is of, each 0..C-1
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetNeurons(PsdNetwork network, PetscInt N, PetscInt f, const PetscReal filters[],
                                               const PetscReal weights[], const PetscInt regions[],
                                               const PetscInt classes[]);

/*
   PsdNetworkSetPatches - Says how images reach the filters; the network keeps its own copy. The patches must have
   their image size.

   Collective.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetPatches(PsdNetwork network, PsdPatches patches);

/*
   PsdNetworkSetClasses - Sets the labels (count; copied) that classes 0 .. count-1 stand for. C = 1 when count is 2,
   else count.

   Logically collective. Errors (PSD_ERR_INPUT): count < 2.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetClasses(PsdNetwork network, PetscInt count, const PetscInt labels[]);

/*
   PsdNetworkSetOutputs - Makes it a network of real targets: C = outputs scores, which are its predictions, and no
   classes. PsdNetworkGetOutputs - their number; 0: it tells classes apart.

   Logically collective; not collective. Errors (PSD_ERR_INPUT): outputs < 1.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetOutputs(PsdNetwork network, PetscInt outputs);
PSD_EXTERN PetscErrorCode PsdNetworkGetOutputs(PsdNetwork network, PetscInt *outputs);

/*
   PsdNetworkSetClassNames - Sets what the classes, or the outputs, are called (names: one each; copied); without it
   classes are called by their labels, and outputs by their numbers. PsdNetworkGetClassNames - the names, borrowed; *names is NULL where there are none.

   Logically collective, after PsdNetworkSetClasses; not collective. Names longer than PSD_CLASS_NAME_LENGTH - 1 bytes are
   cut.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetClassNames(PsdNetwork network, const char *const names[]);
PSD_EXTERN PetscErrorCode PsdNetworkGetClassNames(PsdNetwork network, const char *const *names[]);

/*
   PsdNetworkSetTraining - Sets the record of the training, of which PsdNetworkApply uses the activation.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetTraining(PsdNetwork network, const PsdTraining *training);

/*
   PsdNetworkGetNeurons, PsdNetworkGetPatches, PsdNetworkGetClasses - What the Set functions have set, borrowed; of
   the arguments that are given back any may be NULL but the patches. C: scores of an image. PsdNetworkGetTraining - A
   copy of the record of the training.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdNetworkGetNeurons(PsdNetwork network, PetscInt *N, PetscInt *f, const PetscReal *filters[],
                                               const PetscReal *weights[], const PetscInt *regions[],
                                               const PetscInt *classes[]);
PSD_EXTERN PetscErrorCode PsdNetworkGetPatches(PsdNetwork network, PsdPatches *patches);
PSD_EXTERN PetscErrorCode PsdNetworkGetClasses(PsdNetwork network, PetscInt *count, const PetscInt *labels[],
                                               PetscInt *C);
PSD_EXTERN PetscErrorCode PsdNetworkGetTraining(PsdNetwork network, PsdTraining *training);

/*
   PsdNetworkNormalize - Makes all filters of length 1, unless they are, to rounding. The program that a certificate is
   about knows no others, whereas a file may have filters that were normalised in single precision.

   Logically collective. Output: deviation - the largest |1 - length| before, 0: nothing was changed; may be NULL
*/
PSD_EXTERN PetscErrorCode PsdNetworkNormalize(PsdNetwork network, PetscReal *deviation);

/*
   PsdNetworkSave - Writes model.h5 from rank 0: temporary name, sync, rename.

   Collective. Errors (PSD_ERR_INPUT): the file cannot be written, and then one of that name is as it was; numbers
   that PsdNetworkLoad would refuse.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSave(PsdNetwork network, const char path[]);

/*
   PsdNetworkLoad - Reads model.h5 on rank 0, checks it against itself, and gives it to all ranks.

   Collective on comm. On an error *network is NULL. Errors (PSD_ERR_INPUT): missing, not HDF5, truncated, not a
   psdnet model, another version, an attribute or data set missing or of the wrong kind or shape, numbers that are not
   finite, regions or classes out of range, filters that are not unit vectors.
*/
PSD_EXTERN PetscErrorCode PsdNetworkLoad(MPI_Comm comm, const char path[], PsdNetwork *network);

/*
   PsdNetworkGiveFilters - Has a stage of maps take the filters of a network, or of that of its branches which -layer1_branch
   says: as many of the heaviest neurons' as the stage has filters, with the patches that they are of. Where these are of maps, the stage stands on
   the one that makes them. What the network claims of itself is kept with the stage. What else the stage is stays as it was set.

   Logically collective; before PsdMapsSetSizes. Errors (PSD_ERR_INPUT): several branches and none chosen, fewer
   neurons than filters, more than PSD_MOST_STAGES stages; -layer1_pool larger than the grid of positions.
*/
PSD_EXTERN PetscErrorCode PsdNetworkGiveFilters(PsdNetwork network, PsdMaps maps);

/*
   PsdNetworkGetPixels - How the images are held that the network was trained on; least and largest are 0.

   Not collective.
*/
PSD_EXTERN PetscErrorCode PsdNetworkGetPixels(PsdNetwork network, PsdPixels *pixels);

/*
   PsdNetworkCheckData - Returns PSD_ERR_INPUT unless the images have the size, and are held in the way, of those that
   the network was trained on.

   Not collective, alike on all ranks; after PsdDataSetUp.
*/
PSD_EXTERN PetscErrorCode PsdNetworkCheckData(PsdNetwork network, PsdData data);

/*
   PsdNetworkCheckProblem - Returns PSD_ERR_INPUT, with a line that says in what they differ, unless two networks are of the
   same convex program: patches and their preprocessing, classes, loss, activation, beta, images. what, other: what the
   message calls them, as "m.h5".

   Not collective, alike on all ranks.
*/
PSD_EXTERN PetscErrorCode PsdNetworkCheckProblem(PsdNetwork network, const char what[], PsdNetwork of,
                                                 const char other[]);

/*
   PsdNetworkSetCrops - Has PsdNetworkApply give the mean of the scores of an image shifted by -most .. most pixels
   along both axes, its edge repeated: (2 most + 1)^2 crops, and, mirrored, of the mirror images of all of them. 0 and
   PETSC_FALSE, as at first: of the image itself.

   Logically collective.
*/
PSD_EXTERN PetscErrorCode PsdNetworkSetCrops(PsdNetwork network, PetscInt most, PetscBool mirrored);

/*
   PsdNetworkApply - Gives the scores of the images of this rank's shard.

   Collective (progress, errors); after PsdDataSetUp of the data. Cost: one product of patches with filters an image
   and crop, as BLAS-3.

   Output: scores - n_local x C. Errors (PSD_ERR_INPUT): as of PsdNetworkCheckData; scores that are not finite.
*/
PSD_EXTERN PetscErrorCode PsdNetworkApply(PsdNetwork network, PsdData data, PetscReal scores[]);

/*
   PsdNetworkClassify - Returns the class, 0 .. count-1, that the C scores of one image stand for.

   Not collective.
*/
PSD_EXTERN PetscInt PsdNetworkClassify(PetscInt C, const PetscReal scores[]);

/*
   PsdNetworkCheckProbabilities - Whether scores of the network can be made probabilities: it was trained with softmax, or on
   two classes with logistic. count: its classes. PsdNetworkProbabilities - those of the classes, which sum to 1, of the C
   scores of one image: C of them, or 2 when C is 1.

   Collective (errors); not collective. Errors (PSD_ERR_INPUT): another loss.
*/
PSD_EXTERN PetscErrorCode PsdNetworkCheckProbabilities(PsdNetwork network, PetscInt *count);
PSD_EXTERN void PsdNetworkProbabilities(PetscInt C, const PetscReal scores[], PetscReal probabilities[]);

/*
   PsdNetworkConfusion - Counts images by class and predicted class, over all ranks.

   Collective.

   Input:  scores    - n_local x C, as PsdNetworkApply leaves them Output: confusion - count x count: images of class
   `row` that are predicted as class `column`, classes being the network's
           accuracy  - trace over sum, 0..1

   Errors (PSD_ERR_INPUT): a label of the data that the network does not know.
*/
PSD_EXTERN PetscErrorCode PsdNetworkConfusion(PsdNetwork network, PsdData data, const PetscReal scores[],
                                              PetscInt64 confusion[], PetscReal *accuracy);

/* How well real targets are met: the root of the mean square of predictions less targets, the mean of their size, and
   the part of the targets' squares about their mean that predictions explain. */
typedef struct {
  PetscReal rmse, mean_error, r2;
} PsdFit;

/*
   PsdNetworkFit - Compares the outputs of a network with targets, over all ranks.

   Collective.

   Input:  scores - n_local x outputs, as PsdNetworkApply leaves them
   Output: each   - of each output; NULL: not wanted
           all    - of all outputs together: means over outputs of squares and sizes

   r2 is 1 - (sum of squares of what is missed)/(sum of squares of targets less their mean); of targets that are all
   alike 1 where they are met and else 0. Errors (PSD_ERR_INPUT): targets of another number than the network's outputs.
*/
PSD_EXTERN PetscErrorCode PsdNetworkFit(PsdNetwork network, PsdData data, const PetscReal scores[], PsdFit each[],
                                        PsdFit *all);

/*
   PsdNetworkView - Prints what the network is, in some ten lines.

   Collective. viewer: an ASCII viewer on the same ranks.
*/
PSD_EXTERN PetscErrorCode PsdNetworkView(PsdNetwork network, PetscViewer viewer);

/*
   PsdNetworkDestroy - Frees a network, and sets the handle to NULL; NULL is left as it is.

   Collective.
*/
PSD_EXTERN PetscErrorCode PsdNetworkDestroy(PsdNetwork *network);

#endif
