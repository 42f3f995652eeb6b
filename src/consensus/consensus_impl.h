/*
   Inside the consensus: its struct, and the operations of a kernel.

   A kernel is one file, which ends in its operations and its PsdConsensusKernel; a line of consensus_table.c makes it known.
*/
#ifndef PSD_CONSENSUS_IMPL_H
#define PSD_CONSENSUS_IMPL_H

#include "base/archive.h"
#include "consensus.h"

/* What a kernel is asked for; see the functions of the same name in consensus.h. */
typedef struct _PsdConsensusOps {
  PetscErrorCode (*assemble)(PsdConsensus);
  PetscErrorCode (*factor)(PsdConsensus, PetscReal shift);
  PetscErrorCode (*step)(PsdConsensus, Vec Sh, Vec S);
  PetscErrorCode (*residual)(PsdConsensus, Vec w, const PsdFactors *factors, PsdResidual *part, Vec M);
  PetscErrorCode (*step_residual)(PsdConsensus, Vec S, Vec M, PsdResidual *part);
  PetscErrorCode (*krylov_start)(PsdConsensus, Vec *start);
  PetscErrorCode (*krylov_multiply)(PsdConsensus, Vec x, Vec y);
  PetscErrorCode (*destroy)(PsdConsensus);
  struct { /* of PSD_FORM_GRAM */
    PetscErrorCode (*solve)(PsdConsensus, Vec rhs, Vec x);
    PetscErrorCode (*multiply)(PsdConsensus, Vec x, Vec y);
  } gram;
  struct { /* of PSD_FORM_SAMPLES */
    PetscErrorCode (*follow)(PsdConsensus, const PsdFactors *difference, PetscReal relaxation);
    PetscErrorCode (*restart)(PsdConsensus, Vec difference);
    PetscErrorCode (*rescale)(PsdConsensus, PetscReal factor);
    void (*get_residual)(PsdConsensus, const PetscReal *nu[]);
    PetscErrorCode (*visit)(PsdConsensus, PsdVisitor visitor);
  } samples;
} PsdConsensusOps;

struct _p_PsdConsensus {
  PsdProblem problem;
  PsdBlocks blocks;
  const PsdConsensusKernel *kernel; /* NULL: not chosen yet */
  void *data;                       /* the kernel's own; NULL before it has assembled */
  Vec rhs;                          /* work of the kernels of A'A */
  Vec target;                /* what S is fitted to: A'Y, or, with a loss that is split, A'(v - lambda); borrowed */
  Vec correction;            /* what the target is above h; NULL: A'A was made in double precision */
  Vec corrected;             /* h with it: the target then */
  PetscReal trace;           /* of G_P, which is that of A A'; on every rank */
  PetscReal shift;           /* of the factor at hand */
  PsdConsensusForm required; /* that a run which is continued needs */
  const char *gram_path;     /* file that A'A is kept in; NULL: none. Borrowed */
  PetscBool gram_resume;     /* what it holds already may be used */
  PsdArchive gram_archive;   /* that file, from PsdGramFind to PsdGramRead */
};

/* correction.c, of an A'A in single precision: what it is corrected by, at first nothing, and the end of that; whether the
   numbers that it was made of are in the range of single precision; the correction's visit. Collective. */
PetscErrorCode PsdConsensusBeginSingle(PsdConsensus consensus);
PetscErrorCode PsdConsensusEndSingle(PsdConsensus consensus);
PetscErrorCode PsdConsensusIsInRange(PsdConsensus consensus, PetscBool *yes);
PetscErrorCode PsdConsensusVisitCorrection(PsdConsensus consensus, PsdVisitor visitor);

/* PsdConsensusFormNames - the kernels of a form, as "root or scalapack". Not collective. */
void PsdConsensusFormNames(PsdConsensusForm form, size_t size, char text[]);

#endif
