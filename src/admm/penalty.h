/*
   The penalty rho, and sigma of the splitting v = A S, as functions of numbers alone: where it starts, and what the
   sizes of variables and multipliers and the parts of the gap ask for (penalty.c has the rules). What changes the
   solver's penalty is in adapt.c.
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

/* rho, and the penalty sigma of v = A S */
typedef struct {
  PetscReal rho, sigma;
} PsdPenalties;

/* What infeasibility costs, as parts of what the network's objective and the bound at hand are apart. */
typedef struct {
  PetscReal primal; /* objective of the network less that of W, which is not positive semidefinite */
  PetscReal dual;   /* dual function at nu, which is not feasible, less that at s nu, which is */
} PsdGapParts;

/* What a check has found. */
typedef struct {
  PetscInt iteration;
  PsdPenalties natural; /* PsdPenaltyNatural of both; 0: not known, or there is none */
  PetscReal gap, open;  /* relative gap of the best network and bound; what they are apart */
  PsdGapParts parts;
  PetscBool corners; /* the loss is linear but for its corners */
} PsdPenaltyEvidence;

/* The changes so far, at one beta. */
typedef struct {
  PetscInt count, due; /* due: iteration before which there is not another one */
} PsdPenaltyChanges;

#define PSD_MOST_CHANGES 60

/* PsdPenaltyStart - the rho between `low` and the spectrum's mean for which the first S has rho ||S|| = 2.5 beta
   sqrt(pairs); 1 where h is 0. curvature: of the loss. */
PetscReal PsdPenaltyStart(const PsdSpectrum *spectrum, PetscReal curvature, PetscReal low, PetscReal beta,
                          PetscInt pairs);
/* PsdPenaltyNatural - rho of blocks, or sigma of samples, from the norms of their variables and unscaled multipliers;
   0 when either says nothing. */
PetscReal PsdPenaltyNaturalRho(PetscReal multipliers, PetscReal variables);
PetscReal PsdPenaltyNaturalSigma(PetscReal multipliers, PetscReal variables);
/* PsdPenaltyPropose - the penalties that `evidence` asks for; keeps `changes` up to date. */
PsdPenalties PsdPenaltyPropose(PsdPenaltyChanges *changes, const PsdPenaltyEvidence *evidence, PsdPenalties now);

#endif
