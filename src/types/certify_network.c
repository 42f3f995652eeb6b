/*
   The certificate of a network that is only known by its neurons (docs/mathematics.md, section 3): a solver looks for
   dual points, beginning at the network, as far as it takes to reach the target.
*/
#include "base/base.h"
#include "certificate/user_network.h"
#include "solver/solver.h"

PetscErrorCode PsdCertifyNetwork(PsdProblem problem, PsdNetwork network, const char type[], PetscReal target,
                                 PetscInt max_it, PsdCertificate *certificate, PsdWitness *witness)
{
  PetscFunctionBeginUser;
  PsdCheckHandle(problem);
  PsdSolver solver;
  PetscCall(PsdSolverCreate(problem, &solver));
  if (type) PetscCall(PsdSolverSetType(solver, type));
  PetscCall(PsdSolverSetTolerances(solver, target, max_it));
  if (witness) PetscCall(PsdSolverKeepWitness(solver));
  PetscCall(PsdSolverSetUp(solver));
  PetscCall(PsdSolverFixNetwork(solver, network));
  if (max_it > 0) {
    PetscCall(PsdSolverSetInitial(solver, network));
    PetscCall(PsdSolverSolve(solver, certificate));
  } else {
    PetscCall((*solver->type->certify)(solver, certificate));
    PsdCertificateToUser(problem, certificate);
  }
  if (witness) {
    *witness = solver->witness;
    solver->witness = NULL; /* handed on */
  }
  PetscCall(PsdSolverDestroy(&solver));
  PetscFunctionReturn(0);
}
