/*
   A'A and h in a file of their own (docs/formats.md, "FILE.gram"), so that a run that is continued need not make them
   again.

   A kernel says which columns it has, with ascending global numbers; matrix: order x columns by columns, the lower
   triangle; or, upper, order x order with the upper triangle, columns being all or, on other ranks, none. All
   collective.
*/
#ifndef PSD_GRAM_FILE_PRIVATE_H
#define PSD_GRAM_FILE_PRIVATE_H

#include "consensus_impl.h"

/* PsdGramFind - whether they are to be read, and the transform of the patches when they are; errors: another problem's,
   damaged. */
PetscErrorCode PsdGramFind(PsdConsensus consensus, PetscBool *found);
/* PsdGramRead - reads what was found. PsdGramWrite - writes them when a path is set; a failure is a warning. */
PetscErrorCode PsdGramRead(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                           PetscReal matrix[]);
PetscErrorCode PsdGramWrite(PsdConsensus consensus, PetscInt columns, const PetscInt column[], PetscBool upper,
                            const PetscReal matrix[]);

#endif
