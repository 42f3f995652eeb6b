/*
   Products with A: one pass over this rank's rows of A P with C columns makes A x, something of it row by row, and A'
   of that. Rows go through in tiles that stay in cache between the two products.

   Of folded features a row is an image and its mirror image: x enters as Q Q'x, so that both have the same A x, and
   are given the same coefficients. Samples are counted as PsdRepresentatives counts them (problem.h).
*/
#ifndef PSD_PRODUCTS_PRIVATE_H
#define PSD_PRODUCTS_PRIVATE_H

#include "features.h"

typedef struct _p_PsdProducts *PsdProducts;

/* yhat: A x for `rows` samples from `first` on, rows x C row-major, or NULL; may be overwritten. coefficients: to be
   filled when A' is wanted, room for rows x C in any case. */
typedef PetscErrorCode (*PsdRowWork)(void *context, PetscInt first, PetscInt rows, PetscReal yhat[],
                                     PetscReal coefficients[]);

/* symmetry: of features that are folded, else NULL; weights: of representative samples, or NULL; both borrowed. Collective. */
PetscErrorCode PsdProductsCreate(PsdFeatures features, PsdSymmetry symmetry, PsdBlocks blocks,
                                 const PetscReal weights[], PsdProducts *products);
/* PsdProductsPass - x, y: C columns of D over the owners of pairs; y = A'W coefficients, W being the weights. NULL: not wanted.
   Collective. */
PetscErrorCode PsdProductsPass(PsdProducts products, Vec x, Vec y, PsdRowWork work, void *context);
/* PsdProductsAdjoint - y = A'W nu, nu representative samples x C row-major. Collective. */
PetscErrorCode PsdProductsAdjoint(PsdProducts products, const PetscReal nu[], Vec y);
PetscErrorCode PsdProductsDestroy(PsdProducts *products);

#endif
