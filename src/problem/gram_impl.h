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
/* A chunk of this rank's rows of features, and, where A'A is made in single precision, the same rounded. */
typedef struct {
  PetscInt k, first, rows, ld;
  const PetscReal *phi;
  const PetscReal *weighted; /* the same times the roots of the samples' weights: what A'A is made of; ... */
  const float *single;       /* ... NULL: A'A is made of `weighted`; else this is that, rounded */
} PsdGramChunk;

/* PsdGramGetChunk - borrowed until the next call. Not collective. */
PetscErrorCode PsdGramGetChunk(PsdProblem problem, PetscInt k, PsdGramChunk *chunk);
/* PsdGramMultiply - gram = beta gram + Phi' Phi, beta 0 or 1, the triangle 'U' or 'L', and h as above, for a chunk of this
   rank's. Not collective. */
PetscErrorCode PsdGramMultiply(PsdProblem problem, const PsdGramChunk *chunk, PetscReal beta, char triangle,
                               PetscReal *gram, PetscReal *h);

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
