/*
   Inside the samples as patches: what products with them (rows.c) and A A' (dual_matrix.c) are made of.
*/
#ifndef PSD_ROWS_IMPL_H
#define PSD_ROWS_IMPL_H

#include "patch_matrix.h"
#include "rows.h"

struct _p_PsdRows {
  PsdBlocks blocks;
  PsdPatchMatrix patches; /* all of them are kept */
  PetscReal activation[3];
  PetscInt n, f;
  const PetscInt *count; /* G: patches of an image in a region */
  const PetscReal **x;   /* G: (n count_g) x f row-major */
  PetscReal *along_J;    /* n x G: <Phi_ig, j> */
  PetscReal *work;       /* 2 PSD_ROWS_PATCHES x f */
  PetscReal *matrix;     /* d x d */
  PetscInt batch;        /* pairs of a message */
  PetscReal *svec;       /* batch x m */
  PetscMPIInt *counts;   /* of each rank, of a message's numbers */
  PetscReal *linear;     /* f of an image, f of what its sum has lost */
};

/* PsdRowsAlongJ - <Phi_ig, j> of one sample, from its patches in region g. */
PetscReal PsdRowsAlongJ(PsdRows rows, PetscInt g, const PetscReal x[]);

#endif
