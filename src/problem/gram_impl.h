/*
   What the two ways to A'A share: what is made of the targets along with it (gram.c). Of features that were lifted.
*/
#ifndef PSD_GRAM_IMPL_H
#define PSD_GRAM_IMPL_H

#include "gram.h"

/* Numbers in A'[nu0, signs]. Not collective. */
size_t PsdGramTargetsLength(PsdProblem problem);
/* PsdGramTargetsMultiply - h = beta h + Phi' [nu0, signs] for a chunk of this rank's. Not collective. */
PetscErrorCode PsdGramTargetsMultiply(PsdProblem problem, PetscInt first, PetscInt rows, const PetscReal *phi,
                                      PetscReal beta, PetscReal *h);
/* PsdGramTargetsKeep - the problem's h and h_random, of the sum over all ranks; its signs are not needed any more.
   Collective. */
PetscErrorCode PsdGramTargetsKeep(PsdProblem problem, const PetscReal h[]);
/* PsdGramMultiply - gram = beta gram + Phi' Phi, the triangle "U" or "L", and h as above, for a chunk of this rank's. Not
   collective. */
PetscErrorCode PsdGramMultiply(PsdProblem problem, PetscInt first, PetscInt rows, const PetscReal *phi, PetscInt ld,
                               PetscReal beta, const char triangle[], PetscReal *gram, PetscReal *h);

#endif
