/*
   Inside the projection of one matrix over all ranks: its struct, and what its files do for each other.

   Everything is done with X times a power of two, so that its norm is near 1 and no square overflows.
*/
#ifndef PSD_PROJECTION_IMPL_H
#define PSD_PROJECTION_IMPL_H

#include "base/layout.h"
#include "cone/eps.h"
#include "layout_vectors.h"
#include <psdprojection.h>

struct _p_PsdProjection {
  PsdLayout layout;
  PsdLayoutVectors vectors;
  PsdProjectionMethod method;
  PetscReal tolerance;
  PetscInt most;
  PetscInt rows; /* of a vector here */
  PsdProjectionResult result;
  PetscReal *work; /* a part: the proof's matrix, the one that is decomposed, a transpose */
  PetscReal *A;    /* the matrix at hand, both triangles: Z's memory */
  /* complete */
  PsdLayoutEigen eigen;
  PetscReal *V, *lambda; /* a part, order */
  /* partial */
  PsdEps eps;
  PetscInt sign;                   /* the pairs at hand are those of sign A, ... */
  PetscReal shift;                 /* ... found as those of sign A - shift I */
  PetscReal *U, *AU, *theta;       /* rows x PsdEpsMostPairs */
  PetscReal *of_rows, *of_columns; /* the layout's rows and columns x as many */
  PetscReal *start;                /* rows x most: pairs of the last projection, `kept` of the side `kept_sign` */
  PetscInt kept, kept_sign;
  PetscInt start_products; /* A was multiplied with so many vectors to have some to start from */
  PetscRandom random;
};

/* ---------------------------------------------------------------- steps; collective, and alike on all ranks */

/* The other triangle <- the transpose of the lower one; `work` is used. projection_parts.c */
PetscErrorCode PsdProjectionMirror(PsdProjection projection, PetscReal part[]);
/* The sum of the squares of all entries, from the lower triangle; not finite where one is not. */
PetscErrorCode PsdProjectionSquare(PsdProjection projection, const PetscReal part[], PetscReal *square);

/* A <- its projection, the lower triangle of it. projection_complete.c, projection_partial.c. *settled: whether Z was found; if not, A is as it
   was. */
PetscErrorCode PsdProjectionComplete(PsdProjection projection);
PetscErrorCode PsdProjectionPartial(PsdProjection projection, PetscInt sign, PetscBool *settled);

/* C += the sum over k < number of s_k u_k u_k', u_k the columns of U, rows x number; no more than PsdEpsMostPairs. AU is
   overwritten, and must not be U. projection_parts.c */
PetscErrorCode PsdProjectionAddProduct(PsdProjection projection, PetscInt number, const PetscReal s[],
                                       const PetscReal U[], PetscReal C[]);

/*
   PsdProjectionProve - whether sign A is proved to have no more than `found` eigenvalues that matter: *missed >= ||B_+||_F, B what sign A is on the
   complement of the columns of U. guard: how far below zero the next eigenvalue seems to be, or 0. allowed: *missed may be
   so much. projection_proof.c
*/
PetscErrorCode PsdProjectionProve(PsdProjection projection, PetscInt sign, PetscInt found, const PetscReal U[],
                                  const PetscReal theta[], PetscReal guard, PetscReal allowed, PetscReal *missed,
                                  PetscBool *proved);

#endif
