/*
   Rows of lifted features that are kept as whole numbers of 32 bits, in units of the largest number of each of their
   pieces, and bounds of what that has done to them (docs/mathematics.md, section 6, "Kept features"): the memory of single
   precision, and most of a number's 24 to 31 bits instead of 24. None of these is collective.
*/
#ifndef PSD_KEPT_ROWS_PRIVATE_H
#define PSD_KEPT_ROWS_PRIVATE_H

#include <petscsys.h>

#define PSD_KEPT_BYTES ((size_t)4) /* a number */

typedef struct _p_PsdKeptRows *PsdKeptRows;

/* PsdKeptRowsCreate - room for `rows` rows. length: numbers of each of the pieces of a row. */
PetscErrorCode PsdKeptRowsCreate(size_t rows, PetscInt pieces, const PetscInt length[], PsdKeptRows *kept);
/* PsdKeptRowsPut - row i. lost: pieces; a bound of what rounding has done to each is added. May be NULL. */
void PsdKeptRowsPut(PsdKeptRows kept, size_t i, const PetscReal row[], PetscReal lost[]);
void PsdKeptRowsGet(PsdKeptRows kept, size_t i, PetscReal row[]);
/* PsdKeptRowsPlace - the memory of all rows, row i at 1/rows of its *bytes times i: for what others hold there until rows
   are put. Borrowed. */
void *PsdKeptRowsPlace(PsdKeptRows kept, size_t *bytes);
PetscErrorCode PsdKeptRowsDestroy(PsdKeptRows *kept);

#endif
