/*
   What ADMM has to be proved: the best network that it has found, or one that was given, and its dual points
   (docs/mathematics.md, section 3).

   Of a network that was given the residual nu = Y - A S is a dual point, and correction (a) makes a better one; neither
   comes close when R*(A'nu) is far above beta, as it is at the end of a run with a small beta. What does come close is
   the dual point of an iteration that starts at the network. The iteration serves only to find w; that A'(Y - A w) is
   feasible is proved afterwards, from the samples, as for any other w.
*/
#include "admm.h"
#include "base/base.h"
#include "certificate/certificate.h"
#include "certificate/user_network.h"
#include "problem/samples.h"

/* Those of this rank's pairs. */
static PetscErrorCode KeepOwn(PsdAdmm admm, const PsdNeurons *all)
{
  PetscFunctionBeginUser;
  const PsdBlocks blocks = admm->blocks;
  PsdNeurons *own = &admm->best.neurons;
  const PetscInt room = PetscMax(own->capacity, all->N), f = all->f;
  PetscCall(PsdNeuronsDestroy(own));
  PetscCall(PsdNeuronsCreate(room, f, own));
  for (PetscInt k = 0; k < all->N; k++) {
    const PetscInt pair = all->class[k] * blocks->G + all->region[k];
    if (pair < blocks->first || pair >= blocks->first + blocks->local) continue;
    PetscCall(PetscArraycpy(own->filter + (size_t)own->N * f, all->filter + (size_t)k * f, f));
    own->weight[own->N] = all->weight[k];
    own->region[own->N] = all->region[k];
    own->class[own->N++] = all->class[k];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmFixNetwork(PsdSolver solver, PsdNetwork network)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PsdIterate iterate = {.network = admm->best.S};
  PsdTally tally = {0};
  PsdNeurons all;
  PetscCall(PsdProblemReadNeurons(admm->problem, network, &all));
  PetscCall(PsdNeuronsAssemble(&all, admm->blocks, admm->best.S, &admm->best.weight));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &admm->best.weight, 1, MPIU_REAL, MPI_SUM, admm->blocks->comm));
  PetscCall(PsdNeuronsBoundErrors(&all, admm->blocks, admm->best.weight, admm->best.error, &admm->best.weight_error));
  iterate.weight = admm->best.weight;
  PetscCall(PsdBoundsPrimalBegin(admm->bounds, &iterate, PETSC_TRUE, &tally));
  PetscCall(PsdBoundsDualBegin(admm->bounds, &iterate, PSD_CANDIDATES_NETWORK, &tally));
  PetscCall(PsdTallyReduce(admm->blocks->comm, &tally));
  PsdBoundsPrimalEnd(admm->bounds, &iterate);
  PetscCall(PsdBoundsDualEnd(admm->bounds, &iterate, PSD_CANDIDATES_NETWORK));
  admm->best.fixed = PETSC_TRUE;
  solver->status.objective = admm->bounds->primal;
  solver->status.neurons = all.N;
  PetscCall(KeepOwn(admm, &all));
  PetscCall(PsdNeuronsDestroy(&all));
  PetscFunctionReturn(0);
}

/* From the best dual point so far and, once there was an iteration, the last one, whose gradient is kept where it is wanted. */
static PetscErrorCode Certify(PsdAdmm admm, Vec gradient, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PsdSolver solver = admm->solver;
  const PsdBestNetwork *best = &admm->best;
  PsdDualSource sources[2] = {admm->bounds->best_source, {.w = admm->iterate.S, .gradient = gradient}};
  PsdConsensusGetStepResidual(admm->consensus, &sources[1].nu);
  if (admm->split) sources[1].nu = admm->split->nu_prox;
  if (sources[1].nu) sources[1].w = NULL;
  const PsdNetworkMatrix network = {best->S, best->error, best->weight, best->weight_error};
  PetscCall(
      PsdCertify(admm->problem, &network, solver->status.iteration > 0 ? 2 : 1, sources, solver->witness, certificate));
  PetscFunctionReturn(0);
}

/* One correction leaves what A'A in single precision is wrong by times how far S still goes from there, and two nothing that
   matters; where that is not enough, single precision is not. */
#define MOST_CORRECTIONS 2

/* A'A in double precision, where the run goes on. */
static PetscErrorCode LeaveSingle(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  const PetscReal shift = PsdConsensusGetShift(admm->consensus);
  if (admm->solver->reason != PSD_GAP_REACHED) PetscFunctionReturn(0);
  PetscCall(PsdConsensusLeaveSingle(admm->consensus));
  PetscCall(PsdConsensusFactor(admm->consensus, shift));
  PetscFunctionReturn(0);
}

/* The run goes on from a certificate that was not enough: M is A'(Y - A S) of the last S, from the samples. */
static PetscErrorCode CorrectSingle(PsdAdmm admm, Vec M)
{
  PetscFunctionBeginUser;
  if (admm->corrections++ < MOST_CORRECTIONS) PetscCall(PsdConsensusCorrect(admm->consensus, admm->iterate.S, M));
  else PetscCall(LeaveSingle(admm));
  PetscFunctionReturn(0);
}

/* The same of a loss that is split, which A'A in single precision needs no correction for (split.c). But its iterations
   may go through features as they are kept, rounded. */
static PetscErrorCode RefineSplit(PsdAdmm admm)
{
  PetscFunctionBeginUser;
  PetscBool kept = PsdFeaturesAreKept(admm->problem->folded);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &kept, 1, MPIU_BOOL, MPI_LOR, admm->blocks->comm));
  if (kept) PetscCall(LeaveSingle(admm));
  PetscFunctionReturn(0);
}

/* The features that A'A in single precision was made of serve for a certificate as well, with what rounding them has done
   counted, as long as that is small enough for the gap asked for. A certificate file is for others, who make the
   features themselves. */
static PetscErrorCode CertifySingle(PsdAdmm admm, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PsdSolver solver = admm->solver;
  const PetscReal gap = solver->settings.gap;
  PetscBool rounded;
  Vec M;
  if (solver->witness) PsdFeaturesSetExact(admm->problem->features);
  PetscCall(VecDuplicate(admm->problem->h, &M));
  PetscCall(PsdProblemIsRounded(admm->problem, &rounded));
  PetscCall(Certify(admm, M, certificate));
  if (certificate->gap > gap && rounded) {
    PsdFeaturesSetExact(admm->problem->features);
    PetscCall(Certify(admm, M, certificate));
  }
  if (certificate->gap > gap && solver->status.iteration > 0) {
    if (admm->split) PetscCall(RefineSplit(admm));
    else PetscCall(CorrectSingle(admm, M));
  }
  PetscCall(VecDestroy(&M));
  PetscFunctionReturn(0);
}

PetscErrorCode PsdAdmmCertify(PsdSolver solver, PsdCertificate *certificate)
{
  PetscFunctionBeginUser;
  const PsdAdmm admm = solver->data;
  PsdBestNetwork *best = &admm->best;
  if (!best->fixed)
    PetscCall(PsdNeuronsBoundErrors(&best->neurons, admm->blocks, best->weight, best->error, &best->weight_error));
  if (PsdConsensusIsSingle(admm->consensus)) PetscCall(CertifySingle(admm, certificate));
  else PetscCall(Certify(admm, NULL, certificate));
  PetscFunctionReturn(0);
}
