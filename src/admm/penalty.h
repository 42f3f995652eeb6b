/*
   The penalty rho, and sigma of the splitting v = A S, as functions of numbers alone: where it starts, and what
   residuals and bounds ask for (penalty.c has the rules). What changes the solver's penalty is in adapt.c.
*/
#ifndef PSD_PENALTY_PRIVATE_H
#define PSD_PENALTY_PRIVATE_H

#include <petscsys.h>

#define PSD_LANCZOS_STEPS 16

/* Nodes and weights of the Gauss quadrature of h' g(G_P) h: eigenvalues of the Lanczos matrix, squared first
   components. */
typedef struct {
  PetscInt steps;
  PetscReal node[PSD_LANCZOS_STEPS], weight[PSD_LANCZOS_STEPS];
  PetscReal mean; /* of the nodes, weighted as the start vector sees them: an upper end for rho */
} PsdSpectrum;

/* Which of the two bounds holds the gap open, looked at from time to time. */
typedef struct {
  PetscInt due;               /* iteration of the next look; 0 = not begun */
  PetscReal objective, bound; /* at the last look */
  PetscBool acted;            /* the penalty follows the bounds from now on, not the residuals */
} PsdBoundTrend;

/* rho, and the penalty sigma of v = A S */
typedef struct {
  PetscReal rho, sigma;
} PsdPenalties;

/* PsdPenaltyStart - the rho between `low` and the spectrum's mean for which the first S has rho ||S|| = 2.5 beta
   sqrt(pairs); 1 where h is 0. curvature: of the loss. */
PetscReal PsdPenaltyStart(const PsdSpectrum *spectrum, PetscReal curvature, PetscReal low, PetscReal beta,
                          PetscInt pairs);
/* PsdPenaltyPropose - the penalty that the residuals at `iteration` ask for, the last check having been at `previous`.
   primal, dual: relative residuals. none: no network so far is better than the empty one. */
PetscReal PsdPenaltyPropose(PetscInt previous, PetscInt iteration, PetscReal rho, PetscReal rho_initial,
                            PetscReal primal, PetscReal dual, PetscBool none);
/* PsdPenaltyProposeBoth - the same of both penalties, with the relative residuals of (W, Z) and of (A S, v).
   When the two changes are within a factor of three, both are their geometric mean, and nothing is to be factorised. */
PsdPenalties PsdPenaltyProposeBoth(PetscInt previous, PetscInt iteration, PsdPenalties now, PsdPenalties initial,
                                   const PetscReal primal[2], const PetscReal dual[2], PetscBool none);
/* PsdPenaltyFollowBounds - the penalty that the progress of objective and bound asks for; keeps `trend` up to date.
   none: no network so far is better than the empty one. */
PetscReal PsdPenaltyFollowBounds(PsdBoundTrend *trend, PetscInt iteration, PetscReal rho, PetscReal rho_initial,
                                 PetscReal objective, PetscReal bound, PetscBool none);

#endif
