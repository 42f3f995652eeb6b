/*
   A level of the low-rank solver: the patches of all regions in the coordinates that the filters have there, principal
   components or all of them, in single precision. A filter of a coarse level is one of a finer level, and so is a network.

   Samples go through in tiles, all regions of a tile at once, since the scores of a sample are sums over regions.
*/
#ifndef PSD_LEVEL_PRIVATE_H
#define PSD_LEVEL_PRIVATE_H

#include "columns.h"
#include "components.h"

typedef struct _p_PsdLevel *PsdLevel;

/* `count` samples from `first` on; x[g]: (count count_g) x K_g row-major, borrowed for the call. */
typedef PetscErrorCode (*PsdLevelWork)(void *context, PetscInt first, PetscInt count, const void *const x[]);

/* What the preconditioner knows of a region: variances of a sample's patches along directions, K of them, and their mean
   over the rest of the coordinates. */
typedef struct {
  PetscInt K;
  PetscReal *along; /* K: sums over all samples */
  PetscReal rest;
} PsdVariance;

/* PsdLevelCreate - filters are combinations of the leading K components of a region's branch; of as many as there are,
   where these are fewer. The level is complete when no filter is left out. memory: bytes it may use for what it keeps. The
   patches and components are borrowed. Collective. */
PetscErrorCode PsdLevelCreate(MPI_Comm comm, PsdPatchMatrix patches, const PsdComponentList *components, PetscInt K,
                              size_t memory, PsdLevel *level);
/* PsdLevelCreateComplete - filters are as long as the patches. The variance is that of a coarser level, along `directions` of its
   components at most. Collective. */
PetscErrorCode PsdLevelCreateComplete(PsdLevel coarse, PetscInt directions, size_t memory, PsdLevel *level);
/* PsdLevelCreateSpan - filters are combinations of K_g columns B_g, orthonormal filters of `parent`, which is borrowed. It is kept, in
   4 n count_g K_g bytes a region, and its filters have no coordinates of the patches. Collective. */
PetscErrorCode PsdLevelCreateSpan(PsdLevel parent, const PetscInt K[], PetscReal *const B[], PsdLevel *level);
PetscErrorCode PsdLevelDestroy(PsdLevel *level);

PetscErrorCode PsdLevelGetComm(PsdLevel level, MPI_Comm *comm);
PetscBool PsdLevelIsComplete(PsdLevel level);
/* K: G, numbers of a filter; count: G, patches of a sample; borrowed, or NULL */
void PsdLevelGetSizes(PsdLevel level, PetscInt *n, PetscInt *G, const PetscInt *K[], const PetscInt *count[]);
PetscInt PsdLevelGetTile(PsdLevel level); /* most samples of a tile */
/* PsdLevelGetVariance - of region g. E: K columns of K_g numbers, the directions; NULL: they are the level's coordinates. */
const PsdVariance *PsdLevelGetVariance(PsdLevel level, PetscInt g, const PetscReal *E[]);

/* PsdLevelPass - x in single precision. PsdLevelPassDouble - in double precision: a complete level takes the patches
   themselves, so that what is computed from them is right to double precision, and then x[g] is in the patches'
   coordinates (see PsdLevelToPatches); others take the numbers that they keep. Not collective. */
PetscErrorCode PsdLevelPass(PsdLevel level, PsdLevelWork work, void *context);
PetscErrorCode PsdLevelPassDouble(PsdLevel level, PsdLevelWork work, void *context);

/* PsdLevelToPatches, PsdLevelFromPatches - `count` filters of region g, with leading dimensions, from the level's
   coordinates to the patches' and back (orthogonal projection where the level is not complete). Not collective. */
PetscErrorCode PsdLevelToPatches(PsdLevel level, PetscInt g, PetscInt count, const PetscReal V[], PetscInt ldv,
                                 PetscReal U[], PetscInt ldu);
PetscErrorCode PsdLevelFromPatches(PsdLevel level, PetscInt g, PetscInt count, const PetscReal U[], PetscInt ldu,
                                   PetscReal V[], PetscInt ldv);

/* PsdLevelMove - columns of one level as columns of another, feasible again where that has not all of them. Not collective. */
PetscErrorCode PsdLevelMove(PsdLevel from, PsdLevel to, PsdColumns *columns);

#endif
