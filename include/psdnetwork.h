/*
   PsdNetwork: a trained network and the file it lives in (docs/mathematics.md, section 4; docs/formats.md).

   score_t(image) = sum over neurons of class t of weight * mean over the patches x of the neuron's region of s(filter . x),
   s(u) = a u^2 + b u + c. With two classes there is one score (t = 0) and the image is of class 1 when it is positive; with
   more the class is that of the largest score. Every rank holds the whole network.
*/
#ifndef PSDNETWORK_H
#define PSDNETWORK_H

#include <psdbase.h>
#include <psddata.h>
#include <psdpatches.h>

typedef struct _p_PsdNetwork *PsdNetwork;

/* What the file says of how the network was trained; scalars of model.h5 with the same names. */
typedef struct {
  char loss[32];
  PetscReal beta, beta_max, objective_primal, objective_dual, gap;
  PetscInt n_train;         /* images, without mirror images */
  PetscInt flip;            /* 1: trained on their mirror images as well */
  PetscReal activation[3];  /* a, b, c */
  PetscReal loss_parameter; /* of a loss that has one, under its option's name in the file: huber_delta; else 0 */
} PsdTraining;

/* PsdNetworkCreate - an empty network. Collective on comm. */
PETSC_EXTERN PetscErrorCode PsdNetworkCreate(MPI_Comm comm, PsdNetwork *network);

/*
   PsdNetworkSetNeurons - N neurons: filters (N x f row-major, unit rows), weights (alpha, signed), region of each (0..G-1),
   class of each (0..C-1). The same on every rank; copied.
*/
PETSC_EXTERN PetscErrorCode PsdNetworkSetNeurons(PsdNetwork network, PetscInt N, PetscInt f, const PetscReal filters[],
                                                 const PetscReal weights[], const PetscInt regions[],
                                                 const PetscInt classes[]);
/* PsdNetworkSetPatches - how images reach the filters; the network keeps its own copy. */
PETSC_EXTERN PetscErrorCode PsdNetworkSetPatches(PsdNetwork network, PsdPatches patches);
/* PsdNetworkSetClasses - the labels that classes 0 .. count-1 stand for. C = 1 score when count is 2, else count. */
PETSC_EXTERN PetscErrorCode PsdNetworkSetClasses(PsdNetwork network, PetscInt count, const PetscInt labels[]);
PETSC_EXTERN PetscErrorCode PsdNetworkSetTraining(PsdNetwork network, const PsdTraining *training);

/* Borrowed views of the same; any argument may be NULL. */
PETSC_EXTERN PetscErrorCode PsdNetworkGetNeurons(PsdNetwork network, PetscInt *N, PetscInt *f,
                                                 const PetscReal *filters[], const PetscReal *weights[],
                                                 const PetscInt *regions[], const PetscInt *classes[]);
PETSC_EXTERN PetscErrorCode PsdNetworkGetPatches(PsdNetwork network, PsdPatches *patches);
PETSC_EXTERN PetscErrorCode PsdNetworkGetClasses(PsdNetwork network, PetscInt *count, const PetscInt *labels[],
                                                 PetscInt *C);
PETSC_EXTERN PetscErrorCode PsdNetworkGetTraining(PsdNetwork network, PsdTraining *training);

/* PsdNetworkSave - writes model.h5 (version 1) from rank 0: temporary name, sync, rename. Collective; input error when the
   file cannot be written, and then a file of that name is as it was. */
PETSC_EXTERN PetscErrorCode PsdNetworkSave(PsdNetwork network, const char path[]);

/* PsdNetworkLoad - reads model.h5 on rank 0, checks it against itself, and gives it to all ranks. Collective. Input errors:
   missing, not HDF5, truncated, not a psdnet model, another version, an attribute or data set missing or of the wrong
   kind or shape, numbers that are not finite, regions or classes out of range, filters that are not unit vectors. */
PETSC_EXTERN PetscErrorCode PsdNetworkLoad(MPI_Comm comm, const char path[], PsdNetwork *network);

/* PsdNetworkCheckData - an input error unless the images have the size the network was trained on. */
PETSC_EXTERN PetscErrorCode PsdNetworkCheckData(PsdNetwork network, PsdData data);

/* PsdNetworkSetCrops - has PsdNetworkApply give the mean of the scores of an image shifted by -most .. most pixels along both
   axes, its edge repeated: (2 most + 1)^2 crops. 0, as at first: of the image itself. Logically collective. */
PETSC_EXTERN PetscErrorCode PsdNetworkSetCrops(PsdNetwork network, PetscInt most);

/*
   PsdNetworkApply - scores of the images of this rank's shard: n_local x C, row-major.

   Collective (progress, errors). Cost: one product of patches with filters an image and crop, as BLAS-3.
*/
PETSC_EXTERN PetscErrorCode PsdNetworkApply(PsdNetwork network, PsdData data, PetscReal scores[]);

/* PsdNetworkClassify - the class that C scores stand for. Not collective. */
PETSC_EXTERN PetscInt PsdNetworkClassify(PetscInt C, const PetscReal scores[]);

/* PsdNetworkConfusion - confusion[true * count + predicted], count classes, summed over all ranks; accuracy its trace over
   its sum. Collective. scores: as PsdNetworkApply leaves them. */
PETSC_EXTERN PetscErrorCode PsdNetworkConfusion(PsdNetwork network, PsdData data, const PetscReal scores[],
                                                PetscInt64 confusion[], PetscReal *accuracy);

/* PsdNetworkView - what the network is, in some ten lines. Collective. */
PETSC_EXTERN PetscErrorCode PsdNetworkView(PsdNetwork network, PetscViewer viewer);
PETSC_EXTERN PetscErrorCode PsdNetworkDestroy(PsdNetwork *network);

#endif
