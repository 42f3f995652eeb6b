/*
   What the kernels of A'A have in common.
*/
#ifndef PSD_GRAM_BASED_PRIVATE_H
#define PSD_GRAM_BASED_PRIVATE_H

#include "consensus_impl.h"

/* Operations that are made of a kernel's own: step of solve, residuals of multiply; see PsdConsensusOps. */
PetscErrorCode PsdConsensusGramStep(PsdConsensus consensus, Vec Sh, Vec S);
PetscErrorCode PsdConsensusGramResidual(PsdConsensus consensus, Vec w, const PsdFactors *factors, PsdResidual *part,
                                        Vec M);
PetscErrorCode PsdConsensusGramStepResidual(PsdConsensus consensus, Vec S, Vec M, PsdResidual *part);
PetscErrorCode PsdConsensusGramStart(PsdConsensus consensus, Vec *start);

/* PsdReducePanel - adds `columns` columns from `first` on of all ranks' upper triangles (order D) into those of
   `owner`, in pieces of bounded size. Collective. */
PetscErrorCode PsdReducePanel(MPI_Comm comm, PetscMPIInt owner, PetscInt D, PetscInt first, PetscInt columns,
                              PetscReal *gram);

#endif
