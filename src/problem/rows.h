/*
   The samples without their lifted features: this rank's patches in the program's coordinates, and A and A' made of
   them (docs/mathematics.md, section 2, "D > n"); A A' is in dual_matrix.h. For large patches a lifted feature has f/2
   numbers for every one of the patch.

     <Phi_ig, S>      = mean over l in g of  a x'S1 x + b x's2 + c s4          S = [S1 s2; s2' s4]
     (A'nu)_g         = sum over i nu_i mean of [a x x'  (b/2) x; (b/2) x'  c]
     <Phi_ig, Phi_kg> = mean over pairs of patches of  a^2 (x.x')^2 + (b^2/2) x.x' + c^2

   As everywhere, A stands for A P: the component <Phi_ig, j> along J is taken out of each.
*/
#ifndef PSD_ROWS_PRIVATE_H
#define PSD_ROWS_PRIVATE_H

#include <psddata.h>
#include <psdpatches.h>
#include "cone/blocks.h"
#include "cone/factors.h"

typedef struct _p_PsdRows *PsdRows;

/* PsdRowsCreate - cuts and transforms this rank's patches; the transform's statistics must be there. Not collective. */
PetscErrorCode PsdRowsCreate(PsdData data, PsdPatches patches, PsdBlocks blocks, const PetscReal activation[3],
                             PsdRows *rows);
PetscErrorCode PsdRowsDestroy(PsdRows *rows);

/* PsdRowsForward - yhat = A S for this rank's samples, n_local x C row-major. S: C columns of D over the owners of
   pairs. Collective. Cost: 2 f^2 flops a patch and class. */
PetscErrorCode PsdRowsForward(PsdRows rows, Vec S, PetscReal yhat[]);

/* PsdRowsForwardFactors - the same of S given by its terms, all of them on every rank. Not collective. Cost: 2 f
   flops a patch and term. */
PetscErrorCode PsdRowsForwardFactors(PsdRows rows, const PsdFactors *S, PetscReal yhat[]);

/* PsdRowsAdjoint - gradient = A'nu summed over all ranks. nu: n_local x C row-major. Collective. Cost: f^2 flops a
   patch and class. */
PetscErrorCode PsdRowsAdjoint(PsdRows rows, const PetscReal nu[], Vec gradient);

/* norm: n_local x G, upper bounds of ||Phi_ig||. error: as many, bounds of || Phi_ig of the patches as they are kept -
   Phi_ig of the bytes ||. Borrowed. Not collective. */
PetscErrorCode PsdRowsGetNorms(PsdRows rows, const PetscReal *norm[], const PetscReal *error[]);

/* PsdRowsForwardRoundings, PsdRowsAdjointRoundings - what PsdRowsForward and, on this rank, PsdRowsAdjoint lose, as a
   number of roundings (base/rounding.h) of sum_g ||Phi_ig|| ||S_gt|| and of sum_i |nu_it| ||Phi_ig||. */
PetscReal PsdRowsForwardRoundings(PsdRows rows);
PetscReal PsdRowsAdjointRoundings(PsdRows rows);

#endif
