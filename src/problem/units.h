/*
   The units that the program is solved in (docs/mathematics.md, section 1, "Units").

   With the activation 2^k (a, b, c) features are 2^k Phi; with weights 2^-k alpha and 2^k beta the program is the same:
   the same scores, loss, dual points, objective and bound. k is such that the numbers of a feature are of the order of
   1, whatever the user's activation and pixels are. Multiplication by 2^k is exact, so that activations that differ by
   a power of two alone are one program, digit by digit.

   Real targets have a scale of their own: a loss of degree p has L(2^-j yhat, 2^-j y) = 2^-pj L(yhat, y), with its
   parameter times 2^-j. j is such that the largest target is of 1/2 to 1, so that what is proved for signs, |y| <= 1,
   holds of them. Signs have j = 0.

   problem.c, src/solver/results.c and the certificate's files convert what comes from and goes to the user. All other
   code of the program, the solver and the certificate knows these units alone, and files and output the user's.
*/
#ifndef PSD_UNITS_PRIVATE_H
#define PSD_UNITS_PRIVATE_H

#include <psdpatches.h>

typedef struct {
  int exponent; /* k */
  int targets;  /* j */
  int degree;   /* p */
} PsdUnits;

/* What a number is made of. */
typedef enum {
  PSD_UNIT_FEATURE,   /* Phi, the activation */
  PSD_UNIT_WEIGHT,    /* alpha, S, Z, and the primal residual */
  PSD_UNIT_BETA,      /* beta, beta_max, A'nu, R*, theta, and the dual residual */
  PSD_UNIT_PENALTY,   /* rho */
  PSD_UNIT_CURVATURE, /* sigma */
  PSD_UNIT_TARGET,    /* y, yhat, and the parameter of a loss */
  PSD_UNIT_SLOPE,     /* nu */
  PSD_UNIT_OBJECTIVE  /* L, the objective, bounds */
} PsdUnit;

/* PsdUnitsFind - from the activation and what is known of the patches before they are cut: the same on all ranks, and
   on any number of them. Errors (PSD_ERR_INPUT): numbers of patches or features that double precision cannot carry
   through. Not collective, alike on all ranks. */
PetscErrorCode PsdUnitsFind(PsdPatches patches, const PetscReal activation[3], PsdUnits *units);
/* PsdUnitsFindTargets - from the largest target, 0 or more. Not collective. */
void PsdUnitsFindTargets(PetscReal largest, int degree, PsdUnits *units);

/* PsdToUnits, PsdFromUnits - a number of the user's, and back. Exact, unless the result is out of the range of normal
   numbers. Not collective. */
PetscReal PsdToUnits(PsdUnits units, PsdUnit unit, PetscReal number);
PetscReal PsdFromUnits(PsdUnits units, PsdUnit unit, PetscReal number);

/* PsdIsRepresentable - that a positive number has all its digits. Not collective. */
PetscBool PsdIsRepresentable(PetscReal number);

#endif
