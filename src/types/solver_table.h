/*
   The types of solver there are, and what is asked of them as a table.
*/
#ifndef PSD_SOLVER_TABLE_PRIVATE_H
#define PSD_SOLVER_TABLE_PRIVATE_H

#include "solver/solver.h"

/* From the one that can do all to those for special sizes; ended by NULL. At most PSD_MOST_TYPES. */
extern const PsdSolverType *const PsdSolverTable[];

/* PsdSolverTypeFind - the type of that name, or NULL. Not collective. */
const PsdSolverType *PsdSolverTypeFind(const char name[]);

/* PsdSolverTypeNames - "admm or ...", for messages. Not collective. */
void PsdSolverTypeNames(size_t size, char text[]);

/* PsdSolverTypeAsk - what -solver says; NULL: auto, or nothing. Collective. */
PetscErrorCode PsdSolverTypeAsk(const PsdSolverType **type);

#endif
