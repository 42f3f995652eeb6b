/*
   This rank's rows of A P in chunks: kept when they fit the memory stated, made again from the images when they do not;
   kept in single precision where A'A is made of them in it.
*/
#ifndef PSD_FEATURES_PRIVATE_H
#define PSD_FEATURES_PRIVATE_H

#include <psddata.h>
#include <psdpatches.h>
#include "symmetry.h"

typedef struct _p_PsdFeatures *PsdFeatures;

/* memory: bytes this rank may use for them. activation: a, b, c. Not collective. */
PetscErrorCode PsdFeaturesCreate(PsdData data, PsdPatches patches, const PetscReal activation[3], size_t memory,
                                 PsdFeatures *features);
/* PsdFeaturesSetUp - computes the transform of the patches when one is wanted, and lifts all images that can be kept.
   Collective. */
PetscErrorCode PsdFeaturesSetUp(PsdFeatures features);
/* PsdFeaturesGatherStatistics - the transform alone, for those who need no lifted features. Collective. */
PetscErrorCode PsdFeaturesGatherStatistics(PsdFeatures features);
/* PsdFeaturesSetSymmetry - streams rows that mirror images share the making of; fold: one row for both, see
   symmetry.h, kept when those fit the memory. Before SetUp; needs data with mirror images. Not collective. */
PetscErrorCode PsdFeaturesSetSymmetry(PsdFeatures features, PsdSymmetry symmetry, PetscBool fold);
/* PsdFeaturesShareImages - has folded features be made of the images of those of the samples, which keep maps for both in
   their memory, unless the folded ones keep their rows in it. After both have been told of symmetry and precision. Not
   collective. */
PetscErrorCode PsdFeaturesShareImages(PsdFeatures features, PsdFeatures folded);
/* PsdFeaturesSetSingle - rows are rounded to single precision for products (PsdFeaturesGetSingle), and kept in it when
   those fit the memory. Before SetUp, or to leave single precision, when what was kept is given up. Not collective. */
PetscErrorCode PsdFeaturesSetSingle(PsdFeatures features, PetscBool single);
/* PsdFeaturesSetExact - from now on rows are those of the images in double precision, whatever is kept. Not
   collective. */
void PsdFeaturesSetExact(PsdFeatures features);
/* PsdFeaturesAreRounded - whether PsdFeaturesGetChunk gives rows that were rounded to single precision. Here; not
   collective. */
PetscBool PsdFeaturesAreRounded(PsdFeatures features);
/* PsdFeaturesGetSquares - the sum of squares of all rows here that were rounded, as they were before, times weights. Not collective. */
PetscReal PsdFeaturesGetSquares(PsdFeatures features);
PetscInt PsdFeaturesLength(PsdFeatures features);        /* of a row */
PetscInt PsdFeaturesSamplesPerRow(PsdFeatures features); /* 2 when folded, else 1 */
PetscBool PsdFeaturesAreKept(PsdFeatures features);      /* here */
PetscInt PsdFeaturesCountChunks(PsdFeatures features);
PetscInt PsdFeaturesChunkRows(PsdFeatures features); /* at most */
/* Chunk k: rows of this rank's samples from `first` on, row i of it at phi + i ld: those of the images, or, where they were
   rounded and kept, these. Borrowed until the next call. Not collective. */
PetscErrorCode PsdFeaturesGetChunk(PsdFeatures features, PetscInt k, PetscInt *first, PetscInt *rows,
                                   const PetscReal *phi[], PetscInt *ld);
/* The same in two steps, for who goes through a chunk by parts: PsdFeaturesFindChunk, and then, of the chunk that was
   found last, PsdFeaturesGetRows - `rows` of them from `first` on. What is kept as whole numbers is made in a part's
   place. Borrowed until the next call. Not collective. */
PetscErrorCode PsdFeaturesFindChunk(PsdFeatures features, PetscInt k, PetscInt *first, PetscInt *rows, PetscInt *ld);
const PetscReal *PsdFeaturesGetRows(PsdFeatures features, PetscInt k, PetscInt first, PetscInt rows);
/* PsdFeaturesComplete - rows that are to be kept rounded and have not been asked for yet, as A'A came from a file. Not
   collective. */
PetscErrorCode PsdFeaturesComplete(PsdFeatures features);
/* PsdFeaturesSizeChunk - what PsdFeaturesFindChunk says of it, without making rows. Not collective. */
void PsdFeaturesSizeChunk(PsdFeatures features, PetscInt k, PetscInt *first, PetscInt *rows, PetscInt *ld);
/* Some rows of a chunk in double precision, the first of which is that of sample `first` of this rank. */
typedef PetscErrorCode (*PsdFeaturesVisit)(void *context, PetscInt first, PetscInt rows, const PetscReal phi[]);
/* PsdFeaturesGetSingle - the rows of chunk k times the roots of their samples' weights, rounded; of chunks in their order,
   the first time. They are made in double precision some at a time, and shown to `visit` (NULL: to nobody), without the
   weights, while they are in the cache. Borrowed until the next call. Not collective. */
PetscErrorCode PsdFeaturesGetSingle(PsdFeatures features, PetscInt k, PsdFeaturesVisit visit, void *context,
                                    const float *phi[]);
/* PsdFeaturesFreeSingle - the memory of rounded rows, when no more of them are needed for now. Not collective. */
PetscErrorCode PsdFeaturesFreeSingle(PsdFeatures features);
/* PsdFeaturesGetErrors - of the chunk k that was got last: bounds of || computed - exact ||_F, rows x G, see
   patches/lift.h. Borrowed until the next call; of features that are not folded. Not collective. */
void PsdFeaturesGetErrors(PsdFeatures features, PetscInt k, const PetscReal *errors[]);
PetscErrorCode PsdFeaturesDestroy(PsdFeatures *features);

#endif
