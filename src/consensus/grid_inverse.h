/*
   Inverses of the triangles on the diagonal of the Cholesky factor of the distributed matrix, made while it is.
*/
#ifndef PSD_GRID_INVERSE_PRIVATE_H
#define PSD_GRID_INVERSE_PRIVATE_H

#include "grid.h"

typedef struct _p_PsdGridInverse *PsdGridInverse;

/* PsdGridInverseCreate - room for the block rows that are on their way: two of them, on the ranks of the grid. Not collective. */
PetscErrorCode PsdGridInverseCreate(PsdGrid grid, PsdGridInverse *inverse);
PetscErrorCode PsdGridInverseDestroy(PsdGridInverse *inverse);

/* Of block row k, in this order, for k = 0, 1, ...; all collective on the ranks of the grid.
   PsdGridInverseAnnounce - it is asked for, where it is needed. Block row k - 2 is done with.
   PsdGridInverseGive - on the rank that has it: L_kk.
   PsdGridInverseMake - where it is: X_k, in the place of the factor's row, and on its way.
   PsdGridInverseLook - hands on what has come, and waits for nothing.
   PsdGridInverseAwait - until it is here. columns: of this rank that it has numbers of.
   PsdGridInverseSubtract - what it takes from the rows of its part behind it, in the columns from `from` on, of
   0 .. columns - 1; *next: where to go on. of_rows: L_ik of the rows here behind it, in columns of length ld, as the panel of the factor has them.
   PsdGridInverseEnd - of both rows that are on their way: their memory may be used. */
PetscErrorCode PsdGridInverseAnnounce(PsdGrid grid, PsdGridInverse inverse, PetscInt k);
PetscErrorCode PsdGridInverseGive(PsdGridInverse inverse, PetscInt k, const PetscReal diagonal[]);
PetscErrorCode PsdGridInverseMake(PsdGrid grid, PsdGridInverse inverse, PetscInt k);
PetscErrorCode PsdGridInverseLook(PsdGridInverse inverse, PetscInt k);
PetscErrorCode PsdGridInverseAwait(PsdGridInverse inverse, PetscInt k, PetscInt *columns);
PetscErrorCode PsdGridInverseSubtract(PsdGrid grid, PsdGridInverse inverse, PetscInt k, PetscInt from,
                                      const PetscReal of_rows[], PetscInt ld, PetscInt *next);
PetscErrorCode PsdGridInverseEnd(PsdGridInverse inverse);

#endif
