/*
   Right-hand sides between the owners of pairs and the rows of a kernel of A'A: x of D x C over the owners, rows of
   `order` x C wherever the kernel wants them. Where the problem is symmetric (problem/symmetry.h), rows are those of
   Q'x.
*/
#ifndef PSD_EXCHANGE_PRIVATE_H
#define PSD_EXCHANGE_PRIVATE_H

#include "problem/problem.h"

typedef struct _p_PsdExchange {
  Vec rows;                /* this rank's rows x C, by columns */
  Vec partner;             /* the same, of the second place of each coordinate; NULL without symmetry */
  VecScatter to_owners[2]; /* from rows to x, first and second places */
  PetscReal *weight[2];    /* of each row; NULL without symmetry */
  PetscInt count;          /* rows here */
} * PsdExchange;

/* PsdExchangeCreate - row[0..count-1]: the rows of 0 .. order-1 that this rank wants. x: a vector over the owners, for
   its layout. All collective. */
PetscErrorCode PsdExchangeCreate(PsdProblem problem, PetscInt count, const PetscInt row[], Vec x,
                                 PsdExchange *exchange);
/* exchange->rows <- x */
PetscErrorCode PsdExchangeToRows(PsdExchange exchange, Vec x);
/* x <- rows, which may be changed */
PetscErrorCode PsdExchangeToOwners(PsdExchange exchange, Vec rows, Vec x);
PetscErrorCode PsdExchangeDestroy(PsdExchange *exchange);

/* PsdExchangeCost - of vectors to rows and back. Not collective. */
PsdCost PsdExchangeCost(const PsdSizes *sizes);

#endif
