/*
   A'A and h in a file of their own (docs/formats.md, "FILE.gram"), so that a run that is continued need not make them
   again.

   A kernel says where it has the matrix: on a grid, or whole on one rank. All collective.
*/
#ifndef PSD_GRAM_FILE_PRIVATE_H
#define PSD_GRAM_FILE_PRIVATE_H

#include "consensus_impl.h"
#include "grid.h"

/* PsdGramFind - whether they are to be read, and the transform of the patches when they are; errors: another problem's,
   damaged. */
PetscErrorCode PsdGramFind(PsdConsensus consensus, PetscBool *found);
/* PsdGramRead - reads what was found. PsdGramWrite - writes them when a path is set; a failure is a warning. grid: the
   matrix is its, or, NULL, it is order x order with the upper triangle, on one rank; upper: there, NULL on the others. */
PetscErrorCode PsdGramRead(PsdConsensus consensus, PsdGrid grid, PetscReal upper[]);
PetscErrorCode PsdGramWrite(PsdConsensus consensus, PsdGrid grid, const PetscReal upper[]);

#endif
