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
/* A chunk of this rank's rows of features, in the precision that A'A is made in; the other is NULL. */
typedef struct {
  PetscInt k, first, rows, ld;
  const PetscReal *phi;
  const PetscReal *weighted; /* the same times the roots of the samples' weights: what A'A is made of; ... */
  const float
      *single; /* ... NULL: A'A is made of `weighted`; else this is that, rounded, and the others are not there */
} PsdGramChunk;

/* PsdGramGetChunk - and h = beta h + Phi' [nu0, signs] of it. Borrowed until the next call. Not collective. */
PetscErrorCode PsdGramGetChunk(PsdProblem problem, PetscInt k, PetscReal beta, PetscReal *h, PsdGramChunk *chunk);
/* PsdGramMultiply - gram = beta gram + Phi' Phi, beta 0 or 1, the triangle 'U' or 'L', for a chunk of this rank's. Not
   collective. */
PetscErrorCode PsdGramMultiply(PsdProblem problem, const PsdGramChunk *chunk, PetscReal beta, char triangle,
                               PetscReal *gram);

/* ---------------------------------------------------------------- in single precision: gram_single.c */

/* PsdGramSingle - gram (D x D, a triangle) = beta gram + Phi' Phi for rows x D rounded features; work:
   PsdGramSingleWork numbers. Not collective. */
size_t PsdGramSingleWork(PetscInt D);
PetscErrorCode PsdGramSingle(PetscInt D, PetscInt rows, const float *phi, PetscReal beta, char triangle, float *work,
                             PetscReal *gram);
/* PsdGramSingleAdd - C (m x n, leading dimension ldc) += A B', A m x rows and B n x rows by columns with leading
   dimensions lda and n; work: m x n. Not collective. */
PetscErrorCode PsdGramSingleAdd(PetscInt m, PetscInt n, PetscInt rows, const float *A, PetscInt lda, const float *B,
                                float *work, PetscReal *C, PetscInt ldc);

#endif
