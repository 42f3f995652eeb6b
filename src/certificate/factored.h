/*
   The certificate of a network with large patches (docs/mathematics.md, section 3, "Polar by Schur complement"): nothing of the
   order f^2 is kept a class, and no svec is made. Of M = smat(A'nu)_gt only B'M1 B and products with a few vectors are computed, B an orthonormal basis
   of k vectors: the leading principal components of the region's patches and the block's own filters.

   Every inequality is on the safe side, as in certificate.h.
*/
#ifndef PSD_FACTORED_PRIVATE_H
#define PSD_FACTORED_PRIVATE_H

#include <psdcertificate.h>
#include "network/neurons.h"
#include "problem/patch_matrix.h"
#include "problem/problem.h"
#include "witness.h"

typedef struct _p_PsdFactored *PsdFactored;

/* Vectors of a basis that M1 is multiplied with, at least. Tests lower it. */
extern PetscInt PsdFactoredLeading;

/* A basis of a region's patches, the same on every rank: f x K by columns, orthonormal up to rounding, K <= f. K = 0: M is formed,
   f (f+1) numbers for each pair of the region that is looked at together: for small f. */
typedef struct {
  PetscInt K;
  const PetscReal *V;
} PsdBasis;

/* What is proved of one block: for every unit u, [u;1]' s smat(A'nu)_gt [u;1] <= bound = theta + phi + what rounding may hide.
   The block of pair p (t G + g) and s = +1 has the number 2 p, that of s = -1 the next one. */
typedef struct {
  PetscReal theta; /* given: a guess of the multiplier (beta at most; 0: none), found: the multiplier of the proof */
  PetscReal phi;
  PetscReal bound;
} PsdBlockBound;

/* A dual point and what is found of it. */
typedef struct {
  const PetscReal *nu;   /* n_local x C row-major; it is pulled into the domain of the dual function */
  PsdBlockBound *blocks; /* 2 pairs, the same on every rank */
  PetscReal *u; /* NULL: not wanted; 2 pairs x f_max row-major, the same on every rank: of a block whose bound is
                            above what is good enough, a unit vector at which the form is nearly as large as it can be */
} PsdFactoredPoint;

/*
   PsdFactoredCreate - proves kappa_g >= lambda_max((I - VV') X_g'X_g (I - VV')) for each region's patches X_g that have a basis
   V, once for all dual points and betas (kappa.h).

   Collective. problem, patches, the bases (G, by region; those of one branch may share V): borrowed, for as long as the
   object lives. Cost: that of kappa.h.
*/
PetscErrorCode PsdFactoredCreate(PsdProblem problem, PsdPatchMatrix patches, const PsdBasis basis[],
                                 PsdFactored *factored);

/* PsdFactoredGetKappa - kappa_g of region g; 0 where M is formed. a max(s nu_it/count)+ kappa_g is what a block's bound is off by
   at most. Not collective. */
PetscReal PsdFactoredGetKappa(PsdFactored factored, PetscInt g);

/*
   PsdFactoredCertify - the certificate of a network with the dual point nu, scaled so that it is feasible.

   Collective. Cost: n count (2 f (K/6 + 3 r) + 2 k^2) flops a pair with r filters.

   Input:
     neurons - all of the network's, on every rank, in the problem's units: unit filters
     target  - a block's bound is good enough when the gap is below `target` with it; 0: the least bounds
   Output:
     witness - or NULL: becomes that of the bound, which is then the one that the witness shows
*/
PetscErrorCode PsdFactoredCertify(PsdFactored factored, const PsdNeurons *neurons, PsdFactoredPoint *point,
                                  PetscReal target, PsdWitness witness, PsdCertificate *certificate);

PetscErrorCode PsdFactoredDestroy(PsdFactored *factored);

#endif
