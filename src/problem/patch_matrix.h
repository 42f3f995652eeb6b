/*
   This rank's patches in the program's coordinates, as a matrix for each region: the samples without their lifted
   features (docs/mathematics.md, section 2, "D > n", and "The low-rank solver").

   Region g of all branches has count_g patches of f_g numbers for each sample. They are kept in double precision where
   the memory stated has room for them, and otherwise cut again from the images at each pass. Either way a pass goes
   through the same tiles in the same order.
*/
#ifndef PSD_PATCH_MATRIX_PRIVATE_H
#define PSD_PATCH_MATRIX_PRIVATE_H

#include <psddata.h>
#include <psdpatches.h>

typedef struct _p_PsdPatchMatrix *PsdPatchMatrix;

/* `count` samples from `first` on, in region g: x is (count count_g) x f_g row-major, sample after sample; borrowed
   until the pass comes to another tile. */
typedef PetscErrorCode (*PsdPatchWork)(void *context, PetscInt g, PetscInt first, PetscInt count, const PetscReal x[]);

/* PsdPatchMatrixCreate - activation: a, b, c, for the bounds below. memory: bytes it may use for patches that are kept.
   The statistics of the patches' transform must be there. Not collective. */
PetscErrorCode PsdPatchMatrixCreate(PsdData data, PsdPatches patches, const PetscReal activation[3], size_t memory,
                                    PsdPatchMatrix *matrix);
PetscErrorCode PsdPatchMatrixDestroy(PsdPatchMatrix *matrix);

/* Samples here; regions; and for each region patches of a sample and numbers in a patch, borrowed. Any may be NULL. */
void PsdPatchMatrixGetSizes(PsdPatchMatrix matrix, PetscInt *n, PetscInt *G, const PetscInt *count[],
                            const PetscInt *f[]);

/* PsdPatchMatrixPass - work for every tile of samples and, in each, every region in turn. Not collective. */
PetscErrorCode PsdPatchMatrixPass(PsdPatchMatrix matrix, PsdPatchWork work, void *context);

/* Bytes of the raw patches of a tile, beyond one sample. Tests lower it. */
extern size_t PsdPatchTileBytes;

/* PsdPatchMatrixGetTile - the most samples of a tile. Not collective. */
PetscInt PsdPatchMatrixGetTile(PsdPatchMatrix matrix);

/* PsdPatchMatrixGetRegion - all patches of region g at once, (n count_g) x f_g, borrowed; NULL: they are not kept. Not
   collective. */
const PetscReal *PsdPatchMatrixGetRegion(PsdPatchMatrix matrix, PetscInt g);

/* PsdPatchMatrixGetBounds - norm: n x G, upper bounds of ||Phi_ig|| of the patches as they are here. error: as many, bounds
   of || this Phi_ig - that of the images ||. Borrowed. Makes a pass when there has been none. Not collective. */
PetscErrorCode PsdPatchMatrixGetBounds(PsdPatchMatrix matrix, const PetscReal *norm[], const PetscReal *error[]);

#endif
