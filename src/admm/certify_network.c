/*
   The certificate of a network that is only known by its neurons (docs/mathematics.md, section 3).

   Its residual nu = Y - A S is a dual point, and correction (a) makes a better one; neither comes close when R*(A'nu) is far
   above beta, as it is at the end of a run with a small beta. What does come close is the dual point of an iteration that
   starts at the network: this is what is done here, as far as it takes to reach the target. The iteration serves only to
   find w; that A'(Y - A w) is feasible is proved afterwards, from the samples, as for any other w.
*/
#include "admm.h"
#include "base/base.h"
#include "certificate/certificate.h"
#include "network/network.h"

PetscErrorCode PsdAdmmFixNetwork(PsdAdmm admm, PsdNetwork network)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(admm);
  PsdIterate iterate = {.network = admm->best.S};
  PsdNeurons all;
  PetscCall(PsdAdmmReadNeurons(admm, network, &all));
  PetscCall(PsdNeuronsAssemble(&all, admm->blocks, admm->best.S, &admm->best.weight));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &admm->best.weight, 1, MPIU_REAL, MPI_SUM, admm->blocks->comm));
  PetscCall(PsdNeuronsBoundErrors(&all, admm->blocks, admm->best.weight, admm->best.error, &admm->best.weight_error));
  iterate.weight = admm->best.weight;
  PetscCall(PsdBoundsPrimal(admm->bounds, &iterate, PETSC_TRUE));
  PetscCall(PsdBoundsDual(admm->bounds, &iterate, PSD_CANDIDATES_NETWORK));
  admm->best.fixed = PETSC_TRUE;
  admm->status.objective = admm->bounds->primal;
  admm->status.neurons = all.N;
  PetscCall(PsdNeuronsDestroy(&all));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdCertifyNetwork(PsdProblem problem, PsdNetwork network, PetscReal target, PetscInt max_it,
                                 PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PsdAdmm admm;
  PetscCall(PsdNetworkCheckPadding(network));
  PetscCall(PsdAdmmCreate(problem, &admm));
  PetscCall(PsdAdmmSetTolerances(admm, target, max_it));
  PetscCall(PsdAdmmSetUp(admm));
  PetscCall(PsdAdmmFixNetwork(admm, network));
  if (max_it > 0) {
    PetscCall(PsdAdmmSetInitial(admm, network));
    PetscCall(PsdAdmmSolve(admm, certificate));
  } else {
    const PsdNetworkMatrix matrix = {admm->best.S, admm->best.error, admm->best.weight, admm->best.weight_error};
    PetscCall(PsdCertify(problem, &matrix, 1, &admm->bounds->best_source, certificate));
  }
  PetscCall(PsdAdmmDestroy(&admm));
  PetscFunctionReturn(0);
}
