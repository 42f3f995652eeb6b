/*
   Inside of the primal-dual method: its point and its work, which central.c makes, central_step.c moves and central_network.c
   reads.
*/
#ifndef PSD_CENTRAL_IMPL_H
#define PSD_CENTRAL_IMPL_H

#include "base/eigen.h"
#include "central.h"
#include "newton_system.h"
#include "scaling.h"

struct _p_PsdCentral {
  PsdBlocks blocks;
  const PsdLoss *loss;
  PetscInt n, C, D, groups, group; /* groups of `group` classes that go together */
  PetscInt *at;                    /* G + 1: regions in D */
  PetscReal *A, *Y, *weights;      /* A's rows times the weights, NULL where all are 1 */
  PsdCentralPoint point;
  PsdEigen eigen;
  PsdScaler scaler;
  PsdNewtonSystem *system; /* of each group */

  PetscReal *M;                  /* A'nu: C columns of D */
  PetscReal *V, *b, *E, *lambda; /* scalings: pairs x d_max^2, pairs x d_max; 2 pairs x d_max^2, 2 pairs x d_max */
  PetscReal *J, *K;              /* C x D: svec(V'JV), svec(V'ee'V) */
  PetscReal *Psi;                /* C x n x D */
  PetscReal *Q, *S0, *u[2];      /* C x D */
  PetscReal *weight, *r3;        /* C x G x 2 */
  PetscReal *slope, *H;          /* C x n, by classes */
  PetscReal *room[2];            /* n x C: distances to both ends of D's domain */
  PetscReal *r1, *r2;            /* C x n; C x D */
  PetscReal *dnu, *S;            /* the direction: C x n; C x D; ... */
  PetscReal *dtheta, dbeta;      /* ... C x G x 2; of beta; ... */
  PetscReal *dX, *dZ;            /* ... of blocks, as R of scaling.h: 2 pairs x d_max^2; ... */
  PetscReal *dends[2];           /* ... of the ends' multipliers */
  PetscReal *second, *ends[2];   /* what the second direction corrects, as dX and as the multipliers are */
  PetscReal barriers;            /* eigenvalues and ends */
  PetscReal *by_sample;          /* n x C: work */
  PetscReal *full[4], *values;   /* d_max^2; d_max */
  PetscReal *vectors, *size;     /* of all Z: 2 pairs x d_max^2, 2 pairs x d_max */
  PetscReal largest;             /* of the sizes */
  PetscBool decomposed;          /* they are of the point at hand */
};

/* Where pair number t G + g has its svecs in C x D */
static inline size_t PsdCentralPairAt(PsdCentral it, PetscInt pair)
{
  const PetscInt G = it->blocks->G;
  return (size_t)(pair / G) * it->D + (size_t)it->at[pair % G];
}

/* Its own of an array that has a square, d_max x d_max, for each pair or block */
static inline PetscReal *PsdCentralSquare(PsdCentral it, PetscReal *all, PetscInt block)
{
  return all + (size_t)block * it->blocks->d_max * it->blocks->d_max;
}

/* The scaling of a pair. */
static inline PsdScaling PsdCentralScaling(PsdCentral it, PetscInt pair)
{
  const size_t d = (size_t)it->blocks->d_max;
  return (PsdScaling){.V = PsdCentralSquare(it, it->V, pair),
                      .b = it->b + (size_t)pair * d,
                      .E = {PsdCentralSquare(it, it->E, 2 * pair), PsdCentralSquare(it, it->E, 2 * pair + 1)},
                      .lambda = {it->lambda + (size_t)(2 * pair) * d, it->lambda + (size_t)(2 * pair + 1) * d}};
}

/* PsdCentralScale - the scalings of the point at hand, distances to D's ends, and mu. *done: false where the point is not inside. */
PetscErrorCode PsdCentralScale(PsdCentral central, PetscBool *done);

#endif
